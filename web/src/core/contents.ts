/** What a received message does: here a Profile, all others in reading.ts. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import type { Message, Profile } from '../wire/messages.ts';
import { me, person, savePerson } from './identity.ts';
import type { Place } from './place.ts';
import { rest } from './provided.ts';
import { CHAIN, REACH, SEEN } from './state.ts';
import { at } from './topics.ts';
import type { Transaction } from './transaction.ts';

export async function receive(
  t: Transaction,
  conversation: Uint8Array,
  sender: Uint8Array,
  message: Message,
  place: Place,
): Promise<void> {
  const key = concat(conversation, message.id);
  const { order, time } = place;
  const seen = t.get(SEEN, key);
  if (seen) {
    rest().seenAgain(t, conversation, message, place, seen);
    return;
  }
  t.put(SEEN, key, { order, time });
  if (historyDiffers(t, message, place)) rest().setProblem(t, conversation, 'history-differs');
  if (message.content.type === 'Profile') profileSeen(t, conversation, sender, message.content);
  else await rest().receive(t, conversation, sender, message, place);
}

/** Whether the sender's log is another one than ours, at a position that both have. */
export function historyDiffers(t: Transaction, message: Message, place: Place): boolean {
  if (same(message.topic, place.topic) && message.seq >= place.seq) return true;
  const head = t.get(CHAIN, at(message.topic, message.seq));
  return head !== undefined && !same(head, message.head);
}

function profileSeen(t: Transaction, conversation: Uint8Array, sender: Uint8Array, { name, reach }: Profile): void {
  if (same(sender, me(t).identity)) return;
  if (name.trim()) {
    savePerson(t, { ...person(t, sender), name, named: true });
    t.notify({ type: 'ConversationChanged', conversation });
  }
  if (reach) t.put(REACH, concat(conversation, sender), reach);
}
