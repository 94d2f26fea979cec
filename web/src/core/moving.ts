/**
 * Between a ReInit and its successor: the first record in the ended group's last slot that passes every public check holds
 * the successor, and whoever reads it goes on there (protocol.md section 5.7).
 */
import { type DescribedGroup, describes, following, makeGroupInfo, readGroupInfo, reInit } from '../mls/changes.ts';
import { encode } from '../mls/codec.ts';
import { BASIC, type Credential } from '../mls/credential.ts';
import { MlsError } from '../mls/errors.ts';
import { extensions } from '../mls/extensions.ts';
import { Group, type Joined } from '../mls/group.ts';
import type { ReInit } from '../mls/proposal.ts';
import { FOR_REINIT, type PskId, RESUMPTION_PSK } from '../mls/psk.ts';
import { compare, same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { decodeDeviceCredential, type Entry } from '../wire/messages.ts';
import { decodeMoved } from '../wire/messages_rest.ts';
import { type VerifiedMoved, verifyMoved } from '../wire/requests.ts';
import { type Conversation, ConversationState, type MemberLeaf, type Membership, type Topic } from './_state.ts';
import { OperationKind, type OwnCommit } from './_state_rest.ts';
import type { Body } from './body.ts';
import { group, hasIdentity, identities, membership as membersOf, need, putGroup, save } from './conversation.ts';
import * as epochs from './epochs.ts';
import * as formers from './formers.ts';
import { me } from './identity.ts';
import * as keypackages from './keypackages.ts';
import * as leave from './leave.ts';
import * as membership from './membership.ts';
import * as mlsgroup from './mlsgroup.ts';
import * as moves from './moves.ts';
import { setProblem, showSystem } from './notes.ts';
import * as operations from './operations.ts';
import * as readd from './readd.ts';
import * as roles from './roles.ts';
import { MEMBERSHIP } from './state.ts';
import * as successors from './successors.ts';
import { OPERATION, WISH } from './tables.ts';
import * as topicends from './topicends.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** That a move ends. */
const PROBLEMS: readonly string[] = [
  'outgrown',
  'cannot-move',
  'change-refused',
  'no-key-package',
  'bad-key-package',
  'relay-refuses',
];

/**
 * The ReInit is in the log, and the conversation as it was in the ended group's last epoch: only its successor follows. Who
 * has committed it founds that at once; others wait for their turn.
 */
export function begin(
  t: Transaction,
  conversation: Uint8Array,
  { groupId }: ReInit,
  time: number,
  committer: Uint8Array,
): void {
  successors.link(t, groupId, conversation);
  t.put(MEMBERSHIP, conversation, { ...membersOf(t, conversation), ended: time, successor: groupId });
  if (!same(committer, me(t).identity)) dropMoves(t, conversation);
  const found = need(t, conversation);
  const since = found.state === ConversationState.leaving ? found.since : undefined;
  save(t, { ...found, state: ConversationState.moving, since });
  moves.setTimer(t, conversation);
  work.wake(t, 'operation', conversation);
}

function dropMoves(t: Transaction, conversation: Uint8Array): void {
  for (const [key, { kind }] of t.entries(OPERATION, conversation)) {
    if (kind === OperationKind.move) operations.drop(t, key);
  }
}

// ---- which successor counts: what all members judge alike ----

/** A successor that every member accepts. */
interface Judged {
  readonly moved: VerifiedMoved;
  readonly described: DescribedGroup;
}

/** The word is of this end of this group, and not kept from another one. */
export function namesTheEnd(
  moved: Pick<VerifiedMoved, 'group' | 'epoch'>,
  ended: Pick<Group, 'groupId' | 'epoch'>,
): boolean {
  return same(moved.group, ended.groupId) && moved.epoch === ended.epoch;
}

/**
 * Admins found successors; when a day has passed since the ReInit, as the relay tells it, any member: else the group would
 * be over where its only admin is gone.
 */
export function mayFound(present: Membership, founder: Uint8Array, time: number): boolean {
  if (roles.isAdmin(present, founder)) return true;
  const { ended } = present;
  return hasIdentity(identities(present), founder) && ended !== undefined && time - ended >= mlsgroup.DAY;
}

/** The group that the ReInit named, in the epoch that its founding commit begins (RFC 9420 section 11.2). */
export function isPromised({ context }: Pick<DescribedGroup, 'context'>, ended: ReInit): boolean {
  return (
    same(context.groupId, ended.groupId) &&
    context.cipherSuite === ended.cipherSuite &&
    same(encode(extensions, context.extensions), encode(extensions, ended.extensions)) &&
    context.epoch === 1n
  );
}

/** The GroupInfo is by the founder's own leaf. */
export function founderSigned(
  { signerLeafIndex }: Pick<DescribedGroup, 'signerLeafIndex'>,
  leaves: readonly MemberLeaf[],
  founder: Uint8Array,
): boolean {
  return leaves.some(({ leaf, identity }) => leaf === signerLeafIndex && same(identity, founder));
}

/** Each member of the ended group once, and nobody else (RFC 9420 section 11.2). */
export function samePeople(before: Membership, leaves: readonly MemberLeaf[]): boolean {
  return sameList(leaves.map(({ identity }) => identity).sort(compare), identities(before).sort(compare));
}

/** Where no admin is left the founder's leaf would make it one. */
export function adminsStay(before: Membership, leaves: readonly MemberLeaf[]): boolean {
  return sameList(roles.effectiveAdmins({ ...before, members: leaves }), roles.effectiveAdmins(before));
}

function sameList(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((one, i) => same(one, others[i] as Uint8Array));
}

/** All public checks; null: the record is not the successor. */
export async function judge(
  t: Transaction,
  present: Membership,
  ended: Group,
  data: Uint8Array,
  time: number,
): Promise<Judged | null> {
  try {
    const moved = await verifyMoved(decodeMoved(data));
    const described = await readGroupInfo(moved.groupInfo);
    return (await isSuccessor(t, present, ended, moved, described, time)) ? { moved, described } : null;
  } catch (error) {
    if (!(error instanceof WireError || error instanceof MlsError)) throw error;
    work.count(t, `moved-${error instanceof WireError ? error.rule : error.code}`);
    return null;
  }
}

async function isSuccessor(
  t: Transaction,
  present: Membership,
  ended: Group,
  moved: Pick<VerifiedMoved, 'group' | 'epoch' | 'identity'>,
  described: DescribedGroup,
  time: number,
): Promise<boolean> {
  const leaves = await mlsgroup.readMembers(described.members);
  const promised = reInit(ended);
  let broken: string | undefined;
  if (!leaves) broken = 'leaf';
  else if (!namesTheEnd(moved, ended)) broken = 'end';
  else if (!mayFound(present, moved.identity, time)) broken = 'founder';
  else if (!promised || !isPromised(described, promised)) broken = 'promise';
  else if (!founderSigned(described, leaves, moved.identity)) broken = 'signer';
  else if (!samePeople(present, leaves)) broken = 'people';
  else if (!adminsStay(present, leaves)) broken = 'admins';
  if (broken) work.count(t, `moved-${broken}`);
  return !broken;
}

// ---- going on there ----

/** A record in the ended group's last slot; `topic` is as it was before the entry. */
export async function process(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
  own: OwnCommit | null,
  body: Body | null,
): Promise<void> {
  const { id } = conversation;
  if (own) {
    await processOwn(t, conversation, topic, entry, membership.pendingOf(own).group);
    return;
  }
  if (body?.state !== 'ready') {
    work.count(t, `slot-${body?.state}`);
    return;
  }
  const judged = await judge(t, membersOf(t, id), group(t, id), body.data, entry.time);
  if (judged) await join(t, conversation, topic, entry, judged);
}

/** Our own record is judged as others judge it. */
async function processOwn(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
  first: Group,
): Promise<void> {
  const { id } = conversation;
  const ended = group(t, id);
  const { identity } = me(t);
  const moved = { group: ended.groupId, epoch: ended.epoch, identity };
  const described = await readGroupInfo(await makeGroupInfo(first));
  if (await isSuccessor(t, membersOf(t, id), ended, moved, described, entry.time)) {
    await enter(t, conversation, topic, entry, first, identity, false);
    return;
  }
  // The relay's clock was not as far as ours.
  membership.forget(t, conversation);
  dropMoves(t, id);
  work.setTimer(t, 'move', id, t.now + operations.TURN);
}

/** The successor's secrets come from the ended group's too: nobody founds it who was not in its last epoch. */
export function resumes(psks: readonly PskId[], { groupId, context }: Pick<Group, 'groupId' | 'context'>): boolean {
  return psks.some(
    (psk) =>
      psk.type === RESUMPTION_PSK &&
      psk.usage === FOR_REINIT &&
      same(psk.groupId, groupId) &&
      psk.epoch === context.epoch,
  );
}

/** Whether two accepted leaves are of one person, whose device may be another one in the successor. */
export function isSamePerson(one: Credential, other: Credential): boolean {
  if (one.type !== BASIC || other.type !== BASIC) return false;
  return same(decodeDeviceCredential(one.identity).identity, decodeDeviceCredential(other.identity).identity);
}

/** By the Welcome in the record; who alone cannot asks the others to be added again. */
async function join(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
  { moved, described }: Judged,
): Promise<void> {
  const { id } = conversation;
  const ended = group(t, id);
  membership.forget(t, conversation);
  let joined: Joined;
  try {
    joined = await Group.join(moved.welcome ?? new Uint8Array(0), keypackages.bundles(t), {
      tree: described.tree,
      psks: moves.resumptionPsks(ended),
      former: following(ended, isSamePerson),
      now: t.time,
    });
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    work.count(t, `moved-welcome-${error.code}`);
    await readd.begin(t, id);
    return;
  }
  // It must have led to the very epoch that everybody else has judged, not to one made for us.
  if (!resumes(joined.psks, ended) || !describes(described, joined.group)) {
    work.count(t, 'moved-welcome');
    await readd.begin(t, id);
    return;
  }
  const lastResort = keypackages.used(t, joined.bundle);
  await enter(t, conversation, topic, entry, joined.group, moved.identity, lastResort);
}

/** The successor's epoch 1 takes the place of the ended group, in the same conversation and a new topic. */
async function enter(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
  first: Group,
  founder: Uint8Array,
  lastResort: boolean,
): Promise<void> {
  const { id } = conversation;
  const { time, seq } = entry;
  const after = await mlsgroup.readMembership(first);
  if (!after) {
    // Every leaf was checked before: only a fault of ours leads here.
    await readd.begin(t, id);
    return;
  }
  membership.forget(t, conversation);
  dropMoves(t, id);
  const found = need(t, id);
  formers.keep(t, found, group(t, id), time);
  putGroup(t, id, first);
  t.put(MEMBERSHIP, id, after);
  work.stopTimer(t, 'move', id);
  topicends.end(t, topic.id, time);
  const fresh = topics.start(t, id, mlsgroup.topicSecret(first), found.ordinal, 0);
  const leaving = found.since !== undefined;
  const changed: Conversation = {
    ...found,
    state: leaving ? ConversationState.leaving : ConversationState.active,
    epoch: first.epoch,
    topic: fresh.id,
    slot: mlsgroup.slot(first),
    position: 0,
    ordinal: found.ordinal + 1,
    past: [],
    gone: [],
    oldTopics: topicends.allOf(found),
    activity: Math.max(found.activity, time),
  };
  save(t, changed);
  epochs.setTimer(t, changed);
  forgetWishes(t, id);
  if (PROBLEMS.includes(changed.problem ?? '')) setProblem(t, id, undefined);
  showSystem(t, id, topics.entryHash(entry), founder, epochs.suiteContent(after.suite), time, topics.order(topic, seq));
  if (lastResort) operations.add(t, id, OperationKind.update, {});
  if (leaving) await leave.renew(t, id);
  for (const kind of ['outbox', 'operation']) work.wake(t, kind, id);
}

/** They are of the ended group's leaves: who still wishes to leave says so again. */
function forgetWishes(t: Transaction, conversation: Uint8Array): void {
  for (const key of t.keys(WISH, conversation)) {
    t.remove(WISH, key);
    work.stopTimer(t, 'wish', key);
  }
}
