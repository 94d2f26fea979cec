/** Files to and from blobs (protocol.md section 8), chunk by chunk: nothing here holds more than a few chunks. */
import { AES_256_GCM } from '../crypto/aead.ts';
import { concat } from '../crypto/bytes.ts';
import { WireError } from './errors.ts';
import { blobSize, CHUNK, chunkCount, EMPTY, nonce, openChunk, SEALED_CHUNK, sealedSize } from './files.ts';

export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** One chunk under the file's key, which seals one file only. */
export async function sealChunk(key: Uint8Array, index: number, last: boolean, chunk: Uint8Array): Promise<Uint8Array> {
  return AES_256_GCM.seal(key, nonce(index, last), EMPTY, chunk);
}

/**
 * The blob of a file of `size` bytes that comes in pieces of any length: sealed chunks, then the padding.
 *
 * @throws WireError `file-size` if the pieces have another length in all.
 */
export async function* sealFile(key: Uint8Array, size: number, pieces: Pieces): AsyncGenerator<Uint8Array> {
  const count = chunkCount(size);
  let index = 0;
  for await (const chunk of recut(pieces, (i) => (i < count - 1 ? CHUNK : size - i * CHUNK), size)) {
    if (index < count) yield sealChunk(key, index, index === count - 1, chunk);
    index++;
  }
  if (size === 0) yield sealChunk(key, 0, true, EMPTY);
  for (let left = blobSize(size) - sealedSize(size); left > 0; left -= SEALED_CHUNK) {
    yield new Uint8Array(Math.min(left, SEALED_CHUNK));
  }
}

/**
 * The file of `size` bytes in a blob that comes in pieces of any length, chunk by chunk.
 *
 * What was yielded is authentic; the file is whole only when the iteration ends without error.
 * @throws WireError `file-size` (another length than a blob of such a file has), `file-open` or `file-padding`.
 */
export async function* openFile(key: Uint8Array, size: number, pieces: Pieces): AsyncGenerator<Uint8Array> {
  const [count, sealed, whole] = [chunkCount(size), sealedSize(size), blobSize(size)];
  const length = (i: number): number =>
    i < count - 1 ? SEALED_CHUNK : i === count - 1 ? sealed - i * SEALED_CHUNK : Math.min(whole - sealed, SEALED_CHUNK);
  let index = 0;
  for await (const part of recut(pieces, length, whole)) {
    if (index < count) yield openChunk(key, index, index === count - 1, part);
    else if (part.some((b) => b !== 0)) throw new WireError('file-padding');
    index++;
  }
}

/** The same bytes in pieces of the given lengths, the last shorter. @throws WireError `file-size` if not `total` in all. */
async function* recut(pieces: Pieces, length: (i: number) => number, total: number): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let [held, received, index] = [0, 0, 0];
  for await (const piece of pieces) {
    received += piece.length;
    if (received > total) throw new WireError('file-size');
    pending.push(piece);
    held += piece.length;
    if (held < length(index)) continue;
    let joined = concat(...pending);
    for (let n = length(index); n > 0 && joined.length >= n; n = length(++index)) {
      yield joined.slice(0, n);
      joined = joined.subarray(n);
    }
    pending = [joined];
    held = joined.length;
  }
  if (received !== total) throw new WireError('file-size');
  if (held) yield concat(...pending);
}
