/*
 * SHA3-256 and SHAKE256 (FIPS 202), which X-Wing takes for inputs of a few hundred bytes. Constants are made, not
 * listed, as this is in the first load. A lane of 64 bits is two words, the lower one first.
 */

const LANES = 25;
/** Bytes absorbed between two permutations: 1,600 bits less twice 256. */
const RATE = 136;
const ROUNDS = 24;

/** By round: the words that `iota` adds (section 3.2.5), from a shift register of 8 bits. */
const IOTA = new Int32Array(2 * ROUNDS);
for (let register = 1, round = 0; round < ROUNDS; round++) {
  for (let place = 0; place < 7; place++) {
    // Bit 2^place - 1 of the lane: the last is bit 63, all others are in the lower word.
    if (register & 1) IOTA[2 * round + (place > 5 ? 1 : 0)]! ^= 1 << ((2 ** place - 1) & 31);
    register = (register << 1) ^ ((register >> 7) * 0x171);
  }
}

/** `rho` and `pi` as one walk (sections 3.2.2 and 3.2.3): the lane moved to at each step, turned by the next triangular number. */
const WALK: number[] = [];
for (let x = 1, y = 0; WALK.length < LANES - 1; ) {
  [x, y] = [y, (2 * x + 3 * y) % 5];
  WALK.push(2 * (x + 5 * y));
}

/** One word of a lane turned left by `by` (0 to 63) bits; `other` is the lane's other word. */
function turned(word: number, other: number, by: number): number {
  const near = by & 32 ? other : word;
  const far = by & 32 ? word : other;
  return by & 31 ? (near << (by & 31)) | (far >>> (32 - (by & 31))) : near;
}

function permute(state: Int32Array): void {
  const parity = new Int32Array(10);
  const row = new Int32Array(10);
  for (let round = 0; round < ROUNDS; round++) {
    // theta
    for (let i = 0; i < 10; i++) {
      parity[i] = state[i]! ^ state[i + 10]! ^ state[i + 20]! ^ state[i + 30]! ^ state[i + 40]!;
    }
    for (let i = 0; i < 10; i++) {
      const next = (i + 2) % 10;
      const mask = parity[(i + 8) % 10]! ^ turned(parity[next]!, parity[next ^ 1]!, 1);
      for (let lane = i; lane < 50; lane += 10) state[lane]! ^= mask;
    }
    // rho and pi
    let low = state[2]!;
    let high = state[3]!;
    let by = 0;
    for (let step = 0; step < WALK.length; step++) {
      const at = WALK[step]!;
      by = (by + step + 1) & 63;
      const nextLow = state[at]!;
      const nextHigh = state[at + 1]!;
      state[at] = turned(low, high, by);
      state[at + 1] = turned(high, low, by);
      low = nextLow;
      high = nextHigh;
    }
    // chi
    for (let start = 0; start < 50; start += 10) {
      row.set(state.subarray(start, start + 10));
      for (let i = 0; i < 10; i++) state[start + i]! ^= ~row[(i + 2) % 10]! & row[(i + 4) % 10]!;
    }
    state[0]! ^= IOTA[2 * round]!;
    state[1]! ^= IOTA[2 * round + 1]!;
  }
}

/** The sponge over one input; `suffix` are the bits that tell the functions apart, `size` at most one rate. */
function sponge(data: Uint8Array, suffix: number, size: number): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array((Math.floor(data.length / RATE) + 1) * RATE);
  padded.set(data);
  padded[data.length]! ^= suffix;
  padded[padded.length - 1]! ^= 0x80;
  const input = new DataView(padded.buffer);
  const state = new Int32Array(2 * LANES);
  for (let start = 0; start < padded.length; start += RATE) {
    for (let i = 0; i < RATE / 4; i++) state[i]! ^= input.getInt32(start + 4 * i, true);
    permute(state);
  }
  const out = new DataView(new ArrayBuffer(RATE));
  for (let i = 0; i < RATE / 4; i++) out.setInt32(4 * i, state[i]!, true);
  return new Uint8Array(out.buffer.slice(0, size));
}

export function sha3256(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return sponge(data, 0x06, 32);
}

/** `size` bytes, at most 136. */
export function shake256(data: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return sponge(data, 0x1f, size);
}
