/** How messages change: pure, by order, whatever comes first. */
import { expect, it } from 'vitest';
import { apply, mayAmend } from '../../src/core/amendments.ts';
import type { Amendment, StoredMessage } from '../../src/core/history.ts';

const [ANNA, BORIS] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

function message(changes: Partial<StoredMessage> = {}): StoredMessage {
  return {
    conversation: new Uint8Array(16),
    id: new Uint8Array(16),
    sender: ANNA,
    mine: false,
    sent: 5,
    time: 6,
    order: 7,
    content: { type: 'Text', text: 'text' },
    status: null,
    edited: null,
    deleted: false,
    reactions: [],
    delivered: [],
    read: [],
    ...changes,
  };
}

const after = (start: StoredMessage, ...amendments: Amendment[]): StoredMessage =>
  amendments.reduce((found, amendment) => apply(found, amendment) ?? found, start);
const edited = (by: Uint8Array, text: string, order: number | null): Amendment => ({ type: 'Edited', by, text, order });
const reacted = (by: Uint8Array, emoji: string, order: number | null): Amendment => ({ type: 'Reacted', by, emoji, order });
const seen = (by: Uint8Array, kind: 'delivered' | 'read'): Amendment => ({ type: 'ReceiptSeen', by, kind });
const deleted = (by: Uint8Array): Amendment => ({ type: 'Deleted', by });

function permutations<T>(items: readonly T[]): T[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));
}

it('lets only the sender edit and delete', () => {
  expect(apply(message(), edited(BORIS, 'other', 9))).toBeNull();
  expect(apply(message(), deleted(BORIS))).toBeNull();
  expect(after(message(), edited(ANNA, 'new', 9)).content).toEqual({ type: 'Text', text: 'new' });
  expect(after(message(), deleted(ANNA)).deleted).toBe(true);
  const system = message({ content: { type: 'System', kind: 'left', subjects: [ANNA] } });
  expect(mayAmend(system, ANNA)).toBe(false);
  expect(apply(system, deleted(ANNA))).toBeNull();
  expect(apply(system, reacted(BORIS, 'x', 9))).toBeNull();
});

it('takes the latest edit in log order, whatever comes first', () => {
  for (const order of permutations([edited(ANNA, 'one', 10), edited(ANNA, 'two', 20), edited(ANNA, 'three', 30)])) {
    expect(after(message(), ...order).content).toEqual({ type: 'Text', text: 'three' });
  }
});

it('takes the latest reaction in log order, whatever comes first', () => {
  const reactions = [reacted(BORIS, 'x', 10), reacted(BORIS, '', 20), reacted(BORIS, 'y', 30), reacted(ANNA, 'z', 15)];
  for (const order of permutations(reactions)) {
    const found = after(message(), ...order).reactions.map(({ identity, emoji }) => [identity, emoji]);
    expect(found).toEqual([[ANNA, 'z'], [BORIS, 'y']]);
  }
});

it('shows our own above all until it has its place', () => {
  let shown = after(message(), reacted(BORIS, 'mine', null), reacted(BORIS, 'older', 10));
  expect(shown.reactions.map(({ emoji }) => emoji)).toEqual(['mine']);
  shown = after(shown, reacted(BORIS, 'mine', 20), reacted(BORIS, 'older', 10), reacted(BORIS, 'newer', 30));
  expect(shown.reactions.map(({ emoji }) => emoji)).toEqual(['newer']);
  const found = after(message(), edited(ANNA, 'mine', null), edited(ANNA, 'older', 10), edited(ANNA, 'mine', 20));
  expect([found.content, found.edited]).toEqual([{ type: 'Text', text: 'mine' }, 20]);
});

it('keeps deleted what was deleted', () => {
  const gone = after(message(), deleted(ANNA));
  expect(apply(gone, edited(ANNA, 'back', 99))).toBeNull();
  expect(apply(gone, reacted(BORIS, 'x', 99))).toBeNull();
  expect([gone.content, gone.order]).toEqual([{ type: 'Text', text: '' }, 7]);
});

it('counts the first place', () => {
  expect(after(message(), { type: 'Ordered', order: 5, time: 50 }).order).toBe(5);
  expect(apply(message(), { type: 'Ordered', order: 9, time: 50 })).toBeNull();
  expect(after(message({ order: null, time: null }), { type: 'Ordered', order: 9, time: 50 }).time).toBe(50);
});

it('changes captions, and believes no receipts for what is not ours', () => {
  const [blob, key] = [new Uint8Array(32), new Uint8Array(32)];
  const content = { type: 'FileReference', blob, key, size: 1, name: 'n', mediaType: 't' } as const;
  expect(after(message({ content }), edited(ANNA, 'words', 9)).content).toEqual({ ...content, caption: 'words' });
  const mine = message({ mine: true });
  expect(after(mine, seen(BORIS, 'read')).delivered).toEqual([BORIS]);
  expect(after(mine, seen(BORIS, 'delivered')).read).toEqual([]);
  expect(apply(mine, seen(ANNA, 'read'))).toBeNull();
  expect(apply(message(), seen(BORIS, 'read'))).toBeNull();
  expect(after(mine, { type: 'StatusChanged', status: 'failed' }).status).toBe('failed');
});
