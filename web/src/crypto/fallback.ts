/*
 * Curves and ML-KEM for browsers whose WebCrypto lacks them. Only ever imported dynamically: a
 * browser that has them natively never loads this.
 */
import { ed25519, x25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE } from '@noble/curves/utils.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { concat } from './bytes.ts';
import { equal } from './compare.ts';

export const agree = (secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array =>
  x25519.getSharedSecret(secretKey, publicKey);

export const x25519Public = (secretKey: Uint8Array): Uint8Array => x25519.getPublicKey(secretKey);

export const ed25519Public = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed);

export const ed25519Sign = (seed: Uint8Array, message: Uint8Array): Uint8Array => ed25519.sign(message, seed);

/**
 * Verifies as native implementations do, by the equation without cofactor: members must not come to different verdicts
 * about a signature that someone crafted.
 */
export function ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const { Point } = ed25519;
  const [r, s] = [signature.slice(0, 32), bytesToNumberLE(signature.slice(32))];
  if (s >= Point.Fn.ORDER) return false;
  const key = Point.fromBytes(publicKey, true);
  const challenge = Point.Fn.create(bytesToNumberLE(sha512(concat(r, publicKey, message))));
  const expected = Point.BASE.multiplyUnsafe(s).subtract(key.multiplyUnsafe(challenge));
  return equal(expected.toBytes(), r);
}

export const mlkemPublic = (seed: Uint8Array): Uint8Array => ml_kem768.keygen(seed).publicKey;

export function mlkemEncapsulate(publicKey: Uint8Array): [Uint8Array, Uint8Array] {
  const { sharedSecret, cipherText } = ml_kem768.encapsulate(publicKey);
  return [sharedSecret, cipherText];
}

export const mlkemDecapsulate = (seed: Uint8Array, ciphertext: Uint8Array): Uint8Array =>
  ml_kem768.decapsulate(ciphertext, ml_kem768.keygen(seed).secretKey);
