/** Timers of what is saved, and what is due every day. */
import { RECEIVE_KEYS_LIFETIME } from '../wire/messages.ts';
import { ConversationState } from './_state.ts';
import * as epochs from './epochs.ts';
import * as invites from './invites.ts';
import { isLeaving } from './leave.ts';
import { DAY } from './mlsgroup.ts';
import * as moves from './moves.ts';
import * as reading from './reading.ts';
import { GATHERED } from './receipts.ts';
import { CONVERSATION, OPENED, TOPIC } from './state.ts';
import { WISH } from './tables.ts';
import * as stock from './stock.ts';
import type { Transaction } from './transaction.ts';
import * as welcome from './welcome.ts';
import * as work from './work.ts';

/** Those that hang on rows of conversations, topics and invites. */
export function setTimers(t: Transaction): void {
  for (const [topic, { ended }] of t.entries(TOPIC)) {
    if (ended !== undefined) work.setTimerByRelay(t, 'close', topic, ended + RECEIVE_KEYS_LIFETIME);
  }
  for (const [key, { due }] of t.entries(WISH)) work.setTimerByRelay(t, 'wish', key, due);
  for (const [id, { inbox, accepted }] of t.entries(OPENED)) {
    if (inbox && accepted !== undefined) welcome.setAnsweredTimer(t, id, accepted);
  }
  for (const [id, found] of t.entries(CONVERSATION)) {
    epochs.setTimer(t, found);
    moves.setTimer(t, id);
    if (found.delivered.length || found.read.length) work.setTimer(t, 'receipts', id, t.now + GATHERED);
    if (isLeaving(found) && found.since !== undefined) {
      work.setTimerByRelay(t, 'left', id, found.since + RECEIVE_KEYS_LIFETIME);
    }
    if (found.state === ConversationState.stuck) work.setTimer(t, 'readd', id, t.now);
  }
  invites.restore(t);
}

export function daily(t: Transaction): void {
  reading.forgetOld(t, t.time - RECEIVE_KEYS_LIFETIME);
  stock.forgetExpired(t);
  for (const conversation of t.keys(CONVERSATION)) epochs.forgetOld(t, conversation);
  work.setTimer(t, 'daily', new Uint8Array(0), t.now + DAY);
}
