/** Files to and from a relay as sealed blobs, part by part. A broken connection is waited out; the relay knows how far it got. */
import { view } from '../crypto/subtle.ts';
import { openFile, type Pieces, sealFile } from '../wire/filestreams.ts';
import { BLOB_PART, RefusalCode, type Request, type Response } from '../wire/messages.ts';
import { ClientError } from './errors.ts';
import type { Link } from './link.ts';

/** ms between attempts while there is no connection. */
const RETRY = 1000;
/** How often a relay may go back in one upload: it does where it has forgotten what it had, or where the whole had a wrong hash. */
const SETBACKS = 3;
const NOTHING = new Uint8Array(0);

export type Progress = (done: number, total: number) => void;
/** The link to one relay as it is at the moment, if there is one. */
export type FindLink = () => Link | undefined;

/** What `promise` gives; the signal's reason as soon as it is aborted. */
function unlessAborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  unlessAborted(new Promise((resolve) => setTimeout(resolve, ms)), signal);

/** The relay's answer, however long the connection takes to come back. @throws ClientError for a refusal that lasts. */
async function ask(find: FindLink, request: Request, signal?: AbortSignal): Promise<Response> {
  for (;;) {
    signal?.throwIfAborted();
    const [response] = (await unlessAborted(find()?.ask(request) ?? Promise.resolve(null), signal)) ?? [null];
    if (response?.type !== 'Refused') {
      if (response) return response;
      await pause(RETRY, signal);
      continue;
    }
    switch (response.code) {
      case RefusalCode.tooMany:
      case RefusalCode.internal:
      case RefusalCode.clock:
      case RefusalCode.repeated:
        await pause(response.retryAfter ?? RETRY, signal);
        break;
      case RefusalCode.full:
        throw new ClientError('relay-full');
      case RefusalCode.unknownBlob:
        throw new ClientError('file-gone');
      default:
        throw new ClientError('upload-refused');
    }
  }
}

async function* chunksOf(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += BLOB_PART) {
    yield new Uint8Array(await blob.slice(at, at + BLOB_PART).arrayBuffer());
  }
}

/** The same bytes in pieces of BLOB_PART, the last shorter. */
async function* inParts(pieces: Pieces): AsyncGenerator<Uint8Array> {
  let part = new Uint8Array(BLOB_PART);
  let filled = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; ) {
      const taken = piece.subarray(at, at + BLOB_PART - filled);
      part.set(taken, filled);
      at += taken.length;
      filled += taken.length;
      if (filled < BLOB_PART) continue;
      yield part;
      part = new Uint8Array(BLOB_PART);
      filled = 0;
    }
  }
  if (filled) yield part.slice(0, filled);
}

/** The file as a sealed blob, in parts of BLOB_PART. @throws WireError `file-size` above FILE_MAX, DOMException for what cannot be read */
export function sealParts(file: Blob, key: Uint8Array): AsyncGenerator<Uint8Array> {
  return inParts(sealFile(key, file.size, chunksOf(file)));
}

/** A sealed blob that is on this device. `part`: from `offset` on, at most BLOB_PART bytes, not empty before the end. */
export interface KeptBlob {
  readonly id: Uint8Array;
  readonly total: number;
  part(offset: number): Promise<Uint8Array>;
}

/** Brings the blob to the relay; goes on where the relay says it stands. @throws ClientError, or the signal's reason */
export async function upload(find: FindLink, blob: KeptBlob, onProgress: Progress, signal: AbortSignal): Promise<void> {
  const { id, total } = blob;
  let part: Uint8Array = NOTHING;
  let offset = 0;
  let before = -1;
  for (let setbacks = 0; ; ) {
    const state = await ask(find, { type: 'PutBlob', id, total, offset, part }, signal);
    if (state.type !== 'BlobState' || state.received > total) throw new ClientError('upload-refused');
    onProgress(state.received, total);
    if (state.received === total) return;
    if (state.received <= before && ++setbacks === SETBACKS) throw new ClientError('upload-refused');
    offset = before = state.received;
    part = await blob.part(offset);
  }
}

async function* parts(find: FindLink, id: Uint8Array, onProgress?: Progress): AsyncGenerator<Uint8Array> {
  for (let offset = 0; ; ) {
    const answer = await ask(find, { type: 'GetBlob', id, offset, length: BLOB_PART });
    if (answer.type !== 'BlobPart' || !answer.part.length) throw new ClientError('file-gone');
    yield answer.part;
    offset += answer.part.length;
    onProgress?.(Math.min(offset, answer.total), answer.total);
    if (offset >= answer.total) return;
  }
}

/** The file of `size` bytes in blob `id`. @throws ClientError, or WireError for what is not as it was sealed */
export async function download(
  find: FindLink,
  file: { readonly id: Uint8Array; readonly key: Uint8Array; readonly size: number; readonly mediaType: string },
  onProgress?: Progress,
): Promise<Blob> {
  let held: BlobPart[] = [];
  for await (const chunk of openFile(file.key, file.size, parts(find, file.id, onProgress))) {
    held.push(view(chunk));
    // 64 chunks are 4 MiB: what is larger goes to the browser's blob store.
    if (held.length >= 64) held = [new Blob(held)];
  }
  return new Blob(held, { type: file.mediaType });
}
