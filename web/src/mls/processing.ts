import { equal } from '../crypto/compare.ts';
import { CryptoError } from '../crypto/errors.ts';
import { setupReceiver } from '../crypto/hpke.ts';
import { checkCommitLeaf, checkMembers, checkPathKeys } from './checks.ts';
import { decode } from './codec.ts';
import type { Commit, UpdatePath } from './commit.ts';
import { keptKeys, nextContext } from './committing.ts';
import {
  type GroupState,
  encodedContext,
  enterEpoch,
  epochKeys,
  resumptionPsks,
  retire,
} from './epoch.ts';
import { MlsError, ensure } from './errors.ts';
import type { Extension } from './extensions.ts';
import {
  COMMIT,
  MEMBER,
  type MlsMessage,
  NEW_MEMBER_COMMIT,
  PRIVATE_MESSAGE,
  PUBLIC_MESSAGE,
  type SenderData,
  mlsMessage,
} from './framing.ts';
import type { GroupContext } from './groupcontext.ts';
import { checkConfirmationTag } from './joining.ts';
import type { KeyPackage } from './keypackage.ts';
import type { LeafNode } from './leaf.ts';
import { type Member, member } from './member.ts';
import { ADD, EXTERNAL_INIT, REMOVE, UPDATE } from './proposal.ts';
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
import { type VerifiedContent, unprotectPrivate, unprotectPublic } from './protection.ts';
import { type Psks, findPsks, pskSecret } from './psk.ts';
import { EXTERNAL_INIT_LABEL, externalKeyPair, joinerSecret } from './schedule.ts';
import { EMPTY, type Suite, zeros } from './suite.ts';
import { confirmedTranscriptHash, interimTranscriptHash } from './transcript.ts';
import { type RatchetTree, memberLeaf } from './tree.ts';
import { type PathSecrets, mergePath, openPath } from './treekem.ts';
import * as math from './treemath.ts';

declare const internal: unique symbol;

/** A commit that passed every check that any member can make. Only `verifyCommit` makes it. */
export interface VerifiedCommit {
  readonly [internal]: true;
  readonly epoch: number;
  readonly committerLeafIndex: number;
  /** As of the epoch that the commit ends; for an external commit the new leaf. */
  readonly committer: Member;
  readonly proposals: readonly ResolvedProposal[];
  readonly adds: readonly KeyPackage[];
  readonly removes: readonly Member[];
  /** Of the committer's leaf after the commit; null without a path. */
  readonly newLeaf: LeafNode | null;
  readonly extensionsAfter: readonly Extension[];
  readonly authenticatedData: Uint8Array;
  readonly isExternal: boolean;
  /** What applying it needs; nothing of it is for callers. */
  readonly details: CommitDetails;
}

interface CommitDetails {
  readonly base: GroupContext;
  readonly content: VerifiedContent;
  readonly commit: Commit;
  readonly applied: Applied;
  /** With the path merged. */
  readonly tree: RatchetTree;
  readonly provisional: GroupContext;
  /** Of a private commit: whose key opened it. */
  readonly sender: SenderData | null;
}

/** A handshake message is of this group and of this very epoch (sections 12.1 and 12.4.2). */
export function checkEpoch(context: GroupContext, message: { readonly groupId: Uint8Array; readonly epoch: bigint }): void {
  ensure(equal(context.groupId, message.groupId), '6-group-id', 'a message of another group');
  ensure(context.epoch === message.epoch, '6-epoch', `epoch ${message.epoch} in ${context.epoch}`, 'wrong-epoch');
}

export interface Unprotected {
  readonly content: VerifiedContent;
  /** The state without the key used. */
  readonly state: GroupState;
  readonly sender: SenderData | null;
}

