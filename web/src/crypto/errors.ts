import { PolynyaError } from '../errors.ts';

/** A key, ciphertext or signature that a primitive refuses. Says what was refused, never why in detail. */
export class CryptoError extends PolynyaError {
  constructor(message: string) {
    super(message, 'crypto');
  }
}

/** Refuses a key, nonce or ciphertext of another length. @throws CryptoError */
export function checkSize(data: Uint8Array, size: number): void {
  if (data.length !== size) throw new CryptoError(`There are ${data.length} bytes where ${size} belong.`);
}
