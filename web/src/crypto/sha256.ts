/*
 * SHA-256 (FIPS 180-4) for many small inputs at once. The first load holds it, so it makes its constants instead of
 * listing them.
 */

export const BLOCK = 64;
/** The first 32 bits of the fractional parts of the square roots of the first 8 primes, of the cube roots of 64. */
export const INITIAL = new Int32Array(8);
const ROUND = new Int32Array(64);

/**
 * Doubles are exact enough: what is cut off is never within 2^-8 of a carry, and the last place of a root below 8 is
 * 2^-50, here 2^-18: a root may be a thousand places wrong.
 */
const fraction = (root: number): number => (root % 1) * 2 ** 32;

for (let candidate = 2, found = 0; found < 64; candidate++) {
  let divisor = 2;
  while (candidate % divisor !== 0) divisor++;
  if (divisor < candidate) continue;
  if (found < 8) INITIAL[found] = fraction(Math.sqrt(candidate));
  ROUND[found++] = fraction(Math.cbrt(candidate));
}

const rotate = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

const schedule = new Int32Array(64);

/** Takes the block of `data` that begins at `start` into the state. */
export function compress(state: Int32Array, data: DataView, start: number): void {
  for (let i = 0; i < 16; i++) schedule[i] = data.getInt32(start + 4 * i);
  for (let i = 16; i < 64; i++) {
    const x = schedule[i - 15]!;
    const y = schedule[i - 2]!;
    const low = rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3);
    const high = rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10);
    schedule[i] = (schedule[i - 16]! + low + schedule[i - 7]! + high) | 0;
  }
  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  let f = state[5]!;
  let g = state[6]!;
  let h = state[7]!;
  for (let i = 0; i < 64; i++) {
    const turned = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + turned + (g ^ (e & (f ^ g))) + ROUND[i]! + schedule[i]!) | 0;
    const second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (c & (a ^ b)));
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
  state[5]! += f;
  state[6]! += g;
  state[7]! += h;
}

/** The 32-byte hash of byte strings one after another. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const part of parts) size += part.length;
  // A one bit, zeros, and the length in bits as 64 bits.
  const padded = new Uint8Array(Math.ceil((size + 9) / BLOCK) * BLOCK);
  let end = 0;
  for (const part of parts) {
    padded.set(part, end);
    end += part.length;
  }
  padded[size] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(size) * 8n);
  const state = INITIAL.slice();
  for (let start = 0; start < padded.length; start += BLOCK) compress(state, view, start);
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => out.setInt32(4 * i, word));
  return new Uint8Array(out.buffer);
}

/** HMAC (RFC 2104) of byte strings one after another. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK);
  block.set(key.length > BLOCK ? sha256(key) : key);
  const masked = (mask: number): Uint8Array => block.map((byte) => byte ^ mask);
  return sha256(masked(0x5c), sha256(masked(0x36), ...parts));
}
