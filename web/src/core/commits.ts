/**
 * Records in the slot of the current epoch: the first that passes every public check is the epoch's commit (after a ReInit
 * it is where the group goes on: module moving).
 */
import { applyCommit, inspect, mergeCommit, reInit, type VerifiedCommit, verifyCommit } from '../mls/changes.ts';
import { encode } from '../mls/codec.ts';
import { MlsError } from '../mls/errors.ts';
import { extensions } from '../mls/extensions.ts';
import type { Group } from '../mls/group.ts';
import { ADD, GROUP_CONTEXT_EXTENSIONS, REINIT, REMOVE } from '../mls/proposal.ts';
import { same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import type { CommitData, ConversationInfo, Entry } from '../wire/messages.ts';
import { decodeCommitData } from '../wire/messages_rest.ts';
import { type Conversation, ConversationState, type MemberLeaf, type Membership, type Topic } from './_state.ts';
import { group, hasIdentity, membership as membersOf, need } from './conversation.ts';
import * as ending from './ending.ts';
import * as epochs from './epochs.ts';
import { attempt } from './errors.ts';
import { acceptedLeaf, me } from './identity.ts';
import * as leave from './leave.ts';
import * as leaveproofs from './leaveproofs.ts';
import * as membership from './membership.ts';
import * as mlsgroup from './mlsgroup.ts';
import * as moving from './moving.ts';
import { showSystem } from './notes.ts';
import * as readd from './readd.ts';
import * as roles from './roles.ts';
import * as slots from './slots.ts';
import * as topics from './topics.ts';
import { DOWNLOAD } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** A commit that every member accepts. */
interface Judged {
  readonly verified: VerifiedCommit;
  readonly change: roles.Change;
}

/** Lets blobs that the relay did not have be asked for again. */
function forgetGone(t: Transaction, relay: Uint8Array): void {
  for (const [blob, download] of t.entries(DOWNLOAD)) {
    if (download.gone && same(download.relay, relay)) t.remove(DOWNLOAD, blob);
  }
}

/** False: the entry cannot be judged yet. */
export async function process(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
): Promise<boolean> {
  const { id } = conversation;
  const relay = conversation.relay.identity;
  const own = membership.isOwn(t, id, topics.entryHash(entry));
  const body = own ? null : await topics.readEntry(t, topic, relay, entry);
  if (body?.state === 'waiting') return false;
  if (body?.state === 'gone' && entry.record) {
    // The relay has said that this blob is whole: it must have it.
    forgetGone(t, relay);
    slots.misbehaves(t, conversation, topic.id);
    return false;
  }
  const taken = await slots.take(t, conversation, topic, entry);
  if (!taken) return false;
  topics.step(t, topic, entry);
  if (!own && !entry.record) {
    await readd.begin(t, id);
    return false;
  }
  if (conversation.state === ConversationState.moving) {
    await moving.process(t, taken, topic, entry, own, body);
    return true;
  }
  if (own) {
    const pending = membership.pendingOf(own);
    const removedLeaves = pending.proposals.flatMap(({ proposal }) =>
      proposal.type === REMOVE ? [proposal.removed] : [],
    );
    const summary = { committer: me(t).identity, removedLeaves, left: membership.leftBy(t, id, own) };
    const changed = mergeCommit(group(t, id), pending);
    await enter(t, taken, topic, entry, changed, summary);
    // The move has its successor to found yet.
    if (!reInit(changed)) await membership.won(t, need(t, id), own);
    membership.forget(t, need(t, id));
    await leave.renew(t, id);
    return true;
  }
  if (body?.state !== 'ready') {
    work.count(t, `slot-${body?.state}`);
    return true;
  }
  const judged = await judge(t, taken, group(t, id), membersOf(t, id), body.data, entry.time);
  if (judged) await follow(t, taken, topic, entry, judged);
  return true;
}

/** All public checks; null: the record is not the epoch's commit. */
export async function judge(
  t: Transaction,
  conversation: Conversation,
  present: Group,
  before: Membership,
  data: Uint8Array,
  time: number,
): Promise<Judged | null> {
  let verified: VerifiedCommit;
  try {
    if (!commitIsPublic(data)) {
      work.count(t, 'commit-private');
      return null;
    }
    verified = await verifyCommit(present, data, { now: time });
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    work.count(t, `commit-${error.code}`);
    return null;
  }
  const commitData = await attempt(WireError, () => decodeCommitData(verified.authenticatedData));
  const adds = await addedIdentities(verified);
  if (!commitData || !adds) {
    work.count(t, adds ? 'commit-data' : 'commit-leaf');
    return null;
  }
  const change = await changeOf(conversation, present, before, verified, commitData, adds);
  const broken = change ? roles.brokenRule(change) : 'role-other';
  if (!change || broken !== null) {
    work.count(t, `commit-${broken}`);
    return null;
  }
  return { verified, change };
}

/** Commits are PublicMessages: a private one spends a key of its sender. @throws MlsError */
export function commitIsPublic(data: Uint8Array): boolean {
  return !inspect(data).isPrivate;
}

/** Identities of the new leaves; null where one is not accepted. */
async function addedIdentities(verified: VerifiedCommit): Promise<Uint8Array[] | null> {
  const found: Uint8Array[] = [];
  for (const { leafNode } of verified.adds) {
    const device = await acceptedLeaf(leafNode.credential, leafNode.signatureKey);
    if (!device) return null;
    found.push(device.identity);
  }
  return found;
}

async function changeOf(
  conversation: Conversation,
  present: Group,
  before: Membership,
  verified: VerifiedCommit,
  data: CommitData,
  adds: readonly Uint8Array[],
): Promise<roles.Change | null> {
  const leafOf = (leaf: number): MemberLeaf | undefined => before.members.find((member) => member.leaf === leaf);
  const removes: MemberLeaf[] = [];
  const infos: (ConversationInfo | null)[] = [];
  let successor: roles.Successor | null = null;
  let others = verified.isExternal ? 1 : 0;
  for (const { proposal, reference } of verified.proposals) {
    if (reference) others++;
    if (proposal.type === REMOVE) {
      const member = leafOf(proposal.removed);
      if (!member) return null;
      removes.push(member);
    } else if (proposal.type === GROUP_CONTEXT_EXTENSIONS) infos.push(await mlsgroup.readInfo(proposal.extensions));
    else if (proposal.type === REINIT) {
      const { groupId, version, cipherSuite } = proposal;
      const infoStays = same(encode(extensions, proposal.extensions), encode(extensions, present.context.extensions));
      successor = { group: groupId, version, suite: cipherSuite, infoStays };
    } else if (proposal.type !== ADD) others++;
  }
  const committer = leafOf(verified.committerLeafIndex);
  if (!committer) return null;
  const leaf = verified.newLeaf;
  const device = leaf && (await acceptedLeaf(leaf.credential, leaf.signatureKey));
  return {
    epoch: conversation.epoch,
    before,
    committer: committer.identity,
    committerAfter: device && device.identity,
    adds,
    removes,
    wished: await leaveproofs.wishedLeaves(present, removes, data.leaves ?? []),
    info: infos[0] ?? null,
    infoCount: infos.length,
    infoValid: infos.every((info) => info !== null),
    successor,
    others,
  };
}

/** Applies the epoch's commit; a member who cannot asks to be added again. */
async function follow(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
  { verified, change }: Judged,
): Promise<void> {
  const { id } = conversation;
  membership.forget(t, conversation);
  const left = change.removes.filter(({ leaf }) => change.wished.has(leaf)).map(({ identity }) => identity);
  let changed: Group;
  try {
    changed = await applyCommit(group(t, id), verified);
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    const own = me(t).identity;
    if (error.code !== 'removed') work.count(t, `commit-${error.code}`);
    else if (!hasIdentity(change.adds, own)) {
      await removed(t, conversation, topic, entry, change.committer, hasIdentity(left, own));
      return;
    }
    // Or somebody added us again with a key package that we do not have any more.
    await readd.begin(t, id);
    return;
  }
  const removedLeaves = change.removes.map((member) => member.leaf);
  await enter(t, conversation, topic, entry, changed, { committer: change.committer, removedLeaves, left });
}

async function enter(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
  changed: Group,
  summary: epochs.Summary,
): Promise<void> {
  const after = await mlsgroup.readMembership(changed);
  if (!after) {
    // Every leaf and extension of the new epoch was checked before: only a fault of ours leads here.
    await readd.begin(t, conversation.id);
    return;
  }
  epochs.enter(t, conversation, topic, entry, changed, after, summary);
  const ended = reInit(changed);
  if (ended) moving.begin(t, conversation.id, ended, entry.time, summary.committer);
}

async function removed(
  t: Transaction,
  { id, state }: Conversation,
  topic: Topic,
  entry: Entry,
  by: Uint8Array,
  wished: boolean,
): Promise<void> {
  const own = me(t).identity;
  const left = wished || state === ConversationState.leaving;
  const content = { type: 'System', kind: left ? 'left' : 'removed', subjects: [own] } as const;
  const order = topics.order(topic, entry.seq);
  showSystem(t, id, topics.entryHash(entry), left ? own : by, content, entry.time, order);
  ending.end(t, id, left ? ConversationState.left : ConversationState.removed);
}
