import { expect } from 'vitest';
import { hex, unhex } from '../../src/crypto/bytes.ts';
import { checkTree } from '../../src/mls/checks.ts';
import { decode } from '../../src/mls/codec.ts';
import { type UpdatePath, updatePath } from '../../src/mls/commit.ts';
import { encodedContext } from '../../src/mls/epoch.ts';
import { MEMBER } from '../../src/mls/framing.ts';
import type { GroupContext } from '../../src/mls/groupcontext.ts';
import { FROM_COMMIT, verifyLeafSignature } from '../../src/mls/leaf.ts';
import { checkParentHashes } from '../../src/mls/parenthash.ts';
import { proposal } from '../../src/mls/proposal.ts';
import { apply } from '../../src/mls/proposals.ts';
import { SUITE_X25519 as S, deriveSecret } from '../../src/mls/suite.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { createPath, mergePath, openPath, sealPath } from '../../src/mls/treekem.ts';
import * as math from '../../src/mls/treemath.ts';
import { SeededRandom } from '../support/seeded.ts';
import { vectors } from './files.ts';

const context = (groupId: Uint8Array, epoch: number, tree: RatchetTree, transcript: Uint8Array): GroupContext => ({
  version: 1,
  cipherSuite: S.id,
  groupId,
  epoch: BigInt(epoch),
  treeHash: tree.hash(S),
  confirmedTranscriptHash: transcript,
  extensions: [],
});

vectors<{
  proposal: string;
  proposal_sender: number;
  tree_before: string;
  tree_after: string;
  tree_hash_before: string;
  tree_hash_after: string;
}>('tree-operations', (vector) => {
  const tree = RatchetTree.decode(unhex(vector.tree_before));
  expect(hex(tree.hash(S))).toBe(vector.tree_hash_before);
  const sender = { type: MEMBER, leafIndex: vector.proposal_sender } as const;
  const item = { proposal: decode(proposal, unhex(vector.proposal)), sender, reference: null };
  const none = new Uint8Array(0);
  const after = apply({ suite: S, tree, context: context(none, 0, tree, none) }, [item]).tree;
  expect(hex(after.encode())).toBe(vector.tree_after);
  expect(hex(after.hash(S))).toBe(vector.tree_hash_after);
  // The old tree is as it was.
  expect(hex(tree.encode())).toBe(vector.tree_before);
  expect(hex(RatchetTree.decode(unhex(vector.tree_before)).hash(S))).toBe(hex(tree.hash(S)));
});

vectors<{ tree: string; group_id: string; tree_hashes: string[]; resolutions: number[][] }>(
  'tree-validation',
  async (vector) => {
    const tree = RatchetTree.decode(unhex(vector.tree));
    expect(hex(tree.encode())).toBe(vector.tree);
    const nodes = math.width(tree.size);
    expect(vector.tree_hashes.length).toBe(nodes);
    for (let node = 0; node < nodes; node++) {
      expect(hex(tree.hash(S, node))).toBe(vector.tree_hashes[node]);
      expect(tree.resolution(node)).toEqual(vector.resolutions[node]);
    }
    checkParentHashes(S, tree);
    await checkTree(S, tree, unhex(vector.group_id), [], 2 ** 64);
  },
);

interface TreeKem {
  group_id: string;
  epoch: number;
  confirmed_transcript_hash: string;
  ratchet_tree: string;
  leaves_private: {
    index: number;
    encryption_priv: string;
    signature_priv: string;
    path_secrets: { node: number; path_secret: string }[];
  }[];
  update_paths: {
    sender: number;
    update_path: string;
    path_secrets: (string | null)[];
    commit_secret: string;
    tree_hash_after: string;
  }[];
}

vectors<TreeKem>('treekem', async (vector) => {
  const tree = RatchetTree.decode(unhex(vector.ratchet_tree));
  const [groupId, transcript] = [unhex(vector.group_id), unhex(vector.confirmed_transcript_hash)];
  const keysOf = new Map<number, Map<number, Uint8Array>>();
  for (const leaf of vector.leaves_private) {
    const keys = new Map([[math.leafNode(leaf.index), unhex(leaf.encryption_priv)]]);
    for (const { node, path_secret } of leaf.path_secrets) {
      const pair = await S.kem.deriveKeyPair(deriveSecret(S, unhex(path_secret), 'node'));
      expect(hex(pair.publicKey)).toBe(hex(tree.encryptionKey(node)));
      keys.set(node, pair.privateKey);
    }
    keysOf.set(leaf.index, keys);
  }
  const none = new Set<number>();
  for (const update of vector.update_paths) {
    const path: UpdatePath = decode(updatePath, unhex(update.update_path));
    const after = mergePath(S, tree, update.sender, path, none);
    expect(hex(after.hash(S))).toBe(update.tree_hash_after);
    const provisional = encodedContext(context(groupId, vector.epoch, after, transcript));
    checkParentHashes(S, after);
    expect(path.leafNode.source.type).toBe(FROM_COMMIT);
    expect(await verifyLeafSignature(S, path.leafNode, { groupId, leafIndex: update.sender })).toBe(true);
    for (const [own, keys] of keysOf) {
      if (own === update.sender) continue;
      const opened = await openPath(S, after, update.sender, path, none, own, keys, provisional);
      const shared = math.commonAncestor(math.leafNode(own), math.leafNode(update.sender));
      expect(hex(opened.pathSecrets.get(shared)!)).toBe(update.path_secrets[own]);
      expect(hex(opened.commitSecret)).toBe(update.commit_secret);
    }
    // A path of our own, from the same place, opens everywhere too.
    const leaf = tree.leaf(update.sender)!;
    const signer = unhex(vector.leaves_private.find(({ index }) => index === update.sender)!.signature_priv);
    const random = new SeededRandom(update.sender);
    const made = await createPath(S, tree, update.sender, groupId, leaf, signer, random);
    const ownContext = encodedContext(context(groupId, vector.epoch, made.tree, transcript));
    const sent = await sealPath(S, made, update.sender, none, ownContext, random);
    const merged = mergePath(S, tree, update.sender, sent, none);
    expect(merged.hash(S)).toEqual(made.tree.hash(S));
    for (const [own, keys] of keysOf) {
      if (own === update.sender) continue;
      const opened = await openPath(S, merged, update.sender, sent, none, own, keys, ownContext);
      expect(opened.commitSecret).toEqual(made.commitSecret);
    }
  }
});
