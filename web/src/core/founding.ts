/** New conversations that we found, and Welcomes to those that we know. */
import type { Group } from '../mls/group.ts';
import { compare, same } from '../wire/bytes.ts';
import {
  CONTENT_RETENTION_DAYS,
  type ConversationInfo,
  ConversationKind,
  type WelcomeMessage,
} from '../wire/messages.ts';
import { decodeWelcomeMessage, encodeWelcomeMessage } from '../wire/messages_rest.ts';
import { concat } from '../crypto/bytes.ts';
import { type Conversation, ConversationState, type Membership, type Person } from './_state.ts';
import { type Candidate, OperationKind } from './_state_rest.ts';
import { hasIdentity, isRead, membership as membersOf, save } from './conversation.ts';
import { suiteContent } from './epochs.ts';
import { CoreError } from './errors.ts';
import * as formers from './formers.ts';
import { TOPIC_STEP } from './history.ts';
import { checkName, me, person, savePerson } from './identity.ts';
import * as mlsgroup from './mlsgroup.ts';
import { newGroup, suiteFor } from './newgroups.ts';
import { showSystem } from './notes.ts';
import * as operations from './operations.ts';
import * as profiles from './profiles.ts';
import * as reachable from './reachable.ts';
import { CONVERSATION, GROUP, OPENED, PERSON } from './state.ts';
import * as successors from './successors.ts';
import { LATER } from './tables.ts';
import * as topicends from './topicends.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import { adderIsKnown, newRow, put, welcome } from './welcome.ts';
import * as work from './work.ts';

/** A tree of 1,000 leaves is 136 KB with suite 1; every joiner downloads it. */
export const GROUP_MEMBERS_MAX = 1000;

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
  const conversation = await found(t, suiteFor(2), newInfo(t, ConversationKind.direct, '', []), true);
  operations.add(t, conversation, OperationKind.add, { candidates: [candidate] });
  profiles.tell(t, conversation);
  return conversation;
}

/** Founds a group with contacts of ours. */
export async function createGroup(t: Transaction, text: string, members: readonly Uint8Array[]): Promise<Uint8Array> {
  const name = checkName(text);
  const candidates = contacts(t, members);
  const own = me(t).identity;
  const suite = suiteFor(1 + candidates.length);
  const conversation = await found(t, suite, newInfo(t, ConversationKind.group, name, [own]), candidates.length > 0);
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
    const reach = reachable.of(t, identity);
    if (!reach) throw new CoreError('unknown-contact');
    chosen.push({ identity, reach });
  }
  if (chosen.length >= GROUP_MEMBERS_MAX) throw new CoreError('too-many');
  return chosen;
}

/** Draws the group id (16 bytes), then what the MLS group draws. */
async function found(
  t: Transaction,
  suite: number,
  info: ConversationInfo,
  founding: boolean,
): Promise<Uint8Array> {
  const own = me(t);
  const conversation = t.random.bytes(16);
  const group = await newGroup(own, suite, conversation, info, t.time, t.random);
  const secret = mlsgroup.topicSecret(group);
  const members = await mlsgroup.readMembership(group);
  if (!members) throw new CoreError('state-broken');
  const row = newRow(t, conversation, info.kind, own.relay, group, secret, 0, founding);
  put(t, row, group, members, topics.start(t, conversation, secret, 0, 0));
  return conversation;
}

/** The living direct conversation with somebody. */
export function directOf(t: Transaction, identity: Uint8Array): Uint8Array | undefined {
  const id = person(t, identity).conversation;
  const state = id && t.get(CONVERSATION, id)?.state;
  return state === ConversationState.active || state === ConversationState.stuck ? id : undefined;
}

// ---- joined again ----

/** One epoch of an MLS group. */
type GroupEpoch = Pick<Group, 'groupId' | 'epoch'>;

