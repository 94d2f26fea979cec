import { equal } from '../crypto/compare.ts';
import {
  checkLeafSignature,
  checkOwnCapabilities,
  checkPublicKeys,
  encryptionKeys,
  keyName,
} from './checks.ts';
import type { UpdatePath } from './commit.ts';
import { ensure } from './errors.ts';
import { FROM_COMMIT, FROM_UPDATE, type LeafNode, type LeafPlace, type LeafSource } from './leaf.ts';
import type { Suite } from './suite.ts';
import type { RatchetTree } from './tree.ts';

/** What a receiver checks of the leaves and keys that an Update or a commit changes. Each throws MlsError. */

export function checkSource(leaf: LeafNode, source: LeafSource['type']): void {
  ensure(leaf.source.type === source, '7.3-source', `${leaf.source.type} instead of ${source}`);
}

/** A leaf that takes another's place has a new key (section 7.3). */
export function checkFreshKey(leaf: LeafNode, old: LeafNode): void {
  ensure(!equal(leaf.encryptionKey, old.encryptionKey), '7.3-same-encryption-key');
}

/** An Update's leaf. */
export async function checkUpdateLeaf(suite: Suite, leaf: LeafNode, old: LeafNode, place: LeafPlace): Promise<void> {
  checkSource(leaf, FROM_UPDATE);
  await checkLeafSignature(suite, leaf, place);
  checkOwnCapabilities(suite, leaf);
  checkPublicKeys(suite, [leaf.encryptionKey]);
  checkFreshKey(leaf, old);
}

/** An update path's leaf: made for this commit and signed anew (section 12.4.2). */
export async function checkCommitLeaf(suite: Suite, leaf: LeafNode, place: LeafPlace): Promise<void> {
  checkSource(leaf, FROM_COMMIT);
  await checkLeafSignature(suite, leaf, place);
  checkOwnCapabilities(suite, leaf);
}

/** Section 12.4.2: no key of the update path, the leaf's included, is in the tree already or twice in the path. */
export function checkPathKeys(suite: Suite, tree: RatchetTree, path: UpdatePath): void {
  const found = [path.leafNode, ...path.nodes].map((node) => node.encryptionKey);
  checkPublicKeys(suite, found);
  const keys = found.map(keyName);
  const present = new Set(encryptionKeys(tree));
  ensure(new Set(keys).size === keys.length && !keys.some((key) => present.has(key)), '12.4.2-path-key-reused');
}
