/** Groups that a ReInit has ended: their messages are read for RECEIVE_KEYS_LIFETIME more (protocol.md section 5.7). */
import { concat } from '../crypto/bytes.ts';
import { forgetEpochsBefore, inspect } from '../mls/changes.ts';
import { MlsError } from '../mls/errors.ts';
import type { Group } from '../mls/group.ts';
import type { Conversation } from './_state.ts';
import { hasIdentity, membership, putGroup } from './conversation.ts';
import { cellGroup } from './groupcell.ts';
import type { Ended } from './provided.ts';
import { GROUP } from './state.ts';
import { FORMER } from './tables.ts';
import type { Transaction } from './transaction.ts';

/** Of the conversation as it is in the ended group's last epoch, which the record of `time` leaves. */
export function keep(t: Transaction, conversation: Conversation, group: Group, time: number): void {
  const { id, epoch, topic, slot, past, gone } = conversation;
  const key = concat(id, group.groupId);
  const { members } = membership(t, id);
  t.put(FORMER, key, { members, past: [...past, { epoch, topic, slot, ended: time }], gone });
  putGroup(t, key, group);
}

/** The ended group that the message names: its key and removed leaves; undefined: it is of the one in force, or of none. */
export function groupOfMessage(t: Transaction, { id }: Conversation, data: Uint8Array): Ended | undefined {
  let named: Uint8Array;
  try {
    named = inspect(data).groupId;
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    return undefined;
  }
  const key = concat(id, named);
  const found = t.get(FORMER, key);
  return found && { id: key, gone: found.gone };
}

/** Who is removed from a successor knows the ended group's keys: what they write there from then on is nobody's. */
export function noteRemoved(
  t: Transaction,
  conversation: Uint8Array,
  identities: readonly Uint8Array[],
  time: number,
): void {
  for (const [key, found] of t.entries(FORMER, conversation)) {
    const epoch = 1 + Math.max(...found.past.map((past) => past.epoch));
    const removed = found.members
      .filter(({ identity }) => hasIdentity(identities, identity))
      .map(({ leaf }) => ({ leaf, epoch, time }));
    if (removed.length) t.put(FORMER, key, { ...found, gone: [...found.gone, ...removed] });
  }
}

/** Receive keys of epochs that ended at `before` (ms) or earlier, and groups without any other. */
export function forgetOld(t: Transaction, conversation: Uint8Array, before: number): void {
  for (const [key, found] of t.entries(FORMER, conversation)) {
    const cell = t.get(GROUP, key);
    const past = found.past.filter(({ ended }) => ended > before);
    const [oldest] = past;
    if (!oldest || !cell) {
      t.remove(FORMER, key);
      t.remove(GROUP, key);
    } else if (past.length !== found.past.length) {
      t.put(FORMER, key, { ...found, past });
      putGroup(t, key, forgetEpochsBefore(cellGroup(cell), oldest.epoch));
    }
  }
}

/** When the oldest epoch that is kept here ended; undefined: there is none. */
export function firstEnded(t: Transaction, conversation: Uint8Array): number | undefined {
  const times = t.entries(FORMER, conversation).flatMap(([, { past }]) => past.slice(0, 1).map(({ ended }) => ended));
  return times.length ? Math.min(...times) : undefined;
}

export function forgetAll(t: Transaction, conversation: Uint8Array): void {
  for (const key of t.keys(FORMER, conversation)) {
    t.remove(FORMER, key);
    t.remove(GROUP, key);
  }
}
