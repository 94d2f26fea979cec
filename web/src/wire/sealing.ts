/** `nonce || AES-256-GCM(key, nonce, aad, plaintext)`: how everything that is stored is sealed. */
import { AES_256_GCM } from '../crypto/aead.ts';
import { concat } from '../crypto/bytes.ts';
import { CryptoError } from '../crypto/errors.ts';
import type { Random } from '../crypto/random.ts';
import { WireError } from './errors.ts';

const NONCE_SIZE = 12;
/** Nonce and tag. */
export const OVERHEAD = NONCE_SIZE + 16;

/** What `action` gives; a refusal of a primitive becomes a WireError with `rule`. */
export async function refuse<T>(rule: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof CryptoError) throw new WireError(rule);
    throw error;
  }
}

/** Under a 32-byte key that is used for fewer than 2^32 plaintexts, as nonces are random. */
export async function seal(
  key: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): Promise<Uint8Array> {
  const nonce = random.bytes(NONCE_SIZE);
  return concat(nonce, await AES_256_GCM.seal(key, nonce, aad, plaintext));
}

/** The plaintext. @throws WireError with `rule` */
export async function openSealed(
  key: Uint8Array,
  aad: Uint8Array,
  sealed: Uint8Array,
  rule: string,
): Promise<Uint8Array> {
  if (sealed.length < OVERHEAD) throw new WireError(rule);
  return refuse(rule, () => AES_256_GCM.open(key, sealed.slice(0, NONCE_SIZE), aad, sealed.slice(NONCE_SIZE)));
}
