/** What is inside a bubble: text with links, quotes, reactions. */
import type { MessageView } from '../../client/types.ts';
import { countOnlyEmoji } from '../emoji.ts';
import { shownName } from '../format.ts';
import { t, tn } from '../text/index.ts';
import { Linked } from './linked.tsx';
import { contentWords } from './words.ts';

export function Text({ text }: { text: string }) {
  const emoji = countOnlyEmoji(text);
  return (
    <span class={emoji ? `text only-emoji emoji-${Math.min(emoji, 4)}` : 'text'} dir="auto">
      {emoji ? text : <Linked text={text} />}
    </span>
  );
}

export function Quote({ of, onClick }: { of: NonNullable<MessageView['replyTo']>; onClick?: () => void }) {
  return (
    <button type="button" class="quote" onClick={onClick} aria-label={t('replyTo', { name: shownName(of.senderName) })}>
      <bdi class="quote-name">{shownName(of.senderName)}</bdi>
      <span class="quote-text" dir="auto">
        {contentWords(of.kind, of.text)}
      </span>
    </button>
  );
}

export function Reactions({ of, onToggle }: { of: MessageView['reactions']; onToggle: (emoji: string) => void }) {
  return (
    <span class="reactions">
      {of.map((reaction) => (
        <button
          key={reaction.emoji}
          type="button"
          class={reaction.mine ? 'reaction mine' : 'reaction'}
          aria-pressed={reaction.mine}
          aria-label={tn('reactionBy', reaction.by.length, { emoji: reaction.emoji })}
          onClick={() => onToggle(reaction.mine ? '' : reaction.emoji)}
        >
          <span>{reaction.emoji}</span>
          {reaction.by.length > 1 && <span class="reaction-count">{reaction.by.length}</span>}
        </button>
      ))}
    </span>
  );
}
