/** A StoredMessage as bytes inside its row, with a version of its own. */
import { NEWEST, type StoredContent, type StoredMessage, type SystemKind } from '../core/history.ts';
import * as cbor from '../wire/cbor.ts';
import { decodeContent, encodeContent } from '../wire/messages.ts';
import { StoreError } from './errors.ts';

const VERSION = 1;

const optional = (value: number | string | null | undefined): cbor.Value => (value == null ? [] : [value]);

/** An order, or true for NEWEST, which is above the integers that CBOR holds here. */
const place = (order: number | null): cbor.Value => (order === NEWEST ? [true] : optional(order));

function writeContent(content: StoredContent): cbor.Value {
  if (content.type === 'System') return [1, content.kind, [...content.subjects], optional(content.text)];
  if (content.type === 'Unknown') return [2, content.tag];
  return [0, encodeContent(content)];
}

/** Everything of the message. */
export function encodeStored(m: StoredMessage): Uint8Array {
  const reactions = m.reactions.map((r) => [r.identity, r.emoji, optional(r.order)]);
  return cbor.encode([
    VERSION, m.conversation, m.id, m.sender, m.mine, m.sent, optional(m.time), optional(m.order),
    writeContent(m.content), optional(m.status), place(m.edited), m.deleted, reactions, [...m.delivered], [...m.read],
  ]);
}

type Row = readonly [
  version: number, conversation: Uint8Array, id: Uint8Array, sender: Uint8Array, mine: boolean, sent: number,
  time: [] | [number], order: [] | [number],
  content: [0, Uint8Array] | [1, SystemKind, Uint8Array[], [] | [string]] | [2, number],
  status: [] | ['waiting' | 'sent' | 'failed'], edited: [] | [number | true], deleted: boolean,
  reactions: [Uint8Array, string, [] | [number]][], delivered: Uint8Array[], read: Uint8Array[],
];

function readContent(content: Row[8]): StoredContent {
  switch (content[0]) {
    case 0:
      return decodeContent(content[1]);
    case 1:
      return { type: 'System', kind: content[1], subjects: content[2], text: content[3][0] };
    case 2:
      return { type: 'Unknown', tag: content[1] };
  }
}

/**
 * What `encodeStored` made: the seal around it shows that we wrote it, so its version says its form.
 *
 * @throws StoreError `store-too-new`
 */
export function decodeStored(data: Uint8Array): StoredMessage {
  const row = cbor.decode(data) as unknown as Row;
  if (row[0] !== VERSION) throw new StoreError('too-new');
  const [, conversation, id, sender, mine, sent, time, order, content, status, edited, deleted, reactions, delivered, read] = row;
  const editedAt = edited[0] ?? null;
  return {
    conversation, id, sender, mine, sent, time: time[0] ?? null, order: order[0] ?? null, content: readContent(content),
    status: status[0] ?? null, edited: editedAt === true ? NEWEST : editedAt, deleted,
    reactions: reactions.map(([identity, emoji, at]) => ({ identity, emoji, order: at[0] ?? null })), delivered, read,
  };
}
