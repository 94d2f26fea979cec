/** Views made from the state. */
import { compare, same } from '../wire/bytes.ts';
import { ConversationKind, SUITE_XWING } from '../wire/messages.ts';
import { ConversationState, type Membership, OpenedState, type Person } from './_state.ts';
import { hasIdentity, identities, isActive, peer } from './conversation.ts';
import { rest, restIfThere, type Rights } from './provided.ts';
import { CONVERSATION, ME, MEMBERSHIP, OPENED, OPERATIONS, PERSON } from './state.ts';
import type { State } from './transaction.ts';
import type * as v from './views.ts';

/** The name that a value has in an enum. */
export function nameIn<E extends Record<string, number>>(values: E, value: number): keyof E {
  return Object.keys(values).find((name) => values[name] === value) as keyof E;
}

export function meView(state: State): v.MeView | null {
  const own = state.get(ME);
  if (!own) return null;
  const { identity, name, relay, readReceipts } = own;
  return { identity, name, relay, readReceipts, fingerprint: restIfThere()?.fingerprint(identity) ?? [] };
}

export function nameOf(state: State, identity: Uint8Array): string {
  const own = state.get(ME);
  return own && same(own.identity, identity) ? own.name : (state.get(PERSON, identity)?.name ?? '');
}

// ---- conversations ----

/** Of a direct conversation. */
const NO_RIGHTS: Rights = { admins: [], mayAdd: false, mayMove: false };

const MEMBER: readonly number[] = [
  ConversationState.active,
  ConversationState.moving,
  ConversationState.leaving,
  ConversationState.stuck,
];

export function conversations(state: State): v.ConversationView[] {
  return state
    .keys(CONVERSATION)
    .flatMap((id) => conversation(state, id) ?? [])
    .sort((a, b) => b.activity - a.activity || compare(a.id, b.id));
}

export function conversation(state: State, id: Uint8Array): v.ConversationView | null {
  const row = state.get(CONVERSATION, id);
  const present = state.get(MEMBERSHIP, id);
  const own = state.get(ME);
  if (!row || !present || !own) return null;
  const other = peer(present, own.identity);
  const direct = row.kind === ConversationKind.direct;
  const active = row.state === ConversationState.active;
  const member = MEMBER.includes(row.state);
  const { admins, mayAdd, mayMove } = direct ? NO_RIGHTS : rest().rights(present, own.identity, row.epoch);
  const blocked = direct && other && state.get(PERSON, other)?.blocked;
  return {
    id,
    kind: row.kind,
    name: direct ? directName(state, id, other) : present.info.name,
    members: members(state, present, own.identity, admins),
    myRole: !member ? 'none' : hasIdentity(admins, own.identity) ? 'admin' : 'member',
    canSend: isActive(row) && !blocked,
    canAdd: active && mayAdd,
    state: active && row.founding ? 'waiting-first' : nameIn(ConversationState, row.state),
    last: row.last ? { ...row.last, status: row.last.status ?? null } : null,
    activity: row.activity,
    unread: row.unread,
    problem: row.problem ?? null,
    pendingOperations: state.names(OPERATIONS, id).length,
    relay: row.relay.identity,
    postQuantum: present.suite === SUITE_XWING,
    canMove: active && mayMove,
  };
}

/** By leaf, each person once. */
function members(
  state: State,
  present: Membership,
  own: Uint8Array,
  admins: readonly Uint8Array[],
): v.MemberView[] {
  return identities(present).map((identity) => ({
    identity,
    name: nameOf(state, identity),
    admin: hasIdentity(admins, identity),
    me: same(identity, own),
    verified: isVerified(state.get(PERSON, identity)),
  }));
}

const isVerified = (somebody: Person | undefined): boolean => somebody?.verified === true;

/** While the founding commit waits the other is no member yet. */
function directName(state: State, id: Uint8Array, other = restIfThere()?.coming(state, id)): string {
  return other ? nameOf(state, other) : '';
}

// ---- people ----

export function openedInvites(state: State): v.OpenedInviteView[] {
  return state.entries(OPENED).map(([id, { card, state: now, problem = null, relay }]) => ({
    id,
    name: card?.name ?? null,
    identity: card?.identity ?? null,
    state: nameIn(OpenedState, now),
    problem,
    relay: relay.identity,
  }));
}
