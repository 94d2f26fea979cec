/** The relay's word on the order of commits: receipts, positions, and proof of fraud (protocol.md sections 2.4, 5.2). */
import { concat, utf8 } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import { verifyReceipt } from '../wire/receipts.ts';
import { type Entry, REQUEST_WINDOW } from '../wire/messages.ts';
import { type Conversation, ConversationState, type Topic } from './_state.ts';
import type { SlotReceipt } from './_state_rest.ts';
import { need, quiet, save } from './conversation.ts';
import { setProblem } from './notes.ts';
import { number } from './state.ts';
import { MISBEHAVING, SLOT } from './tables.ts';
import { allOf, forgetHeld } from './topicends.ts';
import { entryHash } from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** ms between two looks at a slot that does not add up: 120 of them before the person is told. */
const MISBEHAVING_PAUSE = 5_000;

/** Whether the relay's identity signed this record's place in its slot. */
export async function receiptIsSigned(relay: Uint8Array, topic: Uint8Array, entry: Entry): Promise<boolean> {
  const { slot, receipt, seq, blobs } = entry;
  if (!slot || !receipt) return false;
  const { position } = receipt;
  return verifyReceipt(relay, { topic, slot, position, seq, recordHash: entryHash(entry), blobs }, receipt);
}

/** Nobody judges a record of the slot before all records before it. */
export function positionIsNext(conversation: Conversation, entry: Entry): boolean {
  return entry.receipt?.position === conversation.position;
}

/** Two signed receipts for one position of one slot, with different seq or record: proof of fraud. */
export function receiptsContradict(known: SlotReceipt, entry: Entry): boolean {
  return known.seq !== entry.seq || !same(known.recordHash, entryHash(entry));
}

const keyOf = (topic: Uint8Array, slot: Uint8Array, position: number): Uint8Array =>
  concat(topic, slot, number(position));

/** Whether a validly signed receipt contradicts one that we have. */
export async function isFraud(
  t: Transaction,
  conversation: Conversation,
  topic: Uint8Array,
  entry: Entry,
): Promise<boolean> {
  if (!entry.slot || !entry.receipt) return false;
  const known = t.get(SLOT, keyOf(topic, entry.slot, entry.receipt.position));
  if (!known || !receiptsContradict(known, entry)) return false;
  return receiptIsSigned(conversation.relay.identity, topic, entry);
}

/** Accepts the entry as the next of the current epoch's slot; null: it is not, and is not to be judged. */
export async function take(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
): Promise<Conversation | null> {
  const { id, relay, slot } = conversation;
  const { receipt, seq } = entry;
  if (await stopIfFraud(t, conversation, topic.id, entry)) return null;
  const signed = await receiptIsSigned(relay.identity, topic.id, entry);
  if (!receipt || !signed || !positionIsNext(conversation, entry)) {
    misbehaves(t, conversation, topic.id);
    return null;
  }
  behaves(t, conversation, topic.id);
  const { position, signature } = receipt;
  t.put(SLOT, keyOf(topic.id, slot, position), { seq, recordHash: entryHash(entry), signature });
  const found = need(t, id);
  return quiet(t, { ...found, position: found.position + 1 });
}

export async function stopIfFraud(
  t: Transaction,
  conversation: Conversation,
  topic: Uint8Array,
  entry: Entry,
): Promise<boolean> {
  const found = await isFraud(t, conversation, topic, entry);
  if (found) stopForFraud(t, conversation);
  return found;
}

/** The relay signed two histories: nothing of it is believed any more. */
export function stopForFraud(t: Transaction, conversation: Conversation): void {
  work.count(t, 'relay-fraud');
  save(t, { ...conversation, state: ConversationState.fraud });
  setProblem(t, conversation.id, 'relay-fraud');
}

/** The slot does not add up: looks again in a while, and says so when that has gone on for REQUEST_WINDOW. */
export function misbehaves(t: Transaction, conversation: Conversation, topic: Uint8Array): void {
  forgetHeld(t, topic);
  suspect(t, conversation, topic);
  work.pause(t, 'topic', topic, MISBEHAVING_PAUSE);
}

/**
 * The relay keeps something from us: whether for REQUEST_WINDOW now, and then the person is told. `doubt`: the topic, or
 * gapOf it.
 */
export function suspect(t: Transaction, conversation: Conversation, doubt: Uint8Array): boolean {
  const since = t.get(MISBEHAVING, doubt) ?? t.now;
  t.put(MISBEHAVING, doubt, since);
  if (t.now - since < REQUEST_WINDOW) return false;
  setProblem(t, conversation.id, 'relay-misbehaves');
  return true;
}

function behaves(t: Transaction, conversation: Conversation, topic: Uint8Array): void {
  if (t.get(MISBEHAVING, topic) !== undefined) work.succeeded(t, 'topic', topic);
  clear(t, conversation, topic);
}

/** Names the doubt about entries that the relay says it has and does not give. */
export const gapOf = (topic: Uint8Array): Uint8Array => concat(topic, utf8('gap'));

/** The doubt was unfounded, or is over. What an earlier run of the core said goes too, as its doubts are not kept. */
export function clear(t: Transaction, { id }: Conversation, doubt: Uint8Array): void {
  t.remove(MISBEHAVING, doubt);
  const found = need(t, id);
  if (found.problem === 'relay-misbehaves' && !isDoubted(t, found)) setProblem(t, id, undefined);
}

/** Whether the relay keeps something of any topic that is read. */
function isDoubted(t: Transaction, conversation: Conversation): boolean {
  return allOf(conversation).some((topic) => t.keys(MISBEHAVING, topic).length > 0);
}

/** Its receipts are of no more use. */
export function forget(t: Transaction, topic: Uint8Array, slot: Uint8Array): void {
  for (const key of t.keys(SLOT, concat(topic, slot))) t.remove(SLOT, key);
}
