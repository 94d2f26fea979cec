/** Files to and from a relay as sealed blobs, part by part. A broken connection is waited out; the relay knows how far it got. */
import { HashStream } from '../crypto/hashstream.ts';
import { view } from '../crypto/subtle.ts';
import { openFile, sealFile } from '../wire/files.ts';
import { BLOB_PART, FILE_MAX, RefusalCode, type Request, type Response } from '../wire/messages.ts';
import { ClientError } from './errors.ts';
import type { Link } from './link.ts';

/** ms between attempts while there is no connection. */
const RETRY = 1000;
/** Bytes that are held in memory before they go to the browser's blob store. */
const HELD = 2 ** 22;

export type Progress = (done: number, total: number) => void;

async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise((resolve) => setTimeout(resolve, ms));
  signal?.throwIfAborted();
}

/** The relay's answer, however long the connection takes to come back. @throws ClientError for a refusal that lasts. */
async function ask(link: Link, request: Request, signal?: AbortSignal): Promise<Response> {
  for (;;) {
    signal?.throwIfAborted();
    const [response] = (await link.ask(request)) ?? [null];
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

/** A file sealed under its own key: the blob, and its id. */
export interface SealedFile {
  readonly id: Uint8Array;
  readonly key: Uint8Array;
  readonly blob: Blob;
}

async function* chunksOf(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < blob.size; at += BLOB_PART) {
    yield new Uint8Array(await blob.slice(at, at + BLOB_PART).arrayBuffer());
  }
}

/** @throws ClientError `file-too-large` */
export async function seal(file: Blob, key: Uint8Array, signal?: AbortSignal): Promise<SealedFile> {
  if (file.size > FILE_MAX) throw new ClientError('file-too-large');
  const hash = new HashStream();
  let parts: BlobPart[] = [];
  let held = 0;
  for await (const chunk of sealFile(key, file.size, chunksOf(file))) {
    signal?.throwIfAborted();
    hash.update(chunk);
    parts.push(view(chunk));
    held += chunk.length;
    if (held < HELD) continue;
    parts = [new Blob(parts)];
    held = 0;
  }
  return { id: hash.digest(), key, blob: new Blob(parts) };
}

/** Brings the blob to the relay; goes on where the relay says it stands. @throws ClientError */
export async function upload(link: Link, sealed: SealedFile, onProgress?: Progress, signal?: AbortSignal): Promise<void> {
  const { id, blob } = sealed;
  const total = blob.size;
  let part: Uint8Array = new Uint8Array(0);
  let offset = 0;
  for (;;) {
    const state = await ask(link, { type: 'PutBlob', id, total, offset, part }, signal);
    if (state.type !== 'BlobState') throw new ClientError('upload-refused');
    onProgress?.(Math.min(state.received, total), total);
    if (state.received >= total) return;
    offset = state.received;
    part = new Uint8Array(await blob.slice(offset, offset + BLOB_PART).arrayBuffer());
  }
}

async function* parts(link: Link, id: Uint8Array, onProgress?: Progress): AsyncGenerator<Uint8Array> {
  for (let offset = 0; ; ) {
    const answer = await ask(link, { type: 'GetBlob', id, offset, length: BLOB_PART });
    if (answer.type !== 'BlobPart' || !answer.part.length) throw new ClientError('file-gone');
    yield answer.part;
    offset += answer.part.length;
    onProgress?.(Math.min(offset, answer.total), answer.total);
    if (offset >= answer.total) return;
  }
}

/** The file of `size` bytes in blob `id`. @throws ClientError, or WireError for what is not as it was sealed */
export async function download(
  link: Link,
  file: { readonly id: Uint8Array; readonly key: Uint8Array; readonly size: number; readonly mediaType: string },
  onProgress?: Progress,
): Promise<Blob> {
  let held: BlobPart[] = [];
  for await (const chunk of openFile(file.key, file.size, parts(link, file.id, onProgress))) {
    held.push(view(chunk));
    // 64 chunks are 4 MiB: what is larger goes to the browser's blob store.
    if (held.length >= 64) held = [new Blob(held)];
  }
  return new Blob(held, { type: file.mediaType });
}
