/** Sentences about messages: what happened in a group, what stands in the list, what a quote shows. */
import type { ContentKind, ConversationView, LastView, MessageView, SystemView } from '../../client/types.ts';
import { cleanName, shownName } from '../format.ts';
import { words } from '../notices.ts';
import { me, nameOf } from '../state.ts';
import { fillText, t, tn, tryText } from '../text/index.ts';

/** At most this many names stand in one sentence. */
const NAMES = 4;

function listNames(identities: readonly string[], within: ConversationView | null): string {
  const names = identities.slice(0, NAMES).map((identity) => (identity === me.value.identity ? t('youInList') : shownName(nameOf(identity, within))));
  const rest = identities.length - names.length;
  return rest > 0 ? tn('namesAndMore', rest, { names: names.join(', ') }) : names.join(', ');
}

/** The most exact text there is: by me, about me, or about others. */
export function systemWords(system: SystemView, within: ConversationView | null): string {
  const own = me.value.identity;
  const opened = system.kind === 'created' || system.kind === 'joined';
  if (opened && within?.kind === 'direct') return t('emptyChat');
  if (system.kind === 'problem') return words(system.text ?? 'unexpected');
  if (system.kind === 'suite') return tryText(`sys:suite:${system.text}`) ?? '';
  const values = {
    by: system.by ? shownName(nameOf(system.by, within)) : t('someone'),
    who: listNames(system.subjects, within),
    text: cleanName(system.text ?? ''),
  };
  const aboutMe = system.subjects.length === 1 && system.subjects[0] === own;
  const view = aboutMe ? 'me' : system.by === own ? 'mine' : 'others';
  return fillText(`sys:${system.kind}:${view}`, values) ?? fillText(`sys:${system.kind}:others`, values) ?? '';
}

export function contentWords(kind: ContentKind, text: string): string {
  if (kind === 'unknown') return t('unknownMessage');
  if (kind === 'file') return text || t('file');
  return text;
}

/** One line for the list of chats; for `system`, `text` is the kind of what happened. */
export function lastWords(last: LastView, kind: ConversationView['kind']): string {
  if (last.kind === 'system') {
    if (kind === 'direct' && (last.text === 'created' || last.text === 'joined')) return t('newChatLine');
    return tryText(`last:${last.text}`) ?? t('last:changed');
  }
  if (last.kind === 'text' && last.text === '') return t('deletedMessage');
  return contentWords(last.kind, last.text);
}

/** What to say of a message to someone who hears it. */
export function spoken(message: MessageView): string {
  const text = message.deleted ? t('deletedMessage') : contentWords(message.kind, message.text ?? message.file?.name ?? '');
  return `${message.mine ? t('you') : shownName(message.senderName)}: ${text}`;
}
