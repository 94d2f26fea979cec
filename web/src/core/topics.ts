/** The topics of a conversation: their secrets, cursors and hash chains, and how one follows another. */
import { concat } from '../crypto/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { chainHead, recordHash, recordKey, topicId, writeSecret } from '../wire/labels.ts';
import type { Entry } from '../wire/messages.ts';
import { openRecord } from '../wire/record.ts';
import type { Conversation, Topic } from './_state.ts';
import { readBody } from './downloads.ts';
import type { Body } from './body.ts';
import { attempt } from './errors.ts';
import { TOPIC_STEP } from './history.ts';
import { CHAIN, HELD, LINK, number, SOURCE, TOPIC } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Positions of a topic with which messages' heads are compared: a sender lags behind by a few, offline ones by more. */
export const CHAIN_KEPT = 512;

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
export async function readEntry(t: Transaction, topic: Topic, relay: Uint8Array, entry: Entry): Promise<Body> {
  const { record } = entry;
  if (!record) return { state: 'gone' };
  const body = await attempt(WireError, () => openRecord(recordKey(topic.topicSecret), topic.id, record));
  return body ? readBody(t, relay, work.item('log', topic.id), entry, body) : { state: 'bad' };
}

/** Whether this connection has brought everything that the current topic holds. */
export function inSync(t: Transaction, conversation: Conversation): boolean {
  const topic = t.get(TOPIC, conversation.topic);
  const source = t.get(SOURCE, conversation.topic);
  if (!topic || !source || !t.get(LINK, conversation.relay.identity)) return false;
  return topic.created && source.told && topic.seq >= source.head;
}
