import { expect, test } from 'vitest';
import { computed, signal } from '../../src/ui/signals.ts';

test('a computed value follows what it read, and only that', () => {
  const on = signal(true);
  const a = signal(1);
  const b = signal(10);
  let made = 0;
  const sum = computed(() => {
    made += 1;
    return on.value ? a.value : b.value;
  });
  expect([sum.value, sum.value, made]).toEqual([1, 1, 1]);
  b.value = 20;
  expect([sum.value, made]).toEqual([1, 1]);
  a.value = 2;
  expect([sum.value, made]).toEqual([2, 2]);
  on.value = false;
  a.value = 3;
  expect([sum.value, made]).toEqual([20, 3]);
});

test('computed values stand on computed values', () => {
  const list = signal<readonly string[]>(['b', 'a']);
  const sorted = computed(() => [...list.value].sort());
  const first = computed(() => sorted.value[0]);
  expect(first.peek()).toBe('a');
  list.value = ['d', 'c'];
  expect(first.peek()).toBe('c');
});

test('a value that is the same wakes nobody', () => {
  const a = signal(1);
  let made = 0;
  const same = computed(() => ((made += 1), a.value));
  void same.value;
  a.value = 1;
  void same.value;
  expect(made).toBe(1);
});

test('peeking follows nothing', () => {
  const a = signal(1);
  let made = 0;
  const once = computed(() => ((made += 1), a.peek()));
  void once.value;
  a.value = 2;
  expect([once.value, made]).toEqual([1, 1]);
});

test('what fails while it is made fails for whoever looks, and is made again', () => {
  const broken = signal(true);
  const value = computed(() => {
    if (broken.value) throw new Error('broken');
    return 1;
  });
  expect(() => value.value).toThrow('broken');
  broken.value = false;
  expect(value.value).toBe(1);
});
