/** What received messages do that are no Profile. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import {
  type Delete,
  type Edit,
  type Message,
  type Reaction,
  type ReceiptContent,
  ReceiptKind,
} from '../wire/messages.ts';
import type { Seen } from './_state.ts';
import type { LateAmendment, Orphan } from './_state_rest.ts';
import { isBlockedDirect, need, received, save, show } from './conversation.ts';
import { learnDevices } from './devices.ts';
import type { Amendment, StoredContent } from './history.ts';
import { me } from './identity.ts';
import * as leave from './leave.ts';
import { updatePreview } from './notes.ts';
import type { Place } from './place.ts';
import * as receipts from './receipts.ts';
import { SEEN } from './state.ts';
import { ORPHAN, UNREAD } from './tables.ts';
import type { Table, Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Amendments kept for one message that has not come: a member could send any number for one that never comes. */
const ORPHANS_MAX = 64;

export async function receive(
  t: Transaction,
  conversation: Uint8Array,
  sender: Uint8Array,
  message: Message,
  place: Place,
): Promise<void> {
  const { content } = message;
  switch (content.type) {
    case 'Text':
    case 'FileReference':
      return showMessage(t, conversation, sender, message, content, place);
    case 'Unknown': {
      const unknown = { type: 'System', kind: 'unknown', subjects: [], text: String(content.tag) } as const;
      return showMessage(t, conversation, sender, message, unknown, place);
    }
    case 'Edit':
    case 'Delete':
    case 'Reaction':
      return amend(t, conversation, sender, content, place);
    case 'ReceiptContent':
      return receiptsSeen(t, conversation, sender, content);
    case 'Intent':
      return leave.intentSeen(t, conversation, sender, content, place);
    case 'DeviceListContent':
      await learnDevices(t, sender, content.list);
  }
}

/** A re-encrypted copy: its place is the first of its places, whichever is read first. */
export function seenAgain(t: Transaction, conversation: Uint8Array, message: Message, place: Place, seen: Seen): void {
  work.count(t, 'message-again');
  if (place.order >= seen.order) return;
  const { id, content } = message;
  const { order, time } = place;
  t.put(SEEN, concat(conversation, id), { ...seen, order });
  if (!['Text', 'FileReference', 'Unknown'].includes(content.type)) return;
  t.amend(conversation, id, { type: 'Ordered', order, time });
  t.notify({ type: 'MessageChanged', conversation, id });
}

function showMessage(
  t: Transaction,
  conversation: Uint8Array,
  sender: Uint8Array,
  { id, sent }: Message,
  content: StoredContent,
  { time, order }: Place,
): void {
  if (isBlockedDirect(t, need(t, conversation), sender)) {
    work.count(t, 'message-blocked');
    return;
  }
  const mine = same(sender, me(t).identity);
  show(t, received({ conversation, id, sender, mine, sent, time, order, content, status: mine ? 'sent' : null }));
  if (!mine) {
    t.put(UNREAD, concat(conversation, id), { order, sender });
    const found = need(t, conversation);
    save(t, { ...found, unread: found.unread + 1 });
    if (content.type !== 'System') receipts.delivered(t, conversation, id);
  }
  adoptOrphans(t, conversation, id);
}

// ---- amendments ----

/** Changes a message; whether the sender may is for `history.mayAmend`, which knows whose it is. */
export function amend(
  t: Transaction,
  conversation: Uint8Array,
  by: Uint8Array,
  content: Edit | Delete | Reaction,
  { order, time }: Place,
): void {
  let late: LateAmendment;
  if (content.type === 'Edit') late = { kind: 'edited', by, text: content.text, order };
  else if (content.type === 'Delete') late = { kind: 'deleted', by, text: '', order };
  else late = { kind: 'reacted', by, text: content.emoji, order };
  amendMessage(t, conversation, content.target, late);
  const key = concat(conversation, content.target);
  if (t.get(SEEN, key)) return;
  // Of another topic that is read later, or older than what is remembered.
  const amendments = t.get(ORPHAN, key)?.amendments ?? [];
  if (amendments.length < ORPHANS_MAX) t.put(ORPHAN, key, { amendments: [...amendments, late], time });
}

function amendMessage(t: Transaction, conversation: Uint8Array, target: Uint8Array, late: LateAmendment): void {
  t.amend(conversation, target, amendment(late));
  t.notify({ type: 'MessageChanged', conversation, id: target });
  const { last } = need(t, conversation);
  if (late.kind !== 'reacted' && last && same(last.sender, late.by)) {
    updatePreview(t, conversation, target, { text: late.text });
  }
}

function amendment({ kind, by, text, order }: LateAmendment): Amendment {
  if (kind === 'edited') return { type: 'Edited', by, text, order };
  return kind === 'deleted' ? { type: 'Deleted', by } : { type: 'Reacted', by, emoji: text, order };
}

function adoptOrphans(t: Transaction, conversation: Uint8Array, id: Uint8Array): void {
  const orphan = t.get(ORPHAN, concat(conversation, id));
  if (!orphan) return;
  t.remove(ORPHAN, concat(conversation, id));
  for (const late of orphan.amendments) amendMessage(t, conversation, id, late);
}

function receiptsSeen(t: Transaction, conversation: Uint8Array, by: Uint8Array, content: ReceiptContent): void {
  const kind = content.kind === ReceiptKind.read ? 'read' : 'delivered';
  for (const id of content.ids) {
    t.amend(conversation, id, { type: 'ReceiptSeen', by, kind });
    t.notify({ type: 'MessageChanged', conversation, id });
  }
}

/** Message ids and orphans of entries older than `before` (ms). */
export function forgetOld(t: Transaction, before: number): void {
  const tables: readonly Table<Seen | Orphan>[] = [SEEN, ORPHAN as Table<Seen | Orphan>];
  for (const table of tables) for (const [key, { time }] of t.entries(table)) if (time < before) t.remove(table, key);
}
