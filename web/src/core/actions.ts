/** What the person does. Each may raise CoreError; then nothing has changed. */
import { WireError } from '../wire/errors.ts';
import { type Content, ConversationKind, encodeContent } from '../wire/messages.ts';
import { same } from '../wire/bytes.ts';
import { type Conversation, ConversationState, OperationKind } from './_state.ts';
import * as contacts from './contacts.ts';
import { isBlockedDirect, membership, need, needActive, peer, received, show, updateOwnPreview } from './conversation.ts';
import * as ending from './ending.ts';
import * as ephemeral from './ephemeral.ts';
import { attempt, CoreError } from './errors.ts';
import type { SingleAction } from './events.ts';
import * as founding from './founding.ts';
import * as identity from './identity.ts';
import * as invites from './invites.ts';
import * as leave from './leave.ts';
import * as operations from './operations.ts';
import * as outbox from './outbox.ts';
import * as profiles from './profiles.ts';
import * as receipts from './receipts.ts';
import * as roles from './roles.ts';
import type { Transaction } from './transaction.ts';

/** As ConversationInfo holds. */
const ADMINS_MAX = 64;

export async function act(t: Transaction, action: SingleAction): Promise<void> {
  switch (action.type) {
    case 'CreateIdentity':
      return identity.create(t, action.name, action.relay);
    case 'SetName':
      return profiles.setName(t, action.name);
    case 'SetSettings':
      return identity.setSettings(t, action.readReceipts);
    case 'CreateInvite':
      await invites.create(t);
      return;
    case 'RevokeInvite':
      return invites.revoke(t, action.id);
    case 'UseInvite':
      return contacts.useInvite(t, action.link, action.relay);
    case 'SendContactRequest':
      return contacts.sendRequest(t, action.id, action.text);
    case 'AcceptRequest':
      return contacts.accept(t, action.id);
    case 'DeclineRequest':
      return contacts.decline(t, action.id);
    case 'BlockRequest':
      return contacts.blockRequest(t, action.id);
    case 'BlockContact':
      return contacts.setBlocked(t, action.identity, true);
    case 'UnblockContact':
      return contacts.setBlocked(t, action.identity, false);
    case 'MarkVerified':
      return contacts.markVerified(t, action.identity, action.verified);
    case 'CreateGroup':
      await founding.createGroup(t, action.name, action.members);
      return;
    case 'AddMembers':
      return addMembers(t, action.conversation, action.identities);
    case 'RemoveMember':
      return removeMember(t, action.conversation, action.identity);
    case 'Leave':
      return leave.leave(t, action.conversation);
    case 'Rename': {
      const { id } = needAdmin(t, action.conversation);
      return operations.add(t, id, OperationKind.rename, { name: identity.checkName(action.name) });
    }
    case 'SetAdmin':
      return setAdmin(t, action.conversation, action.identity, action.admin);
    case 'SendContent':
      return send(t, action.conversation, action.content, action.id);
    case 'MarkRead':
      return receipts.markRead(t, action.conversation, action.upto);
    case 'SetTyping':
      return ephemeral.setTyping(t, action.conversation, action.active);
    case 'DeleteConversation':
      return forgetConversation(t, action.conversation);
  }
}

function needGroup(t: Transaction, conversation: Uint8Array): Conversation {
  const found = needActive(t, conversation);
  if (found.kind !== ConversationKind.group) throw new CoreError('not-group');
  return found;
}

function needAdmin(t: Transaction, conversation: Uint8Array): Conversation {
  const found = needGroup(t, conversation);
  if (!roles.isAdmin(membership(t, conversation), identity.me(t).identity)) throw new CoreError('not-admin');
  return found;
}

function isMember(t: Transaction, conversation: Uint8Array, somebody: Uint8Array): boolean {
  return membership(t, conversation).members.some((member) => same(member.identity, somebody));
}

function addMembers(t: Transaction, conversation: Uint8Array, wanted: readonly Uint8Array[]): void {
  const { id, epoch } = needGroup(t, conversation);
  const present = membership(t, id);
  if (!roles.mayAdd(present, identity.me(t).identity, epoch)) throw new CoreError('not-admin');
  const added = wanted.filter((one) => !isMember(t, id, one));
  if (!added.length) throw new CoreError('already-member');
  if (present.members.length + added.length > founding.GROUP_MEMBERS_MAX) throw new CoreError('too-many');
  operations.add(t, id, OperationKind.add, { candidates: founding.contacts(t, added) });
}

async function removeMember(t: Transaction, conversation: Uint8Array, whom: Uint8Array): Promise<void> {
  const { id } = needAdmin(t, conversation);
  if (same(whom, identity.me(t).identity)) return leave.leave(t, id);
  if (!isMember(t, id, whom)) throw new CoreError('not-member');
  operations.add(t, id, OperationKind.remove, { identities: [whom] });
}

function setAdmin(t: Transaction, conversation: Uint8Array, whom: Uint8Array, admin: boolean): void {
  const { id } = needAdmin(t, conversation);
  if (!isMember(t, id, whom)) throw new CoreError('not-member');
  if (admin && membership(t, id).info.admins.length >= ADMINS_MAX) throw new CoreError('too-many');
  operations.add(t, id, admin ? OperationKind.admin : OperationKind.unadmin, { identities: [whom] });
}

function forgetConversation(t: Transaction, conversation: Uint8Array): void {
  const { state } = need(t, conversation);
  if (state === ConversationState.active || state === ConversationState.leaving) throw new CoreError('leave-first');
  ending.end(t, conversation, ConversationState.left);
  ending.forget(t, conversation);
}

// ---- messages ----

const SENDABLE = ['Text', 'FileReference', 'Reaction', 'Edit', 'Delete'];

/** @throws CoreError `bad-content` */
export async function checkContent(content: Content): Promise<void> {
  const empty = (content.type === 'Text' || content.type === 'Edit') && !content.text.trim();
  const fits = SENDABLE.includes(content.type) && (await attempt(WireError, () => encodeContent(content)));
  if (empty || !fits) throw new CoreError('bad-content');
}

/** Shown at once; sent when its turn comes. */
async function send(
  t: Transaction,
  conversation: Uint8Array,
  content: Content,
  given: Uint8Array | null,
): Promise<void> {
  const found = needActive(t, conversation);
  await checkContent(content);
  if (given && given.length !== 16) throw new CoreError('bad-content');
  const own = identity.me(t).identity;
  const other = peer(membership(t, conversation), own);
  if (other && isBlockedDirect(t, found, other)) throw new CoreError('blocked');
  const id = outbox.queue(t, conversation, content, given);
  let changed: string | undefined;
  switch (content.type) {
    case 'Edit':
      t.amend(conversation, content.target, { type: 'Edited', by: own, text: content.text, order: null });
      changed = content.text;
      break;
    case 'Delete':
      t.amend(conversation, content.target, { type: 'Deleted', by: own });
      changed = '';
      break;
    case 'Reaction':
      t.amend(conversation, content.target, { type: 'Reacted', by: own, emoji: content.emoji, order: null });
      break;
    default: {
      const sent = t.time;
      const place = { sent, time: null, order: null } as const;
      show(t, received({ conversation, id, sender: own, mine: true, ...place, content, status: 'waiting' }));
      return;
    }
  }
  if (changed !== undefined) updateOwnPreview(t, conversation, content.target, changed);
  t.notify({ type: 'MessageChanged', conversation, id: content.target });
}
