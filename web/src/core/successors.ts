/**
 * Which conversation an MLS group belongs to: its founding group gave the conversation its id, each ReInit names one more
 * (protocol.md section 5.7).
 */
import { same } from '../wire/bytes.ts';
import { membership } from './conversation.ts';
import { CONVERSATION } from './state.ts';
import { SUCCESSOR } from './tables.ts';
import type { Transaction } from './transaction.ts';

/** From now on the group's id leads to the conversation. */
export function link(t: Transaction, groupId: Uint8Array, conversation: Uint8Array): void {
  if (!same(groupId, conversation)) t.put(SUCCESSOR, groupId, conversation);
}

/**
 * The conversation that has or had this group; else the one of the first of `former` that is known here. A conversation's
 * own id comes first: whatever a ReInit names, it never leads away from another conversation.
 */
export function conversationOf(
  t: Transaction,
  groupId: Uint8Array,
  former: readonly Uint8Array[] = [],
): Uint8Array | undefined {
  for (const name of [groupId, ...former]) {
    if (t.get(CONVERSATION, name)) return name;
    const found = t.get(SUCCESSOR, name);
    if (found && t.get(CONVERSATION, found)) return found;
  }
  return undefined;
}

function named(t: Transaction, conversation: Uint8Array): Uint8Array[] {
  return t.entries(SUCCESSOR).flatMap(([key, of]) => (same(of, conversation) ? [key] : []));
}

/** Ids of the conversation's groups that are over, its own first. */
export function former(t: Transaction, conversation: Uint8Array): Uint8Array[] {
  const { group, successor } = membership(t, conversation);
  const isOver = (name: Uint8Array): boolean => !same(name, group) && !(successor && same(name, successor));
  return [conversation, ...named(t, conversation)].filter(isOver);
}

/** The conversation is deleted here. */
export function forget(t: Transaction, conversation: Uint8Array): void {
  for (const key of named(t, conversation)) t.remove(SUCCESSOR, key);
}
