/** Our commits: built from an operation, published in the epoch's slot, and the Welcome once the log has them. */
import { concat } from '../crypto/bytes.ts';
import { commitProposals, PendingCommit } from '../mls/changes.ts';
import { MlsError } from '../mls/errors.ts';
import { ADD, GROUP_CONTEXT_EXTENSIONS, type Proposal, REMOVE } from '../mls/proposal.ts';
import { readUint, same } from '../wire/bytes.ts';
import { recordHash, recordKey, writeSecret } from '../wire/labels.ts';
import { type JoinInfo, RefusalCode, type Request, type Response, type RosterEntry } from '../wire/messages.ts';
import { encodeCommitData } from '../wire/messages_rest.ts';
import { sealRecord } from '../wire/record.ts';
import { type Conversation, ConversationState, DropKind, type Membership, type Topic } from './_state.ts';
import { type Candidate, type Operation, OperationKind, type OwnCommit } from './_state_rest.ts';
import * as blobs from './blobs.ts';
import * as bodies from './bodies.ts';
import { group, hasIdentity, identities, membership } from './conversation.ts';
import { acceptedKeyPackage, knownDevices } from './devices.ts';
import * as deliveries from './deliveries.ts';
import * as entries from './entries.ts';
import { infoExtension, joinExtension } from './extensions.ts';
import { me, person } from './identity.ts';
import * as leaveproofs from './leaveproofs.ts';
import * as moves from './moves.ts';
import { setProblem } from './notes.ts';
import * as operations from './operations.ts';
import * as reachable from './reachable.ts';
import * as reaches from './reaches.ts';
import { nameOf } from './show.ts';
import { CONVERSATION, number, TOPIC } from './state.ts';
import * as successors from './successors.ts';
import { COMMIT, OPERATION } from './tables.ts';
import * as topicends from './topicends.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** States in which operations are done: a closed one's first commit still brings in whom its messages are for. */
const COMMITTING: readonly number[] = [
  ConversationState.active,
  ConversationState.moving,
  ConversationState.closed,
];
/** As WelcomeMessage holds; one that a member who was away knows is enough. */
const FORMER_MAX = 16;

/** Turns the first operation into a commit, as soon as the log is known to its end. */
export async function workOperation(t: Transaction, conversation: Uint8Array): Promise<void> {
  const found = t.get(CONVERSATION, conversation);
  if (!found || !COMMITTING.includes(found.state)) return;
  if (t.get(COMMIT, conversation) || !topics.inSync(t, found)) return;
  const skipped: Uint8Array[] = [];
  for (;;) {
    const next = await operations.first(t, conversation, skipped);
    if (!next) return;
    const [key, wanted] = next;
    const operation = await usable(t, operations.suiteOf(t, wanted), key, wanted);
    if (operation.candidates.some(operations.isMissing)) {
      operations.takeMissing(t, key, operation);
      if (operation.kind !== OperationKind.move) return;
      // It takes a key package of every member: other changes do not wait for that.
      skipped.push(key);
      continue;
    }
    if (await build(t, found, key, operation)) return;
    giveUp(t, found, key);
  }
}

/** The operation cannot be done. After a ReInit there must be a successor: we try again. */
function giveUp(t: Transaction, conversation: Conversation, key: Uint8Array): void {
  operations.drop(t, key);
  if (conversation.state === ConversationState.moving) operations.cannotMove(t, conversation);
  else setProblem(t, conversation.id, 'change-refused');
}

const packageOf = async (t: Transaction, suite: number, { keyPackage, identity }: Candidate) =>
  keyPackage
    ? acceptedKeyPackage(keyPackage, suite, identity, await knownDevices(person(t, identity)), t.time)
    : null;

/** Key packages that have expired since are asked for anew. */
async function usable(t: Transaction, suite: number, key: Uint8Array, operation: Operation): Promise<Operation> {
  const candidates: Candidate[] = [];
  for (const one of operation.candidates) {
    candidates.push((await packageOf(t, suite, one)) ? one : { ...one, keyPackage: undefined });
  }
  const changed = { ...operation, candidates };
  t.put(OPERATION, key, changed);
  return changed;
}

