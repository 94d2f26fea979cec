/** Entries of topics as they arrive, in any order: kept until the log takes them by seq. */
import type { Entry } from '../wire/messages.ts';
import { isRead } from './conversation.ts';
import * as slots from './slots.ts';
import { CONVERSATION, HELD, SOURCE, type Source, TOPIC } from './state.ts';
import { at } from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Entries of one topic that wait for others: four full answers; what comes beyond is fetched when its turn comes. */
const HELD_MAX = 256;

/** What is known of a log, or nothing yet. */
export function sourceOf(t: Transaction, key: Uint8Array, relay: Uint8Array): Source {
  return t.get(SOURCE, key) ?? { relay, head: 0, told: false, subscribed: false };
}

/** From a push, a fetch, or the answer to our own publish. */
export async function receive(t: Transaction, topic: Uint8Array, entry: Entry): Promise<void> {
  const row = t.get(TOPIC, topic);
  const conversation = row && t.get(CONVERSATION, row.conversation);
  if (!conversation || !isRead(conversation)) return;
  const { seq } = entry;
  const source = sourceOf(t, topic, conversation.relay.identity);
  if (seq > source.head) t.put(SOURCE, topic, { ...source, head: seq });
  work.wake(t, 'log', topic);
  if (seq <= row.seq) {
    if (await slots.isFraud(t, conversation, topic, entry)) slots.stopForFraud(t, conversation);
  } else if (seq === row.seq + 1 || t.keys(HELD, topic).length < HELD_MAX) {
    t.put(HELD, at(topic, seq), entry);
  }
}
