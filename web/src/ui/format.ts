/** How names are written. They come from others: they are cleaned before they are shown anywhere. */
import { t } from './text/index.ts';

/** Controls, zero-width characters and everything that changes the direction of text around it. */
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g;
/** Four or more combining marks in a row paint over the lines above and below. */
const STACKED_MARKS = /(\p{M}{3})\p{M}+/gu;
const NAME_LIMIT = 64;

/** Hidden characters are dropped, except the zero-width joiner between emoji. */
export function cleanName(name: string): string {
  const visible = name
    .replace(/(\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?)\u200d(?=\p{Extended_Pictographic})/gu, '$1\ue000')
    .replace(HIDDEN, ' ')
    .replace(/\ue000/g, '\u200d')
    .replace(STACKED_MARKS, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  const letters = Array.from(visible);
  return letters.length > NAME_LIMIT ? `${letters.slice(0, NAME_LIMIT).join('')}…` : visible;
}

/** As cleanName, but a nameless person still gets something to be called. */
export function shownName(name: string): string {
  return cleanName(name) || t('nameless');
}

/** The protocol's longest name, in bytes of UTF-8. */
const NAME_BYTES = 128;
export const fits = (name: string): boolean => name !== '' && new TextEncoder().encode(name).length <= NAME_BYTES;

export function initials(name: string): string {
  const words = cleanName(name).split(' ').filter((word) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
  const first = (word: string | undefined): string => {
    const match = word?.match(/[\p{L}\p{N}]|\p{Extended_Pictographic}/u);
    return match ? match[0].toLocaleUpperCase() : '';
  };
  return first(words[0]) + (words.length > 1 ? first(words.at(-1)) : '');
}

/** Hues that are told apart at a glance, degrees. */
const HUES = [4, 26, 150, 176, 204, 226, 268, 330];
/** A stable colour of an identity or conversation (hex). */
export function hueOf(id: string): number {
  return HUES[Number.parseInt(id.slice(0, 6) || '0', 16) % HUES.length] as number;
}
