import { concat } from './bytes.ts';
import { hmacSha256 } from './sha256.ts';

/*
 * Synchronous on purpose: MLS makes thousands of hashes of a few hundred bytes, where a round trip
 * to WebCrypto costs more than the hash.
 */

export { hmacSha256, sha256 } from './sha256.ts';

/** HKDF-Extract with SHA-256 (RFC 5869): 32 bytes. */
export function hkdfExtract(salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return hmacSha256(salt, ikm);
}

/** HKDF-Expand with SHA-256 (RFC 5869): `length` bytes, at most 255 * 32. */
export function hkdfExpand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  if (length > 255 * 32) throw new RangeError('HKDF gives 8,160 bytes at most.');
  let block: Uint8Array = new Uint8Array(0);
  let out = block;
  for (let count = 1; out.length < length; count++) {
    block = hmacSha256(prk, block, info, Uint8Array.of(count));
    out = concat(out, block);
  }
  return out.slice(0, length);
}
