/** Entries without a slot: application messages, opened once and handed on. */
import { MlsError } from '../mls/errors.ts';
import type { ApplicationMessage, Group } from '../mls/group.ts';
import { WireError } from '../wire/errors.ts';
import { decodeMessage, type Entry } from '../wire/messages.ts';
import type { Conversation, RemovedLeaf, Topic } from './_state.ts';
import * as contents from './contents.ts';
import { group, putGroup } from './conversation.ts';
import { attempt } from './errors.ts';
import { acceptedLeaf } from './identity.ts';
import * as outbox from './outbox.ts';
import { rest, restIfThere } from './provided.ts';
import { OWN_HASH } from './state.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** False: its body is being fetched. */
export async function process(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
): Promise<boolean> {
  const own = t.get(OWN_HASH, topics.entryHash(entry));
  if (own) {
    topics.step(t, topic, entry);
    outbox.logged(t, own, topics.order(topic, entry.seq), entry.time);
    return true;
  }
  const body = await topics.readEntry(t, topic, conversation.relay.identity, entry);
  if (body.state === 'waiting') return false;
  topics.step(t, topic, entry);
  if (body.state === 'ready') await open(t, conversation, topic, entry, body.data);
  else work.count(t, `record-${body.state}`);
  return true;
}

async function open(
  t: Transaction,
  conversation: Conversation,
  topic: Topic,
  entry: Entry,
  data: Uint8Array,
): Promise<void> {
  // Of the group in force, or one that a ReInit has ended.
  const of = restIfThere()?.groupOfMessage(t, conversation, data) ?? conversation;
  let changed: Group;
  let received: ApplicationMessage;
  try {
    [changed, received] = await group(t, of.id).decrypt(data);
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    // Of epochs before we joined, of our own re-encrypted copies, or nothing that a member made.
    work.count(t, `message-${error.code}`);
    rest().unopened(t, conversation, topic, of.id, data, error.rule);
    return;
  }
  putGroup(t, of.id, changed);
  const { sender, senderLeafIndex, epoch, authenticatedData } = received;
  const device = await acceptedLeaf(sender.credential, sender.signatureKey);
  if (!device || authenticatedData.length) {
    work.count(t, 'message-leaf');
    return;
  }
  if (senderWasRemoved(of.gone, senderLeafIndex, epoch, entry.time)) {
    work.count(t, 'message-removed');
    return;
  }
  const message = await attempt(WireError, () => decodeMessage(received.data));
  if (!message) {
    work.count(t, 'message-content');
    return;
  }
  const { seq, time } = entry;
  const order = topics.order(topic, seq);
  const place = { topic: topic.id, order, seq, time, recordHash: topics.entryHash(entry) };
  await contents.receive(t, conversation.id, device.identity, message, place);
}

/**
 * Whether a commit of the same or an earlier time removed the leaf that wrote in `epoch`: a removed member knows the
 * former topic and epochs, and what it writes there afterwards is nobody's message.
 */
export function senderWasRemoved(
  gone: readonly RemovedLeaf[],
  leaf: number,
  epoch: number,
  time: number,
): boolean {
  return gone.some((one) => one.leaf === leaf && one.epoch > epoch && one.time <= time);
}
