/** Bodies too large for a record, on their way out: uploaded before the record that names them. */
import { concat } from '../crypto/bytes.ts';
import { type Pieces, sealFile } from '../wire/filestreams.ts';
import { blobId } from '../wire/labels.ts';
import { BLOB_PART, type RelayAddress, type Request, type Response } from '../wire/messages.ts';
import type { Prepared } from './body.ts';
import { DROP } from './state.ts';
import { UPLOAD } from './tables.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

const UPLOAD_ITEM = 'upload';

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
