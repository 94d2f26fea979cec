/** Receipts: gathered for a second, so that one record tells of many messages. */
import { concat } from '../crypto/bytes.ts';
import { compare } from '../wire/bytes.ts';
import { ConversationKind, ReceiptKind } from '../wire/messages.ts';
import type { Conversation } from './_state.ts';
import { hasIdentity, identities, isActive, membership, need, quiet, save } from './conversation.ts';
import { me } from './identity.ts';
import * as outbox from './outbox.ts';
import { CONVERSATION, SEEN, TIMER } from './state.ts';
import { UNREAD } from './tables.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** ms. */
export const GATHERED = 1_000;
/** In one record. */
const IDS_MAX = 64;
/** Members of a group in which receipts are sent: in larger ones they would outnumber the messages. */
const GROUP_MAX = 16;

function areSent(t: Transaction, found: Conversation): boolean {
  const { id, kind } = found;
  if (!isActive(found)) return false;
  return kind === ConversationKind.direct || identities(membership(t, id)).length <= GROUP_MAX;
}

export function delivered(t: Transaction, conversation: Uint8Array, id: Uint8Array): void {
  const found = need(t, conversation);
  if (!areSent(t, found)) return;
  quiet(t, { ...found, delivered: [...found.delivered, id] });
  gather(t, conversation);
}

/** Everything up to `upto` has been shown; nothing happens where that is not known any more. */
export function markRead(t: Transaction, conversation: Uint8Array, upto: Uint8Array): void {
  let found = need(t, conversation);
  const limit = t.get(SEEN, concat(conversation, upto));
  if (!limit) return;
  const shown = t.entries(UNREAD, conversation).filter(([, { order }]) => order <= limit.order);
  for (const [key] of shown) t.remove(UNREAD, key);
  found = { ...found, unread: Math.max(0, found.unread - shown.length) };
  if (me(t).readReceipts && areSent(t, found)) {
    shown.sort(([a, x], [b, y]) => x.order - y.order || compare(a, b));
    found = { ...found, read: [...found.read, ...shown.map(([key]) => key.slice(16))] };
    gather(t, conversation);
  }
  save(t, found);
}

function gather(t: Transaction, conversation: Uint8Array): void {
  if (t.get(TIMER, work.item('receipts', conversation)) === undefined) work.setTimer(t, 'receipts', conversation, t.now + GATHERED);
}

/** Queues what was gathered; a read message needs no word of its delivery. */
export function flush(t: Transaction, conversation: Uint8Array): void {
  const found = t.get(CONVERSATION, conversation);
  if (!found || !(found.delivered.length || found.read.length)) return;
  const { read } = found;
  const deliveredOnly = found.delivered.filter((id) => !hasIdentity(read, id));
  quiet(t, { ...found, delivered: [], read: [] });
  if (!areSent(t, found)) return;
  for (const [kind, ids] of [[ReceiptKind.delivered, deliveredOnly], [ReceiptKind.read, read]] as const) {
    for (let from = 0; from < ids.length; from += IDS_MAX) {
      outbox.queue(t, conversation, { type: 'ReceiptContent', kind, ids: ids.slice(from, from + IDS_MAX) });
    }
  }
}
