import { hex } from '../crypto/bytes.ts';
import { type GroupState, type PastEpoch, type Resumption, encodedContext } from './epoch.ts';
import type { Extension } from './extensions.ts';
import { type GroupContext, nextEpoch } from './groupcontext.ts';
import type { Psks } from './psk.ts';
import { SecretTree } from './secrettree.ts';
import type { Suite } from './suite.ts';
import type { RatchetTree } from './tree.ts';
import * as math from './treemath.ts';

/** What is kept of an epoch when it ends, and what the next one is. */

/** Former epochs whose resumption PSK is kept: enough for a re-initialisation to find the epoch that it names. */
const MAX_RESUMPTION_EPOCHS = 8;

/** The tree without a leaf's ratchets: nothing more can be sealed or opened in its name. */
export function withoutLeaf(tree: SecretTree, leaf: number): SecretTree {
  const path = [math.leafNode(leaf), ...math.directPath(math.leafNode(leaf), tree.size)];
  // A secret on the way is forgotten too, deriving first what the leaf's neighbours need.
  const grown = path.every((node) => tree.nodes[node] === null) ? tree : tree.grow(leaf);
  return grown.withRatchets(leaf, null);
}

/**
 * The tree without the handshake ratchets made so far and without that of `leaf`, for an epoch in which no more
 * handshakes are accepted.
 */
export function withoutHandshake(tree: SecretTree, leaf: number | null = null): SecretTree {
  const grown = leaf === null || tree.ratchets[leaf] !== null ? tree : tree.grow(leaf);
  const all = grown.ratchets.map((ratchets) => ratchets && { ...ratchets, handshake: null });
  return new SecretTree(grown.suite, grown.nodes, all);
}

/**
 * The epoch as it is kept once it is past: our own ratchets and all handshake ratchets are gone. `committer` is the
 * leaf whose private commit ended it, as its key must go too.
 */
export function retire(state: GroupState, committer: number | null = null): PastEpoch {
  return {
    epoch: state.context.epoch,
    context: encodedContext(state.context),
    leaves: state.tree.allLeaves,
    senderDataSecret: state.secrets.senderDataSecret,
    secretTree: withoutHandshake(withoutLeaf(state.secretTree, state.own), committer),
  };
}

/** The resumption PSKs to keep in the next epoch. */
export function resumptionAfter({ context, secrets, resumption }: GroupState): readonly Resumption[] {
  return [...resumption, { epoch: context.epoch, psk: secrets.resumptionPsk }].slice(-MAX_RESUMPTION_EPOCHS);
}

/** The group's own resumption PSKs, by `pskName`. */
export function resumptionPsks(state: GroupState): Psks {
  const id = hex(state.context.groupId);
  return new Map(resumptionAfter(state).map(({ epoch, psk }) => [`${id}/${epoch}`, psk]));
}

/** The provisional GroupContext: the next epoch's, with the old transcript hash (section 12.4.1). */
export function nextContext(
  context: GroupContext,
  suite: Suite,
  tree: RatchetTree,
  { extensions }: { readonly extensions: readonly Extension[] },
): GroupContext {
  return { ...context, epoch: nextEpoch(context), treeHash: tree.hash(suite), extensions };
}
