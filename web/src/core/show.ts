/** Views made from the state. */
import { concat, utf8 } from '../crypto/bytes.ts';
import { sha512 } from '../crypto/sha512.ts';
import { compare, readUint, same } from '../wire/bytes.ts';
import { ConversationKind } from '../wire/messages.ts';
import { safetyNumber, safetyQr } from '../wire/safety.ts';
import { type Conversation, ConversationState, InviteState, type Membership, OpenedState, type Person } from './_state.ts';
import { hasIdentity, identities, peer } from './conversation.ts';
import { linkOf } from './invites.ts';
import * as roles from './roles.ts';
import { ASKED, cellGroup, CONVERSATION, GROUP, INVITE, ME, MEMBERSHIP, OPENED, OPERATION, PERSON } from './state.ts';
import type { State } from './transaction.ts';
import type * as v from './views.ts';

/** 8 groups of 5 digits for one identity, for before there is a conversation to compare. */
function fingerprint(identity: Uint8Array): string[] {
  const digest = sha512(concat(utf8('polynya identity 1'), identity));
  return Array.from({ length: 8 }, (_, i) =>
    String(readUint(digest.subarray(5 * i, 5 * i + 5)) % 100_000).padStart(5, '0'),
  );
}

/** The name that a value has in an enum. */
function nameIn<E extends Record<string, number>>(values: E, value: number): keyof E {
  return Object.keys(values).find((name) => values[name] === value) as keyof E;
}

export function meView(state: State): v.MeView | null {
  const own = state.get(ME);
  if (!own) return null;
  const { identity, name, relay, readReceipts } = own;
  return { identity, name, relay, readReceipts, fingerprint: fingerprint(identity) };
}

export function nameOf(state: State, identity: Uint8Array): string {
  const own = state.get(ME);
  return own && same(own.identity, identity) ? own.name : (state.get(PERSON, identity)?.name ?? '');
}

// ---- conversations ----

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
  const member = active || row.state === ConversationState.leaving || row.state === ConversationState.stuck;
  const blocked = direct && other && state.get(PERSON, other)?.blocked;
  return {
    id,
    kind: row.kind,
    name: direct ? directName(state, row, other) : present.info.name,
    members: members(state, present, own.identity),
    myRole: !member ? 'none' : !direct && roles.isAdmin(present, own.identity) ? 'admin' : 'member',
    canSend: active && !blocked,
    canAdd: active && !direct && roles.mayAdd(present, own.identity, row.epoch),
    state: active && row.founding ? 'waiting-first' : nameIn(ConversationState, row.state),
    last: row.last ? { ...row.last, status: row.last.status ?? null } : null,
    activity: row.activity,
    unread: row.unread,
    problem: row.problem ?? null,
    pendingOperations: state.names(OPERATION, id).length,
    relay: row.relay.identity,
    postQuantum: false,
  };
}

/** By leaf, each person once. */
function members(state: State, present: Membership, own: Uint8Array): v.MemberView[] {
  const direct = present.info.kind === ConversationKind.direct;
  const admins = direct ? [] : roles.effectiveAdmins(present);
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
function directName(state: State, { id }: Conversation, other: Uint8Array | undefined): string {
  const coming = state.entries(OPERATION, id).flatMap(([, { candidates }]) => candidates);
  const identity = other ?? coming[0]?.identity;
  return identity ? nameOf(state, identity) : '';
}

/** Null where there is none to compare now. */
export function safety(state: State, id: Uint8Array): v.SafetyView | null {
  const row = state.get(CONVERSATION, id);
  const present = state.get(MEMBERSHIP, id);
  const cell = state.get(GROUP, id);
  const own = state.get(ME)?.identity;
  const other = present && own && peer(present, own);
  if (row?.kind !== ConversationKind.direct || !cell || !other) return null;
  const { epochAuthenticator } = cellGroup(cell);
  return {
    groups: safetyNumber(own, other, epochAuthenticator),
    code: safetyQr(own, other, epochAuthenticator),
    verified: isVerified(state.get(PERSON, other)),
  };
}

// ---- people ----

export function contacts(state: State): v.ContactView[] {
  return state
    .entries(PERSON)
    .map(([, somebody]) => somebody)
    .filter(({ accepted, blocked }) => accepted || blocked)
    .sort((a, b) => compare(utf8(a.name), utf8(b.name)) || compare(a.identity, b.identity))
    .map(({ identity, name, verified, blocked, conversation = null }) => ({
      identity,
      name,
      verified,
      blocked,
      conversation,
    }));
}

export function requests(state: State): v.RequestView[] {
  return state
    .entries(ASKED)
    .map(([, { id, identity, name, text = null, time }]) => ({
      id,
      identity,
      name,
      text,
      time,
      safety: fingerprint(identity),
    }))
    .sort((a, b) => a.time - b.time || compare(a.id, b.id));
}

export function invites(state: State): v.InviteView[] {
  return state
    .entries(INVITE)
    .map(([id, invite]) => ({
      id,
      link: invite.state === InviteState.ready ? linkOf(state, invite) : null,
      created: invite.created,
      expires: invite.expires,
      state: nameIn(InviteState, invite.state),
    }))
    .sort((a, b) => b.created - a.created || compare(a.id, b.id));
}

export function openedInvites(state: State): v.OpenedInviteView[] {
  return state.entries(OPENED).map(([id, { card, state: now, problem = null }]) => ({
    id,
    name: card?.name ?? null,
    identity: card?.identity ?? null,
    state: nameIn(OpenedState, now),
    problem,
  }));
}
