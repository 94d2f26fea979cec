/**
 * Randomness as an argument. Callers draw in a fixed order, so that a session can be replayed;
 * every function that takes a `Random` draws before its first `await`.
 */
export interface Random {
  /** `n` fresh bytes. */
  bytes(n: number): Uint8Array;
  /** ML-KEM-768 encapsulation to a 1,184-byte public key: [shared secret (32 bytes), ciphertext (1,088 bytes)]. */
  encapsulate(publicKey: Uint8Array): Promise<[Uint8Array, Uint8Array]>;
}
