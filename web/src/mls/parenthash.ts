import { equal } from '../crypto/compare.ts';
import { encode } from './codec.ts';
import { ensure } from './errors.ts';
import { FROM_COMMIT } from './leaf.ts';
import { type ParentNode, parentHash } from './node.ts';
import type { Suite } from './suite.ts';
import type { RatchetTree } from './tree.ts';
import * as math from './treemath.ts';

/** The parent hash of `node` with copath child `sibling` (RFC 9420, section 7.9). */
export function parentHashOf(suite: Suite, tree: RatchetTree, node: ParentNode, sibling: number): Uint8Array {
  const originalSiblingTreeHash = tree.hashWithout(suite, sibling, new Set(node.unmergedLeaves));
  const { encryptionKey } = node;
  return suite.hash.digest(encode(parentHash, { encryptionKey, parentHash: node.parentHash, originalSiblingTreeHash }));
}

function parentHashField(tree: RatchetTree, node: number): Uint8Array | null {
  if (!math.isLeaf(node)) return tree.parent(node)!.parentHash;
  const { source } = tree.leaf(node / 2)!;
  return source.type === FROM_COMMIT ? source.parentHash : null;
}

/** How many nodes below `node` link to it by a valid parent hash. */
function links(suite: Suite, tree: RatchetTree, node: number, parent: ParentNode): number {
  let found = 0;
  for (const [child, sibling] of [
    [math.left(node), math.right(node)],
    [math.right(node), math.left(node)],
  ] as const) {
    const expected = parentHashOf(suite, tree, parent, sibling);
    const unmerged = new Set(parent.unmergedLeaves.map(math.leafNode).filter((leaf) => math.isWithin(leaf, child)));
    const resolution = tree.resolution(child);
    if (resolution.length !== unmerged.size + 1) continue;
    const linked = resolution.filter((candidate) => !unmerged.has(candidate));
    const field = linked.length === 1 ? parentHashField(tree, linked[0]!) : null;
    if (field !== null && equal(field, expected)) found++;
  }
  return found;
}

/** Every parent that is not blank was set by a member below it (section 7.9.2). */
export function checkParentHashes(suite: Suite, tree: RatchetTree): void {
  for (const [node, parent] of tree.parents()) {
    ensure(links(suite, tree, node, parent) === 1, '7.9.2-parent-hash', `node ${node}`);
  }
}
