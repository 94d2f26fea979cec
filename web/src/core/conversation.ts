/** The state of one conversation: its rows, what it shows, and how it ends. */
import { concat, hex } from '../crypto/bytes.ts';
import type { Group } from '../mls/group.ts';
import { same } from '../wire/bytes.ts';
import { ConversationKind } from '../wire/messages.ts';
import { type Conversation, ConversationState, type Membership } from './_state.ts';
import { CoreError } from './errors.ts';
import { cellGroup } from './groupcell.ts';
import type { StoredMessage } from './history.ts';
import { rest } from './provided.ts';
import { CONVERSATION, GROUP, MEMBERSHIP, number, PERSON } from './state.ts';
import type { Transaction } from './transaction.ts';

/** Characters. */
const PREVIEW_LENGTH = 200;
/** States in which the log is followed. */
const READING: readonly number[] = [
  ConversationState.active,
  ConversationState.moving,
  ConversationState.leaving,
  ConversationState.closed,
];

export function isRead(conversation: Conversation): boolean {
  return READING.includes(conversation.state);
}

/** @throws CoreError `unknown-conversation` */
export function need(t: Transaction, conversation: Uint8Array): Conversation {
  const found = t.get(CONVERSATION, conversation);
  if (!found) throw new CoreError('unknown-conversation');
  return found;
}

/** Whether we take part and do not wish to leave; while it is moving what we do waits. */
export function isActive({ state, since }: Conversation): boolean {
  return state === ConversationState.active || (state === ConversationState.moving && since === undefined);
}

/** @throws CoreError `unknown-conversation` or `not-active` */
export function needActive(t: Transaction, conversation: Uint8Array): Conversation {
  const found = need(t, conversation);
  if (!isActive(found)) throw new CoreError('not-active');
  return found;
}

export function save(t: Transaction, changed: Conversation): Conversation {
  t.notify({ type: 'ConversationChanged', conversation: changed.id });
  return quiet(t, changed);
}

/** Saves what no view shows. */
export function quiet(t: Transaction, changed: Conversation): Conversation {
  t.put(CONVERSATION, changed.id, changed);
  return changed;
}

export function membership(t: Transaction, conversation: Uint8Array): Membership {
  const found = t.get(MEMBERSHIP, conversation);
  if (!found) throw new CoreError('unknown-conversation');
  return found;
}

/** The MLS group in force; with a key of FORMER an ended one. @throws CoreError `not-active` */
export function group(t: Transaction, conversation: Uint8Array): Group {
  const cell = t.get(GROUP, conversation);
  if (!cell) throw new CoreError('not-active');
  return cellGroup(cell);
}

export function putGroup(t: Transaction, conversation: Uint8Array, changed: Group): void {
  t.put(GROUP, conversation, { group: changed });
}

/** The key of a new outbox item or operation: conversation || number. */
export function nextNumber(t: Transaction, conversation: Uint8Array): Uint8Array {
  const found = need(t, conversation);
  quiet(t, { ...found, number: found.number + 1 });
  return concat(conversation, number(found.number));
}

export function hasIdentity(list: readonly Uint8Array[], identity: Uint8Array): boolean {
  return list.some((one) => same(one, identity));
}

/** The other person of a direct conversation. */
export function peer({ members }: Membership, own: Uint8Array): Uint8Array | undefined {
  return members.find((member) => !same(member.identity, own))?.identity;
}

/** Members by leaf, each person once. */
export function identities({ members }: Membership): Uint8Array[] {
  const found = new Map(members.map(({ identity }) => [hex(identity), identity]));
  return [...found.values()];
}

/** What a blocked person writes to us alone is not shown. */
export function isBlockedDirect(t: Transaction, conversation: Conversation, sender: Uint8Array): boolean {
  return conversation.kind === ConversationKind.direct && t.get(PERSON, sender)?.blocked === true;
}

// ---- what is shown ----

/** By code points, so that no character is cut in two. */
export const cut = (text: string): string => [...text].slice(0, PREVIEW_LENGTH).join('');

/** Appends to the history and lets the list of conversations show it. */
export function show(t: Transaction, message: StoredMessage): void {
  t.append(message);
  setLast(t, message);
  t.notify({ type: 'MessageAdded', conversation: message.conversation, id: message.id });
}

/** What the list of conversations shows of this one. */
export function setLast(t: Transaction, message: StoredMessage): void {
  const { conversation, id, sender, content, mine, status } = message;
  const time = message.time ?? message.sent;
  const last = {
    id,
    sender,
    ...(content.type === 'Text' ? { kind: 'text', text: cut(content.text) } : rest().preview(content)),
    time,
    mine,
    status: status ?? undefined,
  };
  const found = need(t, conversation);
  save(t, { ...found, last, activity: Math.max(found.activity, time) });
}

/** A message that nobody has amended. */
export function received(
  message: Omit<StoredMessage, 'edited' | 'deleted' | 'reactions' | 'delivered' | 'read'>,
): StoredMessage {
  return { ...message, edited: null, deleted: false, reactions: [], delivered: [], read: [] };
}
