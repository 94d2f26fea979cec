/** Bodies of records on their way out: inside the record, or in a blob where they are too large (blobs.ts). */
import type { RelayAddress } from '../wire/messages.ts';
import { INLINE_MAX } from '../wire/record.ts';
import type { Prepared } from './body.ts';
import { rest } from './provided.ts';
import type { Transaction } from './transaction.ts';

export async function prepare(t: Transaction, body: Uint8Array): Promise<Prepared> {
  return body.length > INLINE_MAX ? rest().prepareBlob(t, body) : { body: { type: 'Inline', body } };
}

/** Uploads the blob, if there is one; one record more will name it. */
export function want(t: Transaction, relay: RelayAddress, prepared: Prepared): void {
  if (prepared.blob) rest().want(t, relay, prepared);
}

/** Whether a record that names the blob can be sent. */
export function uploaded(t: Transaction, relay: Uint8Array, blob: Uint8Array | undefined): boolean {
  return !blob || rest().uploaded(t, relay, blob);
}

/** One record less needs the blob's bytes here. */
export function release(t: Transaction, relay: Uint8Array, blob: Uint8Array | undefined): void {
  if (blob) rest().release(t, relay, blob);
}
