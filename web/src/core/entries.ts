/** Entries of topics as they arrive, in any order: kept until the log takes them by seq. */
import { topicId } from '../wire/labels.ts';
import type { Entry, Publish, Published } from '../wire/messages.ts';
import type { Conversation } from './_state.ts';
import { isRead } from './conversation.ts';
import { restIfThere } from './provided.ts';
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

/** The answer stands for the push of our own record; false: it names a place that we have read. */
export async function published(t: Transaction, request: Publish, { seq, time, receipt }: Published): Promise<boolean> {
  const topic = topicId(request.writeSecret);
  const row = t.get(TOPIC, topic);
  const { record, slot, blobs } = request;
  await receive(t, topic, { seq, time, record, slot, receipt, blobs });
  return !row || seq > row.seq;
}

/** Without the rest no receipt was ever accepted that this one could contradict. */
export async function stopIfFraud(
  t: Transaction,
  conversation: Conversation,
  topic: Uint8Array,
  entry: Entry,
): Promise<boolean> {
  return (await restIfThere()?.stopIfFraud(t, conversation, topic, entry)) === true;
}

/** From a push or a fetch. */
export async function receive(t: Transaction, topic: Uint8Array, entry: Entry): Promise<void> {
  const row = t.get(TOPIC, topic);
  const conversation = row && t.get(CONVERSATION, row.conversation);
  if (!conversation || !isRead(conversation)) return;
  const { seq } = entry;
  const source = sourceOf(t, topic, conversation.relay.identity);
  if (seq > source.head) t.put(SOURCE, topic, { ...source, head: seq });
  work.wake(t, 'log', topic);
  if (seq <= row.seq) {
    await stopIfFraud(t, conversation, topic, entry);
  } else if (seq === row.seq + 1 || t.keys(HELD, topic).length < HELD_MAX) {
    t.put(HELD, at(topic, seq), entry);
  }
}
