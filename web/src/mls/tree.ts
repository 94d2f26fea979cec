import { decode, encode } from './codec.ts';
import { MlsError, ensure } from './errors.ts';
import type { LeafNode } from './leaf.ts';
import { LEAF, type Node, PARENT, type ParentNode, ratchetTree, treeHashInput } from './node.ts';
import type { Suite } from './suite.ts';
import * as math from './treemath.ts';

/** A node of a filtered direct path, and the child of it that is not on the way from the leaf. */
export interface PathStep {
  readonly node: number;
  readonly copath: number;
}

/**
 * The public ratchet tree (RFC 9420, section 7), immutable: changes give a new tree that shares its nodes and the
 * tree hashes of what did not change. Always full: the number of leaves is a power of two.
 */
export class RatchetTree {
  readonly allLeaves: readonly (LeafNode | null)[];
  /** By node index; a place that holds a leaf's is never used. */
  readonly allParents: readonly (ParentNode | null)[];
  /** Tree hashes by node index as far as computed; a cache, filled in place. */
  readonly hashes: (Uint8Array | null)[];
  #leaves: ReadonlyMap<number, LeafNode> | null = null;
  #encoded: Uint8Array | null = null;

  /** Trees are made by `decode` and by the functions of `treechanges`. */
  constructor(
    leaves: readonly (LeafNode | null)[],
    parents: readonly (ParentNode | null)[],
    hashes: (Uint8Array | null)[],
  ) {
    this.allLeaves = leaves;
    this.allParents = parents;
    this.hashes = hashes;
  }

  /** From the content of a ratchet_tree extension. @throws MlsError */
  static decode(data: Uint8Array): RatchetTree {
    const nodes = decode(ratchetTree, data);
    ensure(nodes.length > 0 && nodes[nodes.length - 1] !== null, '12.4.3.3-last-blank', '', 'malformed');
    const size = math.fullSize((nodes.length + 2) >> 1);
    ensure(size <= math.MAX_LEAVES, '12.4.3.3-size', '', 'malformed');
    const leaves = new Array<LeafNode | null>(size).fill(null);
    const parents = new Array<ParentNode | null>(math.width(size)).fill(null);
    nodes.forEach((node, index) => {
      if (node === null) return;
      ensure((node.type === LEAF) === math.isLeaf(index), '12.4.3.3-node-type', '', 'malformed');
      if (node.type === LEAF) leaves[index / 2] = node.leaf;
      else parents[index] = node.parent;
    });
    return new RatchetTree(leaves, parents, new Array<null>(math.width(size)).fill(null));
  }

  /** The content of a ratchet_tree extension. */
  encode(): Uint8Array {
    if (this.#encoded === null) {
      const nodes: (Node | null)[] = this.allParents.map((parent, index) => {
        const leaf = math.isLeaf(index) ? this.allLeaves[index / 2]! : null;
        if (leaf !== null) return { type: LEAF, leaf };
        return parent === null ? null : { type: PARENT, parent };
      });
      while (nodes.length > 0 && nodes[nodes.length - 1] === null) nodes.pop();
      this.#encoded = encode(ratchetTree, nodes);
    }
    return this.#encoded;
  }

  /** How many leaves there is room for. */
  get size(): number {
    return this.allLeaves.length;
  }

  get root(): number {
    return math.root(this.size);
  }

  leaf(index: number): LeafNode | null {
    return this.allLeaves[index] ?? null;
  }

  parent(node: number): ParentNode | null {
    return this.allParents[node] ?? null;
  }

  /** The leaves that are not blank, from the left: of one tree always the same object. */
  leaves(): ReadonlyMap<number, LeafNode> {
    return (this.#leaves ??= new Map([...this.allLeaves.entries()].filter((entry): entry is [number, LeafNode] => entry[1] !== null)));
  }

  /** The parents that are not blank, from the left. */
  *parents(): Generator<[number, ParentNode]> {
    for (let index = 1; index < this.allParents.length; index += 2) {
      const parent = this.allParents[index]!;
      if (parent !== null) yield [index, parent];
    }
  }

  /** The encryption key of a node that is not blank. */
  encryptionKey(node: number): Uint8Array {
    return (math.isLeaf(node) ? this.leaf(node / 2) : this.parent(node))!.encryptionKey;
  }

  isBlank(node: number): boolean {
    return (math.isLeaf(node) ? this.leaf(node / 2) : this.parent(node)) === null;
  }

  /** The nodes that together stand for all members below a node (section 4.1.1), from the left. */
  resolution(node: number): number[] {
    const out: number[] = [];
    this.#resolve(node, out);
    return out;
  }

  #resolve(node: number, out: number[]): void {
    if (math.isLeaf(node)) {
      if (this.leaf(node / 2) !== null) out.push(node);
      return;
    }
    const parent = this.allParents[node]!;
    if (parent !== null) {
      out.push(node, ...parent.unmergedLeaves.map(math.leafNode));
      return;
    }
    this.#resolve(math.left(node), out);
    this.#resolve(math.right(node), out);
  }

  #hasMember(node: number): boolean {
    if (math.isLeaf(node)) return this.leaf(node / 2) !== null;
    return this.allParents[node]! !== null || this.#hasMember(math.left(node)) || this.#hasMember(math.right(node));
  }

  /** Of a leaf: the direct path without nodes whose child off the path stands for nobody (section 4.1.2). */
  filteredDirectPath(leafIndex: number): PathStep[] {
    const steps: PathStep[] = [];
    let below = math.leafNode(leafIndex);
    for (const node of math.directPath(below, this.size)) {
      const copath = math.sibling(below);
      if (this.#hasMember(copath)) steps.push({ node, copath });
      below = node;
    }
    return steps;
  }

  /** The tree hash of a node, the root unless told (section 7.8). */
  hash(suite: Suite, node = this.root): Uint8Array {
    return (this.hashes[node] ??= this.#hash(suite, node, null));
  }

  /** The tree hash of a node with some leaves blanked and taken out of all unmerged leaves (section 7.9). */
  hashWithout(suite: Suite, node: number, without: ReadonlySet<number>): Uint8Array {
    for (const leaf of without) {
      if (math.isWithin(math.leafNode(leaf), node)) return this.#hash(suite, node, without);
    }
    return this.hash(suite, node);
  }

  #hash(suite: Suite, node: number, without: ReadonlySet<number> | null): Uint8Array {
    if (math.isLeaf(node)) {
      const leafIndex = node / 2;
      const leaf = without?.has(leafIndex) ? null : this.leaf(leafIndex);
      return suite.hash.digest(encode(treeHashInput, { type: LEAF, leafIndex, leaf }));
    }
    const child = (below: number): Uint8Array =>
      without === null ? this.hash(suite, below) : this.hashWithout(suite, below, without);
    let parent = this.allParents[node]!;
    if (parent !== null && without !== null) {
      parent = { ...parent, unmergedLeaves: parent.unmergedLeaves.filter((leaf) => !without.has(leaf)) };
    }
    const input = { type: PARENT, parent, left: child(math.left(node)), right: child(math.right(node)) } as const;
    return suite.hash.digest(encode(treeHashInput, input));
  }
}

/** The leaf of a member. @throws MlsError with the rule given when there is none */
export function memberLeaf(tree: RatchetTree, index: number, rule: string): LeafNode {
  const leaf = tree.leaf(index);
  if (leaf === null) throw new MlsError(rule, `leaf ${index} is blank`);
  return leaf;
}