/** A ReInit alone; else removes by leaf, then adds in the candidates' order, then the group's new extensions. */
async function proposalsOf(t: Transaction, present: Membership, operation: Operation): Promise<Proposal[]> {
  const { kind, candidates, proof } = operation;
  if (kind === OperationKind.move) return [moves.reinit(t, operation)];
  let gone: readonly Uint8Array[] = [];
  if (kind === OperationKind.remove) gone = operation.identities;
  if (kind === OperationKind.readd) gone = candidates.map((one) => one.identity);
  const { conversation } = operation;
  const removes =
    kind === OperationKind.leave && proof
      ? await leaveproofs.leavesOfWish(group(t, conversation), present, proof)
      : present.members.filter((member) => hasIdentity(gone, member.identity));
  const proposals: Proposal[] = removes.map((member) => ({ type: REMOVE, removed: member.leaf }));
  for (const one of candidates) {
    const keyPackage = await packageOf(t, present.suite, one);
    if (keyPackage) proposals.push({ type: ADD, keyPackage });
  }
  if (([OperationKind.rename, OperationKind.admin, OperationKind.unadmin] as number[]).includes(kind)) {
    const info = operations.newInfo(present, operation);
    proposals.push({ type: GROUP_CONTEXT_EXTENSIONS, extensions: [infoExtension(info)] });
  }
  return proposals;
}

async function build(
  t: Transaction,
  conversation: Conversation,
  key: Uint8Array,
  operation: Operation,
): Promise<boolean> {
  const { id } = conversation;
  const topic = t.get(TOPIC, conversation.topic);
  if (!topic) return false;
  if (conversation.state === ConversationState.moving) {
    const made = await moves.foundSuccessor(t, operation);
    if (made) await putCommit(t, conversation, topic, key, ...made, []);
    return made !== null;
  }
  const { candidates, proof } = operation;
  const proposals = await proposalsOf(t, membership(t, id), operation);
  const removes = proposals.some((proposal) => proposal.type === REMOVE);
  const adds = proposals.some((proposal) => proposal.type === ADD);
  const { topicSecret, seq, head } = topic;
  const join: JoinInfo = { topicSecret, seq, head };
  let pending: PendingCommit;
  try {
    pending = await commitProposals(group(t, id), proposals, {
      includePending: false,
      authenticatedData: encodeCommitData({ leaves: proof && [proof] }),
      groupInfoExtensions: adds && !removes ? [joinExtension(join)] : [],
      now: t.time,
      random: t.random,
    });
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    work.count(t, `commit-${error.rule}`);
    return false;
  }
  await putCommit(t, conversation, topic, key, pending.message, pending, adds ? candidates : []);
  return true;
}

/** Ours for the present epoch's slot, kept until the log decides. */
async function putCommit(
  t: Transaction,
  { id, relay, epoch, slot }: Conversation,
  topic: Topic,
  key: Uint8Array,
  body: Uint8Array,
  pending: PendingCommit,
  recipients: readonly Candidate[],
): Promise<void> {
  const prepared = await bodies.prepare(t, body);
  bodies.want(t, relay, prepared);
  const record = await sealRecord(recordKey(topic.topicSecret), topic.id, prepared.body, t.random);
  t.put(COMMIT, id, {
    operation: readUint(key.slice(16)),
    epoch,
    topic: topic.id,
    slot,
    record,
    pending: pending.encode(),
    recipients,
    blob: prepared.blob,
  });
  work.wake(t, 'commit', id);
}

// ---- on its way ----

