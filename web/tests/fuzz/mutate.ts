import { concat } from '../../src/crypto/bytes.ts';
import type { SeededRandom } from '../support/seeded.ts';

/* Mutations that know nothing of structures but how a vector's length is written. The same random makes the same. */

const LENGTHS = [0, 1, 31, 32, 33, 63, 64, 65, 255, 16383, 16384, 2 ** 20 + 1, 2 ** 30 - 1];

/** A length in 1, 2 or 4 bytes, or in 4 with the prefix that is none. */
export function prefix(length: number, form: number): Uint8Array {
  if (form === 0) return Uint8Array.of(length & 63);
  if (form === 1) return Uint8Array.of(64 | ((length >> 8) & 63), length & 255);
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, (length % 2 ** 30) + (form === 2 ? 2 : 3) * 2 ** 30);
  return out;
}

/** The length in its shortest form. */
const shortest = (length: number): Uint8Array => prefix(length, length < 64 ? 0 : length < 16384 ? 1 : 2);

/** A place where a vector may be, as its length fits in: [start of its length, start and end of its content]. */
export function findVector(data: Uint8Array, from: number): [number, number, number] | null {
  for (let start = from; start < data.length; start++) {
    const size = [1, 2, 4][data[start]! >> 6];
    if (size === undefined || start + size > data.length) continue;
    let length = data[start]! & 63;
    for (let at = 1; at < size; at++) length = length * 256 + data[start + at]!;
    const body = start + size;
    if (length > 0 && body + length <= data.length) return [start, body, body + length];
  }
  return null;
}

export class Mutator {
  readonly #random: SeededRandom;
  readonly #pool: readonly Uint8Array[];

  /** `pool`: good inputs of all kinds, parts of which are put in place of others. */
  constructor(random: SeededRandom, pool: readonly Uint8Array[]) {
    this.#random = random;
    this.#pool = pool;
  }

  mutate(data: Uint8Array): Uint8Array {
    let out = data;
    for (let times = 1 + this.#random.below(3); times > 0; times--) out = this.#once(out);
    return out.slice(0, 2 ** 15);
  }

  #once(data: Uint8Array): Uint8Array {
    const random = this.#random;
    if (data.length === 0) return random.bytes(1 + random.below(8));
    const at = random.below(data.length);
    const size = 1 + random.below(8);
    const [before, after] = [data.slice(0, at), data.slice(at)];
    switch (random.below(9)) {
      case 0:
        return concat(before, Uint8Array.of(after[0]! ^ (1 << random.below(8))), after.slice(1));
      case 1:
        return concat(before, random.bytes(size), after.slice(size));
      case 2:
        return concat(before, after.slice(size));
      case 3:
        return concat(before, random.bytes(size), after);
      case 4:
        return before;
      case 5: {
        const other = random.pick(this.#pool);
        return concat(before, other.slice(random.below(other.length)));
      }
      case 6:
        return concat(before, prefix(random.pick(LENGTHS), random.below(4)), after.slice(1));
      default:
        return this.#vector(data, at);
    }
  }

  /** Another content for something that looks like a vector, with the right length. */
  #vector(data: Uint8Array, from: number): Uint8Array {
    const found = findVector(data, from);
    if (found === null) return data.slice(0, from);
    const [start, body, end] = found;
    const content = data.slice(body, end);
    const other = this.#random.pick(this.#pool);
    const changed = [
      new Uint8Array(0),
      new Uint8Array(content.length),
      content.slice(1),
      concat(content, content),
      other.slice(0, content.length),
    ][this.#random.below(5)]!;
    return concat(data.slice(0, start), shortest(changed.length), changed, data.slice(end));
  }
}
