/** What the person came with: an invite or a relay's first link, in the part of the address that never reaches a server. */

export interface Arrival {
  /** The app's address, which is its relay's where the link names no other: no file name, query or fragment. */
  base: string;
  /** What stood after `#`; empty when there was nothing. */
  fragment: string;
}

/** Reads the fragment and takes it out of the address bar and the history at once: it is a secret. */
export function takeArrival(): Arrival {
  const { origin, pathname, search, hash } = location;
  const base = origin + pathname.replace(/index\.html$/, '');
  if (hash) history.replaceState(null, '', pathname + search);
  return { base, fragment: hash.slice(1) };
}

/** Puts it back where another app's menu will take the address to a real browser. */
export function putBack({ base, fragment }: Arrival): void {
  if (fragment) history.replaceState(null, '', `${base}#${fragment}`);
}

export type LinkKind = 'invite' | 'relay';

/** What kind of link this looks like, a whole one or only its fragment; null for anything else. The client judges it for good. */
export function linkKind(link: string): LinkKind | null {
  const match = /(?:^|#|%23)([ir])=[\w-]{20,}/.exec(link.replace(/\s+/g, ''));
  return match ? (match[1] === 'i' ? 'invite' : 'relay') : null;
}
