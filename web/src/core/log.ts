/** A topic's log in order: each entry once, by seq, nothing skipped. */
import { same } from '../wire/bytes.ts';
import type { Entry } from '../wire/messages.ts';
import type { Conversation, Topic } from './_state.ts';
import { isRead } from './conversation.ts';
import { stopIfFraud } from './entries.ts';
import * as messages from './messages.ts';
import { rest } from './provided.ts';
import { CONVERSATION, HELD, TOPIC } from './state.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Processes what has arrived as far as it follows without a gap. */
export async function advance(t: Transaction, topic: Uint8Array): Promise<void> {
  for (;;) {
    const row = t.get(TOPIC, topic);
    const conversation = row && t.get(CONVERSATION, row.conversation);
    if (!conversation || !isRead(conversation)) return;
    const entry = t.get(HELD, topics.at(topic, row.seq + 1));
    if (entry && (await process(t, conversation, row, entry))) continue;
    work.wake(t, 'topic', topic);
    work.wake(t, 'outbox', row.conversation);
    work.wake(t, 'operation', row.conversation);
    return;
  }
}

/** False: the entry cannot be judged yet. */
async function process(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry): Promise<boolean> {
  if (!entry.slot) return messages.process(t, conversation, topic, entry);
  if (same(topic.id, conversation.topic) && same(entry.slot, conversation.slot)) {
    return rest().processCommit(t, conversation, topic, entry);
  }
  if (await stopIfFraud(t, conversation, topic.id, entry)) return false;
  // The slot of an epoch that has ended, or one that nobody uses: never a message, never a commit.
  topics.step(t, topic, entry);
  return true;
}
