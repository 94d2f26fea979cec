import { equal } from '../crypto/compare.ts';
import { checkMembers } from './checks.ts';
import { decode } from './codec.ts';
import type { Commit } from './commit.ts';
import { type GroupState, checkOpen, epochKeys } from './epoch.ts';
import { ensure } from './errors.ts';
import type { Extension } from './extensions.ts';
import {
  COMMIT,
  MEMBER,
  type MlsMessage,
  PRIVATE_MESSAGE,
  PUBLIC_MESSAGE,
  mlsMessage,
} from './framing.ts';
import type { GroupContext } from './groupcontext.ts';
import type { KeyPackage } from './keypackage.ts';
import type { LeafNode } from './leaf.ts';
import { checkCommitLeaf, checkFreshKey, checkPathKeys } from './leafchecks.ts';
import { ADD, REMOVE } from './proposal.ts';
import {
  type Applied,
  type ResolvedProposal,
  apply,
  checkExternalList,
  checkList,
  ofType,
  pathRequired,
  resolve,
} from './proposals.ts';
import { type VerifiedContent, unprotectPrivate, unprotectPublic } from './protect.ts';
import { type RatchetTree, memberLeaf } from './tree.ts';
import { nextContext } from './transitions.ts';
import { add } from './treechanges.ts';
import { mergePath } from './treekem.ts';
import { type Member, member } from './views.ts';

declare const internal: unique symbol;

/** A commit that passed every check that any member can make. Only `verifyCommit` makes it. */
export interface VerifiedCommit {
  readonly [internal]: true;
  readonly epoch: number;
  readonly committerLeafIndex: number;
  /** As of the epoch that the commit ends; for an external commit the new leaf. */
  readonly committer: Member;
  readonly proposals: readonly ResolvedProposal[];
  /** In the order of their Add proposals, at the leaf indices `addedLeaves`. */
  readonly adds: readonly KeyPackage[];
  readonly addedLeaves: readonly number[];
  readonly removes: readonly Member[];
  /** Of the committer's leaf after the commit; null without a path. */
  readonly newLeaf: LeafNode | null;
  readonly extensionsAfter: readonly Extension[];
  readonly authenticatedData: Uint8Array;
  readonly isExternal: boolean;
  /** What applying it needs; nothing of it is for callers. */
  readonly details: CommitDetails;
}

export interface CommitDetails {
  readonly base: GroupContext;
  readonly content: VerifiedContent;
  readonly commit: Commit;
  readonly applied: Applied;
  /** With the path merged. */
  readonly tree: RatchetTree;
  readonly provisional: GroupContext;
}

/** A handshake message is of this group and of this very epoch (sections 12.1 and 12.4.2). */
export function checkEpoch(context: GroupContext, message: { readonly groupId: Uint8Array; readonly epoch: bigint }): void {
  ensure(equal(context.groupId, message.groupId), '6-group-id', 'a message of another group');
  ensure(context.epoch === message.epoch, '12.4.2-epoch', `${message.epoch} instead of ${context.epoch}`, 'wrong-epoch');
}

export interface Unprotected {
  readonly content: VerifiedContent;
  /** The state without the key used. */
  readonly state: GroupState;
}

/** Opens a handshake message of the current epoch. @throws MlsError */
export async function unprotect(state: GroupState, message: MlsMessage): Promise<Unprotected> {
  const keys = epochKeys(state);
  if (message.wireFormat === PUBLIC_MESSAGE) {
    checkEpoch(state.context, message.publicMessage.content);
    const content = await unprotectPublic(message.publicMessage, keys, state.secrets.membershipKey);
    return { content, state };
  }
  ensure(message.wireFormat === PRIVATE_MESSAGE, '6-not-a-handshake');
  checkEpoch(state.context, message.privateMessage);
  const { content, secretTree } = await unprotectPrivate(message.privateMessage, keys);
  return { content, state: { ...state, secretTree } };
}

interface Merged {
  readonly applied: Applied;
  readonly tree: RatchetTree;
  readonly committer: number;
}

/** Checks the path and merges its public half (section 12.4.2). */
async function merge(
  state: GroupState,
  commit: Commit,
  list: readonly ResolvedProposal[],
  member: number | null,
): Promise<Merged> {
  const { suite, context } = state;
  const applied = apply(state, list);
  const { path } = commit;
  ensure(path !== null || !pathRequired(list), '12.4-path-required');
  if (path === null) {
    checkMembers(applied.tree, applied.extensions);
    return { applied, tree: applied.tree, committer: member! };
  }
  const replaced = member ?? applied.removed[0];
  if (replaced !== undefined) checkFreshKey(path.leafNode, memberLeaf(state.tree, replaced, '6.1-blank-sender'));
  const [base, committer] = member === null ? add(applied.tree, path.leafNode) : [applied.tree, member];
  await checkCommitLeaf(suite, path.leafNode, { groupId: context.groupId, leafIndex: committer });
  checkPathKeys(suite, applied.tree, path);
  const tree = mergePath(suite, base, committer, path, new Set(applied.added));
  checkMembers(tree, applied.extensions);
  return { applied, tree, committer };
}

/** Checks all of a commit that any member can check, without changing anything. @throws MlsError */
export async function verifyCommit(
  state: GroupState,
  data: Uint8Array,
  now: number,
  maxLifetime?: number,
): Promise<VerifiedCommit> {
  checkOpen(state);
  const message = decode(mlsMessage, data);
  const { content } = await unprotect(state, message);
  const { sender, content: body, authenticatedData } = content.content;
  ensure(body.type === COMMIT, '6-not-a-commit');
  const { commit } = body;
  // A commit of any other sender has no valid signature.
  const committer = sender.type === MEMBER ? sender.leafIndex : null;
  const list = resolve(commit.proposals, state.pending, sender);
  if (committer === null) await checkExternalList(state, list);
  else await checkList({ ...state, maxLifetime }, list, committer, now);
  const merged = await merge(state, commit, list, committer);
  const leaf = committer === null ? commit.path!.leafNode : memberLeaf(state.tree, committer, '6.1-blank-sender');
  const provisional = nextContext(state.context, state.suite, merged.tree, merged.applied);
  const details: CommitDetails = {
    base: state.context,
    content,
    commit,
    applied: merged.applied,
    tree: merged.tree,
    provisional,
  };
  const result: Omit<VerifiedCommit, typeof internal> = {
    epoch: Number(state.context.epoch),
    committerLeafIndex: merged.committer,
    committer: member(merged.committer, leaf),
    proposals: list,
    adds: ofType(list, ADD).map((add) => add.keyPackage),
    addedLeaves: merged.applied.added,
    removes: ofType(list, REMOVE).map(({ removed }) => member(removed, memberLeaf(state.tree, removed, '12.1.3-blank'))),
    newLeaf: commit.path?.leafNode ?? null,
    extensionsAfter: merged.applied.extensions,
    authenticatedData,
    isExternal: committer === null,
    details,
  };
  return result as VerifiedCommit;
}
