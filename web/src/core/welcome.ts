/** Conversations that we join by a Welcome. */
import { MlsError } from '../mls/errors.ts';
import { Group, type Joined } from '../mls/group.ts';
import { same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { topicId, writeSecret } from '../wire/labels.ts';
import {
  ConversationKind,
  type JoinInfo,
  RECEIVE_KEYS_LIFETIME,
  type RelayAddress,
  type WelcomeMessage,
} from '../wire/messages.ts';
import { type Conversation, ConversationState, type Membership, type Opened, OpenedState, type Topic } from './_state.ts';
import { hasIdentity, membership as membersOf, putGroup, save } from './conversation.ts';
import { acceptedLeaf, me, person, savePerson } from './identity.ts';
import * as keypackages from './keypackages.ts';
import * as mlsgroup from './mlsgroup.ts';
import * as profiles from './profiles.ts';
import { rest, restIfThere } from './provided.ts';
import * as reaches from './reaches.ts';
import { CONVERSATION, MEMBERSHIP, OPENED, PERSON } from './state.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

export function newRow(
  t: Transaction,
  id: Uint8Array,
  kind: ConversationKind,
  relay: RelayAddress,
  group: Group,
  secret: Uint8Array,
  ordinal: number,
  founding: boolean,
): Conversation {
  return {
    id,
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

export function put(t: Transaction, row: Conversation, group: Group, members: Membership, topic: Topic): void {
  save(t, row);
  putGroup(t, row.id, group);
  t.put(MEMBERSHIP, row.id, members);
  work.wake(t, 'topic', topic.id);
}

/** A Welcome is joined without asking only from a contact, or from whom we asked through their invite. */
export function adderIsKnown(t: Transaction, adder: Uint8Array): boolean {
  const somebody = t.get(PERSON, adder);
  return !somebody?.blocked && (somebody?.accepted === true || openedOf(t, adder) !== undefined);
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
  const { groupId } = group;
  const own = me(t).identity;
  const members = await mlsgroup.readMembership(group);
  // Only the rest knows of groups that followed others.
  const there = message.former ? rest() : restIfThere();
  const known = t.get(CONVERSATION, there?.conversationOf(t, groupId, message.former) ?? groupId);
  if (!members || groupId.length !== 16 || !members.info.relays.length) {
    work.count(t, 'welcome-leaf');
    return;
  }
  const adder = await adderOf(joined);
  const wanted = adder && (known ? rest().joinsAgain(t, known, group, adder, message) : adderIsKnown(t, adder));
  if (!wanted || !directIsOfTwo(members, adder, own)) {
    work.count(t, 'welcome-not-joined');
    return;
  }
  const lastResort = keypackages.used(t, joined.bundle);
  const id = known?.id ?? groupId;
  const before = t.get(MEMBERSHIP, id);
  enter(t, id, group, members, join, known);
  learnRoster(t, id, message, adder);
  if (members.info.kind === ConversationKind.direct) directJoined(t, id, adder);
  else rest().joinedGroup(t, id, group, adder, known, before);
  if (lastResort) rest().usedLastResort(t, id);
  profiles.tell(t, id);
}

async function adderOf({ group, signerLeafIndex }: Joined): Promise<Uint8Array | undefined> {
  const member = group.members().find(({ leafIndex }) => leafIndex === signerLeafIndex);
  return member && (await acceptedLeaf(member.credential, member.signatureKey))?.identity;
}

/** Without JoinInfo the commit that added us began a new topic: ours to compute, read from its start. */
function enter(
  t: Transaction,
  id: Uint8Array,
  group: Group,
  members: Membership,
  join: JoinInfo | null,
  known: Conversation | undefined,
): void {
  const secret = join?.topicSecret ?? mlsgroup.topicSecret(group);
  const ordinal = known?.ordinal ?? 0;
  const relay = members.info.relays[0] as RelayAddress;
  let row = newRow(t, id, members.info.kind, relay, group, secret, ordinal, false);
  if (known) {
    const { number, unread, activity, inbox, last } = known;
    row = { ...row, number, unread, activity, inbox, last };
    rest().leaveFormer(t, known, group);
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

/** The conversation is where we talk with this person, unless there is one already. */
export function becomeDirect(t: Transaction, conversation: Uint8Array, identity: Uint8Array): void {
  const somebody = person(t, identity);
  const other = somebody.conversation && t.get(CONVERSATION, somebody.conversation);
  if (other?.state === ConversationState.active && !same(other.id, conversation)) {
    rest().goOnInOne(t, somebody, conversation, other.id);
  } else savePerson(t, { ...somebody, conversation });
}

