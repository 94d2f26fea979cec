/** The topics of a conversation: their secrets, cursors and hash chains, and how one follows another. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { chainHead, recordHash, recordKey, topicId, writeSecret } from '../wire/labels.ts';
import { type Entry, RECEIVE_KEYS_LIFETIME } from '../wire/messages.ts';
import { openRecord } from '../wire/record.ts';
import type { Conversation, Topic } from './_state.ts';
import * as blobs from './blobs.ts';
import { hasIdentity, quiet } from './conversation.ts';
import { attempt } from './errors.ts';
import { TOPIC_STEP } from './history.ts';
import { CHAIN, CONVERSATION, HELD, LINK, MISBEHAVING, number, SOURCE, TOPIC } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Positions of a topic with which messages' heads are compared: a sender lags behind by a few, offline ones by more. */
const CHAIN_KEPT = 512;

/** As in keys: topic || number. */
export const at = (topic: Uint8Array, seq: number): Uint8Array => concat(topic, number(seq));

/** A topic that is read from after `seq`; without `known` (the chain's head there) it is a new one. */
export function start(
  t: Transaction,
  conversation: Uint8Array,
  topicSecret: Uint8Array,
  ordinal: number,
  seq: number,
  known?: Uint8Array,
): Topic {
  const id = topicId(writeSecret(topicSecret));
  const head = known ?? id;
  const row: Topic = { id, conversation, topicSecret, ordinal, created: false, seq, head };
  t.put(TOPIC, id, row);
  t.put(CHAIN, at(id, seq), head);
  work.wake(t, 'topic', id);
  return row;
}

/** Ids of the topics that are read, the current one first. */
export function allOf(conversation: Conversation): readonly Uint8Array[] {
  return [conversation.topic, ...conversation.oldTopics];
}

export function order(topic: Topic, seq: number): number {
  return topic.ordinal * TOPIC_STEP + seq;
}

export function entryHash(entry: Entry): Uint8Array {
  return entry.record ? recordHash(entry.record) : (entry.recordHash ?? new Uint8Array(0));
}

/** The entry counts as processed. */
export function step(t: Transaction, topic: Topic, entry: Entry): Topic {
  const { seq } = entry;
  const head = chainHead(topic.head, entryHash(entry));
  const stepped = { ...topic, seq, head };
  t.put(TOPIC, topic.id, stepped);
  t.put(CHAIN, at(topic.id, seq), head);
  if (seq >= CHAIN_KEPT) t.remove(CHAIN, at(topic.id, seq - CHAIN_KEPT));
  t.remove(HELD, at(topic.id, seq));
  return stepped;
}

/** The body of an entry whose record is there: bad where it does not open. */
export async function readEntry(t: Transaction, topic: Topic, relay: Uint8Array, entry: Entry): Promise<blobs.Body> {
  const { record } = entry;
  if (!record) return { state: 'gone' };
  const body = await attempt(WireError, () => openRecord(recordKey(topic.topicSecret), topic.id, record));
  return body ? blobs.readBody(t, relay, work.item('log', topic.id), entry, body) : { state: 'bad' };
}

/** A commit that removed someone left this topic: late messages are read for RECEIVE_KEYS_LIFETIME more. */
export function end(t: Transaction, topic: Uint8Array, ended: number): void {
  const row = t.get(TOPIC, topic);
  if (!row) return;
  t.put(TOPIC, topic, { ...row, ended });
  work.setTimerByRelay(t, 'close', topic, ended + RECEIVE_KEYS_LIFETIME);
}

/** The relay does not know it (any more): it is made again. */
export function missing(t: Transaction, topic: Uint8Array): void {
  const row = t.get(TOPIC, topic);
  if (!row) return;
  t.put(TOPIC, topic, { ...row, created: false });
  work.wake(t, 'topic', topic);
}

/** Forgets a topic. */
export function close(t: Transaction, topic: Uint8Array): void {
  const row = t.get(TOPIC, topic);
  if (!row) return;
  const found = t.get(CONVERSATION, row.conversation);
  if (found && t.get(SOURCE, topic)?.subscribed && t.get(LINK, found.relay.identity)?.session) {
    const request = { type: 'Unsubscribe', topics: [topic], inboxes: [] } as const;
    work.call(t, found.relay.identity, work.item('unsubscribe', topic), request);
  }
  if (found && hasIdentity(found.oldTopics, topic)) {
    quiet(t, { ...found, oldTopics: found.oldTopics.filter((old) => !same(old, topic)) });
  }
  forgetChain(t, row);
  forgetHeld(t, topic);
  t.remove(SOURCE, topic);
  t.remove(MISBEHAVING, topic);
  t.remove(TOPIC, topic);
  work.stopTimer(t, 'close', topic);
}

export function forgetChain(t: Transaction, topic: Topic): void {
  for (let seq = Math.max(0, topic.seq - CHAIN_KEPT); seq <= topic.seq; seq++) t.remove(CHAIN, at(topic.id, seq));
}

export function forgetHeld(t: Transaction, topic: Uint8Array): void {
  for (const key of t.keys(HELD, topic)) t.remove(HELD, key);
}

/** Whether this connection has brought everything that the current topic holds. */
export function inSync(t: Transaction, conversation: Conversation): boolean {
  const topic = t.get(TOPIC, conversation.topic);
  const source = t.get(SOURCE, conversation.topic);
  if (!topic || !source || !t.get(LINK, conversation.relay.identity)) return false;
  return topic.created && source.told && topic.seq >= source.head;
}
