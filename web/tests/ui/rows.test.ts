import { expect, test } from 'vitest';
import type { MessageView } from '../../src/client/types.ts';
import { firstUnread, makeRows, shownTime } from '../../src/ui/chat/rows.ts';
import { countOnlyEmoji } from '../../src/ui/emoji.ts';

const NOON = new Date(2026, 4, 5, 12).getTime();
const MINUTE = 60_000;
let made = 0;

function message(part: Partial<MessageView>): MessageView {
  made += 1;
  return { id: String(made), conversation: 'c', sender: 'a', senderName: 'A', mine: false, sent: NOON, time: part.sent ?? NOON, kind: 'text', text: 'x', edited: false, deleted: false, status: null, reactions: [], deliveredTo: [], readBy: [], ...part };
}

const shape = (messages: MessageView[], unread: string | null = null): string =>
  makeRows(messages, unread)
    .map((row) => (row.kind === 'message' ? `${row.first ? '[' : ''}${row.message.sender}${row.last ? ']' : ''}` : row.kind))
    .join(' ');

test('messages of one person within five minutes are one group', () => {
  const all = [0, 1, 2, 8].map((minutes) => message({ sent: NOON + minutes * MINUTE }));
  expect(shape(all)).toBe('day [a a a] [a]');
  expect(shape([message({}), message({ sender: 'b' }), message({})])).toBe('day [a] [b] [a]');
});

test('a new day, the unread divider and what happened in the group part a group', () => {
  const late = new Date(2026, 4, 5, 23, 59).getTime();
  expect(shape([message({ sent: late }), message({ sent: late + 2 * MINUTE })])).toBe('day [a] day [a]');
  const all = [message({}), message({}), message({})];
  expect(shape(all, (all[1] as MessageView).id)).toBe('day [a] unread [a a]');
  expect(shape([message({}), message({ kind: 'system' }), message({})])).toBe('day [a] system [a]');
});

test('the divider stands before the first of the unread, which are others’', () => {
  const all = [message({}), message({}), message({ mine: true }), message({ kind: 'system' }), message({})];
  expect(firstUnread(all, 2)).toBe((all[1] as MessageView).id);
  expect(firstUnread(all, 0)).toBeNull();
  expect(firstUnread(all, 99)).toBe((all[0] as MessageView).id);
});

test('a sender’s clock that is far off is not believed', () => {
  expect(shownTime(message({ sent: NOON, time: NOON + 4 * MINUTE }))).toBe(NOON);
  expect(shownTime(message({ sent: NOON, time: NOON + 6 * MINUTE }))).toBe(NOON + 6 * MINUTE);
  expect(shownTime(message({ sent: NOON, time: null }))).toBe(NOON);
});

test.each([
  ['🎉', 1],
  ['❤️ 👍🏽', 2],
  ['👨‍👩‍👧‍👦🇷🇺', 2],
  ['1️⃣', 1],
  ['😀😀😀😀😀😀', 6],
  ['😀😀😀😀😀😀😀', 0],
  ['ok 👍', 0],
  ['123', 0],
  ['#', 0],
  ['', 0],
])('%s is %i emoji and nothing else', (text, count) => expect(countOnlyEmoji(text)).toBe(count));
