/** Our own name and reach, told to the members of our conversations. */
import { decodeContent } from '../wire/messages.ts';
import { ConversationState } from './_state.ts';
import { checkName, me } from './identity.ts';
import * as outbox from './outbox.ts';
import * as reaches from './reaches.ts';
import { CONVERSATION, ME, OUTBOX } from './state.ts';
import type { Transaction } from './transaction.ts';

/** Queues a Profile with our reach in this conversation, in place of one that still waits. */
export function tell(t: Transaction, conversation: Uint8Array): void {
  for (const [key, { content }] of t.entries(OUTBOX, conversation)) {
    if (decodeContent(content).type === 'Profile') outbox.fail(t, key);
  }
  const reach = reaches.own(t, conversation);
  outbox.queue(t, conversation, { type: 'Profile', name: me(t).name, reach });
}

export function setName(t: Transaction, name: string): void {
  t.put(ME, '', { ...me(t), name: checkName(name) });
  t.notify({ type: 'MeChanged' });
  for (const [conversation, { state }] of t.entries(CONVERSATION)) {
    if (state === ConversationState.active) tell(t, conversation);
  }
}
