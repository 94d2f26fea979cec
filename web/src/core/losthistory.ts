/** A relay that does not have what it had. */
import type { Topic } from './_state.ts';
import { need, quiet } from './conversation.ts';
import { setProblem } from './notes.ts';
import * as slots from './slots.ts';
import { CHAIN, SOURCE, TOPIC } from './state.ts';
import * as topicends from './topicends.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** The relay does not know the topic: it is new, or was forgotten. */
export function unknownTopic(t: Transaction, row: Topic): void {
  if (row.seq > 0) lostHistory(t, row);
  topicends.missing(t, row.id);
  work.pause(t, 'topic', row.id);
}

/** The relay forgot what it had: we say so, and go on in a log that starts anew. */
export function lostHistory(t: Transaction, row: Topic): void {
  const { id } = row;
  setProblem(t, row.conversation, 'relay-lost-history');
  if (row.ended !== undefined) {
    topicends.close(t, id);
    return;
  }
  topicends.forgetChain(t, row);
  topicends.forgetHeld(t, id);
  const found = need(t, row.conversation);
  slots.forget(t, id, found.slot);
  t.put(TOPIC, id, { ...row, seq: 0, head: id, ordinal: found.ordinal, created: false });
  t.put(CHAIN, topics.at(id, 0), id);
  t.remove(SOURCE, id);
  quiet(t, { ...found, ordinal: found.ordinal + 1, position: 0 });
  work.wake(t, 'topic', id);
}
