import { CryptoError, checkSize } from './errors.ts';
import { fallback, feature, jwkField, remembered, subtle, view } from './subtle.ts';

/** ML-KEM-768 (FIPS 203). A secret key is its 64-byte seed d || z. */

const NAME = 'ML-KEM-768';
export const PUBLIC_KEY_SIZE = 1184;
export const CIPHERTEXT_SIZE = 1088;

/** What WebCrypto calls these operations; not yet in the compiler's library. */
interface SubtleKem {
  importKey(format: string, data: BufferSource, name: string, extractable: boolean, usages: string[]): Promise<CryptoKey>;
  encapsulateBits(name: string, key: CryptoKey): Promise<{ sharedKey: ArrayBuffer; ciphertext: ArrayBuffer }>;
  decapsulateBits(name: string, key: CryptoKey, ciphertext: BufferSource): Promise<ArrayBuffer>;
}

const subtleKem = (): SubtleKem => subtle() as unknown as SubtleKem;
const importSeed = remembered((seed) =>
  subtleKem().importKey('raw-seed', view(seed), NAME, true, ['decapsulateBits']),
);

/** Whether WebCrypto has ML-KEM-768. */
export const native = feature(async () => {
  const key = await subtleKem().importKey('raw-seed', new Uint8Array(64), NAME, true, ['decapsulateBits']);
  return jwkField(key, 'pub').then((found) => found.length === PUBLIC_KEY_SIZE || Promise.reject());
});

const Q = 3329;

/** Refuses public keys that FIPS 203, section 7.2, refuses: 768 coefficients of 12 bits, each below q. @throws CryptoError */
export function checkPublicKey(publicKey: Uint8Array): void {
  checkSize(publicKey, PUBLIC_KEY_SIZE);
  for (let i = 0; i < 1152; i += 3) {
    const [a, b, c] = [publicKey[i]!, publicKey[i + 1]!, publicKey[i + 2]!];
    if ((a | ((b & 15) << 8)) >= Q || ((b >> 4) | (c << 4)) >= Q) {
      throw new CryptoError('The ML-KEM public key is not usable.');
    }
  }
}

/** The 1,184-byte public key of a seed. */
export async function publicKey(seed: Uint8Array): Promise<Uint8Array> {
  if (await native()) return jwkField(await importSeed(seed), 'pub');
  return (await fallback()).mlkemPublic(seed);
}

/** Encapsulation with the system's own randomness: [shared secret, ciphertext]. @throws CryptoError for an invalid key. */
export async function encapsulate(publicKey: Uint8Array): Promise<[Uint8Array, Uint8Array]> {
  try {
    if (!(await native())) return (await fallback()).mlkemEncapsulate(publicKey);
    const key = await subtleKem().importKey('raw-public', view(publicKey), NAME, true, ['encapsulateBits']);
    const { sharedKey, ciphertext } = await subtleKem().encapsulateBits(NAME, key);
    return [new Uint8Array(sharedKey), new Uint8Array(ciphertext)];
  } catch {
    throw new CryptoError('The ML-KEM public key is not usable.');
  }
}

/** The 32-byte shared secret; a wrong ciphertext of the right length gives a wrong secret (implicit rejection). */
export async function decapsulate(seed: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array> {
  checkSize(ciphertext, CIPHERTEXT_SIZE);
  if (!(await native())) return (await fallback()).mlkemDecapsulate(seed, ciphertext);
  return new Uint8Array(await subtleKem().decapsulateBits(NAME, await importSeed(seed), view(ciphertext)));
}
