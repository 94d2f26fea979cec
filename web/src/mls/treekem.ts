import type { Random } from '../crypto/random.ts';
import { equal } from '../crypto/compare.ts';
import type { UpdatePath, UpdatePathNode } from './commit.ts';
import { ensure } from './errors.ts';
import { FROM_COMMIT, type LeafContent, signLeaf } from './leaf.ts';
import type { ParentNode } from './node.ts';
import { parentHashOf } from './parenthash.ts';
import { type PathSecrets, type PrivateKeys, climb, secretsAbove } from './pathsecrets.ts';
import { EMPTY, type Suite, decryptWithLabel, deriveSecret } from './suite.ts';
import { encryptWithLabel } from './encrypting.ts';
import type { PathStep, RatchetTree } from './tree.ts';
import { withLeaf, withPath } from './treechanges.ts';
import * as math from './treemath.ts';

/** Private keys that still belong to their nodes, on the way from a leaf to the root. */
export function keptKeys(before: RatchetTree, after: RatchetTree, own: number, keys: PrivateKeys): PrivateKeys {
  const path = new Set([math.leafNode(own), ...math.directPath(math.leafNode(own), after.size)]);
  const kept = [...keys].filter(([node]) => {
    if (!path.has(node) || before.isBlank(node) || after.isBlank(node)) return false;
    return equal(before.encryptionKey(node), after.encryptionKey(node));
  });
  return new Map(kept);
}

/**
 * Puts fresh keys on a leaf's filtered direct path: [the tree with that path, the parent hash for the leaf].
 * The leaf itself is left as it is.
 */
export function setPath(
  suite: Suite,
  tree: RatchetTree,
  leafIndex: number,
  steps: readonly PathStep[],
  publicKeys: readonly Uint8Array[],
): [RatchetTree, Uint8Array] {
  const parents = new Map<number, ParentNode>();
  let hash: Uint8Array = EMPTY;
  for (let place = steps.length - 1; place >= 0; place--) {
    const { node, copath } = steps[place]!;
    const parent = { encryptionKey: publicKeys[place]!, parentHash: hash, unmergedLeaves: [] };
    parents.set(node, parent);
    hash = parentHashOf(suite, tree, parent, copath);
  }
  return [withPath(tree, leafIndex, parents), hash];
}

export interface NewPath extends PathSecrets {
  readonly tree: RatchetTree;
  readonly steps: readonly PathStep[];
  readonly leafPrivateKey: Uint8Array;
}

/**
 * Fresh keys for a leaf and its filtered direct path (RFC 9420, sections 7.4 and 7.5). One draw of Nh bytes, from
 * which the leaf's key pair and the first path secret follow. An empty filtered path gives a fresh commit secret too,
 * so that whoever was removed is cut off.
 */
export async function createPath(
  suite: Suite,
  tree: RatchetTree,
  leafIndex: number,
  groupId: Uint8Array,
  leaf: Omit<LeafContent, 'encryptionKey' | 'source'>,
  signaturePrivate: Uint8Array,
  random: Random,
): Promise<NewPath> {
  const leafSecret = random.bytes(suite.hash.size);
  const steps = tree.filteredDirectPath(leafIndex);
  const leafPair = await suite.kem.deriveKeyPair(deriveSecret(suite, leafSecret, 'node'));
  const { publicKeys, ...secrets } = await climb(suite, deriveSecret(suite, leafSecret, 'path'), steps);
  const [merged, parentHash] = setPath(suite, tree, leafIndex, steps, publicKeys);
  const signed = await signLeaf(
    suite,
    signaturePrivate,
    { ...leaf, encryptionKey: leafPair.publicKey, source: { type: FROM_COMMIT, parentHash } },
    { groupId, leafIndex },
  );
  return { ...secrets, tree: withLeaf(merged, leafIndex, signed), steps, leafPrivateKey: leafPair.privateKey };
}

/** The nodes to which a step's secret is sealed: whoever is added in the same commit gets it in the Welcome. */
function recipients(tree: RatchetTree, step: PathStep, added: ReadonlySet<number>): number[] {
  return tree.resolution(step.copath).filter((node) => !math.isLeaf(node) || !added.has(node / 2));
}

