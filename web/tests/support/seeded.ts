import { concat, utf8 } from '../../src/crypto/bytes.ts';
import { sha256 } from '../../src/crypto/hashes.ts';
import * as mlkem from '../../src/crypto/mlkem.ts';
import type { Random } from '../../src/crypto/random.ts';

/**
 * Randomness that tests can repeat: SHA-256(seed || u64(0)) || SHA-256(seed || u64(1)) || ..., as in Python.
 * A number as seed is its 8 bytes. Encapsulations are real: WebCrypto does not let them be derandomised.
 */
export class SeededRandom implements Random {
  readonly #seed: Uint8Array;
  #counter = 0n;
  #rest = new Uint8Array(0);

  constructor(seed: Uint8Array | number | string) {
    this.#seed = typeof seed === 'number' ? u64(BigInt(seed)) : typeof seed === 'string' ? utf8(seed) : seed;
  }

  bytes(n: number): Uint8Array {
    while (this.#rest.length < n) {
      this.#rest = concat(this.#rest, sha256(concat(this.#seed, u64(this.#counter++)))) as Uint8Array<ArrayBuffer>;
    }
    const taken = this.#rest.slice(0, n);
    this.#rest = this.#rest.slice(n);
    return taken;
  }

  encapsulate(publicKey: Uint8Array): Promise<[Uint8Array, Uint8Array]> {
    return mlkem.encapsulate(publicKey);
  }

  /** From 0 to n - 1, near enough to uniform for choosing what a test does. */
  below(n: number): number {
    const data = this.bytes(8);
    return Number(new DataView(data.buffer).getBigUint64(0) % BigInt(n));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

function u64(value: bigint): Uint8Array {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, value);
  return out;
}
