import type { ConversationView, Hex } from '../../client/types.ts';
import { shownName } from '../format.ts';
import { nameOf, typing } from '../state.ts';
import { t, tn } from '../text/index.ts';

/** Who writes just now, in a few words; empty when nobody does. */
export function typingWords(conversation: ConversationView): string {
  const who = typing.value[conversation.id] ?? [];
  if (who.length === 0) return '';
  if (conversation.kind === 'direct') return t('typing');
  if (who.length === 1) return t('typingOne', { name: shownName(nameOf(who[0] as Hex, conversation)) });
  return tn('typingMany', who.length);
}
