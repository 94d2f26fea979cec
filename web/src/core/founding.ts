/** New conversations: founded by us, or joined by a Welcome. */
import { concat } from '../crypto/bytes.ts';
import { MlsError } from '../mls/errors.ts';
import { Group, type Joined } from '../mls/group.ts';
import { compare, same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { topicId, writeSecret } from '../wire/labels.ts';
import {
  CONTENT_RETENTION_DAYS,
  type ConversationInfo,
  ConversationKind,
  decodeWelcomeMessage,
  encodeWelcomeMessage,
  type JoinInfo,
  RECEIVE_KEYS_LIFETIME,
  type RelayAddress,
  type WelcomeMessage,
} from '../wire/messages.ts';
import {
  type Candidate,
  type Conversation,
  ConversationState,
  type Membership,
  type Opened,
  OpenedState,
  OperationKind,
  type Topic,
} from './_state.ts';
import { hasIdentity, isRead, membership as membersOf, putGroup, save, showSystem } from './conversation.ts';
import { CoreError } from './errors.ts';
import { acceptedLeaf, checkName, me, person, savePerson } from './identity.ts';
import * as keypackages from './keypackages.ts';
import * as mlsgroup from './mlsgroup.ts';
import * as operations from './operations.ts';
import * as profiles from './profiles.ts';
import * as reaches from './reaches.ts';
import { CONVERSATION, GROUP, LATER, MEMBERSHIP, OPENED, PERSON } from './state.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** A tree of 1,000 leaves is 136 KB with suite 1; every joiner downloads it. */
export const GROUP_MEMBERS_MAX = 1000;

// ---- founded ----

const newInfo = (
  t: Transaction,
  kind: ConversationKind,
  name: string,
  admins: readonly Uint8Array[],
): ConversationInfo => ({
  kind,
  name,
  admins,
  relays: [me(t).relay],
  retentionDays: CONTENT_RETENTION_DAYS,
  membersAdd: false,
});

/** Founds the conversation with one person; its founding commit adds them. */
export async function direct(t: Transaction, candidate: Candidate): Promise<Uint8Array> {
  const conversation = await found(t, newInfo(t, ConversationKind.direct, '', []), true);
  operations.add(t, conversation, OperationKind.add, { candidates: [candidate] });
  profiles.tell(t, conversation);
  return conversation;
}

/** Founds a group with contacts of ours. */
export async function createGroup(t: Transaction, text: string, members: readonly Uint8Array[]): Promise<Uint8Array> {
  const name = checkName(text);
  const candidates = contacts(t, members);
  const own = me(t).identity;
  const conversation = await found(t, newInfo(t, ConversationKind.group, name, [own]), candidates.length > 0);
  const content = { type: 'System', kind: 'created', subjects: [], text: name } as const;
  showSystem(t, conversation, conversation, own, content, t.time, 0);
  if (candidates.length) operations.add(t, conversation, OperationKind.add, { candidates });
  profiles.tell(t, conversation);
  return conversation;
}

/** Candidates of these contacts. @throws CoreError `unknown-contact`, `blocked` or `too-many` */
export function contacts(t: Transaction, wanted: readonly Uint8Array[]): Candidate[] {
  const chosen: Candidate[] = [];
  for (const identity of [...wanted].sort(compare)) {
    if (chosen.some((one) => same(one.identity, identity))) continue;
    const somebody = t.get(PERSON, identity);
    if (!somebody?.accepted) throw new CoreError('unknown-contact');
    if (somebody.blocked) throw new CoreError('blocked');
    const reach = reaches.of(t, identity);
    if (!reach) throw new CoreError('unknown-contact');
    chosen.push({ identity, reach });
  }
  if (chosen.length >= GROUP_MEMBERS_MAX) throw new CoreError('too-many');
  return chosen;
}

/** Draws the group id (16 bytes), then what `Group.create` draws. */
async function found(t: Transaction, info: ConversationInfo, founding: boolean): Promise<Uint8Array> {
  const own = me(t);
  const conversation = t.random.bytes(16);
  const group = await mlsgroup.newGroup(own, conversation, info, t.time, t.random);
  const secret = mlsgroup.topicSecret(group);
  const members = await mlsgroup.readMembership(group);
  if (!members) throw new CoreError('state-broken');
  const row = newRow(t, info.kind, own.relay, group, secret, 0, founding);
  put(t, row, group, members, topics.start(t, conversation, secret, 0, 0));
  return conversation;
}

function newRow(
  t: Transaction,
  kind: ConversationKind,
  relay: RelayAddress,
  group: Group,
  secret: Uint8Array,
  ordinal: number,
  founding: boolean,
): Conversation {
  return {
    id: group.groupId,
    kind,
    relay,
    state: ConversationState.active,
    epoch: group.epoch,
    topic: topicId(writeSecret(secret)),
    slot: mlsgroup.slot(group),
    position: 0,
    ordinal: ordinal + 1,
    number: 1,
    founding,
    unread: 0,
    activity: t.time,
    past: [],
    gone: [],
    oldTopics: [],
    delivered: [],
    read: [],
  };
}

function put(t: Transaction, row: Conversation, group: Group, members: Membership, topic: Topic): void {
  save(t, row);
  putGroup(t, row.id, group);
  t.put(MEMBERSHIP, row.id, members);
  work.wake(t, 'topic', topic.id);
}

// ---- joined ----

/** A Welcome is joined without asking only from a contact, or from whom we asked through their invite. */
export function adderIsKnown(t: Transaction, adder: Uint8Array): boolean {
  const somebody = t.get(PERSON, adder);
  return !somebody?.blocked && (somebody?.accepted === true || openedOf(t, adder) !== undefined);
}

/** A member who cannot go on joins again where the adder was a member in its last epoch. */
export function adderMayAddAgain(t: Transaction, conversation: Conversation | undefined, adder: Uint8Array): boolean {
  if (conversation?.state !== ConversationState.stuck) return false;
  return membersOf(t, conversation.id).members.some((member) => same(member.identity, adder));
}

/** Only a conversation in one of these states is joined anew. */
const OVER: readonly number[] = [ConversationState.stuck, ConversationState.left, ConversationState.removed];

/**
 * A Welcome replaces what we have only where we cannot go on, or are no member, and never by an older epoch: else any
 * contact could put a group of its own in the place of a conversation.
 */
export function joinedIsNew(conversation: Conversation | undefined, group: Group): boolean {
  return !conversation || (OVER.includes(conversation.state) && group.epoch > conversation.epoch);
}

/** A direct conversation has exactly us and its founder. */
export function directIsOfTwo({ info, members }: Membership, adder: Uint8Array, own: Uint8Array): boolean {
  if (info.kind !== ConversationKind.direct) return true;
  const present = members.map((member) => member.identity);
  return present.length === 2 && !same(adder, own) && hasIdentity(present, adder) && hasIdentity(present, own);
}

/** The invite of this person through which we have asked. */
function openedOf(t: Transaction, identity: Uint8Array): Opened | undefined {
  return t
    .entries(OPENED)
    .map(([, opened]) => opened)
    .find(
      ({ card, state }) =>
        card &&
        same(card.identity, identity) &&
        (state === OpenedState.requesting || state === OpenedState.requested),
    );
}

/** Joins, if it is for us, from somebody known, and all is in order. */
export async function welcome(t: Transaction, message: WelcomeMessage): Promise<void> {
  let joined: Joined;
  let join: JoinInfo | null;
  try {
    joined = await Group.join(message.welcome, keypackages.bundles(t), { tree: message.tree ?? null, now: t.time });
    join = mlsgroup.readJoin(joined.groupInfoExtensions);
  } catch (error) {
    if (!(error instanceof MlsError || error instanceof WireError)) throw error;
    work.count(t, 'welcome-bad');
    return;
  }
  const { group } = joined;
  const id = group.groupId;
  const own = me(t).identity;
  const members = await mlsgroup.readMembership(group);
  const known = t.get(CONVERSATION, id);
  if (!members || id.length !== 16 || !members.info.relays.length) {
    work.count(t, 'welcome-leaf');
    return;
  }
  const adder = await adderOf(joined);
  const stuck = known?.state === ConversationState.stuck;
  if (!adder || !(stuck ? adderMayAddAgain(t, known, adder) : adderIsKnown(t, adder))) {
    work.count(t, 'welcome-unknown');
    return;
  }
  if (known && isRead(known) && group.epoch > known.epoch) {
    // Perhaps we were removed and added again, and have not read so far: decided when the log has been read.
    t.put(LATER, id, encodeWelcomeMessage(message));
    return;
  }
  if (!joinedIsNew(known, group) || !directIsOfTwo(members, adder, own)) {
    work.count(t, 'welcome-refused');
    return;
  }
  const lastResort = keypackages.used(t, joined.bundle);
  enter(t, group, members, join, known);
  learnRoster(t, id, message, adder);
  if (members.info.kind === ConversationKind.direct) directJoined(t, id, adder);
  else if (!known) {
    const content = { type: 'System', kind: 'joined', subjects: [own] } as const;
    showSystem(t, id, concat(id, group.epochAuthenticator), adder, content, t.time, 0);
  }
  if (lastResort) operations.add(t, id, OperationKind.update, {});
  profiles.tell(t, id);
}

/** The conversation is over for us: a Welcome that came too early has its turn. */
export async function welcomeLater(t: Transaction, conversation: Uint8Array): Promise<void> {
  const data = t.get(LATER, conversation);
  if (!data) return;
  t.remove(LATER, conversation);
  await welcome(t, decodeWelcomeMessage(data));
}

async function adderOf({ group, signerLeafIndex }: Joined): Promise<Uint8Array | undefined> {
  const member = group.members().find(({ leafIndex }) => leafIndex === signerLeafIndex);
  return member && (await acceptedLeaf(member.credential, member.signatureKey))?.identity;
}

/** Without JoinInfo the commit that added us began a new topic: ours to compute, read from its start. */
function enter(
  t: Transaction,
  group: Group,
  members: Membership,
  join: JoinInfo | null,
  known: Conversation | undefined,
): void {
  const id = group.groupId;
  const secret = join?.topicSecret ?? mlsgroup.topicSecret(group);
  const ordinal = known?.ordinal ?? 0;
  const relay = members.info.relays[0] as RelayAddress;
  let row = newRow(t, members.info.kind, relay, group, secret, ordinal, false);
  if (known) {
    for (const former of topics.allOf(known)) topics.close(t, former);
    const { number, unread, activity, inbox, last } = known;
    row = { ...row, number, unread, activity, inbox, last };
    t.remove(GROUP, id);
    work.stopTimer(t, 'readd', id);
  }
  put(t, row, group, members, topics.start(t, id, secret, ordinal, join?.seq ?? 0, join?.head));
}

/** Names are the adder's word, except the adder's own; reaches are needed to add and be added. */
function learnRoster(t: Transaction, conversation: Uint8Array, { roster }: WelcomeMessage, adder: Uint8Array): void {
  const present = membersOf(t, conversation).members.map((member) => member.identity);
  for (const { identity, name, reach } of roster) {
    if (!hasIdentity(present, identity) || same(identity, me(t).identity)) continue;
    const somebody = person(t, identity);
    const named = same(identity, adder);
    if (name.trim() && (named || !somebody.named)) savePerson(t, { ...somebody, name, named });
    if (reach) reaches.learn(t, conversation, identity, reach);
  }
}

function directJoined(t: Transaction, conversation: Uint8Array, adder: Uint8Array): void {
  let somebody = person(t, adder);
  const opened = openedOf(t, adder);
  if (opened) {
    if (opened.card && !somebody.named) somebody = { ...somebody, name: opened.card.name, named: true };
    t.put(OPENED, opened.id, { ...opened, state: OpenedState.accepted, accepted: t.time });
    setAnsweredTimer(t, opened.id, t.time);
  }
  savePerson(t, { ...somebody, accepted: true });
  becomeDirect(t, conversation, adder);
  t.notify({ type: 'ContactsChanged' });
  t.notify({ type: 'ContactAccepted', conversation });
}

/** The inbox for the answer stays a while: an adder that never heard that its Welcome arrived sends it again. */
export function setAnsweredTimer(t: Transaction, opened: Uint8Array, accepted: number): void {
  work.setTimerByRelay(t, 'answered', opened, accepted + RECEIVE_KEYS_LIFETIME);
}

export function closeAnswered(t: Transaction, id: Uint8Array): void {
  const opened = t.get(OPENED, id);
  if (!opened) return;
  reaches.close(t, opened.inbox);
  t.put(OPENED, id, { ...opened, inbox: undefined });
}

/** Two people who accepted each other at once have two conversations: both go on in the one with the lower id. */
export function becomeDirect(t: Transaction, conversation: Uint8Array, identity: Uint8Array): void {
  const somebody = person(t, identity);
  const other = somebody.conversation && t.get(CONVERSATION, somebody.conversation);
  if (!other || same(other.id, conversation) || other.state !== ConversationState.active) {
    savePerson(t, { ...somebody, conversation });
    return;
  }
  const [keep, drop] = [conversation, other.id].sort(compare) as [Uint8Array, Uint8Array];
  savePerson(t, { ...somebody, conversation: keep });
  const dropped = t.get(CONVERSATION, drop);
  if (dropped) save(t, { ...dropped, state: ConversationState.closed });
}

/** The living direct conversation with somebody. */
export function directOf(t: Transaction, identity: Uint8Array): Uint8Array | undefined {
  const id = person(t, identity).conversation;
  const state = id && t.get(CONVERSATION, id)?.state;
  return state === ConversationState.active || state === ConversationState.stuck ? id : undefined;
}
