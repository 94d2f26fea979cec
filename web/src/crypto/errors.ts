import { PolynyaError } from '../errors.ts';

/** A key, ciphertext or signature that a primitive refuses. Says what was refused, never why in detail. */
export class CryptoError extends PolynyaError {
  constructor(message: string) {
    super(message, 'crypto');
  }
}
