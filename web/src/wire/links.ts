/** Invite and relay links (protocol.md section 7): parse what people paste, build what they send on. */
import { concat, fromBase64Url, utf8 } from '../crypto/bytes.ts';
import { sha256 } from '../crypto/hashes.ts';
import {
  decodeInviteLink,
  decodeRelayLink,
  encodeInviteLink,
  encodeRelayLink,
  type InviteLink,
  PROTOCOL_VERSION,
  type RelayAddress,
  type RelayLink,
} from './_messages.ts';
import { fromBase64url, same, toBase64url } from './bytes.ts';
import * as cbor from './cbor.ts';
import { WireError } from './errors.ts';

/** Bytes of the check: 1 damaged link in 2^32 passes. */
const CHECK_SIZE = 4;
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
  constructor(rule: LinkRule) {
    super(rule, '', rule);
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
  const data = checked(payload.replace(/=+$/, ''));
  const link = decodeLink(kind, data);
  if (link.version > PROTOCOL_VERSION) throw new LinkError('link-version');
  const url = (link.url ?? before ?? base)?.replace(/\/+$/, '');
  if (url === undefined || !isAddress(url)) throw new LinkError('link-address');
  const address = { url, identity: link.relay };
  return 'card' in link ? { kind: 'invite', address, link } : { kind: 'relay', address, link };
}

function decodeLink(kind: 'i' | 'r', data: Uint8Array): InviteLink | RelayLink {
  try {
    return kind === 'i' ? decodeInviteLink(data) : decodeRelayLink(data);
  } catch (error) {
    if (error instanceof WireError) throw new LinkError(versionOrDamage(data));
    throw error;
  }
}

/** `address`: where the app is, which is the relay's address unless `link.url` is there. */
export function buildInviteLink(address: string, link: InviteLink): string {
  return build(address, 'i', encodeInviteLink(link));
}

/** As `buildInviteLink`. */
export function buildRelayLink(address: string, link: RelayLink): string {
  return build(address, 'r', encodeRelayLink(link));
}

/** Whether `url` is a relay's address: http(s)://host[:port]/path without user, query, fragment or last slash. */
export function isAddress(url: string): boolean {
  return url.length <= ADDRESS_MAX && ADDRESS.test(url);
}

function build(address: string, kind: 'i' | 'r', data: Uint8Array): string {
  if (!isAddress(address)) throw new LinkError('link-address');
  return `${address}/#${kind}=${toBase64url(concat(data, check(data)))}`;
}

const check = (data: Uint8Array): Uint8Array => sha256(concat(utf8('polynya link 1'), data)).slice(0, CHECK_SIZE);

/** What the check covers. @throws LinkError `link-truncated` or `link-damaged`. */
function checked(payload: string): Uint8Array {
  if (!/^[A-Za-z0-9_-]*$/.test(payload)) throw new LinkError('link-damaged');
  const data = fromBase64url(payload);
  if (data && data.length > CHECK_SIZE) {
    const body = data.slice(0, -CHECK_SIZE);
    if (same(data.slice(-CHECK_SIZE), check(body))) return body;
  }
  throw new LinkError(isCut(data ?? wholeBytes(payload)) ? 'link-truncated' : 'link-damaged');
}

/** The whole bytes of base64url that ends anywhere. */
function wholeBytes(payload: string): Uint8Array {
  const whole = payload.slice(0, payload.length - (payload.length % 4 === 1 ? 1 : 0));
  return fromBase64Url(whole);
}

/** Whether the end is missing: of the value, or of the check behind it. */
function isCut(data: Uint8Array): boolean {
  for (let missing = 0; missing < CHECK_SIZE; missing++) {
    const rule = ruleOf(data.slice(0, Math.max(0, data.length - missing)));
    if (rule !== 'cbor-trailing') return rule === undefined || rule === 'cbor-truncated';
  }
  return false;
}

function ruleOf(data: Uint8Array): string | undefined {
  try {
    cbor.decode(data);
    return undefined;
  } catch (error) {
    if (error instanceof WireError) return error.rule;
    throw error;
  }
}

/** A link whose check is right and whose form is unknown: made by a newer version, or by something else. */
function versionOrDamage(data: Uint8Array): LinkRule {
  if (ruleOf(data) !== undefined) return 'link-damaged';
  const value = cbor.decode(data);
  const version = value instanceof Map ? (value.get(1) as unknown) : undefined;
  return typeof version === 'number' && version > PROTOCOL_VERSION ? 'link-version' : 'link-damaged';
}
