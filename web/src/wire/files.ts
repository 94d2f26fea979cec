/** Files as blobs (protocol.md section 8), chunk by chunk: nothing here holds more than a few chunks. */
import { AES_256_GCM } from '../crypto/aead.ts';
import { concat } from '../crypto/bytes.ts';
import { FILE_MAX } from './_messages.ts';
import { uint } from './bytes.ts';
import { WireError } from './errors.ts';
import { refuse } from './sealing.ts';

export const CHUNK = 65520;
const TAG = 16;
export const SEALED_CHUNK = CHUNK + TAG;
const PADDING_UNIT_MIN = 1024;
const EMPTY = new Uint8Array(0);

export type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** Chunks of a file of `size` bytes. @throws WireError `file-size` above FILE_MAX. */
export function chunkCount(size: number): number {
  if (!(size >= 0 && size <= FILE_MAX)) throw new WireError('file-size');
  return Math.max(1, Math.ceil(size / CHUNK));
}

/** Bytes of a file's sealed chunks: where the padding starts. */
export function sealedSize(size: number): number {
  return size + chunkCount(size) * TAG;
}

/** Bytes of the whole blob of a file of `size` bytes. */
export function blobSize(size: number): number {
  const sealed = sealedSize(size);
  const unit = Math.max(PADDING_UNIT_MIN, 2 ** (31 - Math.clz32(sealed)) / 16);
  return Math.ceil(sealed / unit) * unit;
}

const nonce = (index: number, last: boolean): Uint8Array => concat(uint(last ? 1 : 0, 4), uint(index, 8));

/** One chunk under the file's key, which seals one file only. */
export async function sealChunk(key: Uint8Array, index: number, last: boolean, chunk: Uint8Array): Promise<Uint8Array> {
  return AES_256_GCM.seal(key, nonce(index, last), EMPTY, chunk);
}

/** @throws WireError `file-open`, also for a chunk of another place or a false end. */
export async function openChunk(key: Uint8Array, index: number, last: boolean, sealed: Uint8Array): Promise<Uint8Array> {
  return refuse('file-open', () => AES_256_GCM.open(key, nonce(index, last), EMPTY, sealed));
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

/** The file of `size` bytes in a blob that is here as one. @throws WireError as openFile */
export async function openWhole(key: Uint8Array, size: number, blob: Uint8Array): Promise<Uint8Array> {
  const [count, sealed] = [chunkCount(size), sealedSize(size)];
  if (blob.length !== blobSize(size)) throw new WireError('file-size');
  const chunks: Uint8Array[] = [];
  for (let i = 0, at = 0; i < count; i++, at += SEALED_CHUNK) {
    chunks.push(await openChunk(key, i, i === count - 1, blob.subarray(at, Math.min(at + SEALED_CHUNK, sealed))));
  }
  if (blob.subarray(sealed).some((b) => b !== 0)) throw new WireError('file-padding');
  return concat(...chunks);
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
