import { ensure } from './errors.ts';
import type { LeafNode } from './leaf.ts';
import type { ParentNode } from './node.ts';
import { RatchetTree } from './tree.ts';
import * as math from './treemath.ts';

/** How proposals and commits change the ratchet tree: RFC 9420, sections 7.5, 7.7 and 12.1. */

export function single(leaf: LeafNode): RatchetTree {
  return new RatchetTree([leaf], [null], [null]);
}

/** The same tree with other nodes; hashes above what changed are forgotten. */
function changed(
  tree: RatchetTree,
  leaves: ReadonlyMap<number, LeafNode | null>,
  parents: ReadonlyMap<number, ParentNode | null>,
): RatchetTree {
  const [newLeaves, newParents, hashes] = [tree.allLeaves.slice(), tree.allParents.slice(), tree.hashes.slice()];
  const forget = (node: number): void => {
    hashes[node] = null;
    for (const above of math.directPath(node, tree.size)) hashes[above] = null;
  };
  for (const [index, leaf] of leaves) {
    newLeaves[index] = leaf;
    forget(math.leafNode(index));
  }
  for (const [node, parent] of parents) {
    newParents[node] = parent;
    forget(node);
  }
  return new RatchetTree(newLeaves, newParents, hashes);
}

/** Twice the room, the right half blank. */
function extended({ allLeaves, allParents, hashes, size }: RatchetTree): RatchetTree {
  ensure(size < math.MAX_LEAVES, '7.7-size');
  const blank = new Array<null>(size).fill(null);
  const more = new Array<null>(allParents.length + 1).fill(null);
  return new RatchetTree([...allLeaves, ...blank], [...allParents, ...more], [...hashes, ...more]);
}

/** Half the room, as long as the right half has no member (section 7.7). */
function truncated(tree: RatchetTree): RatchetTree {
  const { allLeaves, allParents, hashes } = tree;
  let { size } = tree;
  while (size > 1 && allLeaves.slice(size / 2, size).every((leaf) => leaf === null)) size /= 2;
  if (size === tree.size) return tree;
  const width = math.width(size);
  return new RatchetTree(allLeaves.slice(0, size), allParents.slice(0, width), hashes.slice(0, width));
}

function blankPath(tree: RatchetTree, leafIndex: number): Map<number, null> {
  return new Map(math.directPath(math.leafNode(leafIndex), tree.size).map((node) => [node, null]));
}

/** Adds a leaf at the leftmost free place (section 12.1.1): [tree, its index]. */
export function add(tree: RatchetTree, leaf: LeafNode): [RatchetTree, number] {
  const index = tree.allLeaves.indexOf(null);
  if (index < 0) return add(extended(tree), leaf);
  const parents = new Map<number, ParentNode>();
  for (const node of math.directPath(math.leafNode(index), tree.size)) {
    const parent = tree.parent(node);
    if (parent === null) continue;
    const unmergedLeaves = [...parent.unmergedLeaves, index].sort((a, b) => a - b);
    parents.set(node, { ...parent, unmergedLeaves });
  }
  return [changed(tree, new Map([[index, leaf]]), parents), index];
}

/** Replaces a leaf and blanks the nodes above it (section 12.1.2). */
export function update(tree: RatchetTree, index: number, leaf: LeafNode): RatchetTree {
  return changed(tree, new Map([[index, leaf]]), blankPath(tree, index));
}

/** Blanks leaves and the nodes above them, then truncates (section 12.1.3). */
export function remove(tree: RatchetTree, indices: readonly number[]): RatchetTree {
  const blanked = indices.flatMap((index) => [...blankPath(tree, index)]);
  return truncated(changed(tree, new Map(indices.map((index) => [index, null])), new Map(blanked)));
}

/** Sets the nodes of a leaf's filtered direct path, blanks the others above it (section 7.5). */
export function withPath(tree: RatchetTree, index: number, parents: ReadonlyMap<number, ParentNode>): RatchetTree {
  return changed(tree, new Map(), new Map([...blankPath(tree, index), ...parents]));
}

export function withLeaf(tree: RatchetTree, index: number, leaf: LeafNode): RatchetTree {
  return changed(tree, new Map([[index, leaf]]), new Map());
}
