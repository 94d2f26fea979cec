/** Files as blobs (protocol.md section 8): their sizes, and opening one that is here; `filestreams.ts` seals and opens them chunk by chunk. */
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
export const EMPTY = new Uint8Array(0);

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

export const nonce = (index: number, last: boolean): Uint8Array => concat(uint(last ? 1 : 0, 4), uint(index, 8));

/** @throws WireError `file-open`, also for a chunk of another place or a false end. */
export async function openChunk(key: Uint8Array, index: number, last: boolean, sealed: Uint8Array): Promise<Uint8Array> {
  return refuse('file-open', () => AES_256_GCM.open(key, nonce(index, last), EMPTY, sealed));
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
