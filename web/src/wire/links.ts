/** Invite and relay links (protocol.md section 7): parsing what people paste; `linkbuilding.ts` makes what they send on. */
import { concat, utf8 } from '../crypto/bytes.ts';
import { sha256 } from '../crypto/hashes.ts';
import {
  decodeInviteLink,
  decodeRelayLink,
  type InviteLink,
  PROTOCOL_VERSION,
  type RelayAddress,
  type RelayLink,
} from './_messages.ts';
import { fromBase64url, same } from './bytes.ts';
import { WireError } from './errors.ts';

/** Bytes of the check: 1 damaged link in 2^32 passes. */
export const CHECK_SIZE = 4;
const ADDRESS_MAX = 256;
/** Characters; the longest link has some 700. */
const PASTED_MAX = 8192;

const ADDRESS =
  /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*$/;
const LINK = /(?:(https?:\/\/[^#]*?)\/*)?(?:#|^)([ir])=(.*)$/;
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;
const AROUND = '[<>()[\\]{}"\'`.,;:!?\u00ab\u00bb\u201c\u201d\u2018\u2019]';
const EDGES = new RegExp(`^${AROUND}+|${AROUND}+$`, 'g');

/** The text catalogue has the words for each: they are not in the first load. */
export type LinkRule = 'link-foreign' | 'link-truncated' | 'link-damaged' | 'link-version' | 'link-address';

/** A link that cannot be used; `code` and `rule` are the same. */
export class LinkError extends WireError {
  /** Of one that is `link-damaged` as far as is known here: `linkdamage.ts` can tell more. */
  readonly payload: string | undefined;

  constructor(rule: LinkRule, payload?: string) {
    super(rule, '', rule);
    this.payload = payload;
  }
}

/** A link that was read; nothing that it names has been asked yet. */
export type OpenedLink =
  | { readonly kind: 'invite'; readonly address: RelayAddress; readonly link: InviteLink }
  | { readonly kind: 'relay'; readonly address: RelayAddress; readonly link: RelayLink };

/**
 * The link in what a person pasted: a whole link, or only its fragment with `base`, the address of the app.
 *
 * A link is found among other words, and where mail or chat broke it into lines or put punctuation around it.
 * @throws LinkError
 */
export function parseLink(text: string, base?: string): OpenedLink {
  const words = text.slice(0, PASTED_MAX).replace(INVISIBLE, '').split(/\s+/);
  let problem = new LinkError('link-foreign');
  for (const candidate of [words.join(''), ...words]) {
    try {
      return parse(candidate.replace(EDGES, ''), base);
    } catch (error) {
      if (!(error instanceof LinkError)) throw error;
      if (error.rule !== 'link-foreign') problem = error;
    }
  }
  throw problem;
}

function parse(text: string, base: string | undefined): OpenedLink {
  const found = LINK.exec(text.includes('#') ? text : text.replaceAll('%23', '#'));
  if (!found) throw new LinkError('link-foreign');
  const [, before, kind, payload] = found as unknown as [string, string | undefined, 'i' | 'r', string];
  const link = decodeLink(kind, payload.replace(/=+$/, ''));
  if (link.version > PROTOCOL_VERSION) throw new LinkError('link-version');
  const url = (link.url ?? before ?? base)?.replace(/\/+$/, '');
  if (url === undefined || !isAddress(url)) throw new LinkError('link-address');
  const address = { url, identity: link.relay };
  return 'card' in link ? { kind: 'invite', address, link } : { kind: 'relay', address, link };
}

/** @throws LinkError `link-damaged` with the payload */
function decodeLink(kind: 'i' | 'r', payload: string): InviteLink | RelayLink {
  const data = checked(payload);
  try {
    if (data) return kind === 'i' ? decodeInviteLink(data) : decodeRelayLink(data);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
  throw new LinkError('link-damaged', payload);
}

/** Whether `url` is a relay's address: http(s)://host[:port]/path without user, query, fragment or last slash. */
export function isAddress(url: string): boolean {
  return url.length <= ADDRESS_MAX && ADDRESS.test(url);
}

export const check = (data: Uint8Array): Uint8Array => sha256(concat(utf8('polynya link 1'), data)).slice(0, CHECK_SIZE);

/** What the check covers; null where it does not fit. */
export function checked(payload: string): Uint8Array | null {
  const data = fromBase64url(payload);
  const body = data?.slice(0, -CHECK_SIZE);
  return data && body?.length && same(data.slice(-CHECK_SIZE), check(body)) ? body : null;
}
