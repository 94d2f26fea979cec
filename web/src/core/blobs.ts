/** Bodies too large for a record: uploaded before the record that names them, fetched before it is judged. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { blobSize, openFile, type Pieces, sealFile } from '../wire/files.ts';
import { blobId } from '../wire/labels.ts';
import {
  BLOB_PART,
  type Entry,
  type RecordBody,
  RefusalCode,
  type RelayAddress,
  type Request,
  type Response,
} from '../wire/messages.ts';
import type { Body, Prepared } from './body.ts';
import { attempt } from './errors.ts';
import { DROP } from './state.ts';
import { DOWNLOAD, UPLOAD } from './tables.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

const UPLOAD_ITEM = 'upload';
const DOWNLOAD_ITEM = 'download';

// ---- sending ----

async function joined(pieces: Pieces): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const piece of pieces) parts.push(piece);
  return concat(...parts);
}

/** The body in a blob. */
export async function prepareBlob(t: Transaction, body: Uint8Array): Promise<Prepared> {
  const key = t.random.bytes(32);
  const data = await joined(sealFile(key, body.length, [body]));
  const blob = blobId(data);
  return { body: { type: 'InBlob', blob, key, size: body.length }, blob, data };
}

/** Uploads the blob, if there is one; one record more will name it. */
export function want(t: Transaction, relay: RelayAddress, { blob, data }: Omit<Prepared, 'body'>): void {
  if (!blob || !data) return;
  const key = concat(relay.identity, blob);
  const known = t.get(UPLOAD, key) ?? { relay, data, sent: 0, whole: false, users: 0 };
  t.put(UPLOAD, key, { ...known, users: known.users + 1 });
  work.wake(t, UPLOAD_ITEM, key);
}

/** Whether a record that names the blob can be sent. */
export function uploaded(t: Transaction, relay: Uint8Array, blob: Uint8Array | undefined): boolean {
  return !blob || t.get(UPLOAD, concat(relay, blob))?.whole !== false;
}

/** One record less needs the blob's bytes here. */
export function release(t: Transaction, relay: Uint8Array, blob: Uint8Array | undefined): void {
  if (!blob) return;
  const key = concat(relay, blob);
  const upload = t.get(UPLOAD, key);
  if (upload && upload.users > 1) t.put(UPLOAD, key, { ...upload, users: upload.users - 1 });
  else t.remove(UPLOAD, key);
}

/** The relay says it lacks the blob: uploads it once more. False where its bytes are not here. */
export function again(t: Transaction, relay: Uint8Array, blob: Uint8Array | undefined): boolean {
  const key = blob && concat(relay, blob);
  const upload = key && t.get(UPLOAD, key);
  if (!upload) return false;
  t.put(UPLOAD, key, { ...upload, sent: 0, whole: false });
  work.wake(t, UPLOAD_ITEM, key);
  return true;
}

export function workUpload(t: Transaction, key: Uint8Array): void {
  const upload = t.get(UPLOAD, key);
  const name = work.item(UPLOAD_ITEM, key);
  if (!upload || upload.whole || !work.mayCall(t, upload.relay.identity, name)) return;
  const { data, sent } = upload;
  work.call(t, upload.relay.identity, name, {
    type: 'PutBlob',
    id: key.slice(32),
    total: data.length,
    offset: sent,
    part: data.slice(sent, sent + BLOB_PART),
  });
}

export function answeredUpload(t: Transaction, key: Uint8Array, _: Request, response: Response): void {
  const upload = t.get(UPLOAD, key);
  if (!upload || work.postponed(t, UPLOAD_ITEM, key, response)) return;
  const size = upload.data.length;
  if (response.type !== 'BlobState' || response.received > size) {
    work.count(t, 'upload-refused');
    work.pause(t, UPLOAD_ITEM, key);
    return;
  }
  const sent = response.received;
  if (sent === upload.sent && sent < size) work.pause(t, UPLOAD_ITEM, key);
  else work.succeeded(t, UPLOAD_ITEM, key);
  const whole = sent === size;
  t.put(UPLOAD, key, { ...upload, sent, whole });
  work.wake(t, UPLOAD_ITEM, key);
  if (whole) work.wake(t, 'uploads');
}

