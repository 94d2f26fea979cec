/** How a topic of a conversation ends: after a removal, by time, or because the relay lost it. */
import { same } from '../wire/bytes.ts';
import { RECEIVE_KEYS_LIFETIME } from '../wire/messages.ts';
import type { Conversation, Topic } from './_state.ts';
import { hasIdentity, quiet } from './conversation.ts';
import { CHAIN, CONVERSATION, HELD, LINK, SOURCE, TOPIC } from './state.ts';
import { MISBEHAVING, SLOT } from './tables.ts';
import { at, CHAIN_KEPT } from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Ids of the topics that are read, the current one first. */
export function allOf(conversation: Conversation): readonly Uint8Array[] {
  return [conversation.topic, ...conversation.oldTopics];
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
  for (const key of t.keys(SLOT, topic)) t.remove(SLOT, key);
  t.remove(SOURCE, topic);
  for (const doubt of t.keys(MISBEHAVING, topic)) t.remove(MISBEHAVING, doubt);
  t.remove(TOPIC, topic);
  work.stopTimer(t, 'close', topic);
}

export function forgetChain(t: Transaction, topic: Topic): void {
  for (let seq = Math.max(0, topic.seq - CHAIN_KEPT); seq <= topic.seq; seq++) t.remove(CHAIN, at(topic.id, seq));
}

export function forgetHeld(t: Transaction, topic: Uint8Array): void {
  for (const key of t.keys(HELD, topic)) t.remove(HELD, key);
}
