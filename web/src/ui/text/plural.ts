/** A counted word, by the plural categories of Intl.PluralRules. */
export interface Plural {
  one?: string;
  few?: string;
  many?: string;
  other: string;
}
