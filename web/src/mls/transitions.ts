import { hex } from '../crypto/bytes.ts';
import type { GroupState, PastEpoch, Resumption } from './epoch.ts';
import { ensure } from './errors.ts';
import type { Extension } from './extensions.ts';
import { type GroupContext, isEpoch } from './groupcontext.ts';
import { pastEpoch } from './pastepoch.ts';
import type { Psks } from './psk.ts';
import { SecretTree, leafOf, placeOf } from './secrettree.ts';
import type { Suite } from './suite.ts';
import type { RatchetTree } from './tree.ts';
import * as math from './treemath.ts';

/** What is kept of an epoch when it ends, and what the next one is. */

/** Former epochs whose resumption PSK is kept: enough for a re-initialisation to find the epoch that it names. */
const MAX_RESUMPTION_EPOCHS = 8;

/** The tree with a leaf's ratchets derived, unless they were or nothing is left to derive them from. */
function looked(tree: SecretTree, leaf: number): SecretTree {
  const path = [math.leafNode(leaf), ...math.directPath(math.leafNode(leaf), tree.size)];
  return path.some((node) => tree.nodes.has(node)) ? tree.grow(leaf) : tree;
}

function without(tree: SecretTree, isGone: (place: number) => boolean): SecretTree {
  return new SecretTree(tree.suite, tree.size, tree.nodes, new Map([...tree.ratchets].filter(([place]) => !isGone(place))));
}

/** The tree without a leaf's ratchets: nothing more can be sealed or opened in its name. */
export function withoutLeaf(tree: SecretTree, leaf: number): SecretTree {
  // The secrets on the way go too, once what the leaf's neighbours need is derived.
  return without(looked(tree, leaf), (place) => leafOf(place) === leaf);
}

/**
 * The tree without the handshake ratchets made so far and without that of `leaf`, for an epoch in which no more
 * handshakes are accepted.
 */
export function withoutHandshake(tree: SecretTree, leaf: number | null = null): SecretTree {
  const grown = leaf === null ? tree : looked(tree, leaf);
  return without(grown, (place) => place === placeOf(leafOf(place), 'handshake'));
}

/**
 * The epoch as it is kept once it is past: our own ratchets and all handshake ratchets are gone. `committer` is the
 * leaf whose private commit ended it, as its key must go too; `next`: the tree of the epoch after it.
 */
export function retire(state: GroupState, next: RatchetTree, committer: number | null = null): PastEpoch {
  const epoch = {
    context: state.context,
    leaves: state.tree.leaves(),
    senderDataSecret: state.secrets.senderDataSecret,
    secretTree: withoutHandshake(withoutLeaf(state.secretTree, state.own), committer),
  };
  return pastEpoch(epoch, next.leaves());
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

/** The epoch after this one. @throws MlsError where there is none */
export function nextEpoch({ epoch }: Pick<GroupContext, 'epoch'>): bigint {
  ensure(isEpoch(epoch + 1n), '8.1-last-epoch', 'the group has used up its epochs: begin another');
  return epoch + 1n;
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