export function wakeDrops(t: Transaction): void {
  for (const key of t.keys(DROP)) work.wake(t, 'drop', key);
}

// ---- receiving ----

/**
 * Only a blob that was whole when the relay took the record counts: else whoever uploads it later would decide which
 * members can read the record.
 */
export function blobIsNamed(entry: Entry, blob: Uint8Array): boolean {
  return entry.blobs?.some((one) => same(one, blob)) === true;
}

/** The bytes of a record's body; `user` is the work item that waits for them. */
export async function readBlob(
  t: Transaction,
  relay: Uint8Array,
  user: string,
  entry: Entry,
  body: RecordBody,
): Promise<Body> {
  if (body.type === 'Inline') return { state: 'bad' };
  const { blob, key, size } = body;
  if (!blobIsNamed(entry, blob)) return { state: 'bad' };
  const download = t.get(DOWNLOAD, blob);
  if (!download) {
    t.put(DOWNLOAD, blob, { relay, user, data: [], received: 0, whole: false, gone: false });
    work.wake(t, DOWNLOAD_ITEM, blob);
    return { state: 'waiting' };
  }
  if (download.gone) return { state: 'gone' };
  if (!download.whole) return { state: 'waiting' };
  t.remove(DOWNLOAD, blob);
  const data = await attempt(WireError, () =>
    download.received === blobSize(size) ? joined(openFile(key, size, download.data)) : null,
  );
  return data ? { state: 'ready', data } : { state: 'bad' };
}

/** Lets blobs that the relay did not have be asked for again. */
export function forgetGone(t: Transaction, relay: Uint8Array): void {
  for (const [blob, download] of t.entries(DOWNLOAD)) {
    if (download.gone && same(download.relay, relay)) t.remove(DOWNLOAD, blob);
  }
}

export function workDownload(t: Transaction, blob: Uint8Array): void {
  const download = t.get(DOWNLOAD, blob);
  const name = work.item(DOWNLOAD_ITEM, blob);
  if (!download || download.whole || download.gone || !work.mayCall(t, download.relay, name)) return;
  work.call(t, download.relay, name, { type: 'GetBlob', id: blob, offset: download.received, length: BLOB_PART });
}

/** Bytes of the blob of the largest body: 16 MiB sealed in chunks (+ 0.03 %) and padded by less than 1/16. */
const DOWNLOAD_MAX = 17_825_792;

export function answeredDownload(t: Transaction, blob: Uint8Array, _: Request, response: Response): void {
  let download = t.get(DOWNLOAD, blob);
  if (!download || work.postponed(t, DOWNLOAD_ITEM, blob, response)) return;
  if (
    response.type === 'BlobPart' &&
    response.total > 0 &&
    response.total <= DOWNLOAD_MAX &&
    response.part.length > 0
  ) {
    const data = [...download.data, response.part];
    const received = download.received + response.part.length;
    const complete = received === response.total;
    const gone = received > response.total || (complete && !same(blobId(concat(...data)), blob));
    download = { ...download, data, received, whole: complete && !gone, gone };
  } else if (response.type === 'Refused' && response.code === RefusalCode.unknownBlob) {
    download = { ...download, gone: true };
  } else {
    work.pause(t, DOWNLOAD_ITEM, blob);
    return;
  }
  work.succeeded(t, DOWNLOAD_ITEM, blob);
  t.put(DOWNLOAD, blob, download);
  if (download.whole || download.gone) work.wake(t, ...work.split(download.user));
  else work.wake(t, DOWNLOAD_ITEM, blob);
}
