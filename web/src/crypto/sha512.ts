/*
 * SHA-512 (FIPS 180-4) in halves of 32 bits. Apart from the other hashes, as a first message needs none of it, and of our own,
 * so that what is loaded second shares no file with the fallback for older browsers.
 */

const BLOCK = 128;
const ROUNDS = 80;
/** 64-bit words as pairs, high half first. */
type Words = Int32Array;

/** The first 64 bits of the fractional part of a prime's square or cube root, by Newton's steps from above. */
function fraction(prime: number, degree: bigint): bigint {
  const value = BigInt(prime) << (64n * degree);
  // The largest root is that of 19, below 2^3.
  for (let root = 1n << 68n; ; ) {
    const next = ((degree - 1n) * root + value / root ** (degree - 1n)) / degree;
    if (next >= root) return BigInt.asIntN(64, root);
    root = next;
  }
}

function constants(count: number, degree: bigint): Words {
  const found = new DataView(new ArrayBuffer(8 * count));
  for (let prime = 2, i = 0; i < count; prime++) {
    let divisor = 2;
    while (prime % divisor !== 0) divisor++;
    if (divisor === prime) found.setBigInt64(8 * i++, fraction(prime, degree));
  }
  return Int32Array.from({ length: 2 * count }, (_, i) => found.getInt32(4 * i));
}

const INITIAL = /* @__PURE__ */ constants(8, 2n);
const ROUND = /* @__PURE__ */ constants(ROUNDS, 3n);

/** What the low halves of a sum carry over. */
const carry = (low: number): number => (low / 2 ** 32) | 0;
/** The high half of a word turned right by `by` (below 32); with the halves exchanged, its low half. */
const turned = (high: number, low: number, by: number): number => (high >>> by) | (low << (32 - by));

function compress(state: Words, schedule: Words, data: DataView, start: number): void {
  for (let i = 0; i < 32; i++) schedule[i] = data.getInt32(start + 4 * i);
  for (let i = 32; i < 2 * ROUNDS; i += 2) {
    const [xh, xl] = [schedule[i - 30]!, schedule[i - 29]!];
    const [yh, yl] = [schedule[i - 4]!, schedule[i - 3]!];
    const high = turned(xh, xl, 1) ^ turned(xh, xl, 8) ^ (xh >>> 7);
    const low = turned(xl, xh, 1) ^ turned(xl, xh, 8) ^ turned(xl, xh, 7);
    const otherHigh = turned(yh, yl, 19) ^ turned(yl, yh, 29) ^ (yh >>> 6);
    const otherLow = turned(yl, yh, 19) ^ turned(yh, yl, 29) ^ turned(yl, yh, 6);
    const sum = (schedule[i - 31]! >>> 0) + (low >>> 0) + (schedule[i - 13]! >>> 0) + (otherLow >>> 0);
    schedule[i] = schedule[i - 32]! + high + schedule[i - 14]! + otherHigh + carry(sum);
    schedule[i + 1] = sum;
  }
  let [ah = 0, al = 0, bh = 0, bl = 0, ch = 0, cl = 0, dh = 0, dl = 0] = state;
  let [eh = 0, el = 0, fh = 0, fl = 0, gh = 0, gl = 0, hh = 0, hl = 0] = state.subarray(8);
  for (let i = 0; i < 2 * ROUNDS; i += 2) {
    const firstLow =
      (hl >>> 0) +
      ((turned(el, eh, 14) ^ turned(el, eh, 18) ^ turned(eh, el, 9)) >>> 0) +
      ((gl ^ (el & (fl ^ gl))) >>> 0) +
      (ROUND[i + 1]! >>> 0) +
      (schedule[i + 1]! >>> 0);
    const firstHigh =
      hh +
      (turned(eh, el, 14) ^ turned(eh, el, 18) ^ turned(el, eh, 9)) +
      (gh ^ (eh & (fh ^ gh))) +
      ROUND[i]! +
      schedule[i]! +
      carry(firstLow);
    const secondLow =
      (firstLow >>> 0) +
      ((turned(al, ah, 28) ^ turned(ah, al, 2) ^ turned(ah, al, 7)) >>> 0) +
      (((al & bl) ^ (cl & (al ^ bl))) >>> 0);
    const secondHigh =
      firstHigh +
      (turned(ah, al, 28) ^ turned(al, ah, 2) ^ turned(al, ah, 7)) +
      ((ah & bh) ^ (ch & (ah ^ bh))) +
      carry(secondLow);
    const movedLow = (dl >>> 0) + (firstLow >>> 0);
    [hh, hl, gh, gl, fh, fl] = [gh, gl, fh, fl, eh, el];
    [eh, el] = [(dh + firstHigh + carry(movedLow)) | 0, movedLow | 0];
    [dh, dl, ch, cl, bh, bl] = [ch, cl, bh, bl, ah, al];
    [ah, al] = [secondHigh | 0, secondLow | 0];
  }
  const after = [ah, al, bh, bl, ch, cl, dh, dl, eh, el, fh, fl, gh, gl, hh, hl];
  for (let i = 0; i < 16; i += 2) {
    const low = (state[i + 1]! >>> 0) + (after[i + 1]! >>> 0);
    state[i]! += after[i]! + carry(low);
    state[i + 1] = low;
  }
}

/** The 64-byte hash. */
export function sha512(data: Uint8Array): Uint8Array {
  // A one bit, zeros, and the length in bits as 128 bits.
  const padded = new Uint8Array(Math.ceil((data.length + 17) / BLOCK) * BLOCK);
  padded.set(data);
  padded[data.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(data.length) * 8n);
  const state = INITIAL.slice();
  const schedule = new Int32Array(2 * ROUNDS);
  for (let start = 0; start < padded.length; start += BLOCK) compress(state, schedule, view, start);
  const out = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => out.setInt32(4 * i, word));
  return new Uint8Array(out.buffer);
}
