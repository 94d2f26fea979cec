import { concat } from '../crypto/bytes.ts';
import { encode, opaque } from './codec.ts';
import { ensure } from './errors.ts';
import { type GroupContext, groupContext } from './groupcontext.ts';
import type { LeafNode } from './leaf.ts';
import type { PrivateKeys } from './pathsecrets.ts';
import type { EpochKeys } from './privatemessage.ts';
import type { ReInit, ResolvedProposal } from './proposal.ts';
import { type EpochSecrets, type NewEpoch, fromJoiner } from './schedule.ts';
import { SecretTree } from './secrettree.ts';
import type { Suite } from './suite.ts';
import type { RatchetTree } from './tree.ts';

/** What is kept of a past epoch so that late messages open. */
export interface PastEpoch {
  readonly context: GroupContext;
  /** By leaf index. */
  readonly leaves: ReadonlyMap<number, LeafNode>;
  readonly senderDataSecret: Uint8Array;
  readonly secretTree: SecretTree;
  /** What is stored of it beside its secret tree, which is fixed once the epoch after it has begun. */
  readonly encoded: Uint8Array;
}

/** The private key of an Update that we proposed, until someone commits it. */
export interface OwnUpdate {
  readonly encryptionKey: Uint8Array;
  readonly encryptionPrivate: Uint8Array;
}

/** The resumption PSK of one of the group's former epochs. */
export interface Resumption {
  readonly epoch: bigint;
  readonly psk: Uint8Array;
}

/** All that a member knows of its group in one epoch. Immutable. */
export interface GroupState {
  readonly suite: Suite;
  readonly context: GroupContext;
  readonly tree: RatchetTree;
  readonly own: number;
  readonly signaturePrivate: Uint8Array;
  readonly privateKeys: PrivateKeys;
  readonly secrets: EpochSecrets;
  readonly secretTree: SecretTree;
  readonly interimTranscriptHash: Uint8Array;
  readonly confirmationTag: Uint8Array;
  /** Proposals received in this epoch, in order of arrival. */
  readonly pending: readonly ResolvedProposal[];
  readonly updates: readonly OwnUpdate[];
  /** Those directly before this one, without a gap, oldest first. */
  readonly past: readonly PastEpoch[];
  /** Oldest first. */
  readonly resumption: readonly Resumption[];
  /** Set once a commit reinitialised the group: it sends nothing more. */
  readonly reInit: ReInit | null;
}

export function encodedContext(context: GroupContext): Uint8Array {
  return encode(groupContext, context);
}

/** What messages of the current epoch are opened with. */
export function epochKeys(state: GroupState): EpochKeys {
  const { suite, context, tree, secrets, secretTree } = state;
  return {
    suite,
    context: encodedContext(context),
    extensions: context.extensions,
    leaf: (index) => tree.leaf(index),
    senderDataSecret: secrets.senderDataSecret,
    secretTree,
  };
}

/** What messages of a past epoch are opened with; handshake messages of it are of no use any more. */
export function pastKeys(suite: Suite, past: PastEpoch): EpochKeys {
  const { context, leaves, senderDataSecret, secretTree } = past;
  return {
    suite,
    context: encodedContext(context),
    extensions: [],
    leaf: (index) => leaves.get(index) ?? null,
    senderDataSecret,
    secretTree,
  };
}

/** The interim transcript hash of an epoch (section 8.2). */
export function interimTranscriptHash(suite: Suite, confirmed: Uint8Array, confirmationTag: Uint8Array): Uint8Array {
  return suite.hash.digest(concat(confirmed, encode(opaque, confirmationTag)));
}

/** Enters an epoch from its joiner secret. */
export function enterEpoch(
  suite: Suite,
  joiner: Uint8Array,
  psk: Uint8Array,
  context: Uint8Array,
  size: number,
): Pick<GroupState, 'secrets' | 'secretTree'> {
  return startEpoch(suite, fromJoiner(suite, joiner, psk, context), size);
}

export function startEpoch(suite: Suite, epoch: NewEpoch, size: number): Pick<GroupState, 'secrets' | 'secretTree'> {
  return {
    secrets: epoch.secrets,
    secretTree: SecretTree.fromEncryptionSecret(suite, epoch.encryptionSecret, size),
  };
}

/** After a ReInit was committed the group is over (section 12.4.2). */
export function checkOpen(state: GroupState): void {
  ensure(state.reInit === null, '12.4.2-reinit', 'the group was re-initialised');
}
