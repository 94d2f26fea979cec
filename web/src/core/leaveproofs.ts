/**
 * Leave proofs held against the group as it is (protocol.md section 5.4): a proof made before its member left and came
 * back, or before any later commit of that member, is worth nothing. Proofs name the MLS group: one of a group that a
 * ReInit has ended says nothing in its successor.
 */
import { encode } from '../mls/codec.ts';
import type { Group } from '../mls/group.ts';
import { leafNode } from '../mls/leaf.ts';
import { same } from '../wire/bytes.ts';
import type { LeaveProof } from '../wire/messages.ts';
import * as requests from '../wire/requests.ts';
import { signLeaveProof, verifyLeaveProof } from '../wire/requests.ts';
import type { MemberLeaf, Membership } from './_state.ts';

/** Of a member's leaf as it is in this epoch; null for a blank leaf. */
export function leafHash(group: Group, leaf: number): Uint8Array | null {
  const member = group.members().find(({ leafIndex }) => leafIndex === leaf);
  return member ? requests.leafHash(encode(leafNode, member.leafNode)) : null;
}

export function prove(group: Group, ownLeaf: number, identitySecret: Uint8Array): Promise<LeaveProof> {
  const own = leafHash(group, ownLeaf);
  return signLeaveProof(identitySecret, group.groupId, own ? [own] : []);
}

/** Whether the proof is the member's own and of the leaf that it has in this epoch. */
export async function wishes(group: Group, { identity, leaf }: MemberLeaf, proof: LeaveProof): Promise<boolean> {
  if (!same(proof.identity, identity)) return false;
  const hash = leafHash(group, leaf);
  return hash !== null && verifyLeaveProof(group.groupId, hash, proof);
}

/** Those of a commit's removed leaves whose members wish it by one of the commit's proofs. */
export async function wishedLeaves(
  group: Group,
  removes: readonly MemberLeaf[],
  proofs: readonly LeaveProof[],
): Promise<Set<number>> {
  const wished = new Set<number>();
  for (const member of removes) {
    for (const proof of proofs) if (await wishes(group, member, proof)) wished.add(member.leaf);
  }
  return wished;
}

/** Present members' leaves whose removal the proof wishes. */
export async function leavesOfWish(
  group: Group,
  { members }: Membership,
  proof: LeaveProof,
): Promise<MemberLeaf[]> {
  const found: MemberLeaf[] = [];
  for (const member of members) if (await wishes(group, member, proof)) found.push(member);
  return found;
}
