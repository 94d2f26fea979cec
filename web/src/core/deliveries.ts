/** What we bring to other people's inboxes: Welcomes, and wishes to be added again. */
import { encodeInboxMessage, type InboxMessage, type Reach, RefusalCode, type Response } from '../wire/messages.ts';
import { sealRecord } from '../wire/record.ts';
import { DropKind, type OutDrop } from './_state.ts';
import * as blobs from './blobs.ts';
import * as bodies from './bodies.ts';
import { isTaken, put, remove } from './drops.ts';
import { setProblem } from './notes.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

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

export function dropAnswered(t: Transaction, key: Uint8Array, drop: OutDrop, response: Response): void {
  const { kind, owner, blob } = drop;
  const relay = drop.relay.identity;
  const lacksBlob = response.type === 'Refused' && response.code === RefusalCode.unknownBlob;
  if (lacksBlob && blobs.again(t, relay, blob)) {
    work.pause(t, 'drop', key);
    return;
  }
  remove(t, key);
  bodies.release(t, relay, blob);
  if (isTaken(response)) return;
  work.count(t, 'drop-refused');
  if (kind === DropKind.welcome) setProblem(t, owner, 'welcome-failed');
}