/** Opens a handshake message of the current epoch. @throws MlsError */
export async function unprotect(state: GroupState, message: MlsMessage): Promise<Unprotected> {
  const keys = epochKeys(state);
  if (message.wireFormat === PUBLIC_MESSAGE) {
    checkEpoch(state.context, message.publicMessage.content);
    const content = await unprotectPublic(message.publicMessage, keys, state.secrets.membershipKey);
    return { content, state, sender: null };
  }
  ensure(message.wireFormat === PRIVATE_MESSAGE, '6-wire-format', 'not a message of a group', 'malformed');
  checkEpoch(state.context, message.privateMessage);
  const { content, secretTree, sender } = await unprotectPrivate(message.privateMessage, keys);
  return { content, state: { ...state, secretTree }, sender };
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
  checkMembers(applied.tree, applied.extensions);
  if (path === null) return { applied, tree: applied.tree, committer: member! };
  checkPathKeys(applied.tree, path);
  const [base, committer] = member === null ? applied.tree.add(path.leafNode) : [applied.tree, member];
  await checkCommitLeaf(suite, path.leafNode, { groupId: context.groupId, leafIndex: committer });
  const tree = mergePath(suite, base, committer, path, new Set(applied.added));
  checkMembers(tree, applied.extensions);
  return { applied, tree, committer };
}

/** Checks all of a commit that any member can check, without changing anything. @throws MlsError */
export async function verifyCommit(state: GroupState, data: Uint8Array, now: number | null): Promise<VerifiedCommit> {
  ensure(state.reInit === null, '12.4.2-reinitialised', 'the group was reinitialised');
  const message = decode(mlsMessage, data);
  const { content, sender: senderData } = await unprotect(state, message);
  const { sender, content: body, authenticatedData } = content.content;
  ensure(body.type === COMMIT, '12.4.2-not-a-commit');
  const { commit } = body;
  ensure(sender.type === MEMBER || sender.type === NEW_MEMBER_COMMIT, '12.4.2-sender');
  const committer = sender.type === MEMBER ? sender.leafIndex : null;
  const list = resolve(commit.proposals, state.pending, sender);
  if (committer === null) await checkExternalList(state, list, now);
  else await checkList(state, list, committer, now);
  const merged = await merge(state, commit, list, committer);
  const leaf = committer === null ? commit.path!.leafNode : memberLeaf(state.tree, committer, '6.1-sender-blank');
  const provisional = nextContext(state.context, state.suite, merged.tree, merged.applied);
  const details: CommitDetails = {
    base: state.context,
    content,
    commit,
    applied: merged.applied,
    tree: merged.tree,
    provisional,
    sender: senderData,
  };
  const result: Omit<VerifiedCommit, typeof internal> = {
    epoch: Number(state.context.epoch),
    committerLeafIndex: merged.committer,
    committer: member(merged.committer, leaf),
    proposals: list,
    adds: ofType(list, ADD).map((add) => add.keyPackage),
    removes: ofType(list, REMOVE).map(({ removed }) => member(removed, memberLeaf(state.tree, removed, '12.1.3-blank'))),
    newLeaf: commit.path?.leafNode ?? null,
    extensionsAfter: merged.applied.extensions,
    authenticatedData,
    isExternal: committer === null,
    details,
  };
  return result as VerifiedCommit;
}

/** The init secret that an external committer chose (section 8.3). */
async function externalInitSecret(suite: Suite, externalSecret: Uint8Array, kemOutput: Uint8Array): Promise<Uint8Array> {
  const { kem, hash, aead } = suite;
  const { privateKey } = await externalKeyPair(suite, externalSecret);
  const context = await setupReceiver(kem, hash.kdfId, aead.id, privateKey, kemOutput, EMPTY);
  return context.export(EXTERNAL_INIT_LABEL, hash.size);
}

/** Errors of whoever alone cannot follow: all public checks passed, so others went on. */
async function followed<T>(attempt: Promise<T>): Promise<T> {
  return attempt.catch((error: unknown) => {
    if (error instanceof CryptoError) throw new MlsError('7.5-decrypt', '', 'path');
    throw error instanceof MlsError ? new MlsError(error.rule, '', 'path') : error;
  });
}

/** The commit was verified in this very epoch of this group. */
function checkBase(context: GroupContext, base: GroupContext): void {
  const same =
    context.epoch === base.epoch &&
    equal(context.groupId, base.groupId) &&
    equal(context.treeHash, base.treeHash) &&
    equal(context.confirmedTranscriptHash, base.confirmedTranscriptHash);
  ensure(same, '6-epoch', 'the commit was verified for another epoch', 'wrong-epoch');
}

