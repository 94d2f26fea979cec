import { constant, opaque, struct, u16, u64 } from './codec.ts';
import { ensure } from './errors.ts';
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

export const groupContext = struct<GroupContext>({
  version: constant(u16, MLS10, '8.1-version'),
  cipherSuite: u16,
  groupId: opaque,
  epoch: u64,
  treeHash: opaque,
  confirmedTranscriptHash: opaque,
  extensions,
});

const LAST_EPOCH = 2n ** 64n - 1n;

/** The epoch after this one. @throws MlsError where there is none, or it would be called 0 again */
export function nextEpoch({ epoch }: Pick<GroupContext, 'epoch'>): bigint {
  ensure(epoch !== LAST_EPOCH, '8.1-last-epoch', 'the group has used up its epochs: begin another');
  return epoch + 1n;
}
