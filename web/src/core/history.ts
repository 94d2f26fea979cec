/** A conversation's messages as the client's storage keeps them; amendments.ts changes them. */
import type { Content, Unknown } from '../wire/messages.ts';

/** `order = ordinal of the topic * TOPIC_STEP + seq`: a topic holds fewer than 2^32 records, 2^53 leaves 2^21 topics. */
export const TOPIC_STEP = 2 ** 32;
/** Above every order: stands for an amendment of our own that has no place in the log yet. */
export const NEWEST = 2 ** 53;

export type SystemKind =
  | 'created'
  | 'added'
  | 'removed'
  | 'left'
  | 'renamed'
  | 'admin'
  | 'unadmin'
  | 'joined'
  | 'suite'
  | 'problem'
  | 'unknown';

/**
 * Something that happened to the conversation. `subjects`: whom; `text`: the new name, post-quantum or classical, or the
 * problem's code.
 */
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
