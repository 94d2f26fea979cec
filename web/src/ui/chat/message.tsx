/** One message: its bubble, and what can be done with it. */
import { useState } from 'preact/hooks';
import type { ConversationView, MessageView } from '../../client/types.ts';
import { countOnlyEmoji } from '../emoji.ts';
import { hueOf } from '../format.ts';
import { clock, dayLabel, fullTime } from '../times.ts';
import { Avatar } from '../parts/avatar.tsx';
import { IconButton, Name } from '../parts/basics.tsx';
import { Later } from '../parts/later.tsx';
import { t } from '../text/index.ts';
import { conversation } from '../state.ts';
import { isPicture } from './media.ts';
import { Quote, Reactions, Text } from './body.tsx';
import { shownTime } from './rows.ts';
import { Status } from './status.tsx';
import { systemWords } from './words.ts';

const loadAttachment = async () => (await import('./attachment.tsx')).Attachment;

export interface MessageActions {
  reply(message: MessageView): void;
  react(message: MessageView, emoji: string): void;
  menu(message: MessageView, at: { x: number; y: number }): void;
  /** Offers reactions beside `anchor`. */
  pick(message: MessageView, anchor: Element): void;
  jump(id: string): void;
  view(message: MessageView, address: string): void;
}

interface Props {
  message: MessageView;
  first: boolean;
  last: boolean;
  kind: ConversationView['kind'];
  actions: MessageActions;
}

function Meta({ message }: { message: MessageView }) {
  const time = shownTime(message);
  return (
    <span class="meta">
      {message.edited && <span>{t('edited')}</span>}
      <time dateTime={new Date(time).toISOString()} title={fullTime(time)}>
        {clock(time)}
      </time>
      {message.mine && message.status && <Status status={message.status} />}
    </span>
  );
}

function Content({ message, actions }: { message: MessageView; actions: MessageActions }) {
  if (message.deleted) return <span class="text gone">{t('deletedMessage')}</span>;
  if (message.kind === 'unknown') return <span class="text gone">{t('unknownMessage')}</span>;
  const { file, text } = message;
  const caption = file ? file.caption : text;
  return (
    <>
      {file && <Later load={loadAttachment} props={{ message, file, onOpen: (address: string) => actions.view(message, address) }} />}
      {caption && <Text text={caption} />}
    </>
  );
}

export function Message({ message, first, last, kind, actions }: Props) {
  const [hovered, setHovered] = useState(false);
  const { mine, deleted, file } = message;
  const named = kind === 'group' && !mine;
  const { replyTo } = message;
  const alone = !deleted && !replyTo && !(named && first);
  const emoji = alone && !file && countOnlyEmoji(message.text ?? '') > 0;
  const bare = emoji || (alone && Boolean(file && isPicture(file.mediaType) && !file.caption));
  const classes = ['message', mine ? 'mine' : 'theirs', first && 'first', last && 'last', named && 'named', bare && 'bare', emoji && 'emoji', message.reactions.length > 0 && 'reacted'];
  return (
    <li
      class={classes.filter(Boolean).join(' ')}
      data-id={message.id}
      tabIndex={-1}
      onMouseEnter={() => setHovered(true)}
      onMouseLeave={() => setHovered(false)}
      onContextMenu={(event) => {
        if (event.target instanceof Element && event.target.closest('a')) return;
        event.preventDefault();
        actions.menu(message, { x: event.clientX, y: event.clientY });
      }}
    >
      {named && last && <Avatar id={message.sender} name={message.senderName} size="small" />}
      <div class="bubble-line">
        <div class="bubble">
          {named && first && (
            <span class="author" style={{ '--hue': hueOf(message.sender) }}>
              <Name>{message.senderName}</Name>
            </span>
          )}
          {replyTo && !deleted && <Quote of={replyTo} onClick={() => actions.jump(replyTo.id)} />}
          <Content message={message} actions={actions} />
          <Meta message={message} />
        </div>
        {hovered && !deleted && (
          <div class="hover-actions">
            <IconButton icon="smile" label="react" onClick={(event) => actions.pick(message, event.currentTarget as Element)} />
            <IconButton icon="reply" label="reply" onClick={() => actions.reply(message)} />
            <IconButton icon="more" label="more" onClick={(event) => actions.menu(message, { x: event.clientX, y: event.clientY })} />
          </div>
        )}
      </div>
      {message.reactions.length > 0 && <Reactions of={message.reactions} onToggle={(emoji) => actions.react(message, emoji)} />}
    </li>
  );
}

export function SystemMessage({ message }: { message: MessageView }) {
  if (!message.system) return null;
  return (
    <li class={message.system.kind === 'problem' ? 'pill problem' : 'pill'} data-id={message.id}>
      <span>{systemWords(message.system, conversation(message.conversation))}</span>
    </li>
  );
}

export function DayPill({ time }: { time: number }) {
  return (
    <div class="pill day-pill">
      <span>{dayLabel(time, Date.now())}</span>
    </div>
  );
}
