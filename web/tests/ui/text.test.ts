import { readdirSync, readFileSync } from 'node:fs';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { CODES } from '../../src/core/problems.ts';
import { chooseLanguage } from '../../src/ui/text/index.ts';
import type { Plural } from '../../src/ui/text/plural.ts';
import { en } from '../../src/ui/text/en.ts';
import { later as enLater } from '../../src/ui/text/en_later.ts';
import { ru } from '../../src/ui/text/ru.ts';
import { later as ruLater } from '../../src/ui/text/ru_later.ts';

type Words = Record<string, string | Plural>;
const english: Words = { ...en, ...enLater };
const russian: Words = { ...ru, ...ruLater };
const source = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const forms = (text: string | Plural): string[] => (typeof text === 'string' ? [text] : Object.values(text));
const places = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort();

test('both languages have the same keys, in the same part', () => {
  expect(Object.keys(ru).sort()).toEqual(Object.keys(en).sort());
  expect(Object.keys(ruLater).sort()).toEqual(Object.keys(enLater).sort());
  expect(Object.keys(english).length).toBe(Object.keys(en).length + Object.keys(enLater).length);
});

test('every text is there and fills the same places in both languages', () => {
  for (const [key, text] of Object.entries(english)) {
    const other = russian[key] as string | Plural;
    expect(typeof other, key).toBe(typeof text);
    const wanted = [...new Set(forms(text).flatMap(places))].sort();
    expect([...new Set(forms(other).flatMap(places))].sort(), key).toEqual(wanted);
    for (const form of [...forms(text), ...forms(other)]) expect(form.trim(), key).toBe(form);
    for (const form of [...forms(text), ...forms(other)]) expect(form, key).not.toBe('');
  }
});

test('counted texts have every form that their language counts in', () => {
  const languages = [
    ['en', english],
    ['ru', russian],
  ] as const;
  for (const [tag, words] of languages) {
    const needed = new Intl.PluralRules(tag).resolvedOptions().pluralCategories;
    const counted = Object.entries(words).filter(([, text]) => typeof text !== 'string');
    expect(counted.length).toBeGreaterThan(5);
    for (const [key, text] of counted) expect(Object.keys(text).sort(), `${tag} ${key}`).toEqual([...needed].sort());
  }
});

test('Russian is written in Russian', () => {
  const names = new Set(['appName', 'searchKeys']);
  for (const [key, text] of Object.entries(russian)) for (const form of forms(text)) if (!names.has(key) && places(form).join('') !== form) expect(form, key).toMatch(/[а-яё]/i);
});

/** Codes as the layers below declare them: members of a union, or keys of a table. */
function codes(path: string, from: string, to: string): string[] {
  const text = source(path);
  const start = text.indexOf(from);
  expect(start, `${path}: ${from}`).toBeGreaterThanOrEqual(0);
  const found = [...text.slice(start, text.indexOf(to, start)).matchAll(/'([a-z]+(?:-[a-z]+)*)'/g)].map((match) => match[1] as string);
  expect(found.length, path).toBeGreaterThan(1);
  return found;
}

test('every code of an error has words that say what to do', () => {
  const all = [
    ...codes('src/client/errors.ts', 'type ClientCode', ';'),
    ...codes('src/client/errors.ts', 'constructor(kind:', ',').map((kind) => `store-${kind}`),
    ...codes('src/core/errors.ts', 'type CoreCode', ';'),
    ...codes('src/wire/links.ts', 'type LinkRule', ';'),
    ...codes('src/client/types.ts', 'interface Shortage', ';'),
    ...CODES,
  ];
  const missing = all.filter((code) => !(`error:${code}` in english));
  expect(missing).toEqual([]);
});

test('what stands in the page itself is in the catalogue too', () => {
  const page = source('index.html');
  for (const words of [english, russian]) for (const key of ['slowStart', 'noScript']) expect(page).toContain(words[key]);
});

/** Attributes that people see or hear. `label` of our own parts is a key of the catalogue. */
const SPOKEN = new Set(['aria-label', 'title', 'placeholder', 'alt']);
type Node = { type: string; [key: string]: unknown };

function literals(node: unknown, found: string[]): void {
  if (Array.isArray(node)) {
    for (const each of node) literals(each, found);
    return;
  }
  if (typeof node !== 'object' || node === null) return;
  const { type } = node as Node;
  const letters = (value: unknown): value is string => typeof value === 'string' && /\p{L}{2}/u.test(value);
  if (type === 'JSXText' && letters((node as Node)['value'])) found.push(String((node as Node)['value']).trim());
  if (type === 'JSXAttribute') {
    const name = ((node as Node)['name'] as Node)['name'] as string;
    const value = (node as Node)['value'] as Node | null;
    if (SPOKEN.has(name) && value?.type === 'Literal' && letters(value['value'])) found.push(`${name}=${String(value['value'])}`);
  }
  for (const [key, value] of Object.entries(node)) if (key !== 'type') literals(value, found);
}

test('no component holds text of its own', () => {
  const folder = new URL('../../src/ui/', import.meta.url);
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((file) => file.endsWith('.tsx'));
  expect(files.length).toBeGreaterThan(25);
  for (const file of files) {
    const { program, errors } = parseSync(file, readFileSync(new URL(file, folder), 'utf8'));
    expect(errors, file).toEqual([]);
    const found: string[] = [];
    literals(program, found);
    expect(found, file).toEqual([]);
  }
});

test('the check for text in components finds it', () => {
  const found: string[] = [];
  literals(parseSync('a.tsx', 'const x = <p title="Hello"><b>Some words</b>{1}</p>').program, found);
  expect(found).toEqual(['title=Hello', 'Some words']);
});

test('the language is the first of the person’s that there is', () => {
  expect(chooseLanguage('auto', ['ru-RU', 'en'])).toBe('ru');
  expect(chooseLanguage('auto', ['de', 'en-GB', 'ru'])).toBe('en');
  expect(chooseLanguage('auto', ['kk-KZ'])).toBe('ru');
  expect(chooseLanguage('auto', ['ja'])).toBe('en');
  expect(chooseLanguage('ru', ['en'])).toBe('ru');
});
