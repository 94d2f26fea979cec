import { hex } from './bytes.ts';
import { checkSize } from './errors.ts';
import { fallback, feature, jwkField, pkcs8, remembered, subtle, view } from './subtle.ts';
import type { Random } from './random.ts';

/** Ed25519 (RFC 8032). A private key is its 32-byte seed. */

export const PUBLIC_KEY_SIZE = 32;
export const SIGNATURE_SIZE = 64;

const importPrivate = remembered((seed) =>
  subtle().importKey('pkcs8', pkcs8(0x70, seed), { name: 'Ed25519' }, true, ['sign']),
);
const importPublic = remembered((publicKey) =>
  subtle().importKey('raw', view(publicKey), { name: 'Ed25519' }, true, ['verify']),
);

/** Whether WebCrypto has Ed25519. */
export const native = feature(() => subtle().generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']));

/** A fresh private key: one draw of 32 bytes. */
export function generate(random: Random): Uint8Array {
  return random.bytes(32);
}

/** The 32-byte public key of a seed. */
export async function publicKey(seed: Uint8Array): Promise<Uint8Array> {
  checkSize(seed, 32);
  if (!(await native())) return (await fallback()).ed25519Public(seed);
  return jwkField(await importPrivate(seed), 'x');
}

/** A 64-byte signature. */
export async function sign(seed: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  checkSize(seed, 32);
  if (!(await native())) return (await fallback()).ed25519Sign(seed, message);
  return new Uint8Array(await subtle().sign('Ed25519', await importPrivate(seed), view(message)));
}

/** The encodings of points of order 1, 2, 4 and 8, without the highest bit, those above the prime included. */
const SMALL_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];

/** Whether an encoded point has small order. Such keys sign for everybody, and implementations differ about them. */
export function isSmallOrder(point: Uint8Array): boolean {
  const masked = point.slice(0, 32);
  masked[31]! &= 0x7f;
  return SMALL_ORDER.includes(hex(masked));
}

/**
 * Whether the signature is the key's over the message, by the equation without cofactor. A key or signature of any
 * other length is never valid, nor is one with a point of small order.
 */
export async function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (publicKey.length !== PUBLIC_KEY_SIZE || signature.length !== SIGNATURE_SIZE) return false;
  if (isSmallOrder(publicKey) || isSmallOrder(signature)) return false;
  try {
    if (!(await native())) return (await fallback()).ed25519Verify(publicKey, message, signature);
    return await subtle().verify('Ed25519', await importPublic(publicKey), view(signature), view(message));
  } catch {
    return false;
  }
}
