/** Records for other people's inboxes, kept until their relay has them. */
import { readUint, same } from '../wire/bytes.ts';
import type { RelayAddress, Request, Response } from '../wire/messages.ts';
import { DropKind, type OutDrop } from './_state.ts';
import * as bodies from './bodies.ts';
import { rest } from './provided.ts';
import { DROP, number, SCALAR } from './state.ts';
import type { State, Transaction } from './transaction.ts';
import * as work from './work.ts';

export function put(t: Transaction, drop: OutDrop): void {
  const n = (t.get(SCALAR, 'next-drop') ?? 0) + 1;
  t.put(SCALAR, 'next-drop', n);
  t.put(DROP, number(n), drop);
  work.wake(t, 'drop', number(n));
}

/** After loading: numbers go on where they were. */
export function restore(t: Transaction): void {
  const last = t.keys(DROP).at(-1);
  if (last) t.put(SCALAR, 'next-drop', readUint(last));
}

export function isWaiting(t: Transaction, owner: Uint8Array, kind: DropKind): boolean {
  return t.entries(DROP).some(([, drop]) => same(drop.owner, owner) && drop.kind === kind);
}

export function workDrop(t: Transaction, key: Uint8Array): void {
  const drop = t.get(DROP, key);
  if (!drop) return;
  const { inbox, record, blob } = drop;
  const relay = drop.relay.identity;
  const name = work.item('drop', key);
  if (!bodies.uploaded(t, relay, blob) || !work.mayCall(t, relay, name)) return;
  work.call(t, relay, name, { type: 'Drop', inbox, record, blobs: blob && [blob] });
}

/** Of a contact request; what becomes of other drops is for deliveries.ts. */
export function answered(t: Transaction, key: Uint8Array, _: Request, response: Response): void {
  const drop = t.get(DROP, key);
  if (!drop || work.postponed(t, 'drop', key, response)) return;
  if (drop.kind === DropKind.request) {
    remove(t, key);
    work.wake(t, isTaken(response) ? 'requested' : 'request-refused', drop.owner);
  } else rest().dropAnswered(t, key, drop, response);
}

export function isTaken({ type }: Response): boolean {
  return type === 'Published' || type === 'Done';
}

export function remove(t: Transaction, key: Uint8Array): void {
  t.remove(DROP, key);
  work.succeeded(t, 'drop', key);
}

export function relays(state: State): RelayAddress[] {
  return state.entries(DROP).map(([, drop]) => drop.relay);
}
