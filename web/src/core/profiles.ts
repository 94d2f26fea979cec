/** Our own name and reach, told to the members of our conversations. */
import { me } from './identity.ts';
import * as outbox from './outbox.ts';
import * as reaches from './reaches.ts';
import { OUTBOX } from './state.ts';
import type { Transaction } from './transaction.ts';

/** Queues a Profile with our reach in this conversation, in place of one that still waits. */
export function tell(t: Transaction, conversation: Uint8Array): void {
  for (const [key, row] of t.entries(OUTBOX, conversation)) if (outbox.isProfile(row)) outbox.remove(t, key, row);
  const reach = reaches.own(t, conversation);
  outbox.queue(t, conversation, { type: 'Profile', name: me(t).name, reach });
}
