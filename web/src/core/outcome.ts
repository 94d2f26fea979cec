/** What becomes of our messages: the log holds them, or they will never be sent. */
import { decodeContent, RefusalCode, type Response } from '../wire/messages.ts';
import type { Outgoing } from './_state.ts';
import * as blobs from './blobs.ts';
import { need, received, setLast } from './conversation.ts';
import { me } from './identity.ts';
import { setProblem, updateOwnPreview, updatePreview } from './notes.ts';
import { remove } from './outbox.ts';
import { OUTBOX } from './state.ts';
import { missing } from './topicends.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** The log holds the message at `order`. */
export function sent(t: Transaction, outgoing: Outgoing, order: number, time: number): void {
  const { conversation, id } = outgoing;
  const content = decodeContent(outgoing.content);
  const by = me(t).identity;
  switch (content.type) {
    case 'Text':
    case 'FileReference': {
      const status = 'sent';
      t.amend(conversation, id, { type: 'Ordered', order, time });
      t.amend(conversation, id, { type: 'StatusChanged', status });
      t.notify({ type: 'MessageChanged', conversation, id });
      // Others may have written while it waited: in the log it is the newest.
      const { sent } = outgoing;
      setLast(t, received({ conversation, id, sender: by, mine: true, sent, time, order, content, status }));
      return;
    }
    case 'Edit':
      t.amend(conversation, content.target, { type: 'Edited', by, text: content.text, order });
      updateOwnPreview(t, conversation, content.target, content.text);
      break;
    case 'Delete':
      t.amend(conversation, content.target, { type: 'Deleted', by });
      updateOwnPreview(t, conversation, content.target, '');
      break;
    case 'Reaction':
      t.amend(conversation, content.target, { type: 'Reacted', by, emoji: content.emoji, order });
      break;
    case 'Intent':
      work.wake(t, 'left', conversation);
      return;
    default:
      return;
  }
  t.notify({ type: 'MessageChanged', conversation, id: content.target });
}

/** The relay does not take it as it is. */
export function publishRefused(t: Transaction, key: Uint8Array, outgoing: Outgoing, response: Response): void {
  const { conversation, topic, blob } = outgoing;
  const code = response.type === 'Refused' ? response.code : null;
  if (code === RefusalCode.unknownTopic && topic) {
    work.pause(t, 'out', key);
    missing(t, topic);
  } else if (code === RefusalCode.unknownBlob && blobs.again(t, need(t, conversation).relay.identity, blob)) {
    work.pause(t, 'out', key);
  } else fail(t, key);
}

/** The message will never be sent. */
export function fail(t: Transaction, key: Uint8Array): void {
  const outgoing = t.get(OUTBOX, key);
  if (!outgoing) return;
  remove(t, key, outgoing);
  if (!['Text', 'FileReference'].includes(decodeContent(outgoing.content).type)) return;
  const { conversation, id } = outgoing;
  const status = 'failed';
  t.amend(conversation, id, { type: 'StatusChanged', status });
  t.notify({ type: 'MessageChanged', conversation, id });
  updatePreview(t, conversation, id, { status });
  setProblem(t, conversation, 'message-failed');
}

/** The conversation is over for us. */
export function failAll(t: Transaction, conversation: Uint8Array): void {
  for (const key of t.keys(OUTBOX, conversation)) fail(t, key);
}