/** Our leaf and keys once the commit's Updates are applied; ours may be among them. */
function ownKeys(state: GroupState, { tree }: CommitDetails, list: readonly ResolvedProposal[]): Pick<GroupState, 'privateKeys' | 'signaturePrivate'> {
  const { own } = state;
  const kept = keptKeys(state.tree, tree, own, state.privateKeys);
  const updated = list.some(
    ({ proposal, sender }) => proposal.type === UPDATE && sender.type === MEMBER && sender.leafIndex === own,
  );
  if (!updated) return { privateKeys: kept, signaturePrivate: state.signaturePrivate };
  const key = tree.leaf(own)!.encryptionKey;
  const found = state.updates.find((update) => equal(update.encryptionKey, key));
  ensure(found !== undefined, '12.1.2-own-update', 'the private key of our Update is gone', 'path');
  return {
    privateKeys: new Map([...kept, [math.leafNode(own), found.encryptionPrivate]]),
    signaturePrivate: found.signaturePrivate,
  };
}

function openUpdatePath(
  state: GroupState,
  { tree, applied, provisional }: CommitDetails,
  path: UpdatePath,
  committer: number,
  privateKeys: GroupState['privateKeys'],
): Promise<PathSecrets> {
  const added = new Set(applied.added);
  return openPath(state.suite, tree, committer, path, added, state.own, privateKeys, encodedContext(provisional));
}

/** Enters the epoch that a verified commit starts. @throws MlsError and changes nothing */
export async function applyCommit(
  state: GroupState,
  verified: VerifiedCommit,
  psks: Psks,
  keepPast: boolean,
): Promise<GroupState> {
  const { details, proposals } = verified;
  const { suite, own } = state;
  const { base, content, commit, applied, tree, provisional, sender } = details;
  checkBase(state.context, base);
  ensure(!applied.removed.includes(own), '12.4.2-removed', 'the commit removes this member', 'removed');
  ensure(verified.committerLeafIndex !== own, '12.4.2-own-commit', 'our commits are applied as they were made');
  const pskKeys = findPsks(applied.psks, resumptionPsks(state), psks);
  const keys = ownKeys(state, details, proposals);
  const path =
    commit.path &&
    (await followed(openUpdatePath(state, details, commit.path, verified.committerLeafIndex, keys.privateKeys)));

  const external = ofType(proposals, EXTERNAL_INIT)[0];
  const initSecret = external
    ? await followed(externalInitSecret(suite, state.secrets.externalSecret, external.kemOutput))
    : state.secrets.initSecret;
  const confirmed = confirmedTranscriptHash(suite, state.interimTranscriptHash, content);
  const context: GroupContext = { ...provisional, confirmedTranscriptHash: confirmed };
  const encoded = encodedContext(context);
  const joiner = joinerSecret(suite, initSecret, path?.commitSecret ?? zeros(suite), encoded);
  const entered = enterEpoch(suite, joiner, pskSecret(suite, applied.psks, pskKeys), encoded, tree.size);
  const confirmationTag = content.auth.confirmationTag!;
  await followed(
    (async () => checkConfirmationTag(suite, entered.secrets.confirmationKey, confirmed, confirmationTag))(),
  );

  const used: GroupState = sender === null ? state : consume(state, sender);
  return {
    ...entered,
    suite,
    context,
    tree,
    own,
    signaturePrivate: keys.signaturePrivate,
    privateKeys: new Map([...keys.privateKeys, ...(path?.privateKeys ?? [])]),
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, confirmationTag),
    confirmationTag,
    pending: [],
    updates: [],
    past: keepPast ? [...state.past, retire(used)] : state.past,
    reInit: applied.reInit,
  };
}

/** The state without the handshake key that opened a private commit. */
function consume(state: GroupState, sender: SenderData): GroupState {
  const [, secretTree] = state.secretTree.take(sender.leafIndex, 'handshake', sender.generation);
  return { ...state, secretTree };
}
