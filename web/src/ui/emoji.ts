/** Emoji: which messages are nothing but a few of them, and the ones at hand for reactions. */

const ONE = String.raw`(?:\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3|\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?(?:\u200d\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?)*[\u{e0020}-\u{e007f}]*)`;
const ONLY = new RegExp(String.raw`^(?:${ONE}\s*)+$`, 'u');
const EACH = new RegExp(ONE, 'gu');

/** The number of emoji in a text of nothing else, up to 6; otherwise 0. */
export function countOnlyEmoji(text: string): number {
  if (text.length > 80 || !ONLY.test(text) || !/\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3/u.test(text)) return 0;
  const found = text.match(EACH)?.length ?? 0;
  return found <= 6 ? found : 0;
}

export const QUICK_REACTIONS = ['👍', '❤️', '😂', '😮', '😢', '🙏'] as const;
