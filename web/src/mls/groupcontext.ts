import { checked, constant, opaque, struct, u16, u64 } from './codec.ts';
import { type Extension, extensions } from './extensions.ts';
import { MLS10 } from './leaf.ts';

/** RFC 9420, section 8.1. */
export interface GroupContext {
  readonly version: typeof MLS10;
  readonly cipherSuite: number;
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  readonly treeHash: Uint8Array;
  readonly confirmedTranscriptHash: Uint8Array;
  readonly extensions: readonly Extension[];
}

/** Epochs are numbers, of which 2^53 - 1 is the last that is exact: no group goes further. */
export function isEpoch(epoch: bigint): boolean {
  return epoch <= Number.MAX_SAFE_INTEGER;
}

export const groupContext = struct<GroupContext>({
  version: constant(u16, MLS10, '8.1-version'),
  cipherSuite: u16,
  groupId: opaque,
  epoch: checked(u64, '8.1-last-epoch', isEpoch),
  treeHash: opaque,
  confirmedTranscriptHash: opaque,
  extensions,
});

