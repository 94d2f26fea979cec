/** Leaving: our own wish, and the wishes of others that somebody must commit (protocol.md section 5.4). */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import {
  ConversationKind,
  type Intent,
  IntentKind,
  type LeaveProof,
  RECEIVE_KEYS_LIFETIME,
} from '../wire/messages.ts';
import { type Conversation, ConversationState, type Membership } from './_state.ts';
import { OperationKind } from './_state_rest.ts';
import { showSystem } from './notes.ts';
import type { Place } from './place.ts';
import { group, hasIdentity, identities, isActive, membership, need, needActive, save } from './conversation.ts';
import * as ending from './ending.ts';
import { me } from './identity.ts';
import * as leaveproofs from './leaveproofs.ts';
import * as operations from './operations.ts';
import * as outbox from './outbox.ts';
import * as roles from './roles.ts';
import { CONVERSATION } from './state.ts';
import { WISH } from './tables.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** ms by which each non-admin waits longer than the one before, so that one commit is enough. */
const WISH_STEP = 30_000;

export async function leave(t: Transaction, conversation: Uint8Array): Promise<void> {
  const found = needActive(t, conversation);
  if (identities(membership(t, conversation)).length === 1 || found.founding) {
    // Nobody else knows of it yet.
    ending.end(t, conversation, ConversationState.left);
    return;
  }
  // While it is moving that is said in the successor: nobody commits anything before.
  if (found.state === ConversationState.moving) save(t, { ...found, since: t.time });
  else {
    await wish(t, conversation);
    save(t, { ...need(t, conversation), state: ConversationState.leaving, since: t.time });
  }
  work.setTimer(t, 'left', conversation, t.now + RECEIVE_KEYS_LIFETIME);
}

async function wish(t: Transaction, conversation: Uint8Array): Promise<void> {
  const { ownLeaf } = membership(t, conversation);
  const proof = await leaveproofs.prove(group(t, conversation), ownLeaf, me(t).identitySecret);
  outbox.queue(t, conversation, { type: 'Intent', kind: IntentKind.leave, proof });
}

/**
 * The proof that we sent is void: a commit of ours that was under way when we left has changed our leaf, or the group has
 * moved.
 */
export async function renew(t: Transaction, conversation: Uint8Array): Promise<void> {
  if (t.get(CONVERSATION, conversation)?.state === ConversationState.leaving) await wish(t, conversation);
}

/** The log has our wish: in a direct conversation nothing more happens. */
export function intentLogged(t: Transaction, conversation: Uint8Array): void {
  const found = t.get(CONVERSATION, conversation);
  if (found?.state !== ConversationState.leaving) return;
  if (found.kind === ConversationKind.direct) ending.end(t, conversation, ConversationState.left);
  else leaveTogether(t, found);
}

/** Nobody has committed our wish for 14 days. */
export function overdue(t: Transaction, conversation: Uint8Array): void {
  const found = t.get(CONVERSATION, conversation);
  if (found && isLeaving(found)) ending.end(t, conversation, ConversationState.left);
}

/** Whether we wish to leave; `since` says when we said so. */
export function isLeaving(conversation: Conversation): boolean {
  const { state } = conversation;
  return state === ConversationState.leaving || (state === ConversationState.moving && !isActive(conversation));
}

/** Where all others wish to leave too, nobody is left to commit. */
function leaveTogether(t: Transaction, { id }: Conversation): void {
  const own = me(t).identity;
  const others = identities(membership(t, id)).filter((identity) => !same(identity, own));
  if (others.every((identity) => t.get(WISH, concat(id, identity)))) ending.end(t, id, ConversationState.left);
}

// ---- others ----

/** Nobody wishes in another's name, and nobody has left by a wish of an earlier membership. */
export async function proofIsSenders(
  t: Transaction,
  conversation: Uint8Array,
  sender: Uint8Array,
  proof: LeaveProof | undefined,
): Promise<boolean> {
  if (!proof || !same(proof.identity, sender)) return false;
  const present = membership(t, conversation);
  return (await leaveproofs.leavesOfWish(group(t, conversation), present, proof)).length > 0;
}

export async function intentSeen(
  t: Transaction,
  conversation: Uint8Array,
  sender: Uint8Array,
  { proof }: Intent,
  { order, time, recordHash }: Place,
): Promise<void> {
  const found = need(t, conversation);
  const own = me(t).identity;
  if (!proof || same(sender, own) || !(await proofIsSenders(t, conversation, sender, proof))) {
    work.count(t, 'leave-proof');
    return;
  }
  if (found.kind === ConversationKind.direct) {
    const content = { type: 'System', kind: 'left', subjects: [sender] } as const;
    showSystem(t, conversation, recordHash, sender, content, time, order);
    ending.end(t, conversation, ConversationState.closed);
    return;
  }
  const present = membership(t, conversation);
  if (!hasIdentity(identities(present), sender)) return;
  const key = concat(conversation, sender);
  const due = t.time + wait(present, own);
  t.put(WISH, key, { proof, due });
  if (found.state === ConversationState.leaving) leaveTogether(t, found);
  else work.setTimerByRelay(t, 'wish', key, due);
}

/** ms until we commit somebody's wish: admins at once, others by their rank among the non-admins. */
export function wait(present: Membership, own: Uint8Array): number {
  const admins = roles.effectiveAdmins(present);
  if (hasIdentity(admins, own)) return 0;
  const place = present.members.findIndex((member) => same(member.identity, own));
  const before = present.members.slice(0, place < 0 ? undefined : place);
  return WISH_STEP * (1 + before.filter((member) => !hasIdentity(admins, member.identity)).length);
}

/** Our turn to commit a wish, if nobody has. */
export function commitWish(t: Transaction, key: Uint8Array): void {
  const wish = t.get(WISH, key);
  const conversation = key.slice(0, 16);
  if (!wish || t.get(CONVERSATION, conversation)?.state !== ConversationState.active) return;
  operations.add(t, conversation, OperationKind.leave, { identities: [key.slice(16)], proof: wish.proof });
}
