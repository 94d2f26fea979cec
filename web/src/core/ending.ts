/** How a conversation ends for us: its keys go, its history stays. */
import { same } from '../wire/bytes.ts';
import type { ConversationState } from './_state.ts';
import { need, save } from './conversation.ts';
import * as formers from './formers.ts';
import { person, savePerson } from './identity.ts';
import * as membership from './membership.ts';
import * as operations from './operations.ts';
import * as outcome from './outcome.ts';
import * as reachable from './reachable.ts';
import { CONVERSATION, GROUP, MEMBERSHIP, SEEN } from './state.ts';
import * as successors from './successors.ts';
import { LATER, ORPHAN, TYPING, UNREAD, WISH } from './tables.ts';
import * as topicends from './topicends.ts';
import type { Table, Transaction } from './transaction.ts';
import * as work from './work.ts';

const TIMERS = ['epochs', 'receipts', 'left', 'move', 'readd'];

/** Every row of the conversation; its timer too, where each has one. */
function removeAll(t: Transaction, table: Table<unknown>, conversation: Uint8Array, timer?: string): void {
  for (const key of t.keys(table, conversation)) {
    t.remove(table, key);
    if (timer) work.stopTimer(t, timer, key);
  }
}

/** Nothing is sent or read any more: `state` is left, removed or closed. */
export function end(t: Transaction, conversation: Uint8Array, state: ConversationState): void {
  const found = need(t, conversation);
  membership.forget(t, found);
  operations.dropAll(t, conversation);
  outcome.failAll(t, conversation);
  for (const topic of topicends.allOf(found)) topicends.close(t, topic);
  reachable.close(t, found.inbox);
  reachable.forget(t, conversation);
  t.remove(GROUP, conversation);
  formers.forgetAll(t, conversation);
  removeAll(t, WISH, conversation, 'wish');
  removeAll(t, TYPING, conversation, 'typing');
  for (const timer of TIMERS) work.stopTimer(t, timer, conversation);
  save(t, {
    ...need(t, conversation),
    state,
    founding: false,
    oldTopics: [],
    past: [],
    gone: [],
    delivered: [],
    read: [],
    inbox: undefined,
    asked: undefined,
    since: undefined,
    problem: undefined,
  });
  unlink(t, conversation);
  work.wake(t, 'later', conversation);
}

/** It is nobody's direct conversation any more. */
function unlink(t: Transaction, conversation: Uint8Array): void {
  for (const { identity } of t.get(MEMBERSHIP, conversation)?.members ?? []) {
    const somebody = person(t, identity);
    if (somebody.conversation && same(somebody.conversation, conversation)) {
      savePerson(t, { ...somebody, conversation: undefined });
      t.notify({ type: 'ContactsChanged' });
    }
  }
}

/** Nothing of it stays on this device. */
export function forget(t: Transaction, conversation: Uint8Array): void {
  for (const table of [UNREAD, SEEN, ORPHAN]) removeAll(t, table, conversation);
  successors.forget(t, conversation);
  t.remove(MEMBERSHIP, conversation);
  t.remove(LATER, conversation);
  t.remove(CONVERSATION, conversation);
  t.forgetHistory(conversation);
}
