import { checked, opaque, optional, struct, u32, u8, variant, vector } from './codec.ts';
import { type LeafNode, leafNode } from './leaf.ts';

/** RFC 9420, section 7.1. `unmergedLeaves` is sorted, without repetition. */
export interface ParentNode {
  readonly encryptionKey: Uint8Array;
  readonly parentHash: Uint8Array;
  readonly unmergedLeaves: readonly number[];
}

/** Unmerged leaves increase (section 7.1). */
export function isIncreasing(leaves: readonly number[]): boolean {
  return leaves.every((leaf, place) => place === 0 || leaves[place - 1]! < leaf);
}

export const parentNode = struct<ParentNode>({
  encryptionKey: opaque,
  parentHash: opaque,
  unmergedLeaves: checked(vector(u32), '7.1-unmerged-order', isIncreasing),
});

export const LEAF = 1;
export const PARENT = 2;

/** One entry of the ratchet tree extension (section 12.4.3.3). */
export type Node =
  | { readonly type: typeof LEAF; readonly leaf: LeafNode }
  | { readonly type: typeof PARENT; readonly parent: ParentNode };

export const ratchetTree = vector(
  optional(
    variant<Node, 'type'>('type', u8, '7.8-node-type', {
      [LEAF]: struct<{ leaf: LeafNode }>({ leaf: leafNode }),
      [PARENT]: struct<{ parent: ParentNode }>({ parent: parentNode }),
    }),
  ),
);

const leafHashInput = struct<{ leafIndex: number; leaf: LeafNode | null }>({ leafIndex: u32, leaf: optional(leafNode) });
const parentHashInput = struct<{ parent: ParentNode | null; left: Uint8Array; right: Uint8Array }>({
  parent: optional(parentNode),
  left: opaque,
  right: opaque,
});

/** TreeHashInput (section 7.8). */
export type TreeHashInput =
  | { readonly type: typeof LEAF; readonly leafIndex: number; readonly leaf: LeafNode | null }
  | {
      readonly type: typeof PARENT;
      readonly parent: ParentNode | null;
      readonly left: Uint8Array;
      readonly right: Uint8Array;
    };

export const treeHashInput = variant<TreeHashInput, 'type'>('type', u8, '7.8-node-type', {
  [LEAF]: leafHashInput,
  [PARENT]: parentHashInput,
});

/** ParentHashInput (section 7.9). */
export const parentHash = struct<{
  encryptionKey: Uint8Array;
  parentHash: Uint8Array;
  originalSiblingTreeHash: Uint8Array;
}>({ encryptionKey: opaque, parentHash: opaque, originalSiblingTreeHash: opaque });
