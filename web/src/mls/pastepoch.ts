import { encode, mapping, opaque, optional, struct, u32 } from './codec.ts';
import type { PastEpoch } from './epoch.ts';
import { groupContext } from './groupcontext.ts';
import { type LeafNode, leafNode, sameLeaf } from './leaf.ts';

/** How a past epoch is stored: a leaf that many epochs share once, with the newest of them. */

interface Fields extends Pick<PastEpoch, 'context' | 'senderDataSecret'> {
  /** Room for leaves. */
  readonly size: number;
  /** Leaves that the epoch after has not, or has in another form; null: blank here. */
  readonly changes: ReadonlyMap<number, LeafNode | null>;
}

export const pastFields = struct<Fields>({
  context: groupContext,
  size: u32,
  changes: mapping(optional(leafNode)),
  senderDataSecret: opaque,
});

/** `after`: the leaves of the epoch after it. */
export function pastEpoch(epoch: Omit<PastEpoch, 'encoded'>, after: PastEpoch['leaves']): PastEpoch {
  const { context, leaves, senderDataSecret, secretTree } = epoch;
  const { size } = secretTree;
  const changes = new Map<number, LeafNode | null>();
  for (const index of new Set([...leaves.keys(), ...after.keys()])) {
    const [leaf, next] = [leaves.get(index), after.get(index)];
    const same = leaf === next || (leaf && next && sameLeaf(leaf, next));
    if (index < size && !same) changes.set(index, leaf ?? null);
  }
  return { ...epoch, encoded: encode(pastFields, { context, size, changes, senderDataSecret }) };
}
