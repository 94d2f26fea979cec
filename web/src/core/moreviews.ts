/** Views of what needs the rest: groups' rights, invites, requests, numbers to compare. */
import { concat, utf8 } from '../crypto/bytes.ts';
import { sha512 } from '../crypto/sha512.ts';
import { compare, readUint } from '../wire/bytes.ts';
import { ConversationKind, SUITE_X25519, SUITE_XWING } from '../wire/messages.ts';
import { safetyNumber, safetyQr } from '../wire/safety.ts';
import type { Membership } from './_state.ts';
import { InviteState } from './_state_rest.ts';
import { peer } from './conversation.ts';
import { CoreError } from './errors.ts';
import { cellGroup } from './groupcell.ts';
import { linkOf } from './invites.ts';
import { fits } from './newgroups.ts';
import type { Rights } from './provided.ts';
import * as roles from './roles.ts';
import { nameIn } from './show.ts';
import { CONVERSATION, GROUP, ME, MEMBERSHIP, PERSON } from './state.ts';
import { ASKED, INVITE, OPERATION } from './tables.ts';
import type { State } from './transaction.ts';
import type * as v from './views.ts';

/** 8 groups of 5 digits for one identity, for before there is a conversation to compare. */
export function fingerprint(identity: Uint8Array): string[] {
  const digest = sha512(concat(utf8('polynya identity 1'), identity));
  return Array.from({ length: 8 }, (_, i) =>
    String(readUint(digest.subarray(5 * i, 5 * i + 5)) % 100_000).padStart(5, '0'),
  );
}

/** What `identity` sees of a group's rights, and may itself. */
export function rights(present: Membership, identity: Uint8Array, epoch: number): Rights {
  const other = present.suite === SUITE_XWING ? SUITE_X25519 : SUITE_XWING;
  return {
    admins: roles.effectiveAdmins(present),
    mayAdd: roles.mayAdd(present, identity, epoch),
    mayMove: roles.isAdmin(present, identity) && fits(other, present.members.length),
  };
}

/** Whom our first commit will bring in. */
export function coming(state: State, conversation: Uint8Array): Uint8Array | undefined {
  const candidates = state.entries(OPERATION, conversation).flatMap(([, operation]) => operation.candidates);
  return candidates[0]?.identity;
}

/** @throws CoreError `no-safety-number` where there is none to compare now */
export function safety(state: State, id: Uint8Array): v.SafetyView {
  const row = state.get(CONVERSATION, id);
  const present = state.get(MEMBERSHIP, id);
  const cell = state.get(GROUP, id);
  const own = state.get(ME)?.identity;
  const other = present && own && peer(present, own);
  if (row?.kind !== ConversationKind.direct || !cell || !other) throw new CoreError('no-safety-number');
  const { epochAuthenticator } = cellGroup(cell);
  return {
    groups: safetyNumber(own, other, epochAuthenticator),
    code: safetyQr(own, other, epochAuthenticator),
    verified: state.get(PERSON, other)?.verified === true,
  };
}

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
