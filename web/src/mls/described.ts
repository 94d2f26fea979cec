import { equal } from '../crypto/compare.ts';
import { MAX_LIFETIME } from './checks.ts';
import { decode } from './codec.ts';
import { encodedContext } from './epoch.ts';
import { ensure } from './errors.ts';
import { GROUP_INFO, mlsMessage } from './framing.ts';
import type { GroupContext } from './groupcontext.ts';
import { type Group, stateOf } from './handle.ts';
import { verifiedTree } from './joining.ts';
import { suiteById } from './suite.ts';
import { type Member, member } from './views.ts';

/* A group as a signed GroupInfo describes it (RFC 9420, section 12.4.3), for those who are not in it yet. */

/** One epoch of a group in public values, signed by one of its members; only `readGroupInfo` makes one. */
export interface DescribedGroup {
  readonly context: GroupContext;
  /** Ascending by leaf index. */
  readonly members: readonly Member[];
  readonly signerLeafIndex: number;
  readonly tree: Uint8Array;
  readonly confirmationTag: Uint8Array;
}

/** Whether the group is in the very epoch that is described: the tag stands for its secrets too. */
export function describes(described: DescribedGroup, group: Group): boolean {
  const { context, confirmationTag } = stateOf(group);
  const same = equal(encodedContext(described.context), encodedContext(context));
  return same && equal(described.confirmationTag, confirmationTag);
}

/**
 * From an MLSMessage with a GroupInfo that holds its tree. Checks all that a joiner checks without secrets;
 * `maxLifetime` (seconds) as in `verifyKeyPackage`. @throws MlsError
 */
export async function readGroupInfo(data: Uint8Array, maxLifetime = MAX_LIFETIME): Promise<DescribedGroup> {
  const message = decode(mlsMessage, data);
  ensure(message.wireFormat === GROUP_INFO, '12.4.3-not-a-group-info');
  const { context, signer, confirmationTag } = message.groupInfo;
  const tree = await verifiedTree(suiteById(context.cipherSuite), message.groupInfo, null, maxLifetime);
  const members = [...tree.leaves()].map(([index, leaf]) => member(index, leaf));
  return { context, members, signerLeafIndex: signer, tree: tree.encode(), confirmationTag };
}