/** Whether a Welcome to a conversation that we know is to be joined; else, if it came too early, it is kept. */
export function joinsAgain(
  t: Transaction,
  known: Conversation,
  group: GroupEpoch,
  adder: Uint8Array,
  message: WelcomeMessage,
): boolean {
  const stuck = known.state === ConversationState.stuck;
  if (!(stuck ? adderMayAddAgain(t, known, adder) : adderIsKnown(t, adder))) return false;
  const ahead = isAhead(t, known, group);
  if (isRead(known) && ahead) {
    // Perhaps we were removed and added again, and have not read so far: decided when the log has been read.
    t.put(LATER, known.id, encodeWelcomeMessage(message));
    return false;
  }
  return joinedIsNew(known, ahead);
}

/** A member who cannot go on joins again where the adder was a member in its last epoch. */
export function adderMayAddAgain(t: Transaction, conversation: Conversation | undefined, adder: Uint8Array): boolean {
  if (conversation?.state !== ConversationState.stuck) return false;
  return membersOf(t, conversation.id).members.some((member) => same(member.identity, adder));
}

/** Only a conversation in one of these states is joined anew. */
const OVER: readonly number[] = [ConversationState.stuck, ConversationState.left, ConversationState.removed];

/** Whether the group is of a later epoch than we have read to; one that a ReInit has ended never is. */
export function isAhead(t: Transaction, { id, epoch }: Conversation, group: GroupEpoch): boolean {
  if (same(group.groupId, membersOf(t, id).group)) return group.epoch > epoch;
  return !hasIdentity(successors.former(t, id), group.groupId);
}

/**
 * A Welcome replaces what we have only where we cannot go on, or are no member, and never by an older epoch: else any
 * contact could put a group of its own in the place of a conversation.
 */
export function joinedIsNew({ state }: Conversation, ahead: boolean): boolean {
  return OVER.includes(state) && ahead;
}

/** The conversation is over for us: a Welcome that came too early has its turn. */
export async function welcomeLater(t: Transaction, conversation: Uint8Array): Promise<void> {
  const data = t.get(LATER, conversation);
  if (!data) return;
  t.remove(LATER, conversation);
  await welcome(t, decodeWelcomeMessage(data));
}

/** What we had of the conversation gives way to what the Welcome brings. */
export function leaveFormer(t: Transaction, known: Conversation, { groupId }: Group): void {
  const { id } = known;
  for (const topic of topicends.allOf(known)) topicends.close(t, topic);
  t.remove(GROUP, id);
  formers.forgetAll(t, id);
  successors.link(t, groupId, id);
  for (const timer of ['move', 'readd']) work.stopTimer(t, timer, id);
}

/** What the history shows of a group that we joined, or joined again. */
export function joinedGroup(
  t: Transaction,
  id: Uint8Array,
  { groupId, epochAuthenticator, suite }: Group,
  adder: Uint8Array,
  known: Conversation | undefined,
  before: Membership | undefined,
): void {
  const source = concat(groupId, epochAuthenticator);
  if (!known) {
    const content = { type: 'System', kind: 'joined', subjects: [me(t).identity] } as const;
    showSystem(t, id, source, adder, content, t.time, 0);
  } else if (before && before.suite !== suite.id) {
    showSystem(t, id, source, adder, suiteContent(suite.id), t.time, known.ordinal * TOPIC_STEP);
  }
}

/** A leaf made of a last-resort key package gets keys of its own at once. */
export function usedLastResort(t: Transaction, conversation: Uint8Array): void {
  operations.add(t, conversation, OperationKind.update, {});
}

/** Two people who accepted each other at once have two conversations: both go on in the one with the lower id. */
export function goOnInOne(t: Transaction, somebody: Person, conversation: Uint8Array, other: Uint8Array): void {
  const [keep, drop] = [conversation, other].sort(compare) as [Uint8Array, Uint8Array];
  savePerson(t, { ...somebody, conversation: keep });
  const dropped = t.get(CONVERSATION, drop);
  if (dropped) save(t, { ...dropped, state: ConversationState.closed });
}

export function closeAnswered(t: Transaction, id: Uint8Array): void {
  const opened = t.get(OPENED, id);
  if (!opened) return;
  reachable.close(t, opened.inbox);
  t.put(OPENED, id, { ...opened, inbox: undefined });
}
