/** What the person does. Each may raise CoreError; then nothing has changed. The rest enters most of it. */
import { WireError } from '../wire/errors.ts';
import { type Content, encodeContent } from '../wire/messages.ts';
import * as contacts from './contacts.ts';
import { isBlockedDirect, membership, needActive, peer, received, show } from './conversation.ts';
import { attempt, CoreError } from './errors.ts';
import type { SingleAction } from './events.ts';
import * as identity from './identity.ts';
import * as outbox from './outbox.ts';
import { rest } from './provided.ts';
import type { Transaction } from './transaction.ts';

export function act(t: Transaction, action: SingleAction): void | Promise<void> {
  switch (action.type) {
    case 'CreateIdentity':
      return identity.create(t, action.name, action.relay);
    case 'UseInvite':
      return contacts.useInvite(t, action.link, action.relay);
    case 'SendContactRequest':
      return contacts.sendRequest(t, action.id, action.text);
    case 'SendContent':
      return send(t, action.conversation, action.content, action.id);
    default:
      return rest().act(t, action);
  }
}

/** @throws CoreError `bad-content` */
export async function checkContent(content: Content): Promise<void> {
  const sendable = content.type === 'Text' ? content.text.trim() : rest().isSendable(content);
  if (!sendable || !(await attempt(WireError, () => encodeContent(content)))) throw new CoreError('bad-content');
}

/** Shown at once; sent when its turn comes. */
async function send(
  t: Transaction,
  conversation: Uint8Array,
  content: Content,
  given: Uint8Array | null,
): Promise<void> {
  const found = needActive(t, conversation);
  await checkContent(content);
  if (given && given.length !== 16) throw new CoreError('bad-content');
  const own = identity.me(t).identity;
  const other = peer(membership(t, conversation), own);
  if (other && isBlockedDirect(t, found, other)) throw new CoreError('blocked');
  const id = outbox.queue(t, conversation, content, given);
  if (content.type === 'Text' || content.type === 'FileReference') {
    const place = { sent: t.time, time: null, order: null } as const;
    show(t, received({ conversation, id, sender: own, mine: true, ...place, content, status: 'waiting' }));
  } else rest().amendOwn(t, found, content);
}
