/** What to read at each relay: subscriptions in a session, fetches where something is missing, polling without one. */
import { hex } from '../crypto/bytes.ts';
import { compare, same } from '../wire/bytes.ts';
import { inboxId, writeSecret } from '../wire/labels.ts';
import {
  FETCH_LIMIT,
  type Push,
  type Records,
  RefusalCode,
  type RelayAddress,
  type Request,
  type Response,
  SUBSCRIBE_LIMIT,
} from '../wire/messages.ts';
import { type Conversation, OpenedState, type Topic } from './_state.ts';
import { isRead, membership, need } from './conversation.ts';
import * as drops from './drops.ts';
import * as entries from './entries.ts';
import { sourceOf } from './entries.ts';
import * as inboxes from './inboxes.ts';
import { rest, restIfThere } from './provided.ts';
import { CONVERSATION, HELD, INBOX, LINK, ME, OPENED, RELAY, SOURCE, TOPIC } from './state.ts';
import * as topics from './topics.ts';
import type { State, Transaction } from './transaction.ts';
import * as work from './work.ts';

/** ms between two looks without a session: a chat still feels like one, 17,000 requests a day and topic. */
const POLL_INTERVAL = 5_000;

// ---- connections ----

/** Tables with a work item for each row; the item's kind has the table's name. */
const ROWS = ['topic', 'inbox', 'drop', 'upload', 'download', 'invite', 'opened'];

/** Every item of this relay is looked at, as after a start. */
export function connected(t: Transaction, relay: Uint8Array, session: boolean): void {
  disconnected(t, relay);
  t.put(LINK, relay, { session });
  wakeAll(t);
  if (!session) work.setTimer(t, 'poll', relay, t.now + POLL_INTERVAL);
}

export function disconnected(t: Transaction, relay: Uint8Array): void {
  t.remove(LINK, relay);
  work.giveUpCalls(t, relay);
  work.stopTimer(t, 'poll', relay);
  for (const [key, source] of t.entries(SOURCE)) if (same(source.relay, relay)) t.remove(SOURCE, key);
}

function wakeAll(t: Transaction): void {
  work.wake(t, 'keys');
  for (const conversation of t.keys(CONVERSATION)) {
    for (const kind of ['commit', 'operation', 'outbox']) work.wake(t, kind, conversation);
  }
  for (const kind of ROWS) for (const key of t.keys({ name: kind })) work.wake(t, kind, key);
}

/** Asks for the heads of everything once more. */
export function poll(t: Transaction, relay: Uint8Array): void {
  if (t.get(LINK, relay)?.session !== false) return;
  for (const [key, source] of t.entries(SOURCE)) {
    if (same(source.relay, relay)) t.put(SOURCE, key, { ...source, told: false });
  }
  wakeAll(t);
  work.setTimer(t, 'poll', relay, t.now + POLL_INTERVAL);
}

export async function pushed(t: Transaction, { source, entry }: Push): Promise<void> {
  if (t.get(TOPIC, source)) await entries.receive(t, source, entry);
  else await inboxes.pushed(t, source, entry);
}

// ---- topics ----

/** Whether the relay holds more than was read, and the next of it is not here. */
const isMissing = (t: Transaction, { id, seq }: Topic, head: number): boolean =>
  head > seq && !t.get(HELD, topics.at(id, seq + 1));

export function workTopic(t: Transaction, topic: Uint8Array): void {
  const row = t.get(TOPIC, topic);
  const found = row && t.get(CONVERSATION, row.conversation);
  if (!found || !isRead(found)) return;
  const relay = found.relay.identity;
  const name = work.item('topic', topic);
  const link = t.get(LINK, relay);
  const source = sourceOf(t, topic, relay);
  const missing = isMissing(t, row, source.head);
  if (source.told && !missing) restIfThere()?.complete(t, found, topic);
  if (!link || !work.mayCall(t, relay, name)) return;
  if (!row.created) {
    const { retentionDays } = membership(t, found.id).info;
    work.call(t, relay, name, { type: 'CreateTopic', writeSecret: writeSecret(row.topicSecret), retentionDays });
  } else if (link.session && !source.subscribed) work.wake(t, 'subscribe', relay);
  else if (!source.told || missing) {
    work.call(t, relay, name, { type: 'Fetch', topic, after: row.seq, limit: FETCH_LIMIT });
  }
}

export async function answeredTopic(
  t: Transaction,
  topic: Uint8Array,
  request: Request,
  response: Response,
): Promise<void> {
  const row = t.get(TOPIC, topic);
  if (!row || work.postponed(t, 'topic', topic, response)) return;
  const found = need(t, row.conversation);
  work.wake(t, 'topic', topic);
  const code = response.type === 'Refused' ? response.code : null;
  if (request.type === 'CreateTopic' && (response.type === 'Done' || code === RefusalCode.exists)) {
    work.succeeded(t, 'topic', topic);
    t.put(TOPIC, topic, { ...row, created: true });
    for (const kind of ['outbox', 'operation', 'commit']) work.wake(t, kind, found.id);
  } else if (request.type === 'Fetch' && response.type === 'Records') await fetched(t, found, row, request.after, response);
  else if (code === RefusalCode.unknownTopic) rest().unknownTopic(t, row);
  else {
    work.count(t, 'topic-refused');
    work.pause(t, 'topic', topic);
  }
}

