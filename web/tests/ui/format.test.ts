import { beforeAll, describe, expect, test, vi } from 'vitest';

vi.stubGlobal('navigator', { languages: ['en-GB'] });
vi.stubGlobal('document', { documentElement: {} });
const { cleanName, fits, hueOf, initials, shownName } = await import('../../src/ui/format.ts');
const { daysBetween } = await import('../../src/ui/times.ts');
const { fileSize } = await import('../../src/ui/sizes.ts');
const { loadLanguage, loadLater, rich, t, tn } = await import('../../src/ui/text/index.ts');

beforeAll(async () => {
  await loadLanguage('en');
  await loadLater();
});

describe('names that others chose', () => {
  test.each([
    ['invoice\u202egpj.exe', 'invoice gpj.exe'],
    ['\u2066Anna\u2069', 'Anna'],
    ['A\u200bn\u200dna', 'A n na'],
    ['  two \n lines ', 'two lines'],
    ['👩\u200d👧', '👩\u200d👧'],
    ['e\u0301\u0301\u0301\u0301\u0301\u0301', 'e\u0301\u0301\u0301'],
  ])('%j becomes %j', (name, clean) => expect(cleanName(name)).toBe(clean));

  test('are cut', () => expect(Array.from(cleanName('x'.repeat(500)))).toHaveLength(65));
  test('are never nothing', () => expect(shownName('\u200b')).toBe('No name'));
  test('fit the protocol in bytes', () => {
    expect(fits('я'.repeat(64))).toBe(true);
    expect(fits('я'.repeat(65))).toBe(false);
    expect(fits('')).toBe(false);
  });
});

test.each([
  ['Anna Maria Lindqvist', 'AL'],
  ['борис', 'Б'],
  ['🦊 Fox', '🦊F'],
  ['— —', ''],
  ['', ''],
])('initials of %j are %j', (name, wanted) => expect(initials(name)).toBe(wanted));

test('a colour stays the same and is one of eight', () => {
  expect(hueOf('00000a'.padEnd(64, '0'))).toBe(hueOf('00000a'.padEnd(64, 'f')));
  const all = new Set(Array.from({ length: 64 }, (_, index) => hueOf(index.toString(16).padStart(6, '0'))));
  expect(all.size).toBe(8);
});

test('days are counted by the calendar', () => {
  const late = new Date(2026, 2, 1, 23, 59).getTime();
  expect(daysBetween(late, late + 2 * 60_000)).toBe(1);
  expect(daysBetween(late, late)).toBe(0);
});

test('sizes', () => {
  expect(fileSize(2_418_330)).toBe('2.4 MB');
  expect(fileSize(0)).toBe('0 bytes');
  expect(fileSize(104_857_600)).toBe('105 MB');
});

test('inserted names cannot turn the sentence around', () => {
  expect(t('typingOne', { name: 'Anna' })).toBe('\u2068Anna\u2069 is writing…');
  expect(tn('members', 1)).toBe('1 member');
  expect(tn('members', 1200)).toBe('1,200 members');
  expect(rich('waitingFor', { name: 'x' }).join('')).toBe('Waiting for x');
});

test('Russian counts in three forms', async () => {
  await loadLanguage('ru');
  expect([1, 2, 5, 11, 21, 22].map((n) => tn('members', n))).toEqual(['1 участник', '2 участника', '5 участников', '11 участников', '21 участник', '22 участника']);
  await loadLanguage('en');
});
