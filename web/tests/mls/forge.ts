import { decodeGroup, encodeGroup } from '../../src/mls/changes.ts';
import { BY_VALUE, type Commit, type ProposalOrRef, type UpdatePath } from '../../src/mls/commit.ts';
import { type Entry, changedLeaf, finishCommit } from '../../src/mls/committing.ts';
import { type GroupState, encodedContext, epochKeys } from '../../src/mls/epoch.ts';
import { nextContext } from '../../src/mls/transitions.ts';
import {
  COMMIT,
  type FramedContent,
  MEMBER,
  PUBLIC_MESSAGE,
  type Sender,
  encodeMessage,
} from '../../src/mls/framing.ts';
import type { Group } from '../../src/mls/group.ts';
import { stateOf as inside } from '../../src/mls/handle.ts';
import type { Proposal } from '../../src/mls/proposal.ts';
import { type Applied, type ResolvedProposal, apply, resolve } from '../../src/mls/proposals.ts';
import { protectPublic } from '../../src/mls/protect.ts';
import { pskSecret } from '../../src/mls/psk.ts';
import { zeros } from '../../src/mls/suite.ts';
import { type NewPath, createPath, sealPath } from '../../src/mls/treekem.ts';
import { SeededRandom } from '../support/seeded.ts';

/** What a dishonest member may do to its commit, at each step of its making. */
export interface Tricks {
  readonly proposals?: readonly Proposal[];
  readonly references?: readonly ProposalOrRef[];
  readonly withoutPath?: boolean;
  readonly applied?: (applied: Applied) => Applied;
  readonly leaf?: (leaf: LeafContentOf) => LeafContentOf;
  readonly newPath?: (path: NewPath) => Promise<NewPath> | NewPath;
  readonly sealUnder?: 'new' | 'old';
  readonly path?: (path: UpdatePath) => Promise<UpdatePath> | UpdatePath;
  readonly commitSecret?: Uint8Array;
  readonly sender?: Sender;
  readonly content?: (content: FramedContent) => FramedContent;
  readonly entry?: (entry: Entry) => Entry;
  readonly confirmationTag?: (tag: Uint8Array) => Uint8Array;
  readonly membershipKey?: Uint8Array;
}

type LeafContentOf = Awaited<ReturnType<typeof changedLeaf>>;

/** A copy that shares nothing with the group. */
export const stateOf = (group: Group): GroupState => inside(decodeGroup(encodeGroup(group)));

/** A commit by the group's member that no check of ours stands in the way of. */
export async function forge(group: Group, tricks: Tricks, seed = 99): Promise<Uint8Array> {
  const state = stateOf(group);
  const random = new SeededRandom(seed);
  const { suite, context, own } = state;
  const sender = tricks.sender ?? ({ type: MEMBER, leafIndex: own } as const);
  const byValue = (tricks.proposals ?? []).map((proposal) => ({ kind: BY_VALUE, proposal }) as const);
  const items: readonly ProposalOrRef[] = [...(tricks.references ?? []), ...byValue];
  const known = items.filter((item) => item.kind === BY_VALUE || state.pending.length > 0);
  const list: ResolvedProposal[] = resolve(known, state.pending, sender);
  const applied = (tricks.applied ?? ((value) => value))(apply(state, list));
  let path: UpdatePath | null = null;
  let { tree } = applied;
  let commitSecret = zeros(suite);
  if (!tricks.withoutPath) {
    const leaf = await changedLeaf(suite, state.tree.leaf(own)!, {});
    let made = await createPath(
      suite,
      applied.tree,
      own,
      context.groupId,
      (tricks.leaf ?? ((value) => value))(leaf),
      state.signaturePrivate,
      random,
    );
    made = await (tricks.newPath ?? ((value: NewPath) => value))(made);
    ({ tree, commitSecret } = made);
    const under = tricks.sealUnder === 'old' ? context : nextContext(context, suite, tree, applied);
    path = await sealPath(suite, made, own, new Set(applied.added), encodedContext(under), random);
    path = await (tricks.path ?? ((value: UpdatePath) => value))(path);
  }
  const commit: Commit = { proposals: items, path };
  const framedContent: FramedContent = {
    groupId: context.groupId,
    epoch: context.epoch,
    sender,
    authenticatedData: new Uint8Array(0),
    content: { type: COMMIT, commit },
  };
  const entry: Entry = {
    ...state,
    provisional: nextContext(context, suite, tree, applied),
    initSecret: state.secrets.initSecret,
    commitSecret: tricks.commitSecret ?? commitSecret,
    psk: pskSecret(suite, [], []),
    size: tree.size,
  };
  const { framed } = await finishCommit(
    (tricks.entry ?? ((value) => value))(entry),
    PUBLIC_MESSAGE,
    (tricks.content ?? ((value) => value))(framedContent),
  );
  const confirmationTag = (tricks.confirmationTag ?? ((tag) => tag))(framed.auth.confirmationTag);
  const sent = { content: framed.content, auth: { ...framed.auth, confirmationTag } };
  const key = tricks.membershipKey ?? state.secrets.membershipKey;
  const publicMessage = protectPublic(suite, sent, epochKeys(state).context, key);
  return encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage });
}
