import type { Random } from '../crypto/random.ts';
import { hex } from '../crypto/bytes.ts';
import { capabilitiesFor } from './bundle.ts';
import { checkMembers } from './checks.ts';
import { encode } from './codec.ts';
import type { Commit, UpdatePath } from './commit.ts';
import type { Credential } from './credential.ts';
import {
  type GroupState,
  encodedContext,
  enterEpoch,
  epochKeys,
  resumptionPsks,
  retire,
} from './epoch.ts';
import { ensure } from './errors.ts';
import { EXTERNAL_PUB, type Extension, RATCHET_TREE, externalPub, makeExtension } from './extensions.ts';
import {
  COMMIT,
  type FramedContent,
  MEMBER,
  type MlsMessage,
  PRIVATE_MESSAGE,
  PUBLIC_MESSAGE,
  WELCOME,
  encodeMessage,
} from './framing.ts';
import type { GroupContext } from './groupcontext.ts';
import { type GroupInfo, groupInfo, signGroupInfo } from './groupinfo.ts';
import { keyPackageRef } from './keypackage.ts';
import type { Capabilities, LeafContent, LeafNode } from './leaf.ts';
import { ADD, BY_REFERENCE, BY_VALUE, type Proposal, type ProposalOrRef, REMOVE, UPDATE } from './proposal.ts';
import { type Applied, type ResolvedProposal, apply, checkList, ofType, pathRequired } from './proposals.ts';
import { protectPrivate, protectPublic, signContent } from './protection.ts';
import { type Psks, findPsks, pskSecret } from './psk.ts';
import { externalKeyPair, joinerSecret, welcomeSecret } from './schedule.ts';
import { type Suite, encryptWithLabel, zeros } from './suite.ts';
import { confirmedTranscriptHash, interimTranscriptHash } from './transcript.ts';
import type { RatchetTree } from './tree.ts';
import { type NewPath, type PrivateKeys, createPath, sealPath } from './treekem.ts';
import * as math from './treemath.ts';
import { type GroupSecrets, type Welcome, groupSecrets, sealGroupInfo } from './welcome.ts';

/** What a path commit may change in our own leaf. */
export interface LeafChange {
  readonly credential?: Credential;
  readonly extensions?: readonly Extension[];
  readonly capabilities?: Capabilities;
  readonly signaturePrivate?: Uint8Array;
}

export interface CommitOptions {
  /** Commits the proposals received too; true unless told. */
  readonly includePending?: boolean;
  readonly authenticatedData?: Uint8Array;
  /** As PrivateMessage; a PublicMessage unless told. */
  readonly private?: boolean;
  readonly groupInfoExtensions?: readonly Extension[];
  readonly treeInWelcome?: boolean;
  /** False leaves the path out where the RFC allows it; there is one unless told. */
  readonly path?: boolean;
  readonly psks?: Psks;
  readonly leaf?: LeafChange;
  /** Milliseconds; judges the lifetimes of those added. */
  readonly now: number;
  readonly random: Random;
}

export interface NewCommit {
  readonly message: Uint8Array;
  readonly welcome: Uint8Array | null;
  readonly state: GroupState;
  /** Of a private commit: the epoch that it ends, without the key that it used. */
  readonly current: GroupState | null;
  readonly proposals: readonly ResolvedProposal[];
}

/** Our own leaf's next content, keys aside. */
export async function changedLeaf(
  suite: Suite,
  leaf: LeafNode,
  change: LeafChange,
): Promise<Omit<LeafContent, 'encryptionKey' | 'source'>> {
  const extensions = change.extensions ?? leaf.extensions;
  return {
    signatureKey: change.signaturePrivate ? await suite.signature.publicKey(change.signaturePrivate) : leaf.signatureKey,
    credential: change.credential ?? leaf.credential,
    capabilities: capabilitiesFor(suite, change.capabilities ?? leaf.capabilities, extensions),
    extensions,
  };
}