/** Seals a new path to the group under the provisional group context. Draws in order before its first await. */
export async function sealPath(
  suite: Suite,
  path: NewPath,
  leafIndex: number,
  added: ReadonlySet<number>,
  context: Uint8Array,
  random: Random,
): Promise<UpdatePath> {
  const { tree } = path;
  const nodes = path.steps.map(async (step): Promise<UpdatePathNode> => {
    const secret = path.pathSecrets.get(step.node)!;
    const encryptedPathSecret = await Promise.all(
      recipients(tree, step, added).map((node) =>
        encryptWithLabel(suite, tree.encryptionKey(node), 'UpdatePathNode', context, secret, random),
      ),
    );
    return { encryptionKey: tree.encryptionKey(step.node), encryptedPathSecret };
  });
  return { leafNode: tree.leaf(leafIndex)!, nodes: await Promise.all(nodes) };
}

/**
 * The path has one entry for each node of the filtered path, and one ciphertext for each recipient, as long as a sealed
 * path secret is (section 7.6).
 */
function checkShape(
  suite: Suite,
  tree: RatchetTree,
  steps: readonly PathStep[],
  path: UpdatePath,
  added: ReadonlySet<number>,
): void {
  ensure(path.nodes.length === steps.length, '7.6-path-length');
  const size = suite.hash.size + suite.aead.tagSize;
  steps.forEach((step, place) => {
    const sealed = path.nodes[place]!.encryptedPathSecret;
    ensure(sealed.length === recipients(tree, step, added).length, '7.6-ciphertexts');
    for (const { kemOutput, ciphertext } of sealed) {
      ensure(
        kemOutput.length === suite.kem.encapsulationSize && ciphertext.length === size,
        '7.6-ciphertext-size',
      );
    }
  });
}

/** The committer's leaf commits to the keys on its path (section 7.9.2). */
function checkLeafParentHash(path: UpdatePath, expected: Uint8Array): void {
  const { source } = path.leafNode;
  ensure(source.type === FROM_COMMIT && equal(source.parentHash, expected), '7.9.2-parent-hash');
}

/** Merges the public half of an UpdatePath into the tree (section 7.5). @throws MlsError */
export function mergePath(
  suite: Suite,
  tree: RatchetTree,
  leafIndex: number,
  path: UpdatePath,
  added: ReadonlySet<number>,
): RatchetTree {
  const steps = tree.filteredDirectPath(leafIndex);
  checkShape(suite, tree, steps, path, added);
  const [merged, expected] = setPath(suite, tree, leafIndex, steps, path.nodes.map((node) => node.encryptionKey));
  checkLeafParentHash(path, expected);
  return withLeaf(merged, leafIndex, path.leafNode);
}

/**
 * Opens the path of another member's commit. `tree` is the one with the path merged; `context` the encoded
 * provisional group context. @throws MlsError, CryptoError
 */
export async function openPath(
  suite: Suite,
  tree: RatchetTree,
  committer: number,
  path: UpdatePath,
  added: ReadonlySet<number>,
  own: number,
  privateKeys: PrivateKeys,
  context: Uint8Array,
): Promise<PathSecrets> {
  const steps = tree.filteredDirectPath(committer);
  const ownNode = math.leafNode(own);
  const place = steps.findIndex((step) => math.isWithin(ownNode, step.copath));
  ensure(place >= 0, '7.5-no-common-ancestor');
  const nodes = recipients(tree, steps[place]!, added);
  const which = nodes.findIndex((node) => privateKeys.has(node) && math.isWithin(ownNode, node));
  ensure(which >= 0, '7.5-no-private-key');
  const sealed = path.nodes[place]!.encryptedPathSecret[which]!;
  const secret = await decryptWithLabel(suite, privateKeys.get(nodes[which]!)!, 'UpdatePathNode', context, sealed);
  return secretsAbove(suite, tree, secret, steps.slice(place));
}
