/** Finds links in what people write. Only http, https and mailto; a link shows exactly where it leads. */

export type Piece = { text: string } | { label: string; href: string };

/** Candidates only: each is judged by `linkTo`. */
const CANDIDATE = /(?:https?:\/\/|mailto:|www\.)[^\s<>"\u00ab\u00bb\u201c\u201d]+|[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/giu;
const DIRECTION = /[\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const TRAILING = /[.,:;!?'’…)\]}*_~]$/;
const CLOSING: Record<string, string> = { ')': '(', ']': '[', '}': '{' };

const count = (text: string, character: string): number => text.split(character).length - 1;

function trimEnd(candidate: string): string {
  let end = candidate;
  for (;;) {
    const last = end.at(-1) ?? '';
    if (!TRAILING.test(last)) return end;
    const opening = CLOSING[last];
    if (opening && count(end, opening) >= count(end, last)) return end;
    end = end.slice(0, -1);
  }
}

/** The address a candidate leads to, or null where it could deceive: other schemes, hidden characters, a user name before the host. */
export function linkTo(candidate: string): URL | null {
  if (DIRECTION.test(candidate)) return null;
  const text = /^www\./i.test(candidate) ? `https://${candidate}` : /^(https?:|mailto:)/i.test(candidate) ? candidate : `mailto:${candidate}`;
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (url.protocol === 'mailto:') return url.pathname.includes('@') ? url : null;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  if (url.username || url.password || !/[.:]|^localhost$/.test(url.host)) return null;
  return url;
}

/** Letters that look like others make two hosts look alike; then the registered form stands beside. */
function labelOf(written: string, url: URL): string {
  return url.hostname.includes('xn--') ? `${written} (${url.hostname})` : written;
}

export function findLinks(text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const candidate = trimEnd(match[0]);
    const url = linkTo(candidate);
    if (!url) continue;
    if (match.index > done) pieces.push({ text: text.slice(done, match.index) });
    pieces.push({ label: labelOf(candidate, url), href: url.href });
    done = match.index + candidate.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done) });
  return pieces;
}
