/* SHA-256 of what comes in pieces, for files that are not held whole. */
import { BLOCK, compress, INITIAL } from './sha256.ts';

export class HashStream {
  readonly #state = INITIAL.slice();
  readonly #block = new Uint8Array(BLOCK);
  #size = 0;

  update(data: Uint8Array): void {
    let taken = 0;
    let held = this.#size % BLOCK;
    this.#size += data.length;
    if (held) {
      taken = Math.min(BLOCK - held, data.length);
      this.#block.set(data.subarray(0, taken), held);
      held += taken;
      if (held < BLOCK) return;
      compress(this.#state, new DataView(this.#block.buffer), 0);
    }
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    for (; taken + BLOCK <= data.length; taken += BLOCK) compress(this.#state, view, taken);
    this.#block.set(data.subarray(taken));
  }

  /** The 32-byte hash of everything; the stream is used up. */
  digest(): Uint8Array {
    const length = new DataView(new ArrayBuffer(8));
    length.setBigUint64(0, BigInt(this.#size) * 8n);
    // A one bit, zeros up to 8 bytes before a block's end, and the length in bits.
    const padding = new Uint8Array(BLOCK - ((this.#size + 8) % BLOCK));
    padding[0] = 0x80;
    this.update(padding);
    this.update(new Uint8Array(length.buffer));
    const out = new DataView(new ArrayBuffer(32));
    this.#state.forEach((word, i) => out.setInt32(4 * i, word));
    return new Uint8Array(out.buffer);
  }
}
