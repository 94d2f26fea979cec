/** Every word that a person reads comes from here: `t`, `tn` (counted), `rich` (with elements inside), in the language in use. */
import { signal } from '@preact/signals';
import type { ComponentChild } from 'preact';
import type { en } from './en.ts';

export interface Plural {
  one?: string;
  few?: string;
  many?: string;
  other: string;
}
export type Catalogue = { [K in keyof typeof en]: (typeof en)[K] extends string ? string : Plural };
export type TextKey = { [K in keyof Catalogue]: Catalogue[K] extends string ? K : never }[keyof Catalogue];
export type PluralKey = Exclude<keyof Catalogue, TextKey>;
export type Language = 'en' | 'ru';
type Values = Record<string, string | number>;

/** Each language is a chunk of its own: nobody downloads the other. */
const loaders: Record<Language, () => Promise<Catalogue>> = {
  en: async () => (await import('./en.ts')).en,
  ru: async () => (await import('./ru.ts')).ru,
};

const catalogue = signal<Catalogue | null>(null);
export const language = signal<Language>('en');
let rules = new Intl.PluralRules('en');

export function chooseLanguage(choice: 'auto' | Language, preferred: readonly string[] = navigator.languages): Language {
  if (choice !== 'auto') return choice;
  for (const tag of preferred) {
    const base = tag.slice(0, 2).toLowerCase();
    if (base === 'ru' || base === 'be' || base === 'kk' || base === 'ky' || base === 'tg') return 'ru';
    if (base === 'en') return 'en';
  }
  return 'en';
}

export async function loadLanguage(next: Language): Promise<void> {
  const loaded = await loaders[next]();
  rules = new Intl.PluralRules(next);
  language.value = next;
  catalogue.value = loaded;
  document.documentElement.lang = next;
}

function lookup<K extends keyof Catalogue>(key: K): Catalogue[K] {
  const loaded = catalogue.value;
  if (loaded === null) throw new Error('no language is loaded');
  return loaded[key];
}

/** First-strong isolate around an inserted name, so that its direction does not leak into the sentence. */
const isolate = (value: string | number): string => (typeof value === 'number' ? format(value) : `\u2068${value}\u2069`);

function format(value: number): string {
  return new Intl.NumberFormat(language.value).format(value);
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? isolate(values[name] as string | number) : whole));
}

export function t(key: TextKey, values?: Values): string {
  const text = lookup(key);
  return values ? fill(text, values) : text;
}

/** Whether the catalogue has this key: for codes that come from below. */
export function hasText(key: string): key is TextKey {
  const loaded = catalogue.value;
  return loaded !== null && Object.hasOwn(loaded, key);
}

export function tn(key: PluralKey, count: number, values: Values = {}): string {
  const plural = lookup(key);
  const form = plural[rules.select(count) as keyof Plural] ?? plural.other;
  return fill(form, { n: count, ...values });
}

/** A text whose places are filled with elements. */
export function rich(key: TextKey, values: Record<string, ComponentChild>): ComponentChild[] {
  return lookup(key)
    .split(/\{(\w+)\}/)
    .map((piece, index) => (index % 2 ? values[piece] : piece));
}
