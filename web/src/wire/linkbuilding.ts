/** Making links (protocol.md section 7); `links.ts` reads them. */
import { concat } from '../crypto/bytes.ts';
import { encodeInviteLink, encodeRelayLink, type InviteLink, type RelayLink } from './_messages.ts';
import { toBase64url } from './bytes.ts';
import { check, isAddress, LinkError } from './links.ts';

/** `address`: where the app is, which is the relay's address unless `link.url` is there. */
export function buildInviteLink(address: string, link: InviteLink): string {
  return build(address, 'i', encodeInviteLink(link));
}

/** As `buildInviteLink`. */
export function buildRelayLink(address: string, link: RelayLink): string {
  return build(address, 'r', encodeRelayLink(link));
}

function build(address: string, kind: 'i' | 'r', data: Uint8Array): string {
  if (!isAddress(address)) throw new LinkError('link-address');
  return `${address}/#${kind}=${toBase64url(concat(data, check(data)))}`;
}
