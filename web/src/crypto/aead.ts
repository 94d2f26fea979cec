import { CryptoError, checkSize } from './errors.ts';
import { subtle, view } from './subtle.ts';

/** An AEAD of RFC 5116. Sizes in bytes; the tag is at the ciphertext's end. */
export interface Aead {
  /** HPKE's registered number. */
  readonly id: number;
  readonly keySize: number;
  readonly nonceSize: number;
  readonly tagSize: number;
  seal(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array>;
  /** @throws CryptoError when the ciphertext is not authentic. */
  open(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Promise<Uint8Array>;
}

function aesGcm(id: number, keySize: number): Aead {
  const name = 'AES-GCM';
  const load = (key: Uint8Array, usage: KeyUsage): Promise<CryptoKey> => {
    checkSize(key, keySize);
    return subtle().importKey('raw', view(key), name, false, [usage]);
  };
  const parameters = (nonce: Uint8Array, aad: Uint8Array): AesGcmParams => {
    checkSize(nonce, 12);
    return { name, iv: view(nonce), additionalData: view(aad) };
  };
  return {
    id,
    keySize,
    nonceSize: 12,
    tagSize: 16,
    async seal(key, nonce, aad, plaintext) {
      return new Uint8Array(await subtle().encrypt(parameters(nonce, aad), await load(key, 'encrypt'), view(plaintext)));
    },
    async open(key, nonce, aad, ciphertext) {
      const given = parameters(nonce, aad);
      const loaded = await load(key, 'decrypt');
      try {
        return new Uint8Array(await subtle().decrypt(given, loaded, view(ciphertext)));
      } catch {
        throw new CryptoError('The ciphertext is not authentic.');
      }
    },
  };
}

export const AES_128_GCM = aesGcm(0x0001, 16);
export const AES_256_GCM = aesGcm(0x0002, 32);
