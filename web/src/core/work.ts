/**
 * What is to be done at relays: work items, each with at most one call on its way, and timers.
 *
 * A work item is `kind:key`. Waking one lets the dispatcher look at it before the step ends; its module then compares the
 * state with what the relay should have and makes the next call. All requests are idempotent, so after a lost answer, a
 * lost connection or a crash the same look makes the same call again.
 */
import { hex, unhex } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import { RefusalCode, type Request, type Response } from '../wire/messages.ts';
import {
  CALL,
  type CallContext,
  COUNT,
  FLIGHT,
  LINK,
  number,
  PAUSE,
  SCALAR,
  TIMER,
} from './state.ts';
import type { Transaction } from './transaction.ts';

const NONE = new Uint8Array(0);

/** ms: 2, 4, 8 ... seconds up to 5 minutes: a relay that is full for an hour is asked about 20 times. */
const PAUSE_FIRST = 2_000;
const PAUSE_MAX = 300_000;
/** ms until a record that the relay has taken is published again: long before, the log has brought it back. */
const PLACED_PAUSE = 30_000;

/** Refusals for reasons that pass: nothing was done, and the same request is good later. */
export const AGAIN_LATER: readonly number[] = [
  RefusalCode.tooMany,
  RefusalCode.full,
  RefusalCode.internal,
  RefusalCode.clock,
  RefusalCode.repeated,
  RefusalCode.sessionOnly,
];

export function item(kind: string, key: Uint8Array = NONE): string {
  return `${kind}:${hex(key)}`;
}

/** [kind, key] of an item or timer. */
export function split(name: string): [string, Uint8Array] {
  const at = name.indexOf(':');
  return [name.slice(0, at), unhex(name.slice(at + 1))];
}

export function wake(t: Transaction, kind: string, key: Uint8Array = NONE): void {
  t.wake(item(kind, key));
}

/** Whether the item can make its next call now. */
export function mayCall(t: Transaction, relay: Uint8Array, name: string): boolean {
  if (!t.get(LINK, relay) || inFlight(t, name)) return false;
  const pause = t.get(PAUSE, name);
  return !pause || pause.until <= t.now;
}

export function call(t: Transaction, relay: Uint8Array, name: string, request: Request): void {
  const id = (t.get(SCALAR, 'next-call') ?? 0) + 1;
  t.put(SCALAR, 'next-call', id);
  t.put(CALL, number(id), { relay, item: name, request });
  t.put(FLIGHT, name, id);
  t.call(id, relay, request);
}

/** The call is over; undefined where it was given up before. */
export function finishCall(t: Transaction, id: number): CallContext | undefined {
  const context = t.get(CALL, number(id));
  if (context) {
    t.remove(CALL, number(id));
    t.remove(FLIGHT, context.item);
  }
  return context;
}

/** The connection is gone, and the answers with it. */
export function giveUpCalls(t: Transaction, relay: Uint8Array): void {
  for (const [key, context] of t.entries(CALL)) {
    if (same(context.relay, relay)) {
      t.remove(CALL, key);
      t.remove(FLIGHT, context.item);
    }
  }
}

export function inFlight(t: Transaction, name: string): boolean {
  return t.get(FLIGHT, name) !== undefined;
}

// ---- pauses ----

/** Looks at the item again after `wait` ms, or after a growing pause. */
export function pause(t: Transaction, kind: string, key: Uint8Array, wait?: number): void {
  const name = item(kind, key);
  const attempts = t.get(PAUSE, name)?.attempts ?? 0;
  const until = t.now + (wait ?? Math.min(PAUSE_MAX, PAUSE_FIRST * 2 ** Math.min(attempts, 10)));
  t.put(PAUSE, name, { attempts: attempts + 1, until, placed: false });
  t.put(TIMER, retryName(name), until);
}

/**
 * The relay answered a Publish. Placed: it has the record, which is published again only if the log does not bring it;
 * else it names a place where the record was not.
 */
export function answeredPublish(t: Transaction, kind: string, key: Uint8Array, placed: boolean): void {
  if (!placed) count(t, 'publish-misplaced');
  pause(t, kind, key, placed ? PLACED_PAUSE : undefined);
  const name = item(kind, key);
  const waiting = t.get(PAUSE, name);
  if (waiting) t.put(PAUSE, name, { ...waiting, placed });
}

export function isPlaced(t: Transaction, name: string): boolean {
  const waiting = t.get(PAUSE, name);
  return waiting?.placed === true && waiting.until > t.now;
}

/** Before an item's name: the timer that ends its pause. */
export const RETRY = 'retry:';
const retryName = (name: string): string => RETRY + name;

/** The item's next refusal starts with the shortest pause again. */
export function succeeded(t: Transaction, kind: string, key: Uint8Array = NONE): void {
  const name = item(kind, key);
  t.remove(PAUSE, name);
  t.remove(TIMER, retryName(name));
}

/** A pause is over. */
export function retry(t: Transaction, name: string): void {
  const before = t.get(PAUSE, name);
  if (before) t.put(PAUSE, name, { ...before, until: t.now });
  t.wake(name);
}

/** Whether the relay refused for a reason that passes; then the item pauses. */
export function postponed(t: Transaction, kind: string, key: Uint8Array, response: Response): boolean {
  if (response.type !== 'Refused' || !AGAIN_LATER.includes(response.code)) return false;
  pause(t, kind, key, response.retryAfter);
  return true;
}

// ---- timers ----

/** `at` in ms of the device's clock; replaces the timer of that name. */
export function setTimer(t: Transaction, kind: string, key: Uint8Array, at: number): void {
  t.put(TIMER, item(kind, key), at);
}

/** `at` in ms of the relay's clock. */
export function setTimerByRelay(t: Transaction, kind: string, key: Uint8Array, at: number): void {
  setTimer(t, kind, key, at - (t.time - t.now));
}

export function stopTimer(t: Transaction, kind: string, key: Uint8Array): void {
  t.remove(TIMER, item(kind, key));
}

/** Names of the timers whose time has come, earliest first; they are gone from then on. */
export function dueTimers(t: Transaction): string[] {
  const due = [...t.state.rows(TIMER)].filter(([, at]) => at <= t.now);
  for (const [name] of due) t.remove(TIMER, name);
  return due.sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1)).map(([name]) => name);
}

/** Tells the client the earliest timer, if it is another one than told before. */
export function askForTimer(t: Transaction): void {
  const earliest = Math.min(...t.state.rows(TIMER).values());
  if (earliest !== Infinity && earliest !== t.get(SCALAR, 'timer')) {
    t.put(SCALAR, 'timer', earliest);
    t.setTimer(earliest);
  }
}

// ---- counters ----

/** Something was skipped, for one of the reasons that `Core.counters` shows. */
export function count(t: Transaction, reason: string): void {
  t.put(COUNT, reason, (t.get(COUNT, reason) ?? 0) + 1);
}
