/** Bodies of records on their way in: in the record, or in a blob that is fetched before the record is judged. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { openWhole } from '../wire/files.ts';
import { blobId } from '../wire/labels.ts';
import { BLOB_PART, type Entry, type RecordBody, RefusalCode, type Request, type Response } from '../wire/messages.ts';
import type { Body } from './body.ts';
import { attempt } from './errors.ts';
import { DOWNLOAD } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

const ITEM = 'download';

/**
 * Only a blob that was whole when the relay took the record counts: else whoever uploads it later would decide which
 * members can read the record.
 */
export function blobIsNamed(entry: Entry, blob: Uint8Array): boolean {
  return entry.blobs?.some((one) => same(one, blob)) === true;
}

/** The bytes of a record's body; `user` is the work item that waits for them. */
export async function readBody(
  t: Transaction,
  relay: Uint8Array,
  user: string,
  entry: Entry,
  body: RecordBody,
): Promise<Body> {
  if (body.type === 'Inline') return { state: 'ready', data: body.body };
  const { blob, key, size } = body;
  if (!blobIsNamed(entry, blob)) return { state: 'bad' };
  const download = t.get(DOWNLOAD, blob);
  if (!download) {
    t.put(DOWNLOAD, blob, { relay, user, data: [], received: 0, whole: false, gone: false });
    work.wake(t, ITEM, blob);
    return { state: 'waiting' };
  }
  if (download.gone) return { state: 'gone' };
  if (!download.whole) return { state: 'waiting' };
  t.remove(DOWNLOAD, blob);
  const data = await attempt(WireError, () => openWhole(key, size, concat(...download.data)));
  return data ? { state: 'ready', data } : { state: 'bad' };
}

export function workDownload(t: Transaction, blob: Uint8Array): void {
  const download = t.get(DOWNLOAD, blob);
  const name = work.item(ITEM, blob);
  if (!download || download.whole || download.gone || !work.mayCall(t, download.relay, name)) return;
  work.call(t, download.relay, name, { type: 'GetBlob', id: blob, offset: download.received, length: BLOB_PART });
}

/** Bytes of the blob of the largest body: 16 MiB sealed in chunks (+ 0.03 %) and padded by less than 1/16. */
const DOWNLOAD_MAX = 17_825_792;

export function answeredDownload(t: Transaction, blob: Uint8Array, _: Request, response: Response): void {
  let download = t.get(DOWNLOAD, blob);
  if (!download || work.postponed(t, ITEM, blob, response)) return;
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
    work.pause(t, ITEM, blob);
    return;
  }
  work.succeeded(t, ITEM, blob);
  t.put(DOWNLOAD, blob, download);
  if (download.whole || download.gone) work.wake(t, ...work.split(download.user));
  else work.wake(t, ITEM, blob);
}
