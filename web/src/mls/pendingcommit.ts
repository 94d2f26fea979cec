import { decodeGroup, encodeGroup } from './blob.ts';
import { constant, decode, encode, opaque, optional, struct, u8, vector } from './codec.ts';
import { type GroupContext, groupContext } from './groupcontext.ts';
import { type Group, stateOf } from './handle.ts';
import { type ResolvedProposal, resolvedProposal } from './proposal.ts';

interface PendingFields {
  readonly format: 1;
  readonly message: Uint8Array;
  readonly welcome: Uint8Array | null;
  readonly group: Uint8Array;
  readonly proposals: readonly ResolvedProposal[];
  readonly before: GroupContext | null;
}

const pendingCommit = struct<PendingFields>({
  format: constant(u8, 1, 'state-version'),
  message: opaque,
  welcome: optional(opaque),
  group: opaque,
  proposals: vector(resolvedProposal),
  before: optional(groupContext),
});

/**
 * An own commit that nobody has accepted yet. It is entered by `mergeCommit` on the *current* group, which knows what
 * was opened since: `group` is the next epoch alone, and opens nothing of former ones.
 */
export class PendingCommit {
  /** MLSMessages. */
  readonly message: Uint8Array;
  readonly welcome: Uint8Array | null;
  /** The next epoch. */
  readonly group: Group;
  readonly proposals: readonly ResolvedProposal[];
  /** The GroupContext that it ends; null for an external join. */
  readonly before: GroupContext | null;

  constructor(fields: Pick<PendingCommit, 'message' | 'welcome' | 'group' | 'proposals' | 'before'>) {
    this.message = fields.message;
    this.welcome = fields.welcome;
    this.group = fields.group;
    this.proposals = fields.proposals;
    this.before = fields.before;
  }

  /** The next epoch's ratchet tree, for joiners whose Welcome does not hold it. */
  get tree(): Uint8Array {
    return stateOf(this.group).tree.encode();
  }

  /** One blob, with private keys inside. */
  encode(): Uint8Array {
    const { message, welcome, group, proposals, before } = this;
    return encode(pendingCommit, { format: 1, message, welcome, group: encodeGroup(group), proposals, before });
  }

  /** @throws MlsError */
  static decode(data: Uint8Array): PendingCommit {
    const fields = decode(pendingCommit, data);
    return new PendingCommit({ ...fields, group: decodeGroup(fields.group) });
  }
}
