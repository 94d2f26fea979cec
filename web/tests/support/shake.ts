import { shake256 } from '@noble/hashes/sha3.js';

/** The ML-KEM seed inside an X-Wing private key. */
export function shakeSeed(privateKey: Uint8Array): Uint8Array {
  return shake256(privateKey, { dkLen: 64 });
}
