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

/** A message that did not open: where it is of an epoch that our log does not lead to, the person is told. */
export function unopened(t: Transaction, conversation: Conversation, topic: Topic, key: Uint8Array, data: Uint8Array): void {
  if (!same(topic.id, conversation.topic) || !isOfLaterEpoch(group(t, key), data)) return;
  setProblem(t, conversation.id, 'history-differs');
}

/**
 * Whether somebody wrote in an epoch that our log does not lead to: it was shown another log than we were. In the current
 * topic only members can say so: where one does without cause, that one lies instead of the relay.
 */
export function isOfLaterEpoch(present: Group, data: Uint8Array): boolean {
  try {
    const { groupId, epoch } = inspect(data);
    return same(groupId, present.groupId) && epoch > present.epoch;
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    return false;
  }
}
