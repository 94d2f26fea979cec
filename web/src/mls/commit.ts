import { opaque, optional, struct, vector } from './codec.ts';
import { type LeafNode, leafNode } from './leaf.ts';
import { type ProposalOrRef, proposalOrRef } from './proposal.ts';
import { type HpkeCiphertext, hpkeCiphertext } from './suite.ts';

/** RFC 9420, section 7.6. */
export interface UpdatePathNode {
  readonly encryptionKey: Uint8Array;
  readonly encryptedPathSecret: readonly HpkeCiphertext[];
}

export interface UpdatePath {
  readonly leafNode: LeafNode;
  readonly nodes: readonly UpdatePathNode[];
}

export const updatePath = struct<UpdatePath>({
  leafNode,
  nodes: vector(struct<UpdatePathNode>({ encryptionKey: opaque, encryptedPathSecret: vector(hpkeCiphertext) })),
});

/** RFC 9420, section 12.4. */
export interface Commit {
  readonly proposals: readonly ProposalOrRef[];
  readonly path: UpdatePath | null;
}

export const commit = struct<Commit>({ proposals: vector(proposalOrRef), path: optional(updatePath) });
