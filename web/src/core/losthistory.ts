/** A relay that does not have what it had, or does not give what it has. */
import { inspect } from '../mls/changes.ts';
import { MlsError } from '../mls/errors.ts';
import type { Group } from '../mls/group.ts';
import { same } from '../wire/bytes.ts';
import type { Conversation, Topic } from './_state.ts';
import { group, need, quiet } from './conversation.ts';
import { setProblem } from './notes.ts';
import * as slots from './slots.ts';
import { CHAIN, SOURCE, TOPIC } from './state.ts';
import * as topicends from './topicends.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** The rule of MLS that a message breaks which was sealed under other keys. */
const DECRYPT = '6.3-decrypt';

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

/** Asks again in growing pauses; from REQUEST_WINDOW on the newest answer's word on the head counts. */
export function missed(t: Transaction, conversation: Conversation, { id }: Topic, named: number): void {
  work.count(t, 'topic-gap');
  work.pause(t, 'topic', id);
  if (!slots.suspect(t, conversation, slots.gapOf(id))) return;
  const source = t.get(SOURCE, id);
  if (source) t.put(SOURCE, id, { ...source, head: named });
}

/** Nothing that the relay says is there is missing. */
export function complete(t: Transaction, conversation: Conversation, topic: Uint8Array): void {
  slots.clear(t, conversation, slots.gapOf(topic));
}

/** A message that broke a rule of MLS: where it is of a history that we were not shown, the person is told. */
export function unopened(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  key: Uint8Array,
  data: Uint8Array,
  rule: string,
): void {
  if (!same(topic.id, conversation.topic) || !isOfAnotherHistory(group(t, key), data, rule)) return;
  setProblem(t, conversation.id, 'history-differs');
}

/**
 * Whether somebody wrote in an epoch that our log does not lead to, or has other keys in the one that it leads to: who
 * wrote that was shown another log. `rule`: the rule of MLS that the message broke.
 *
 * In the current topic only members can write: one who does so without cause accuses the relay falsely.
 */
export function isOfAnotherHistory(present: Group, data: Uint8Array, rule: string): boolean {
  try {
    const { groupId, epoch } = inspect(data);
    if (!same(groupId, present.groupId)) return false;
    return epoch > present.epoch || (epoch === present.epoch && rule === DECRYPT);
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    return false;
  }
}
