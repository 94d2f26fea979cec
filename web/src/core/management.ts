/** What the person does beyond first contact and messages. */
import { type Content, ConversationKind } from '../wire/messages.ts';
import { same } from '../wire/bytes.ts';
import { type Conversation, ConversationState } from './_state.ts';
import { OperationKind } from './_state_rest.ts';
import { act as actFirst } from './actions.ts';
import * as answering from './answering.ts';
import { isActive, membership, need, needActive } from './conversation.ts';
import * as ending from './ending.ts';
import * as ephemeral from './ephemeral.ts';
import { CoreError } from './errors.ts';
import type { Batch, SingleAction } from './events.ts';
import * as founding from './founding.ts';
import { checkName, me } from './identity.ts';
import * as invites from './invites.ts';
import * as leave from './leave.ts';
import { SUITES } from './mlsgroup.ts';
import { fits } from './newgroups.ts';
import { updateOwnPreview } from './notes.ts';
import * as operations from './operations.ts';
import { tell } from './profiles.ts';
import * as receipts from './receipts.ts';
import * as roles from './roles.ts';
import { CONVERSATION, MARK, ME } from './state.ts';
import type { Transaction } from './transaction.ts';

/** As ConversationInfo holds. */
const ADMINS_MAX = 64;

export async function act(t: Transaction, action: SingleAction): Promise<void> {
  switch (action.type) {
    case 'SetName':
      return setName(t, action.name);
    case 'SetSettings':
      return setSettings(t, action.readReceipts);
    case 'CreateInvite':
      await invites.create(t, action);
      return;
    case 'RevokeInvite':
      return invites.revoke(t, action.id);
    case 'AcceptRequest':
      return answering.accept(t, action.id);
    case 'DeclineRequest':
      return answering.decline(t, action.id);
    case 'BlockRequest':
      return answering.blockRequest(t, action.id);
    case 'BlockContact':
      return answering.setBlocked(t, action.identity, true);
    case 'UnblockContact':
      return answering.setBlocked(t, action.identity, false);
    case 'MarkVerified':
      return answering.markVerified(t, action.identity, action.verified);
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
      return operations.add(t, id, OperationKind.rename, { name: checkName(action.name) });
    }
    case 'SetAdmin':
      return setAdmin(t, action.conversation, action.identity, action.admin);
    case 'MoveSuite':
      return moveSuite(t, action.conversation, action.suite);
    case 'MarkRead':
      return receipts.markRead(t, action.conversation, action.upto);
    case 'SetTyping':
      return ephemeral.setTyping(t, action.conversation, action.active);
    case 'DeleteConversation':
      return forgetConversation(t, action.conversation);
  }
}

export async function actAll(t: Transaction, { actions, marks }: Batch): Promise<void> {
  for (const action of actions) await actFirst(t, action);
  for (const [key, value] of marks) {
    if (value) t.put(MARK, key, value);
    else t.remove(MARK, key);
  }
}

// ---- ourselves ----

function setName(t: Transaction, name: string): void {
  t.put(ME, '', { ...me(t), name: checkName(name) });
  t.notify({ type: 'MeChanged' });
  for (const [conversation, found] of t.entries(CONVERSATION)) if (isActive(found)) tell(t, conversation);
}

function setSettings(t: Transaction, readReceipts: boolean): void {
  t.put(ME, '', { ...me(t), readReceipts });
  t.notify({ type: 'MeChanged' });
}

// ---- groups ----

function needGroup(t: Transaction, conversation: Uint8Array): Conversation {
  const found = needActive(t, conversation);
  if (found.kind !== ConversationKind.group) throw new CoreError('not-group');
  return found;
}

function needAdmin(t: Transaction, conversation: Uint8Array): Conversation {
  const found = needGroup(t, conversation);
  if (!roles.isAdmin(membership(t, conversation), me(t).identity)) throw new CoreError('not-admin');
  return found;
}

function isMember(t: Transaction, conversation: Uint8Array, somebody: Uint8Array): boolean {
  return membership(t, conversation).members.some((member) => same(member.identity, somebody));
}

function addMembers(t: Transaction, conversation: Uint8Array, wanted: readonly Uint8Array[]): void {
  const { id, epoch } = needGroup(t, conversation);
  const present = membership(t, id);
  if (!roles.mayAdd(present, me(t).identity, epoch)) throw new CoreError('not-admin');
  const added = wanted.filter((one) => !isMember(t, id, one));
  if (!added.length) throw new CoreError('already-member');
  if (present.members.length + added.length > founding.GROUP_MEMBERS_MAX) throw new CoreError('too-many');
  operations.add(t, id, OperationKind.add, { candidates: founding.contacts(t, added) });
  operations.triedAgain(t, id);
}

async function removeMember(t: Transaction, conversation: Uint8Array, whom: Uint8Array): Promise<void> {
  const { id } = needAdmin(t, conversation);
  if (same(whom, me(t).identity)) return leave.leave(t, id);
  if (!isMember(t, id, whom)) throw new CoreError('not-member');
  operations.add(t, id, OperationKind.remove, { identities: [whom] });
}

function setAdmin(t: Transaction, conversation: Uint8Array, whom: Uint8Array, admin: boolean): void {
  const { id } = needAdmin(t, conversation);
  if (!isMember(t, id, whom)) throw new CoreError('not-member');
  if (admin && membership(t, id).info.admins.length >= ADMINS_MAX) throw new CoreError('too-many');
  operations.add(t, id, admin ? OperationKind.admin : OperationKind.unadmin, { identities: [whom] });
}

function moveSuite(t: Transaction, conversation: Uint8Array, suite: number): void {
  const { id, state } = needAdmin(t, conversation);
  const present = membership(t, id);
  if (state === ConversationState.moving) throw new CoreError('moving');
  if (!SUITES.includes(suite)) throw new CoreError('suite-unknown');
  if (suite === present.suite) throw new CoreError('suite-in-force');
  if (!fits(suite, present.members.length)) throw new CoreError('too-many-for-suite');
  operations.add(t, id, OperationKind.move, { suite });
}

/** States in which others count on us. */
const MEMBER: readonly number[] = [ConversationState.active, ConversationState.moving, ConversationState.leaving];

function forgetConversation(t: Transaction, conversation: Uint8Array): void {
  if (MEMBER.includes(need(t, conversation).state)) throw new CoreError('leave-first');
  ending.end(t, conversation, ConversationState.left);
  ending.forget(t, conversation);
}

// ---- messages ----

/** Of contents that are no text. */
export function isSendable(content: Content): boolean {
  if (content.type === 'Edit') return content.text.trim() !== '';
  return ['FileReference', 'Reaction', 'Delete'].includes(content.type);
}

/** An edit, a deletion or a reaction of ours shows at once. */
export function amendOwn(t: Transaction, { id: conversation }: Conversation, content: Content): void {
  const by = me(t).identity;
  switch (content.type) {
    case 'Edit':
      t.amend(conversation, content.target, { type: 'Edited', by, text: content.text, order: null });
      updateOwnPreview(t, conversation, content.target, content.text);
      break;
    case 'Delete':
      t.amend(conversation, content.target, { type: 'Deleted', by });
      updateOwnPreview(t, conversation, content.target, '');
      break;
    case 'Reaction':
      t.amend(conversation, content.target, { type: 'Reacted', by, emoji: content.emoji, order: null });
      break;
    default:
      return;
  }
  t.notify({ type: 'MessageChanged', conversation, id: content.target });
}