/** Of several wishes for one leaf a removal counts, else the latest (section 12.2); our own Updates cannot. */
export function choosePending(pending: readonly ResolvedProposal[], own: number): ResolvedProposal[] {
  const removed = new Set<number>();
  const updates = new Map<number, ResolvedProposal>();
  for (const item of pending) {
    if (item.proposal.type === REMOVE) removed.add(item.proposal.removed);
    if (item.proposal.type === UPDATE && item.sender.type === MEMBER) updates.set(item.sender.leafIndex, item);
  }
  const seen = new Set<number>();
  return pending.filter((item) => {
    const { proposal, sender } = item;
    if (proposal.type === REMOVE) return !seen.has(proposal.removed) && seen.add(proposal.removed);
    if (proposal.type !== UPDATE || sender.type !== MEMBER) return true;
    const leaf = sender.leafIndex;
    return leaf !== own && !removed.has(leaf) && updates.get(leaf) === item;
  });
}

/** Private keys that still belong to their nodes, on our way to the root. */
export function keptKeys(before: RatchetTree, after: RatchetTree, own: number, keys: PrivateKeys): PrivateKeys {
  const path = new Set([math.leafNode(own), ...math.directPath(math.leafNode(own), after.size)]);
  return new Map(
    [...keys].filter(
      ([node]) =>
        path.has(node) && !after.isBlank(node) && !before.isBlank(node) &&
        hex(before.encryptionKey(node)) === hex(after.encryptionKey(node)),
    ),
  );
}

/** A commit of ours, the epoch that it starts and the Welcome for those it adds (section 12.4.1). @throws MlsError */
export async function createCommit(
  state: GroupState,
  proposals: readonly Proposal[],
  options: CommitOptions,
): Promise<NewCommit> {
  ensure(state.reInit === null, '12.4.2-reinitialised', 'the group was reinitialised');
  const { suite, context, own } = state;
  const { authenticatedData = new Uint8Array(0), psks = new Map(), leaf: change = {}, random } = options;
  const sender = { type: MEMBER, leafIndex: own } as const;
  const pending = options.includePending === false ? [] : choosePending(state.pending, own);
  const list = [...pending, ...proposals.map((proposal) => ({ proposal, sender, reference: null }))];
  await checkList(state, list, own, options.now);
  const applied = apply(state, list);
  checkMembers(applied.tree, applied.extensions);
  const withPath = options.path !== false;
  ensure(withPath || !pathRequired(list), '12.4-path-required');
  const secrets = findPsks(applied.psks, resumptionPsks(state), psks);

  const signaturePrivate = change.signaturePrivate ?? state.signaturePrivate;
  let newPath: NewPath | null = null;
  if (withPath) {
    const leaf = await changedLeaf(suite, applied.tree.leaf(own)!, change);
    newPath = await createPath(suite, applied.tree, own, context.groupId, leaf, signaturePrivate, random);
    checkMembers(newPath.tree, applied.extensions);
  }
  const tree = newPath?.tree ?? applied.tree;
  const provisional = nextContext(state.context, suite, tree, applied);
  const path: UpdatePath | null =
    newPath && (await sealPath(suite, newPath, own, new Set(applied.added), encodedContext(provisional), random));

  const commit: Commit = { proposals: list.map(asProposalOrRef), path };
  const wireFormat = options.private ? PRIVATE_MESSAGE : PUBLIC_MESSAGE;
  const content: FramedContent = {
    groupId: context.groupId,
    epoch: context.epoch,
    sender,
    authenticatedData,
    content: { type: COMMIT, commit },
  };
  const keys = epochKeys(state);
  const signature = await signContent(suite, state.signaturePrivate, wireFormat, content, keys.context);
  const confirmed = confirmedTranscriptHash(suite, state.interimTranscriptHash, {
    wireFormat,
    content,
    auth: { signature, confirmationTag: null },
  });
  const newContext = { ...provisional, confirmedTranscriptHash: confirmed };
  const joiner = joinerSecret(
    suite,
    state.secrets.initSecret,
    newPath?.commitSecret ?? zeros(suite),
    encodedContext(newContext),
  );
  const psk = pskSecret(suite, applied.psks, secrets);
  const entered = enterEpoch(suite, joiner, psk, encodedContext(newContext), tree.size);
  const confirmationTag = suite.hash.mac(entered.secrets.confirmationKey, confirmed);
  const framed = { content, auth: { signature, confirmationTag } };

  let current: GroupState | null = null;
  let message: MlsMessage;
  if (options.private) {
    const [privateMessage, secretTree] = await protectPrivate(framed, keys, 0, random);
    current = { ...state, secretTree };
    message = { wireFormat: PRIVATE_MESSAGE, privateMessage };
  } else {
    const publicMessage = protectPublic(suite, framed, keys.context, state.secrets.membershipKey);
    message = { wireFormat: PUBLIC_MESSAGE, publicMessage };
  }

  const kept = keptKeys(state.tree, tree, own, state.privateKeys);
  const privateKeys = newPath
    ? new Map([...kept, ...newPath.privateKeys, [math.leafNode(own), newPath.leafPrivateKey]])
    : kept;
  const next: GroupState = {
    ...entered,
    suite,
    context: newContext,
    tree,
    own,
    signaturePrivate,
    privateKeys,
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, confirmationTag),
    confirmationTag,
    pending: [],
    updates: [],
    past: [...state.past, retire(current ?? state)],
    reInit: applied.reInit,
  };
  const welcome = await makeWelcome(next, list, applied, newPath, joiner, psk, options);
  return { message: encodeMessage(message), welcome, state: next, current, proposals: list };
}

