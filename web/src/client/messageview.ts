/** From a stored message to what the user interface shows. */
import type { StoredMessage } from '../core/history.ts';
import { hex } from '../crypto/bytes.ts';
import { same } from '../wire/bytes.ts';
import type { FileReference } from '../wire/messages.ts';
import type { ContentKind, FileView, MessageStatus, MessageView } from './types.ts';

/** Identity to name; `difference`: the relay's clock minus this device's, ms. */
export interface Names {
  name(identity: Uint8Array): string;
}

/** sent, then delivered and read by at least one other member. */
function statusOf(message: StoredMessage): MessageStatus | null {
  if (!message.mine || message.content.type === 'System') return null;
  if (message.status !== 'sent') return message.status;
  if (message.read.length) return 'read';
  return message.delivered.length ? 'delivered' : 'sent';
}

function kindOf(message: StoredMessage): ContentKind {
  switch (message.content.type) {
    case 'Text':
      return 'text';
    case 'FileReference':
      return 'file';
    case 'System':
      // What a newer version's member has sent, and this one cannot show.
      return message.content.kind === 'unknown' ? 'unknown' : 'system';
    default:
      return 'unknown';
  }
}

function reactionsOf(message: StoredMessage, me: Uint8Array): MessageView['reactions'] {
  const found = new Map<string, { emoji: string; by: string[]; mine: boolean }>();
  for (const { identity, emoji } of message.reactions) {
    if (!emoji) continue;
    const row = found.get(emoji) ?? { emoji, by: [], mine: false };
    found.set(emoji, row);
    row.by.push(hex(identity));
    row.mine ||= same(identity, me);
  }
  return [...found.values()];
}

const shortText = (message: StoredMessage): string =>
  message.content.type === 'Text'
    ? message.content.text.slice(0, 200)
    : message.content.type === 'FileReference'
      ? message.content.caption || message.content.name
      : '';

export function fileView({ name, mediaType, size, width, height, preview, caption }: FileReference): FileView {
  return {
    name,
    mediaType,
    size,
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(preview && { preview }),
    ...(caption !== undefined && { caption }),
  };
}

/** `replied`: the message that this one answers, where it is known here. */
export function messageView(
  message: StoredMessage,
  names: Names,
  me: Uint8Array,
  difference: number,
  replied: StoredMessage | null,
): MessageView {
  const { content } = message;
  const view: MessageView = {
    id: hex(message.id),
    conversation: hex(message.conversation),
    sender: hex(message.sender),
    senderName: names.name(message.sender),
    mine: message.mine,
    sent: message.sent - difference,
    time: message.time === null ? null : message.time - difference,
    kind: kindOf(message),
    edited: message.edited !== null,
    deleted: message.deleted,
    status: statusOf(message),
    reactions: reactionsOf(message, me),
    deliveredTo: message.delivered.map(hex),
    readBy: message.read.map(hex),
  };
  if (content.type === 'Text') view.text = content.text;
  if (content.type === 'FileReference') view.file = fileView(content);
  if (content.type === 'System' && content.kind !== 'unknown') {
    view.system = {
      kind: content.kind,
      by: message.sender.some((b) => b !== 0) ? view.sender : null,
      subjects: content.subjects.map(hex),
      ...(content.text !== undefined && { text: content.text }),
    };
  }
  if (replied) {
    view.replyTo = {
      id: hex(replied.id),
      senderName: names.name(replied.sender),
      text: shortText(replied),
      kind: kindOf(replied),
    };
  }
  return view;
}
