import { sha512 as nobleSha512 } from '@noble/hashes/sha2.js';

/** Apart from the other hashes: a first message needs none of it. */
export function sha512(data: Uint8Array): Uint8Array {
  return nobleSha512(data);
}
