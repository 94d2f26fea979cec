import type { Random } from '../crypto/random.ts';
import { checkMembers, checkOwnCapabilities } from './checks.ts';
import { BY_REFERENCE, BY_VALUE, type Commit, type ProposalOrRef, type UpdatePath } from './commit.ts';
import type { Credential } from './credential.ts';
import {
  type GroupState,
  checkOpen,
  encodedContext,
  enterEpoch,
  epochKeys,
  interimTranscriptHash,
} from './epoch.ts';
import { ensure } from './errors.ts';
import type { Extension } from './extensions.ts';
import {
  COMMIT,
  type ContentWireFormat,
  type FramedContent,
  MEMBER,
  type MlsMessage,
  PRIVATE_MESSAGE,
  PUBLIC_MESSAGE,
  encodeMessage,
} from './framing.ts';
import type { GroupContext } from './groupcontext.ts';
import { capabilitiesFor } from './keypackage.ts';
import type { Capabilities, LeafContent, LeafNode } from './leaf.ts';
import type { Proposal } from './proposal.ts';
import { type Applied, type ResolvedProposal, apply, checkList, choosePending, pathRequired } from './proposals.ts';
import { protectPrivate, protectPublic, signContent } from './protect.ts';
import { type Psks, findPsks, pskSecret } from './psk.ts';
import { joinerSecret } from './scheduling.ts';
import { type Suite, signaturePublicKey, zeros } from './suite.ts';
import { confirmedTranscriptHash } from './transcript.ts';
import { nextContext, resumptionAfter, resumptionPsks } from './transitions.ts';
import { memberLeaf } from './tree.ts';
import { type NewPath, createPath, keptKeys, sealPath } from './treekem.ts';
import * as math from './treemath.ts';

/** What a path commit or Update changes in our own leaf besides its encryption key. */
export interface LeafChange {
  readonly credential?: Credential;
  readonly extensions?: readonly Extension[];
  readonly capabilities?: Capabilities;
  /** In a commit only. */
  readonly signaturePrivate?: Uint8Array;
}

export interface CommitOptions {
  /** Commits the pending proposals too, before those given; true unless told. */
  readonly includePending?: boolean;
  readonly authenticatedData?: Uint8Array;
  /** As PrivateMessage; a PublicMessage unless told. */
  readonly private?: boolean;
  /** False leaves the path out where the RFC allows it; there is one unless told. */
  readonly path?: boolean;
  readonly psks?: Psks;
  readonly leaf?: LeafChange;
  /** Milliseconds; judges the lifetimes of those added. */
  readonly now: number;
  readonly random: Random;
}

/** A commit message, the state after it, and what a Welcome is made of. */
export interface NewCommit {
  readonly message: Uint8Array;
  readonly state: GroupState;
  readonly proposals: readonly ResolvedProposal[];
  readonly applied: Applied;
  readonly path: NewPath | null;
  readonly joiner: Uint8Array;
  readonly psk: Uint8Array;
}

/** Our own leaf's next content, keys and place aside. */
export async function changedLeaf(
  suite: Suite,
  leaf: LeafNode,
  change: LeafChange,
): Promise<Omit<LeafContent, 'encryptionKey' | 'source'>> {
  const extensions = change.extensions ?? leaf.extensions;
  const next = {
    signatureKey: change.signaturePrivate ? await signaturePublicKey(suite, change.signaturePrivate) : leaf.signatureKey,
    credential: change.credential ?? leaf.credential,
    capabilities: capabilitiesFor(suite, change.capabilities ?? leaf.capabilities, extensions),
    extensions,
  };
  checkOwnCapabilities(suite, next);
  return next;
}

function asProposalOrRef({ proposal, reference }: ResolvedProposal): ProposalOrRef {
  return reference === null ? { kind: BY_VALUE, proposal } : { kind: BY_REFERENCE, reference };
}

/** What the epoch that a commit starts is entered with. */
export interface Entry {
  readonly suite: Suite;
  /** Of the epoch that ends. */
  readonly interimTranscriptHash: Uint8Array;
  readonly context: GroupContext;
  readonly provisional: GroupContext;
  readonly initSecret: Uint8Array;
  readonly commitSecret: Uint8Array;
  readonly psk: Uint8Array;
  readonly signaturePrivate: Uint8Array;
  readonly size: number;
}

export interface Finished extends Pick<GroupState, 'secrets' | 'secretTree' | 'interimTranscriptHash' | 'confirmationTag'> {
  readonly context: GroupContext;
  readonly joiner: Uint8Array;
  readonly framed: { readonly content: FramedContent; readonly auth: { signature: Uint8Array; confirmationTag: Uint8Array } };
}