export function workCommit(t: Transaction, conversation: Uint8Array): void {
  const found = t.get(CONVERSATION, conversation);
  const row = t.get(COMMIT, conversation);
  const topic = row && t.get(TOPIC, row.topic);
  if (!found || !row || !topic?.created) return;
  const { record, slot, blob } = row;
  const relay = found.relay.identity;
  const name = work.item('commit', conversation);
  if (!bodies.uploaded(t, relay, blob) || !work.mayCall(t, relay, name)) return;
  const secret = writeSecret(topic.topicSecret);
  work.call(t, relay, name, { type: 'Publish', writeSecret: secret, record, slot, blobs: blob && [blob] });
}

export async function answeredCommit(
  t: Transaction,
  conversation: Uint8Array,
  request: Request,
  response: Response,
): Promise<void> {
  work.wake(t, 'commit', conversation);
  if (request.type !== 'Publish') return;
  const placed = response.type !== 'Published' || (await entries.published(t, request, response));
  const row = t.get(COMMIT, conversation);
  const found = t.get(CONVERSATION, conversation);
  if (!row || !found || !same(request.record, row.record)) return;
  if (response.type === 'Published') {
    work.answeredPublish(t, 'commit', conversation, placed);
    return;
  }
  if (work.postponed(t, 'commit', conversation, response)) return;
  const code = response.type === 'Refused' ? response.code : null;
  if (code === RefusalCode.unknownTopic) {
    topicends.missing(t, row.topic);
    work.pause(t, 'commit', conversation);
  } else if (code === RefusalCode.unknownBlob && blobs.again(t, found.relay.identity, row.blob)) {
    work.pause(t, 'commit', conversation);
  } else {
    forget(t, found);
    giveUp(t, found, operationKey(conversation, row));
  }
}

const operationKey = (conversation: Uint8Array, row: OwnCommit): Uint8Array =>
  concat(conversation, number(row.operation));

/** Whose wish to leave our commit fulfils. */
export function leftBy(t: Transaction, conversation: Uint8Array, row: OwnCommit): Uint8Array[] {
  const proof = t.get(OPERATION, operationKey(conversation, row))?.proof;
  return proof ? [proof.identity] : [];
}

/** Our commit on its way, if this is its record. */
export function isOwn(t: Transaction, conversation: Uint8Array, hash: Uint8Array): OwnCommit | null {
  const row = t.get(COMMIT, conversation);
  return row && same(recordHash(row.record), hash) ? row : null;
}

/** Our commit lost, or is in the log: either way its record is not sent any more. */
export function forget(t: Transaction, { id, relay }: Conversation): void {
  const row = t.get(COMMIT, id);
  if (!row) return;
  bodies.release(t, relay.identity, row.blob);
  t.remove(COMMIT, id);
  work.succeeded(t, 'commit', id);
  work.wake(t, 'operation', id);
}

export function pendingOf(row: OwnCommit): PendingCommit {
  return PendingCommit.decode(row.pending);
}

/**
 * The log has our commit: the operation is done, and those it added get their Welcome. Called after the new epoch's rows
 * are in place, so that the roster is the new one.
 */
export async function won(t: Transaction, { id }: Conversation, row: OwnCommit): Promise<void> {
  operations.drop(t, operationKey(id, row));
  const { welcome } = pendingOf(row);
  const { recipients } = row;
  if (!welcome || !recipients.length) return;
  const over = successors.former(t, id).slice(0, FORMER_MAX);
  const former = over.length ? over : undefined;
  const message = { type: 'WelcomeMessage', welcome, roster: roster(t, id), former } as const;
  await deliveries.send(t, recipients.map((one) => one.reach), message, DropKind.welcome, id);
  for (const { identity, reach } of recipients) {
    if (!reachable.of(t, identity, id)) reaches.learn(t, id, identity, reach);
  }
}

/** What we know of the members, ourselves included. */
function roster(t: Transaction, conversation: Uint8Array): RosterEntry[] {
  const own = me(t).identity;
  return identities(membership(t, conversation)).map((identity) => ({
    identity,
    name: nameOf(t.state, identity),
    reach: same(identity, own) ? reaches.own(t, conversation) : reachable.of(t, identity, conversation),
  }));
}
