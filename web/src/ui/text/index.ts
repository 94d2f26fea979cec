/** Every word that a person reads comes from here: `t`, `tn` (counted), `rich` (with elements inside), in the language in use. */
import { signal } from '../signals.ts';
import type { ComponentChild } from 'preact';
import type { Catalogue, FirstWords, LaterWords, PluralKey, TextKey } from './catalogue.ts';
import type { Plural } from './plural.ts';

export type { TextKey };

export type Language = 'en' | 'ru';
type Values = Record<string, string | number>;

/** Each language is two chunks of its own: nobody downloads another, and nobody waits for the second. */
const loaders: Record<Language, { first: () => Promise<FirstWords>; later: () => Promise<LaterWords> }> = {
  en: { first: async () => (await import('./en.ts')).en, later: async () => (await import('./en_later.ts')).later },
  ru: { first: async () => (await import('./ru.ts')).ru, later: async () => (await import('./ru_later.ts')).later },
};

const catalogue = signal<Partial<Catalogue>>({});
export const language = signal<Language>('en');
let rules = new Intl.PluralRules('en');
let coming: Promise<boolean> | null = null;

export function chooseLanguage(choice: 'auto' | Language, preferred: readonly string[] = navigator.languages): Language {
  if (choice !== 'auto') return choice;
  for (const tag of preferred) {
    const base = tag.slice(0, 2).toLowerCase();
    if (base === 'ru' || base === 'be' || base === 'kk' || base === 'ky' || base === 'tg') return 'ru';
    if (base === 'en') return 'en';
  }
  return 'en';
}

/** Loads the first words; of a language that is in use already, all. */
export async function loadLanguage(next: Language): Promise<void> {
  const all = coming !== null;
  const words = await loaders[next].first();
  const rest = all ? await loaders[next].later() : {};
  rules = new Intl.PluralRules(next);
  language.value = next;
  catalogue.value = { ...words, ...rest };
  document.documentElement.lang = next;
}

/** Loads the rest; once, unless it fails. Resolves to whether it is there. */
export function loadLater(): Promise<boolean> {
  const wanted = language.peek();
  coming ??= loaders[wanted].later().then(
    (words) => {
      if (language.peek() === wanted) catalogue.value = { ...catalogue.peek(), ...words };
      return true;
    },
    () => {
      coming = null;
      return false;
    },
  );
  return coming;
}

/** Undefined until its part has come; whoever asked is drawn anew then. */
function lookup<K extends keyof Catalogue>(key: K): Catalogue[K] | undefined {
  const found = (catalogue.value as Partial<Record<keyof Catalogue, Catalogue[K]>>)[key];
  if (found === undefined) void loadLater();
  return found;
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
  const text = lookup(key) ?? '';
  return values ? fill(text, values) : text;
}

/** A text by a code that comes from below, where there is one for it. */
export function tryText(key: string): string | null {
  const words = catalogue.value as Record<string, string | Plural | undefined>;
  const found = words[key];
  if (found === undefined) void loadLater();
  return typeof found === 'string' && Object.hasOwn(words, key) ? found : null;
}

/** A text with values, whose key is put together; empty where there is none. */
export function fillText(key: string, values: Values): string | null {
  const text = tryText(key);
  return text === null ? null : fill(text, values);
}

export function tn(key: PluralKey, count: number, values: Values = {}): string {
  const plural = lookup(key);
  if (!plural) return '';
  const form = plural[rules.select(count) as keyof Plural] ?? plural.other;
  return fill(form, { n: count, ...values });
}

/** A text whose places are filled with elements. */
export function rich(key: TextKey, values: Record<string, ComponentChild>): ComponentChild[] {
  return (lookup(key) ?? '')
    .split(/\{(\w+)\}/)
    .map((piece, index) => (index % 2 ? values[piece] : piece));
}