async function fetched(
  t: Transaction,
  conversation: Conversation,
  row: Topic,
  after: number,
  records: Records,
): Promise<void> {
  if (records.head < after) rest().lostHistory(t, row);
  else {
    const head = told(t, conversation, row, records.head);
    for (const entry of [...records.entries].sort((a, b) => a.seq - b.seq)) await entries.receive(t, row.id, entry);
    if (isMissing(t, row, head)) rest().missed(t, conversation, row, records.head);
    else work.succeeded(t, 'topic', row.id);
  }
  work.wake(t, 'log', row.id);
}

/** The relay names its newest seq; gives the newest that it has ever named. */
function told(t: Transaction, { id, relay }: Conversation, row: Topic, named: number): number {
  const source = sourceOf(t, row.id, relay.identity);
  const head = Math.max(named, source.head);
  t.put(SOURCE, row.id, { ...source, head, told: true });
  for (const kind of ['outbox', 'operation']) work.wake(t, kind, id);
  return head;
}

// ---- subscriptions ----

/** Everything of this relay that exists there and is not subscribed yet, up to SUBSCRIBE_LIMIT of each. */
export function workSubscribe(t: Transaction, relay: Uint8Array): void {
  const name = work.item('subscribe', relay);
  if (!t.get(LINK, relay)?.session || !work.mayCall(t, relay, name)) return;
  const isNew = (key: Uint8Array): boolean => !t.get(SOURCE, key)?.subscribed;
  const ofTopics: Uint8Array[] = [];
  for (const [key, { conversation, created }] of t.entries(TOPIC)) {
    const found = t.get(CONVERSATION, conversation);
    if (found && same(found.relay.identity, relay) && isRead(found) && created && isNew(key)) ofTopics.push(key);
  }
  const ofInboxes = t
    .entries(INBOX)
    .filter(([key, inbox]) => same(inbox.relay.identity, relay) && inbox.created && !inbox.closing && isNew(key))
    .map(([, { readSecret }]) => readSecret);
  if (!ofTopics.length && !ofInboxes.length) return;
  work.call(t, relay, name, {
    type: 'Subscribe',
    topics: ofTopics.slice(0, SUBSCRIBE_LIMIT),
    inboxes: ofInboxes.slice(0, SUBSCRIBE_LIMIT),
  });
}

export function answeredSubscribe(t: Transaction, relay: Uint8Array, request: Request, response: Response): void {
  if (work.postponed(t, 'subscribe', relay, response)) return;
  if (request.type !== 'Subscribe' || response.type !== 'Heads') {
    work.pause(t, 'subscribe', relay);
    return;
  }
  if (response.topics.length !== request.topics.length || response.inboxes.length !== request.inboxes.length) {
    work.count(t, 'heads-bad');
    work.pause(t, 'subscribe', relay);
    return;
  }
  work.succeeded(t, 'subscribe', relay);
  work.wake(t, 'subscribe', relay);
  for (const [i, { known, seq }] of response.topics.entries()) {
    const topic = request.topics[i] as Uint8Array;
    const row = t.get(TOPIC, topic);
    if (!row) continue;
    const found = need(t, row.conversation);
    if (!known) rest().unknownTopic(t, row);
    else {
      t.put(SOURCE, topic, { ...sourceOf(t, topic, relay), subscribed: true });
      // Else a push overtook this answer, or the relay knows less than it did: a fetch will tell.
      if (seq >= row.seq) told(t, found, row, seq);
    }
    work.wake(t, 'topic', topic);
  }
  for (const [i, { known, seq: head }] of response.inboxes.entries()) {
    const key = inboxId(request.inboxes[i] as Uint8Array);
    const inbox = t.get(INBOX, key);
    if (!inbox) continue;
    if (known) t.put(SOURCE, key, { relay, head, told: true, subscribed: true });
    else inboxes.lost(t, inbox);
    work.wake(t, 'inbox', key);
  }
}

// ---- relays ----

/** By identity ascending: home, those of conversations that are followed, and those that something waits for. */
export function relaysNeeded(state: State): RelayAddress[] {
  const own = state.get(ME);
  if (!own) return [];
  const found = new Map<string, RelayAddress>();
  const opening: readonly number[] = [OpenedState.opening, OpenedState.requesting];
  const addresses = [
    own.relay,
    ...state.entries(CONVERSATION).flatMap(([, one]) => (isRead(one) ? [one.relay] : [])),
    ...state.entries(OPENED).flatMap(([, one]) => (opening.includes(one.state) ? [one.relay] : [])),
    ...state.entries(INBOX).map(([, one]) => one.relay),
    ...drops.relays(state),
    ...(restIfThere()?.relays(state) ?? []),
  ];
  for (const address of addresses) {
    const key = hex(address.identity);
    if (!found.has(key)) found.set(key, address);
  }
  return [...found.values()].sort((a, b) => compare(a.identity, b.identity));
}

/** Asks for connections that are needed now, and lets go of the others. */
export function useRelays(t: Transaction): void {
  const needed = relaysNeeded(t.state);
  for (const address of needed) {
    if (t.get(RELAY, address.identity)) continue;
    t.put(RELAY, address.identity, true);
    t.useRelay(address);
  }
  for (const identity of t.keys(RELAY)) {
    if (needed.some((address) => same(address.identity, identity))) continue;
    t.remove(RELAY, identity);
    disconnected(t, identity);
    t.dropRelay(identity);
  }
}
