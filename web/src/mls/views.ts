import type { Credential } from './credential.ts';
import type { LeafNode } from './leaf.ts';

/** A member as of one epoch. */
export interface Member {
  readonly leafIndex: number;
  readonly credential: Credential;
  readonly signatureKey: Uint8Array;
  readonly leafNode: LeafNode;
}

export function member(leafIndex: number, leafNode: LeafNode): Member {
  return { leafIndex, credential: leafNode.credential, signatureKey: leafNode.signatureKey, leafNode };
}

/** What the outside of an MLSMessage says, unverified. `contentType` is one of framing's constants. */
export interface MessageInfo {
  readonly groupId: Uint8Array;
  readonly epoch: number;
  readonly contentType: number;
  readonly isPrivate: boolean;
}
