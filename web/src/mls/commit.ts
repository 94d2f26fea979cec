import { opaque, optional, struct, u8, variant, vector } from './codec.ts';
import { type LeafNode, leafNode } from './leaf.ts';
import { type Proposal, proposal } from './proposal.ts';
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
export const BY_VALUE = 1;
export const BY_REFERENCE = 2;

export type ProposalOrRef =
  | { readonly kind: typeof BY_VALUE; readonly proposal: Proposal }
  | { readonly kind: typeof BY_REFERENCE; readonly reference: Uint8Array };

export const proposalOrRef = variant<ProposalOrRef, 'kind'>('kind', u8, '12.4-proposal-or-ref', {
  [BY_VALUE]: struct<{ proposal: Proposal }>({ proposal }),
  [BY_REFERENCE]: struct<{ reference: Uint8Array }>({ reference: opaque }),
});

export interface Commit {
  readonly proposals: readonly ProposalOrRef[];
  readonly path: UpdatePath | null;
}

export const commit = struct<Commit>({ proposals: vector(proposalOrRef), path: optional(updatePath) });