function asProposalOrRef({ proposal, reference }: ResolvedProposal): ProposalOrRef {
  return reference === null ? { kind: BY_VALUE, proposal } : { kind: BY_REFERENCE, reference };
}

/** The provisional GroupContext: the next epoch's, with the old transcript hash (section 12.4.1). */
export function nextContext(
  context: GroupContext,
  suite: Suite,
  tree: RatchetTree,
  { extensions }: Pick<Applied, 'extensions'>,
): GroupContext {
  return { ...context, epoch: context.epoch + 1n, treeHash: tree.hash(suite), extensions };
}

/** The Welcome for everybody added, or null. */
async function makeWelcome(
  next: GroupState,
  list: readonly ResolvedProposal[],
  applied: Applied,
  path: NewPath | null,
  joiner: Uint8Array,
  psk: Uint8Array,
  options: CommitOptions,
): Promise<Uint8Array | null> {
  const { suite, own } = next;
  const adds = ofType(list, ADD);
  if (adds.length === 0) return null;
  const extensions = [...(options.groupInfoExtensions ?? [])];
  if (options.treeInWelcome !== false) extensions.push({ type: RATCHET_TREE, data: next.tree.encode() });
  const info = encode(groupInfo, await describe(next, extensions));
  const encryptedGroupInfo = await sealGroupInfo(suite, welcomeSecret(suite, joiner, psk), info);
  const secrets = adds.map(async ({ keyPackage }, place) => {
    const node = math.commonAncestor(math.leafNode(own), math.leafNode(applied.added[place]!));
    const pathSecret = path?.pathSecrets.get(node) ?? null;
    const value: GroupSecrets = {
      joinerSecret: joiner,
      pathSecret: pathSecret && { pathSecret },
      psks: applied.psks,
    };
    return {
      newMember: keyPackageRef(suite, keyPackage),
      encryptedGroupSecrets: await encryptWithLabel(
        suite,
        keyPackage.initKey,
        'Welcome',
        encryptedGroupInfo,
        encode(groupSecrets, value),
        options.random,
      ),
    };
  });
  const welcome: Welcome = { cipherSuite: suite.id, secrets: await Promise.all(secrets), encryptedGroupInfo };
  return encodeMessage({ wireFormat: WELCOME, welcome });
}

/** A signed GroupInfo of the epoch. */
export function describe(state: GroupState, extensions: readonly Extension[]): Promise<GroupInfo> {
  const { suite, context, confirmationTag, own: signer, signaturePrivate } = state;
  return signGroupInfo(suite, signaturePrivate, { context, extensions, confirmationTag, signer });
}

/** The extension by which outsiders join. */
export async function externalPubExtension({ suite, secrets }: GroupState): Promise<Extension> {
  const { publicKey } = await externalKeyPair(suite, secrets.externalSecret);
  return makeExtension(EXTERNAL_PUB, externalPub, publicKey);
}
