/*
 * Curves and ML-KEM for browsers whose WebCrypto lacks them. Only ever imported dynamically: a
 * browser that has them natively never loads this.
 */
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

export const agree = (secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array =>
  x25519.getSharedSecret(secretKey, publicKey);

export const x25519Public = (secretKey: Uint8Array): Uint8Array => x25519.getPublicKey(secretKey);

export const ed25519Public = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed);

export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Uint8Array => ed25519.sign(message, seed);

export const ed25519Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
  ed25519.verify(signature, message, publicKey, { zip215: false });

export const mlkemPublic = (seed: Uint8Array): Uint8Array => ml_kem768.keygen(seed).publicKey;

export function mlkemEncapsulate(publicKey: Uint8Array): [Uint8Array, Uint8Array] {
  const { sharedSecret, cipherText } = ml_kem768.encapsulate(publicKey);
  return [sharedSecret, cipherText];
}

export const mlkemDecapsulate = (seed: Uint8Array, ciphertext: Uint8Array): Uint8Array =>
  ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seed).secretKey);
