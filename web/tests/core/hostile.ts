/** What can be seen of a device's rows, and what a hostile member can make with them. */
import type { Conversation, Me, Membership, Topic } from '../../src/core/_state.ts';
import { prepareBlob } from '../../src/core/blobs.ts';
import { group } from '../../src/core/conversation.ts';
import { slot } from '../../src/core/mlsgroup.ts';
import { resumption, resumptionPsks } from '../../src/core/moves.ts';
import { newGroup } from '../../src/core/newgroups.ts';
import { CONVERSATION, COUNT, ME, MEMBERSHIP, TOPIC } from '../../src/core/state.ts';
import { Transaction } from '../../src/core/transaction.ts';
import { commitProposals, makeGroupInfo, mergeCommit, type PendingCommit, reInit } from '../../src/mls/changes.ts';
import { type Group } from '../../src/mls/group.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../../src/mls/keypackagechecks.ts';
import type { KeyPackage } from '../../src/mls/keypackage.ts';
import { ADD, type Proposal, PSK } from '../../src/mls/proposal.ts';
import { openKeyPackage } from '../../src/wire/takenpackages.ts';
import { ownerId, ownerSecret, recordKey, writeSecret } from '../../src/wire/labels.ts';
import type { ConversationInfo, MovedBody, WelcomeMessage } from '../../src/wire/messages.ts';
import { encodeCommitData, encodeMoved } from '../../src/wire/messages_rest.ts';
import { INLINE_MAX, sealRecord } from '../../src/wire/record.ts';
import { signMoved } from '../../src/wire/requests.ts';
import { SeededRandom } from '../support/seeded.ts';
import { Session } from './relaymodel.ts';
import { type Party, type World, stateFrom } from './world.ts';

const random = new SeededRandom('hostile');

/** A step on a copy of what the party has made durable. */
export function step(world: World, party: Party): Transaction {
  return new Transaction(stateFrom(party.rows), world.now, random, 0);
}

export const meOf = (t: Transaction): Me => t.get(ME)!;
export const rowOf = (t: Transaction, chat: Uint8Array): Conversation => t.get(CONVERSATION, chat)!;
export const presentOf = (t: Transaction, chat: Uint8Array): Membership => t.get(MEMBERSHIP, chat)!;
export const topicOf = (t: Transaction, chat: Uint8Array): Topic => t.get(TOPIC, rowOf(t, chat).topic)!;
/** The reasons that a step counted. */
export const counted = (t: Transaction): string[] => t.state.names(COUNT);

/** A record with this body, past the party's own core; one that is too large lies in a blob. */
export async function publish(
  world: World,
  party: Party,
  chat: Uint8Array,
  data: Uint8Array,
  { inSlot = false, topic: into }: { readonly inSlot?: boolean; readonly topic?: Topic } = {},
): Promise<void> {
  const t = step(world, party);
  const topic = into ?? topicOf(t, chat);
  const prepared =
    data.length > INLINE_MAX ? await prepareBlob(t, data) : ({ body: { type: 'Inline', body: data } } as const);
  const blobs: Uint8Array[] = [];
  if ('blob' in prepared) {
    const { blob: id, data: part } = prepared as { blob: Uint8Array; data: Uint8Array };
    await world.relay.answer(new Session(), { type: 'PutBlob', id, total: part.length, offset: 0, part }, world.now);
    blobs.push(id);
  }
  const request = {
    type: 'Publish',
    writeSecret: writeSecret(topic.topicSecret),
    record: await sealRecord(recordKey(topic.topicSecret), topic.id, prepared.body, random),
    slot: inSlot ? slot(group(t, chat)) : undefined,
    blobs: blobs.length ? blobs : undefined,
  } as const;
  await world.relay.publish(null, request, world.now);
}

/** A commit that the party's core would not make. */
export async function commit(
  world: World,
  party: Party,
  chat: Uint8Array,
  proposals: readonly Proposal[],
): Promise<Uint8Array> {
  const authenticatedData = encodeCommitData({});
  const options = { authenticatedData, now: world.now, random };
  return (await commitProposals(group(step(world, party), chat), proposals, options)).message;
}

/** Takes one of the party's key packages from the relay. */
export async function keyPackageOf(world: World, party: Party, suite: number): Promise<KeyPackage> {
  const { ownerSecret: secret, packageKey } = meOf(step(world, party));
  const owner = ownerId(ownerSecret(secret, suite));
  const answer = await world.relay.answer(new Session(), { type: 'TakeKeyPackage', owner }, world.now);
  if (answer.type !== 'KeyPackageTaken') throw new Error('there is no key package');
  return verifyKeyPackage(decodeKeyPackage(await openKeyPackage(packageKey, owner, answer.package)), world.now);
}

/** What somebody offers as the successor, each field bent or not. */
export interface Bent {
  readonly group?: Uint8Array;
  readonly suite?: number;
  readonly info?: ConversationInfo;
  readonly epochs?: number;
  readonly psk?: boolean;
  readonly extra?: readonly KeyPackage[];
  readonly treeInside?: boolean;
}

/** The founding commit of a successor. */
export async function successor(
  world: World,
  founder: Party,
  chat: Uint8Array,
  others: readonly Party[],
  bent: Bent = {},
): Promise<PendingCommit> {
  const t = step(world, founder);
  const ended = group(t, chat);
  const promised = reInit(ended)!;
  const { suite = promised.cipherSuite, info = presentOf(t, chat).info, epochs = 1, psk = true } = bent;
  const now = world.now;
  let founded = await newGroup(meOf(t), suite, bent.group ?? promised.groupId, info, now, random);
  for (let n = 1; n < epochs; n++) {
    founded = mergeCommit(founded, await commitProposals(founded, [], { now, random }));
  }
  const packages = await Promise.all(others.map((other) => keyPackageOf(world, other, suite)));
  const adds: Proposal[] = [...packages, ...(bent.extra ?? [])].map((keyPackage) => ({ type: ADD, keyPackage }));
  if (psk) adds.push({ type: PSK, psk: resumption(ended, random.bytes(32)) });
  const treeInWelcome = bent.treeInside === true;
  return commitProposals(founded, adds, { psks: resumptionPsks(ended), treeInWelcome, now, random });
}

export async function bodyOf(t: Transaction, ended: Group, { group: next, welcome }: PendingCommit): Promise<MovedBody> {
  const groupInfo = await makeGroupInfo(next);
  return { group: ended.groupId, epoch: ended.epoch, identity: meOf(t).identity, groupInfo, welcome: welcome ?? undefined };
}

/** Publishes it as the word of the founder, with these fields of the body bent before it is signed. */
export async function offer(
  world: World,
  founder: Party,
  chat: Uint8Array,
  pending: PendingCommit,
  changes: Partial<MovedBody> = {},
): Promise<void> {
  const t = step(world, founder);
  const body = { ...(await bodyOf(t, group(t, chat), pending)), ...changes };
  const word = encodeMoved(await signMoved(meOf(t).identitySecret, body));
  await publish(world, founder, chat, word, { inSlot: true });
}

/** A Welcome as it comes by an inbox. */
export function byInbox({ welcome, tree }: PendingCommit, former?: readonly Uint8Array[]): WelcomeMessage {
  return { type: 'WelcomeMessage', welcome: welcome!, roster: [], tree, former };
}
