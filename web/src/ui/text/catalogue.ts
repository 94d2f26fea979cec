/** What every language has to say: English is the measure. */
import type { en } from './en.ts';
import type { later } from './en_later.ts';
import type { Plural } from './plural.ts';

type Words<T> = { [K in keyof T]: T[K] extends string ? string : Plural };
/** What the first screens say, and what can come after them. */
export type FirstWords = Words<typeof en>;
export type LaterWords = Words<typeof later>;
export type Catalogue = FirstWords & LaterWords;
export type TextKey = { [K in keyof Catalogue]: Catalogue[K] extends string ? K : never }[keyof Catalogue];
export type PluralKey = Exclude<keyof Catalogue, TextKey>;
