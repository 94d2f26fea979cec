/** Who may change what (protocol.md section 5.3): one function for each rule. Every member asks them of every commit. */
import { MLS10 } from '../mls/leaf.ts';
import { same } from '../wire/bytes.ts';
import { type ConversationInfo, ConversationKind } from '../wire/messages.ts';
import type { MemberLeaf, Membership } from './_state.ts';
import { hasIdentity } from './conversation.ts';
import { SUITES } from './mlsgroup.ts';

/** What a ReInit says of the group that is to follow. */
export interface Successor {
  readonly group: Uint8Array;
  readonly version: number;
  readonly suite: number;
  /** Its extensions are the present ones. */
  readonly infoStays: boolean;
}

/** What a commit that passed MLS's own checks does, in the protocol's terms. */
export interface Change {
  /** That it ends. */
  readonly epoch: number;
  readonly before: Membership;
  /** Identity. */
  readonly committer: Uint8Array;
  /** Identity of the committer's leaf in the commit's path; null: it has none that is accepted. */
  readonly committerAfter: Uint8Array | null;
  /** Identities of the added leaves; all are accepted leaves. */
  readonly adds: readonly Uint8Array[];
  readonly removes: readonly MemberLeaf[];
  /** Removed leaves whose members wish it, by proofs in the CommitData. */
  readonly wished: ReadonlySet<number>;
  /** From a GroupContextExtensions proposal. */
  readonly info: ConversationInfo | null;
  /** How many GroupContextExtensions proposals there are. */
  readonly infoCount: number;
  /** Each holds exactly one extension, a ConversationInfo that decodes. */
  readonly infoValid: boolean;
  /** From a ReInit, which MLS lets be the only proposal of its commit. */
  readonly successor: Successor | null;
  /** Proposals of any other type, or not by the committer, and external commits. */
  readonly others: number;
}

/** The admins that are members; if there are none, the member with the lowest leaf index. */
export function effectiveAdmins({ info, members }: Membership): readonly Uint8Array[] {
  const admins = info.admins.filter((identity) => members.some((member) => same(member.identity, identity)));
  return admins.length ? admins : members.slice(0, 1).map((member) => member.identity);
}

export function isAdmin(membership: Membership, identity: Uint8Array): boolean {
  return hasIdentity(effectiveAdmins(membership), identity);
}

/** Whether `identity` may bring in somebody new. */
export function mayAdd(membership: Membership, identity: Uint8Array, epoch: number): boolean {
  if (membership.info.kind === ConversationKind.direct) return epoch === 0;
  return isAdmin(membership, identity) || membership.info.membersAdd;
}

/** Those of `some` that have no counterpart of the same identity in `others`, each of which counts once. */
function without<T>(some: readonly T[], others: readonly Uint8Array[], identityOf: (one: T) => Uint8Array): T[] {
  const left = [...others];
  return some.filter((one) => {
    const place = left.findIndex((other) => same(other, identityOf(one)));
    if (place >= 0) left.splice(place, 1);
    return place < 0;
  });
}

/** Adds without the leaves that the same commit removes under the same identity. */
function newIdentities({ adds, removes }: Change): Uint8Array[] {
  return without(adds, removes.map((member) => member.identity), (identity) => identity);
}

/** Removes without the leaves that the same commit adds again under the same identity. */
function goneLeaves({ adds, removes }: Change): MemberLeaf[] {
  return without(removes, adds, (member) => member.identity);
}

export function roleAdd(change: Change): boolean {
  const { before, committer, epoch } = change;
  const added = newIdentities(change).length;
  if (!added) return true;
  if (before.info.kind === ConversationKind.direct && before.members.length + added > 2) return false;
  return mayAdd(before, committer, epoch);
}

export function roleRemove(change: Change): boolean {
  const { before, committer, wished } = change;
  const gone = goneLeaves(change);
  if (!gone.length) return true;
  if (before.info.kind === ConversationKind.direct) return false;
  if (isAdmin(before, committer)) return true;
  return gone.every(({ identity, leaf }) => same(identity, committer) || wished.has(leaf));
}

export function roleInfo({ before, committer, info, infoCount, infoValid }: Change): boolean {
  if (infoCount === 0) return true;
  if (infoCount > 1 || !infoValid || !info) return false;
  if (before.info.kind === ConversationKind.direct || info.kind !== before.info.kind) return false;
  return isAdmin(before, committer);
}

export function roleUpdate({ committer, committerAfter }: Change): boolean {
  return committerAfter !== null && same(committerAfter, committer);
}

export function roleReinit({ before, committer, successor }: Change): boolean {
  if (!successor) return true;
  const { group, version, suite, infoStays } = successor;
  if (before.info.kind !== ConversationKind.group || !isAdmin(before, committer)) return false;
  if (version !== MLS10 || !SUITES.includes(suite) || suite === before.suite) return false;
  return group.length === 16 && !same(group, before.group) && infoStays;
}

export function roleOther({ others }: Change): boolean {
  return others === 0;
}

export const RULES: readonly (readonly [string, (change: Change) => boolean])[] = [
  ['role-add', roleAdd],
  ['role-remove', roleRemove],
  ['role-info', roleInfo],
  ['role-update', roleUpdate],
  ['role-reinit', roleReinit],
  ['role-other', roleOther],
];

/** Id of the first rule that the change breaks. */
export function brokenRule(change: Change): string | null {
  for (const [name, rule] of RULES) if (!rule(change)) return name;
  return null;
}
