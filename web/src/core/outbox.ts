/** Our messages on their way: encrypted when their turn comes, published until the log holds them. */
import { concat } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import { recordHash, recordKey, writeSecret } from '../wire/labels.ts';
import {
  type Content,
  decodeContent,
  encodeContent,
  encodeMessage,
  type Request,
  type Response,
} from '../wire/messages.ts';
import { sealRecord } from '../wire/record.ts';
import { type Conversation, ConversationState, type Outgoing } from './_state.ts';
import * as bodies from './bodies.ts';
import { group, isRead, need, nextNumber, putGroup } from './conversation.ts';
import * as entries from './entries.ts';
import { me } from './identity.ts';
import { rest } from './provided.ts';
import { CONVERSATION, OUTBOX, OWN_COMMITS, OWN_HASH, SEEN, TOPIC } from './state.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Messages of one conversation on their way at once: on a path with a second's delay, eight a second. */
const WINDOW = 8;

/** Draws the message's id where none is given; gives it back. */
export function queue(t: Transaction, conversation: Uint8Array, content: Content, given?: Uint8Array | null): Uint8Array {
  const id = given ?? t.random.bytes(16);
  const named = content.type === 'FileReference' ? [content.blob] : [];
  const row = { conversation, id, sent: t.time, content: encodeContent(content), blobs: named, hashes: [] };
  t.put(OUTBOX, nextNumber(t, conversation), row);
  work.wake(t, 'outbox', conversation);
  return id;
}

/** Publishes the first messages that wait. */
export async function workConversation(t: Transaction, conversation: Uint8Array): Promise<void> {
  const found = t.get(CONVERSATION, conversation);
  // What was queued before the conversation was left or closed still goes; a group that a ReInit has ended sends nothing.
  if (!found || !isRead(found) || found.state === ConversationState.moving || !epochIsOurs(t, found)) return;
  const relay = found.relay.identity;
  for (const key of t.keys(OUTBOX, conversation).slice(0, WINDOW)) {
    const name = work.item('out', key);
    if (work.inFlight(t, name) || work.isPlaced(t, name)) continue;
    // What was written later does not overtake.
    if (!work.mayCall(t, relay, name)) return;
    const outgoing = await withRecord(t, found, key);
    const topic = t.get(TOPIC, found.topic);
    if (!outgoing?.record || !topic) continue;
    if (!bodies.uploaded(t, relay, outgoing.blob)) return;
    const { record, blob } = outgoing;
    const named = blob ? [...outgoing.blobs, blob] : outgoing.blobs;
    work.call(t, relay, name, {
      type: 'Publish',
      writeSecret: writeSecret(topic.topicSecret),
      record,
      blobs: named.length ? named : undefined,
    });
  }
}

/**
 * Whether those who can read the present epoch are those whom we mean. Not before the founding commit: nobody else could;
 * not while a commit of ours is on its way: whom it removes still could; not before the log is known to its end: whom
 * others removed still could.
 */
export function epochIsOurs(t: Transaction, conversation: Conversation): boolean {
  return !conversation.founding && !t.get(OWN_COMMITS, conversation.id) && topics.inSync(t, conversation);
}

/** The message with a record of the current epoch and topic, made now if it has none. */
async function withRecord(
  t: Transaction,
  conversation: Conversation,
  key: Uint8Array,
): Promise<Outgoing | undefined> {
  const outgoing = t.get(OUTBOX, key);
  const topic = t.get(TOPIC, conversation.topic);
  if (!outgoing || !topic) return undefined;
  const { id, epoch } = conversation;
  if (outgoing.record && outgoing.epoch === epoch && outgoing.topic && same(outgoing.topic, topic.id)) return outgoing;
  bodies.release(t, conversation.relay.identity, outgoing.blob);
  const message = encodeMessage({
    id: outgoing.id,
    sent: outgoing.sent,
    content: decodeContent(outgoing.content),
    topic: topic.id,
    seq: topic.seq,
    head: topic.head,
    deviceList: me(t).listNumber,
  });
  const [changed, sealed] = await group(t, id).encrypt(message, { random: t.random });
  putGroup(t, id, changed);
  const prepared = await bodies.prepare(t, sealed);
  bodies.want(t, conversation.relay, prepared);
  const record = await sealRecord(recordKey(topic.topicSecret), topic.id, prepared.body, t.random);
  const made = recordHash(record);
  const hashes = [...outgoing.hashes, made];
  const changedRow: Outgoing = { ...outgoing, record, epoch, topic: topic.id, blob: prepared.blob, hashes };
  t.put(OUTBOX, key, changedRow);
  t.put(OWN_HASH, made, key);
  return changedRow;
}

export async function answered(t: Transaction, key: Uint8Array, request: Request, response: Response): Promise<void> {
  const conversation = key.slice(0, 16);
  work.wake(t, 'outbox', conversation);
  if (request.type !== 'Publish') return;
  const placed = response.type !== 'Published' || (await entries.published(t, request, response));
  const outgoing = t.get(OUTBOX, key);
  if (!outgoing?.topic) return;
  if (response.type === 'Published') {
    work.answeredPublish(t, 'out', key, placed);
    return;
  }
  if (work.postponed(t, 'out', key, response)) return;
  rest().publishRefused(t, key, outgoing, response);
}

/** The log holds the message at `order`. */
export function logged(t: Transaction, key: Uint8Array, order: number, time: number): void {
  const outgoing = t.get(OUTBOX, key);
  if (!outgoing) return;
  remove(t, key, outgoing);
  t.put(SEEN, concat(outgoing.conversation, outgoing.id), { order, time });
  if (isProfile(outgoing)) return;
  rest().sent(t, outgoing, order, time);
}

export function isProfile({ content }: Outgoing): boolean {
  return decodeContent(content).type === 'Profile';
}

export function remove(t: Transaction, key: Uint8Array, outgoing: Outgoing): void {
  bodies.release(t, need(t, outgoing.conversation).relay.identity, outgoing.blob);
  for (const made of outgoing.hashes) t.remove(OWN_HASH, made);
  t.remove(OUTBOX, key);
  work.succeeded(t, 'out', key);
}

/** After loading: which records are ours. */
export function restore(t: Transaction): void {
  for (const [key, { hashes }] of t.entries(OUTBOX)) for (const made of hashes) t.put(OWN_HASH, made, key);
}
