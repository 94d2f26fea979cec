import { CryptoError } from './errors.ts';
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

function row(id: number, name: string, format: string, keySize: number): Aead {
  const load = (key: Uint8Array, usage: KeyUsage): Promise<CryptoKey> => {
    if (key.length !== keySize) throw new CryptoError(`A ${name} key here has ${keySize} bytes.`);
    return subtle().importKey(format as 'raw', view(key), name, false, [usage]);
  };
  const parameters = (nonce: Uint8Array, aad: Uint8Array): AesGcmParams => {
    if (nonce.length !== 12) throw new CryptoError('A nonce has 12 bytes.');
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

export const AES_128_GCM = row(0x0001, 'AES-GCM', 'raw', 16);
export const AES_256_GCM = row(0x0002, 'AES-GCM', 'raw', 32);
/** Only where WebCrypto has it: nothing that we publish needs it. */
export const CHACHA20_POLY1305 = row(0x0003, 'ChaCha20-Poly1305', 'raw-secret', 32);

/** The AEAD with HPKE's number `id`, if known. */
export function aeadById(id: number): Aead | undefined {
  return [AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305].find((aead) => aead.id === id);
}
