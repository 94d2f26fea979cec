/** The step from one epoch to the next: new rows, new topic where someone was removed, and what the history shows. */
import { hex } from '../crypto/bytes.ts';
import { forgetEpochsBefore } from '../mls/changes.ts';
import type { Group } from '../mls/group.ts';
import { same } from '../wire/bytes.ts';
import { ConversationKind, type Entry, RECEIVE_KEYS_LIFETIME, SUITE_XWING } from '../wire/messages.ts';
import type { Conversation, Membership, Topic } from './_state.ts';
import { hasIdentity, identities, membership, need, putGroup, quiet, save } from './conversation.ts';
import * as formers from './formers.ts';
import { cellGroup } from './groupcell.ts';
import type { SystemContent, SystemKind } from './history.ts';
import { me } from './identity.ts';
import * as mlsgroup from './mlsgroup.ts';
import { fits } from './newgroups.ts';
import { setProblem, showSystem } from './notes.ts';
import * as roles from './roles.ts';
import * as slots from './slots.ts';
import { CONVERSATION, GROUP, MEMBERSHIP } from './state.ts';
import { WISH } from './tables.ts';
import * as topicends from './topicends.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** What a commit did. */
export interface Summary {
  readonly committer: Uint8Array;
  readonly removedLeaves: readonly number[];
  /** Identities that went by their own wish. */
  readonly left: readonly Uint8Array[];
}

/** The entry's commit ends the epoch; `topic` is as it was before the entry. */
export function enter(
  t: Transaction,
  { id, epoch, slot }: Conversation,
  topic: Topic,
  entry: Entry,
  group: Group,
  after: Membership,
  summary: Summary,
): void {
  const { time } = entry;
  const before = membership(t, id);
  putGroup(t, id, group);
  t.put(MEMBERSHIP, id, after);
  let found = need(t, id);
  found = {
    ...found,
    epoch: found.epoch + 1,
    slot: mlsgroup.slot(group),
    position: 0,
    founding: false,
    past: [...found.past, { epoch, topic: topic.id, slot, ended: time }],
    gone: [...found.gone, ...summary.removedLeaves.map((leaf) => ({ leaf, epoch: epoch + 1, time }))],
    activity: Math.max(found.activity, time),
  };
  if (summary.removedLeaves.length) {
    topicends.end(t, topic.id, time);
    const fresh = topics.start(t, id, mlsgroup.topicSecret(group), found.ordinal, 0);
    found = { ...found, topic: fresh.id, ordinal: found.ordinal + 1, oldTopics: topicends.allOf(found) };
  }
  save(t, found);
  tellProblem(t, found, after);
  show(t, found, before, after, summary, entry, topics.order(topic, entry.seq));
  forgetWishes(t, id, after);
  formers.noteRemoved(t, id, notIn(identities(before), identities(after)), time);
  setTimer(t, found);
  for (const kind of ['outbox', 'operation']) work.wake(t, kind, id);
}

/** For when the oldest receive keys are to be forgotten. */
export function setTimer(t: Transaction, { id, past: [oldest] }: Conversation): void {
  const times = [oldest?.ended, formers.firstEnded(t, id)].filter((time) => time !== undefined);
  if (times.length) work.setTimerByRelay(t, 'epochs', id, Math.min(...times) + RECEIVE_KEYS_LIFETIME);
}

/** What the history shows where a suite takes the place of another one. */
export function suiteContent(suite: number): SystemContent {
  const text = suite === SUITE_XWING ? 'post-quantum' : 'classical';
  return { type: 'System', kind: 'suite', subjects: [], text };
}

/** Changes go through again; and admins of a group that its suite has become too costly for are told. */
function tellProblem(t: Transaction, { id, problem }: Conversation, after: Membership): void {
  const outgrown = !fits(after.suite, after.members.length) && roles.isAdmin(after, me(t).identity);
  if (['stuck', 'change-refused', 'cannot-move'].includes(problem ?? '')) setProblem(t, id, undefined);
  if (outgrown && need(t, id).problem === undefined) setProblem(t, id, 'outgrown');
  else if (!outgrown && problem === 'outgrown') setProblem(t, id, undefined);
}

function notIn(some: readonly Uint8Array[], others: readonly Uint8Array[]): Uint8Array[] {
  const known = new Set(others.map(hex));
  return some.filter((one) => !known.has(hex(one)));
}

function forgetWishes(t: Transaction, conversation: Uint8Array, after: Membership): void {
  for (const key of t.keys(WISH, conversation)) {
    if (after.members.some((member) => same(member.identity, key.slice(16)))) continue;
    t.remove(WISH, key);
    work.stopTimer(t, 'wish', key);
  }
}

function show(
  t: Transaction,
  { id, kind }: Conversation,
  before: Membership,
  after: Membership,
  { committer, left }: Summary,
  entry: Entry,
  order: number,
): void {
  if (kind === ConversationKind.direct) return;
  const shown: SystemContent[] = [];
  const say = (what: SystemKind, subjects: readonly Uint8Array[], text?: string): void => {
    if (subjects.length || text !== undefined) shown.push({ type: 'System', kind: what, subjects, text });
  };
  const [old, now] = [identities(before), identities(after)];
  const [admins, adminsNow] = [roles.effectiveAdmins(before), roles.effectiveAdmins(after)];
  say('added', notIn(now, old));
  for (const identity of notIn(old, now)) {
    say(hasIdentity(left, identity) || same(identity, committer) ? 'left' : 'removed', [identity]);
  }
  if (before.info.name !== after.info.name) say('renamed', [], after.info.name);
  say('admin', notIn(adminsNow, admins));
  say('unadmin', notIn(admins, adminsNow).filter((identity) => hasIdentity(now, identity)));
  for (const content of shown) {
    const by = content.kind === 'left' ? (content.subjects[0] as Uint8Array) : committer;
    showSystem(t, id, topics.entryHash(entry), by, content, entry.time, order);
  }
}

/** Receive keys, receipts and removed leaves of epochs that ended RECEIVE_KEYS_LIFETIME ago. */
export function forgetOld(t: Transaction, conversation: Uint8Array): void {
  let found = t.get(CONVERSATION, conversation);
  if (!found) return;
  const before = t.time - RECEIVE_KEYS_LIFETIME;
  const past = found.past.filter((one) => one.ended > before);
  if (past.length !== found.past.length) {
    for (const one of found.past) if (one.ended <= before) slots.forget(t, one.topic, one.slot);
    const cell = t.get(GROUP, conversation);
    if (cell) putGroup(t, conversation, forgetEpochsBefore(cellGroup(cell), past[0]?.epoch ?? found.epoch));
    found = quiet(t, { ...found, past, gone: found.gone.filter((leaf) => leaf.time > before) });
  }
  formers.forgetOld(t, conversation, before);
  setTimer(t, found);
}
