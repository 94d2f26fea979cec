/** Safety numbers (protocol.md section 4). */
import { concat, utf8 } from '../crypto/bytes.ts';
import { sha256 } from '../crypto/hashes.ts';
import { sha512 } from '../crypto/sha512.ts';
import { compare, fromBase64url, readUint, toBase64url } from './bytes.ts';
import { WireError } from './errors.ts';

/** Each try at an identity with a chosen fingerprint costs that many SHA-512. */
const ITERATIONS = 5200;
const QR_PREFIX = 'polynya-safety-1:';
const KEY_SIZE = 32;

/** What a QR code holds: the identity keys in ascending order, and the conversation's epoch authenticator. */
export interface SafetyCode {
  readonly low: Uint8Array;
  readonly high: Uint8Array;
  readonly epochAuthenticator: Uint8Array;
}

/** `count` groups of five digits from five bytes each. */
function groups(data: Uint8Array, count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    String(readUint(data.subarray(5 * i, 5 * i + 5)) % 100_000).padStart(5, '0'),
  );
}

const ascending = (one: Uint8Array, other: Uint8Array): Uint8Array =>
  compare(one, other) < 0 ? concat(one, other) : concat(other, one);

/** Eight groups of five digits for two identity keys, the same whichever comes first. Takes some 50 ms. */
export function identityGroups(one: Uint8Array, other: Uint8Array): string[] {
  const pair = ascending(one, other);
  let digest = sha512(concat(utf8('polynya fingerprint 1'), pair));
  for (let i = 0; i < ITERATIONS; i++) digest = sha512(concat(digest, pair));
  return groups(digest, 8);
}

/** Four groups of five digits for an epoch of a conversation. */
export function epochGroups(epochAuthenticator: Uint8Array): string[] {
  return groups(sha256(concat(utf8('polynya epoch 1'), epochAuthenticator)), 4);
}

/** Twelve groups of five digits: eight of the identities, four of the epoch. */
export function safetyNumber(one: Uint8Array, other: Uint8Array, epochAuthenticator: Uint8Array): string[] {
  return [...identityGroups(one, other), ...epochGroups(epochAuthenticator)];
}

/** Text of the QR code. */
export function safetyQr(one: Uint8Array, other: Uint8Array, epochAuthenticator: Uint8Array): string {
  return QR_PREFIX + toBase64url(concat(ascending(one, other), epochAuthenticator));
}

/** @throws WireError `safety-qr` for anything that `safetyQr` does not write. */
export function parseSafetyQr(text: string): SafetyCode {
  const data = text.startsWith(QR_PREFIX) ? fromBase64url(text.slice(QR_PREFIX.length)) : null;
  if (data?.length !== 3 * KEY_SIZE) throw new WireError('safety-qr');
  const [low, high, epochAuthenticator] = [0, 1, 2].map((i) => data.slice(i * KEY_SIZE, (i + 1) * KEY_SIZE)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  if (compare(low, high) > 0) throw new WireError('safety-qr');
  return { low, high, epochAuthenticator };
}
