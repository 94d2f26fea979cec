/** Where we can be reached: inboxes of ours. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import { inboxId, ownerId, ownerSecret } from '../wire/labels.ts';
import type { Reach } from '../wire/messages.ts';
import { type Inbox, InboxPurpose } from './_state.ts';
import { need, quiet } from './conversation.ts';
import { me } from './identity.ts';
import { SUITES } from './mlsgroup.ts';
import { INBOX, REACH } from './state.ts';
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

/** What others need to reach us there. */
export function ofInbox(t: Transaction, { relay, id, inboxKey = new Uint8Array(0) }: Inbox): Reach {
  const { ownerSecret: secret, packageKey } = me(t);
  const owners = SUITES.map((suite) => ({ suite, owner: ownerId(ownerSecret(secret, suite)) }));
  return { relay, inbox: id, inboxKey, owners, packageKey };
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

export function learn(t: Transaction, conversation: Uint8Array, identity: Uint8Array, reach: Reach): void {
  if (!same(identity, me(t).identity)) t.put(REACH, concat(conversation, identity), reach);
}
