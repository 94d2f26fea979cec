/** Turns messages into the rows of a chat: day separators, the unread divider, and bubbles grouped by who wrote them when. */
import type { Hex, MessageView } from '../../client/types.ts';
import { daysBetween } from '../times.ts';

export type Row =
  | { kind: 'day'; key: string; time: number }
  | { kind: 'unread'; key: string }
  | { kind: 'system'; key: string; message: MessageView }
  | { kind: 'message'; key: string; message: MessageView; first: boolean; last: boolean };

/** Messages of one person within this time form one group. */
const GROUP_GAP = 5 * 60_000;
/** A sender's clock that is further off than this is not believed. */
const CLOCK_TOLERANCE = 5 * 60_000;

/** The time shown for a message: the sender's clock, or the relay's where the two disagree. */
export function shownTime(message: MessageView): number {
  return message.time !== null && Math.abs(message.time - message.sent) > CLOCK_TOLERANCE ? message.time : message.sent;
}

function together(a: MessageView | undefined, b: MessageView | undefined): boolean {
  if (!a || !b || a.kind === 'system' || b.kind === 'system' || a.sender !== b.sender) return false;
  const [earlier, later] = [shownTime(a), shownTime(b)];
  return Math.abs(later - earlier) <= GROUP_GAP && daysBetween(earlier, later) === 0;
}

/** `unreadFrom`: the first message that was unread when the chat was opened. */
export function makeRows(messages: readonly MessageView[], unreadFrom: Hex | null): Row[] {
  const rows: Row[] = [];
  messages.forEach((message, index) => {
    const before = messages[index - 1];
    const after = messages[index + 1];
    const time = shownTime(message);
    if (!before || daysBetween(shownTime(before), time) !== 0) rows.push({ kind: 'day', key: `day ${message.id}`, time });
    const divided = message.id === unreadFrom;
    if (divided) rows.push({ kind: 'unread', key: 'unread' });
    if (message.kind === 'system') rows.push({ kind: 'system', key: message.id, message });
    else {
      const first = divided || !together(before, message);
      const last = after?.id === unreadFrom || !together(message, after);
      rows.push({ kind: 'message', key: message.id, message, first, last });
    }
  });
  return rows;
}

/** The id of the first of the last `unread` messages that others sent, or null. */
export function firstUnread(messages: readonly MessageView[], unread: number): Hex | null {
  let left = unread;
  let found: Hex | null = null;
  for (let index = messages.length - 1; index >= 0 && left > 0; index -= 1) {
    const message = messages[index] as MessageView;
    if (message.mine || message.kind === 'system') continue;
    found = message.id;
    left -= 1;
  }
  return found;
}
