/** A conversation's messages as the client's storage keeps them, and the one way in which they change. */
import { compare, same } from '../wire/bytes.ts';
import type { Content, Unknown } from '../wire/messages.ts';

/** `order = ordinal of the topic * TOPIC_STEP + seq`: a topic holds fewer than 2^32 records, 2^53 leaves 2^21 topics. */
export const TOPIC_STEP = 2 ** 32;
/** Above every order: stands for an amendment of our own that has no place in the log yet. */
export const NEWEST = 2 ** 53;

export type SystemKind = 'created' | 'added' | 'removed' | 'left' | 'renamed' | 'admin' | 'unadmin' | 'joined' | 'problem' | 'unknown';

/** Something that happened to the conversation. `subjects`: whom; `text`: the new name, or the problem's code. */
export interface SystemContent {
  readonly type: 'System';
  readonly kind: SystemKind;
  readonly subjects: readonly Uint8Array[];
  readonly text?: string | undefined;
}

export type StoredContent = Content | Unknown | SystemContent;

/** `order` is null for our own, not yet in the log. */
export interface StoredReaction {
  readonly identity: Uint8Array;
  readonly emoji: string;
  readonly order: number | null;
}

export interface StoredMessage {
  readonly conversation: Uint8Array;
  readonly id: Uint8Array;
  /** Identity key; all zeros where nobody is the sender (system messages without an author). */
  readonly sender: Uint8Array;
  readonly mine: boolean;
  /** ms, the sender's clock. */
  readonly sent: number;
  /** ms, the relay's clock; null while our own message waits. */
  readonly time: number | null;
  /** Place in the conversation; null while our own message waits: it is shown last, such messages by `sent`. */
  readonly order: number | null;
  readonly content: StoredContent;
  /** Of our own messages; else null. */
  readonly status: 'waiting' | 'sent' | 'failed' | null;
  /** Order of the edit that `content` shows. */
  readonly edited: number | null;
  /** The content is gone, the place stays. */
  readonly deleted: boolean;
  /** By identity, ascending. */
  readonly reactions: readonly StoredReaction[];
  /** Identities on whose devices it is, ascending. */
  readonly delivered: readonly Uint8Array[];
  readonly read: readonly Uint8Array[];
}

export type Amendment =
  | { readonly type: 'Ordered'; readonly order: number; readonly time: number }
  | { readonly type: 'StatusChanged'; readonly status: 'waiting' | 'sent' | 'failed' }
  | { readonly type: 'Edited'; readonly by: Uint8Array; readonly text: string; readonly order: number | null }
  | { readonly type: 'Deleted'; readonly by: Uint8Array }
  | { readonly type: 'Reacted'; readonly by: Uint8Array; readonly emoji: string; readonly order: number | null }
  | { readonly type: 'ReceiptSeen'; readonly by: Uint8Array; readonly kind: 'delivered' | 'read' };

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
