/** The one way in which a stored message changes. */
import { compare, same } from '../wire/bytes.ts';
import { type Amendment, NEWEST, type StoredContent, type StoredMessage } from './history.ts';

/** Only the sender of a person's message edits or deletes it. */
export function mayAmend(message: StoredMessage, by: Uint8Array): boolean {
  return same(message.sender, by) && message.content.type !== 'System';
}

/** The message after the amendment; null where it changes nothing or is not allowed. */
export function apply(message: StoredMessage, amendment: Amendment): StoredMessage | null {
  switch (amendment.type) {
    case 'Ordered': {
      const { order, time } = amendment;
      return message.order !== null && message.order <= order ? null : { ...message, order, time };
    }
    case 'StatusChanged':
      return message.status === amendment.status ? null : { ...message, status: amendment.status };
    case 'Edited':
      return edited(message, amendment.by, amendment.text, amendment.order ?? NEWEST);
    case 'Deleted':
      if (!mayAmend(message, amendment.by) || message.deleted) return null;
      return { ...message, deleted: true, content: { type: 'Text', text: '' }, reactions: [] };
    case 'Reacted':
      return reacted(message, amendment);
    case 'ReceiptSeen':
      return receiptSeen(message, amendment.by, amendment.kind);
  }
}

function edited(message: StoredMessage, by: Uint8Array, text: string, order: number): StoredMessage | null {
  if (!mayAmend(message, by) || message.deleted) return null;
  const { content } = message;
  let changed: StoredContent;
  let before: string | undefined;
  if (content.type === 'Text') {
    before = content.text;
    changed = { ...content, text };
  } else if (content.type === 'FileReference') {
    before = content.caption;
    changed = { ...content, caption: text };
  } else return null;
  if (message.edited !== null && message.edited > order && before !== text) return null;
  return message.edited === order && before === text ? null : { ...message, content: changed, edited: order };
}

function reacted(message: StoredMessage, reaction: Amendment & { type: 'Reacted' }): StoredMessage | null {
  if (message.deleted || message.content.type === 'System') return null;
  const { by, emoji } = reaction;
  const old = message.reactions.find((r) => same(r.identity, by));
  if (old && old.emoji === emoji && old.order === reaction.order) return null;
  if (old && (old.order ?? NEWEST) > (reaction.order ?? NEWEST) && old.emoji !== emoji) return null;
  // A reaction taken back stays as an empty one: a later duplicate of an older reaction must not bring it back.
  const reactions = message.reactions.filter((r) => r !== old);
  reactions.push({ identity: by, emoji, order: reaction.order });
  return { ...message, reactions: reactions.sort((a, b) => compare(a.identity, b.identity)) };
}

function receiptSeen(message: StoredMessage, by: Uint8Array, kind: 'delivered' | 'read'): StoredMessage | null {
  if (same(message.sender, by) || !message.mine) return null;
  const delivered = withIdentity(message.delivered, by);
  const read = kind === 'read' ? withIdentity(message.read, by) : message.read;
  return delivered === message.delivered && read === message.read ? null : { ...message, delivered, read };
}

function withIdentity(identities: readonly Uint8Array[], identity: Uint8Array): readonly Uint8Array[] {
  if (identities.some((one) => same(one, identity))) return identities;
  return [...identities, identity].sort(compare);
}