/** Signs a commit, and derives the epoch that it starts and the tag that proves it (section 12.4.1). */
export async function finishCommit(
  entry: Entry,
  wireFormat: ContentWireFormat,
  content: FramedContent,
): Promise<Finished> {
  const { suite } = entry;
  const before = encodedContext(entry.context);
  const signature = await signContent(suite, entry.signaturePrivate, wireFormat, content, before);
  const unconfirmed = { wireFormat, content, auth: { signature, confirmationTag: null } };
  const confirmed = confirmedTranscriptHash(suite, entry.interimTranscriptHash, unconfirmed);
  const context = { ...entry.provisional, confirmedTranscriptHash: confirmed };
  const encoded = encodedContext(context);
  const joiner = joinerSecret(suite, entry.initSecret, entry.commitSecret, encoded);
  const entered = enterEpoch(suite, joiner, entry.psk, encoded, entry.size);
  const confirmationTag = suite.hash.mac(entered.secrets.confirmationKey, confirmed);
  return {
    ...entered,
    context,
    joiner,
    confirmationTag,
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, confirmationTag),
    framed: { content, auth: { signature, confirmationTag } },
  };
}

/**
 * A commit of pending proposals and those given, in that order, and the epoch that it starts (section 12.4.1).
 * Draws what `createPath` and `sealPath` draw if there is a path, then the reuse guard if private. @throws MlsError
 */
export async function makeCommit(
  state: GroupState,
  given: readonly Proposal[],
  options: CommitOptions,
): Promise<NewCommit> {
  checkOpen(state);
  const { suite, context, own } = state;
  const { authenticatedData = new Uint8Array(0), psks = new Map(), leaf: change = {}, now, random } = options;
  const sender = { type: MEMBER, leafIndex: own } as const;
  const byValue = given.map((proposal) => ({ proposal, sender, reference: null }));
  const pending = options.includePending === false ? [] : choosePending(state.pending, own, state.tree, byValue, now);
  const list = [...pending, ...byValue];
  await checkList(state, list, own, now);
  const applied = apply(state, list);
  const withPath = options.path !== false;
  ensure(withPath || !pathRequired(list), '12.4-path-required');
  ensure(withPath || Object.keys(change).length === 0, '12.4.1-leaf-without-path');
  const psk = pskSecret(suite, applied.psks, findPsks(applied.psks, resumptionPsks(state), psks));

  const signaturePrivate = change.signaturePrivate ?? state.signaturePrivate;
  let path: NewPath | null = null;
  if (withPath) {
    const leaf = await changedLeaf(suite, memberLeaf(applied.tree, own, '6.1-blank-sender'), change);
    path = await createPath(suite, applied.tree, own, context.groupId, leaf, signaturePrivate, random);
  }
  const tree = path?.tree ?? applied.tree;
  checkMembers(tree, applied.extensions);
  const provisional = nextContext(context, suite, tree, applied);
  const sealed: UpdatePath | null =
    path && (await sealPath(suite, path, own, new Set(applied.added), encodedContext(provisional), random));
  const commit: Commit = { proposals: list.map(asProposalOrRef), path: sealed };
  const { groupId, epoch } = context;
  const content = { groupId, epoch, sender, authenticatedData, content: { type: COMMIT, commit } } as const;
  const { framed, joiner, ...entered } = await finishCommit(
    {
      ...state,
      provisional,
      initSecret: state.secrets.initSecret,
      commitSecret: path?.commitSecret ?? zeros(suite),
      psk,
      size: tree.size,
    },
    options.private ? PRIVATE_MESSAGE : PUBLIC_MESSAGE,
    content,
  );

  let message: MlsMessage;
  const keys = epochKeys(state);
  if (options.private) {
    const [privateMessage] = await protectPrivate(framed, keys, 0, random);
    message = { wireFormat: PRIVATE_MESSAGE, privateMessage };
  } else {
    const publicMessage = protectPublic(suite, framed, keys.context, state.secrets.membershipKey);
    message = { wireFormat: PUBLIC_MESSAGE, publicMessage };
  }
  const kept = keptKeys(state.tree, tree, own, state.privateKeys);
  const next: GroupState = {
    ...entered,
    suite,
    tree,
    own,
    signaturePrivate,
    privateKeys: path ? new Map([...kept, ...path.privateKeys, [math.leafNode(own), path.leafPrivateKey]]) : kept,
    pending: [],
    updates: [],
    // A stored commit must not hold keys of this and former epochs that are used meanwhile.
    past: [],
    resumption: resumptionAfter(state),
    reInit: applied.reInit,
  };
  return { message: encodeMessage(message), state: next, proposals: list, applied, path, joiner, psk };
}
