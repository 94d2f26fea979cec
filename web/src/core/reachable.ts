/** Where others can be reached; and inboxes of ours that are not needed any more. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import type { Reach } from '../wire/messages.ts';
import { membership } from './conversation.ts';
import { INBOX, PERSON, REACH, SOURCE } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Deletes an inbox on the relay, then here. */
export function close(t: Transaction, inbox: Uint8Array | undefined): void {
  const found = inbox && t.get(INBOX, inbox);
  if (!found || found.closing) return;
  t.put(INBOX, found.id, { ...found, closing: true });
  t.remove(SOURCE, found.id);
  work.wake(t, 'inbox', found.id);
}

/** The relay's answer to the deletion. */
export function inboxDeleted(t: Transaction, inbox: Uint8Array, gone: boolean): void {
  if (!gone) {
    work.pause(t, 'inbox', inbox);
    return;
  }
  t.remove(INBOX, inbox);
  t.remove(SOURCE, inbox);
  work.succeeded(t, 'inbox', inbox);
}

/** How to reach somebody: by this conversation, else by the direct one, the request, or any other. */
export function of(t: Transaction, identity: Uint8Array, conversation?: Uint8Array): Reach | undefined {
  const somebody = t.get(PERSON, identity);
  for (const place of [conversation, somebody?.conversation]) {
    const reach = place && t.get(REACH, concat(place, identity));
    if (reach) return reach;
  }
  return somebody?.reach ?? t.entries(REACH).find(([key]) => same(key.slice(16), identity))?.[1];
}

/** Whose key packages of this suite bring them in; undefined where they offer none. */
export function ownerOf({ owners }: Reach, suite: number): Uint8Array | undefined {
  return owners.find((one) => one.suite === suite)?.owner;
}

/** Those learnt in a conversation that is over. */
export function forget(t: Transaction, conversation: Uint8Array): void {
  for (const { identity } of membership(t, conversation).members) t.remove(REACH, concat(conversation, identity));
}
