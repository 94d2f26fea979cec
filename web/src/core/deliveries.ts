/** What we bring to other people's inboxes: Welcomes, and wishes to be added again. */
import { encodeInboxMessage, type InboxMessage, type Reach } from '../wire/messages.ts';
import { sealRecord } from '../wire/record.ts';
import type { DropKind } from './_state.ts';
import * as bodies from './bodies.ts';
import { put } from './drops.ts';
import type { Transaction } from './transaction.ts';

/** One message to several inboxes; a body too large for a record is uploaded once to each relay. */
export async function send(
  t: Transaction,
  reaches: readonly Reach[],
  message: InboxMessage,
  kind: DropKind,
  owner: Uint8Array,
): Promise<void> {
  const prepared = await bodies.prepare(t, encodeInboxMessage(message));
  for (const { relay, inbox, inboxKey } of reaches) {
    bodies.want(t, relay, prepared);
    const record = await sealRecord(inboxKey, inbox, prepared.body, t.random);
    put(t, { relay, inbox, record, kind, owner, blob: prepared.blob });
  }
}
