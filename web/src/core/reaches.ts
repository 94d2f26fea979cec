/** Where we can be reached: inboxes of ours, made and deleted; and where others can. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import { inboxId, ownerId } from '../wire/labels.ts';
import type { Reach } from '../wire/messages.ts';
import { type Inbox, InboxPurpose } from './_state.ts';
import { membership, need, quiet } from './conversation.ts';
import { me } from './identity.ts';
import { INBOX, PERSON, REACH, SOURCE } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** A new inbox on the home relay. Draws its read secret, then (not for an invite's) its key, 32 bytes each. */
export function create(t: Transaction, purpose: InboxPurpose, owner: Uint8Array): Inbox {
  const readSecret = t.random.bytes(32);
  const inboxKey = purpose === InboxPurpose.invite ? undefined : t.random.bytes(32);
  const inbox: Inbox = {
    id: inboxId(readSecret),
    relay: me(t).relay,
    readSecret,
    purpose,
    owner,
    created: false,
    closing: false,
    seq: 0,
    trimmed: 0,
    inboxKey,
  };
  t.put(INBOX, inbox.id, inbox);
  work.wake(t, 'inbox', inbox.id);
  return inbox;
}

/** Deletes an inbox on the relay, then here. */
export function close(t: Transaction, inbox: Uint8Array | undefined): void {
  const found = inbox && t.get(INBOX, inbox);
  if (!found || found.closing) return;
  t.put(INBOX, found.id, { ...found, closing: true });
  t.remove(SOURCE, found.id);
  work.wake(t, 'inbox', found.id);
}

/** What others need to reach us there. */
export function ofInbox(t: Transaction, { relay, id, inboxKey = new Uint8Array(0) }: Inbox): Reach {
  const { ownerSecret, packageKey } = me(t);
  return { relay, inbox: id, inboxKey, owner: ownerId(ownerSecret), packageKey };
}

/** Our reach in this conversation; the first time its inbox is made. */
export function own(t: Transaction, conversation: Uint8Array): Reach {
  const found = need(t, conversation);
  let inbox = found.inbox && t.get(INBOX, found.inbox);
  if (!inbox || inbox.closing) {
    inbox = create(t, InboxPurpose.conversation, conversation);
    quiet(t, { ...found, inbox: inbox.id });
  }
  return ofInbox(t, inbox);
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

export function learn(t: Transaction, conversation: Uint8Array, identity: Uint8Array, reach: Reach): void {
  if (!same(identity, me(t).identity)) t.put(REACH, concat(conversation, identity), reach);
}

/** Those learnt in a conversation that is over. */
export function forget(t: Transaction, conversation: Uint8Array): void {
  for (const { identity } of membership(t, conversation).members) t.remove(REACH, concat(conversation, identity));
}
