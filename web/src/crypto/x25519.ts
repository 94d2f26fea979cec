import { hex } from './bytes.ts';
import { CryptoError, checkSize } from './errors.ts';
import { fallback, feature, jwkField, pkcs8, remembered, subtle, view } from './subtle.ts';

const importPrivate = remembered((secretKey) =>
  subtle().importKey('pkcs8', pkcs8(0x6e, secretKey), 'X25519', true, ['deriveBits']),
);
const importPublic = remembered((publicKey) => subtle().importKey('raw', view(publicKey), 'X25519', true, []));

/** Whether WebCrypto has X25519. */
export const native = feature(() => subtle().generateKey({ name: 'X25519' }, false, ['deriveBits']));

/** Refuses the all-zero result that a public key of small order gives (RFC 7748, section 6.1). */
export function checkSharedSecret(shared: Uint8Array): Uint8Array {
  if (shared.every((byte) => byte === 0)) throw new CryptoError('The public key is not usable.');
  return shared;
}

/**
 * The u-coordinates, little-endian and without the highest bit (which does not count), that give the all-zero secret
 * whatever the secret key: the points of order 1, 2, 4 and 8, and those of them that fit once more above the prime.
 */
const LOW_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`,
];

/** Refuses the public keys that `agree` would refuse, without agreeing. @throws CryptoError */
export function checkPublicKey(publicKey: Uint8Array): void {
  checkSize(publicKey, 32);
  const masked = publicKey.slice();
  masked[31]! &= 0x7f;
  if (LOW_ORDER.includes(hex(masked))) throw new CryptoError('The public key is not usable.');
}

/** X25519 (RFC 7748) of a 32-byte secret key and a 32-byte public key. @throws CryptoError */
export async function agree(secretKey: Uint8Array, publicKey: Uint8Array): Promise<Uint8Array> {
  checkSize(secretKey, 32);
  checkSize(publicKey, 32);
  try {
    if (!(await native())) return checkSharedSecret((await fallback()).agree(secretKey, publicKey));
    const [own, peer] = await Promise.all([importPrivate(secretKey), importPublic(publicKey)]);
    return checkSharedSecret(new Uint8Array(await subtle().deriveBits({ name: 'X25519', public: peer }, own, 256)));
  } catch (error) {
    if (error instanceof CryptoError) throw error;
    throw new CryptoError('The public key is not usable.');
  }
}

/** The 32-byte public key of a 32-byte secret key. */
export async function publicKey(secretKey: Uint8Array): Promise<Uint8Array> {
  checkSize(secretKey, 32);
  if (!(await native())) return (await fallback()).x25519Public(secretKey);
  return jwkField(await importPrivate(secretKey), 'x');
}
