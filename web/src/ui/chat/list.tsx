/** The messages of a chat, oldest first. */
import { useComputed, useSignal } from '../signals.ts';
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { ConversationView, Hex, MessageView } from '../../client/types.ts';
import { IconButton } from '../parts/basics.tsx';
import { Later } from '../parts/later.tsx';
import { client, conversation as conversationById } from '../state.ts';
import { t, tn } from '../text/index.ts';
import type { listenToTouch } from './gestures.ts';
import type { History } from './history.ts';
import { DayPill, Message, SystemMessage, type MessageActions } from './message.tsx';
import { loadOlder } from './older.ts';
import { firstUnread, makeRows, type Row } from './rows.ts';
import { FETCH_AHEAD, findRow, lastSeen, markStuck, remember, restore } from './scroll.ts';
import { typingWords } from './typing.ts';
import { useUploads } from './uploads.ts';
import { spoken } from './words.ts';

interface Props {
  conversation: ConversationView;
  history: History;
  actions: Omit<MessageActions, 'jump'>;
  onEscape: () => void;
}

/** Pages fetched at most to reach a quoted message. */
const JUMP_PAGES = 40;
const loadUploadRow = async () => (await import('./upload_row.tsx')).UploadRow;
/** Scrolling has ended when nothing moved for this long. */
const RESTING_MS = 900;

/** Gestures are loaded where there are fingers. */
function watchTouch(...given: Parameters<typeof listenToTouch>): () => void {
  let stop: (() => void) | null = null;
  let gone = false;
  if (matchMedia('(any-pointer: coarse)').matches) {
    void import('./gestures.ts').then(
      (gestures) => {
        if (!gone) stop = gestures.listenToTouch(...given);
      },
      () => undefined,
    );
  }
  return () => {
    gone = true;
    stop?.();
  };
}

interface Drawn {
  message: MessageView;
  first: boolean;
  last: boolean;
  node: VNode;
}

/** A row whose message did not change keeps its node, so that nothing of it is computed again. */
function draw(row: Row & { kind: 'message' }, drawn: Map<Hex, Drawn>, kind: ConversationView['kind'], actions: MessageActions): VNode {
  const { message, first, last } = row;
  const before = drawn.get(message.id);
  if (before && before.message === message && before.first === first && before.last === last) return before.node;
  const node = <Message key={row.key} message={message} first={first} last={last} kind={kind} actions={actions} />;
  drawn.set(message.id, { message, first, last, node });
  return node;
}

function byDay(rows: readonly Row[]): { key: string; time: number; rows: Row[] }[] {
  const days: { key: string; time: number; rows: Row[] }[] = [];
  for (const row of rows) {
    if (row.kind === 'day') days.push({ key: row.key, time: row.time, rows: [] });
    else days.at(-1)?.rows.push(row);
  }
  return days;
}

export function MessageList({ conversation, history, actions, onEscape }: Props) {
  const id = conversation.id;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const drawn = useRef(new Map<Hex, Drawn>());
  const away = useSignal(!history.atEnd);
  const unreadFrom = useSignal<Hex | null | undefined>(undefined);
  const marked = useRef<Hex | null>(null);
  const heard = useRef<Hex | null>(null);
  const announcement = useSignal('');
  const messages = history.messages.value;
  const waiting = useUploads(id);
  // Its message may be here a moment before the client has put the file away.
  const leaving = waiting.filter((upload) => !messages?.some((message) => message.id === upload.id));
  /** Those just picked. */
  const picked = leaving.filter((upload) => upload.state === 'preparing').length;
  const left = useRef(picked);

  if (messages && unreadFrom.peek() === undefined) unreadFrom.value = firstUnread(messages, conversation.unread);

  const jump = async (target: Hex): Promise<void> => {
    const place = scroller.current;
    if (!place) return;
    for (let page = 0; page < JUMP_PAGES && !findRow(place, target) && !history.complete; page += 1) {
      await loadOlder(client(), history);
      await new Promise(requestAnimationFrame);
    }
    const row = findRow(place, target);
    if (!row) return;
    history.atEnd = false;
    row.scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
    row.classList.remove('flash');
    requestAnimationFrame(() => row.classList.add('flash'));
  };
  const all = useMemo<MessageActions>(() => ({ ...actions, jump: (target) => void jump(target) }), []);
  const rows = useComputed(() => makeRows(history.messages.value ?? [], unreadFrom.value ?? null));

  const markSeen = (): void => {
    const place = scroller.current;
    const current = conversationById(id);
    if (!place || !current || current.unread === 0 || document.visibilityState !== 'visible' || !document.hasFocus()) return;
    const seen = lastSeen(place);
    if (!seen || seen === marked.current) return;
    marked.current = seen;
    client().markRead(id, seen).catch(() => (marked.current = null));
  };

  const looked = (): void => {
    const place = scroller.current;
    if (!place) return;
    remember(place, history);
    markStuck(place);
    away.value = !history.atEnd;
    markSeen();
    if (place.scrollTop < FETCH_AHEAD) void loadOlder(client(), history);
  };

  // Opened for the first time: begin at what is unread.
  const shown = messages !== null;
  useLayoutEffect(() => {
    const place = scroller.current;
    if (!shown || !place) return;
    const divider = place.querySelector('.unread-divider');
    if (divider && history.atEnd) {
      place.scrollTop += divider.getBoundingClientRect().top - place.getBoundingClientRect().top - 80;
      remember(place, history);
    } else restore(place, history);
    looked();
  }, [shown]);

  useLayoutEffect(() => {
    const place = scroller.current;
    const newest = messages?.at(-1);
    if (!place || !newest) return;
    const news = newest.id !== heard.current;
    if (heard.current !== null && news) {
      if (newest.mine) {
        history.atEnd = true;
        unreadFrom.value = null;
      } else if (newest.kind !== 'system') announcement.value = spoken(newest);
    }
    heard.current = newest.id;
    if (picked > left.current) history.atEnd = true;
    left.current = picked;
    restore(place, history);
    looked();
  }, [messages, leaving.length, picked]);

  useEffect(() => {
    const place = scroller.current;
    const inside = content.current;
    if (!place || !inside) return undefined;
    let frame = 0;
    let resting: ReturnType<typeof setTimeout> | undefined;
    const onScroll = (): void => {
      place.classList.add('scrolling');
      clearTimeout(resting);
      resting = setTimeout(() => place.classList.remove('scrolling'), RESTING_MS);
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(looked);
    };
    const keep = new ResizeObserver(() => history.atEnd && restore(place, history));
    keep.observe(place);
    keep.observe(inside);
    const back = (): void => markSeen();
    const find = (target: Hex): MessageView | undefined => history.messages.peek()?.find((message) => message.id === target);
    const stopTouch = watchTouch(
      inside,
      (target, at) => {
        const message = find(target);
        if (message) all.menu(message, at);
      },
      (target) => {
        const message = find(target);
        if (message && !message.deleted) all.reply(message);
      },
    );
    place.addEventListener('scroll', onScroll, { passive: true });
    addEventListener('focus', back);
    document.addEventListener('visibilitychange', back);
    return () => {
      cancelAnimationFrame(frame);
      clearTimeout(resting);
      keep.disconnect();
      stopTouch();
      place.removeEventListener('scroll', onScroll);
      removeEventListener('focus', back);
      document.removeEventListener('visibilitychange', back);
    };
  }, []);

  const onKeyDown = (event: KeyboardEvent): void => {
    const items = [...(content.current?.querySelectorAll<HTMLElement>('li.message') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const go = (index: number): void => {
      event.preventDefault();
      items[index]?.focus();
      items[index]?.scrollIntoView({ block: 'nearest' });
    };
    if (event.key === 'ArrowUp') go(at < 0 ? items.length - 1 : Math.max(at - 1, 0));
    else if (event.key === 'ArrowDown' && at >= 0) go(Math.min(at + 1, items.length - 1));
    else if (event.key === 'Home' && at >= 0) go(0);
    else if (event.key === 'End' && at >= 0) go(items.length - 1);
    else if ((event.key === 'Enter' || event.key === 'ContextMenu') && at >= 0 && event.target === items[at]) {
      const message = history.messages.peek()?.find((each) => each.id === items[at]?.dataset['id']);
      const box = items[at]?.querySelector('.bubble')?.getBoundingClientRect();
      event.preventDefault();
      if (message && box) all.menu(message, { x: box.left + 20, y: box.top + box.height / 2 });
    } else if (event.key === 'Escape' && at >= 0) {
      event.stopPropagation();
      onEscape();
    }
  };

  const toEnd = (): void => {
    const place = scroller.current;
    if (!place) return;
    history.atEnd = true;
    place.scrollTo({ top: place.scrollHeight, behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  };

  return (
    <div class="messages-place">
      <div class="scroller" ref={scroller} tabIndex={0} role="group" aria-label={t('messages')} onKeyDown={onKeyDown}>
        <div class="messages" ref={content}>
          {messages?.length === 0 && conversation.state === 'active' && <Greeting conversation={conversation} />}
          {byDay(rows.value).map((day) => (
            <ol key={day.key} class="day">
              <DayPill time={day.time} />
              {day.rows.map((row) =>
                row.kind === 'message' ? (
                  draw(row, drawn.current, conversation.kind, all)
                ) : row.kind === 'system' ? (
                  <SystemMessage key={row.key} message={row.message} />
                ) : (
                  <li key={row.key} class="unread-divider">
                    <span>{t('unreadMessages')}</span>
                  </li>
                ),
              )}
            </ol>
          ))}
          <ol class="day">
            {leaving.map((upload) => (
              <Later key={upload.id} load={loadUploadRow} props={{ upload }} />
            ))}
          </ol>
          <TypingBubble conversation={conversation} />
        </div>
      </div>
      {away.value && (
        <div class="to-end">
          <IconButton icon="down" label="toEnd" onClick={toEnd} />
          {conversation.unread > 0 && (
            <span class="badge" aria-label={tn('unread', conversation.unread)}>
              {conversation.unread}
            </span>
          )}
        </div>
      )}
      <div class="hidden" aria-live="polite">
        {announcement.value}
      </div>
    </div>
  );
}

function Greeting({ conversation }: { conversation: ConversationView }) {
  return (
    <div class="greeting">
      <p>{t(conversation.kind === 'group' ? 'emptyGroup' : 'emptyChat')}</p>
    </div>
  );
}

function TypingBubble({ conversation }: { conversation: ConversationView }) {
  const text = typingWords(conversation);
  if (!text) return null;
  return (
    <div class="typing" aria-label={text}>
      <i />
      <i />
      <i />
      {conversation.kind === 'group' && <span>{text}</span>}
    </div>
  );
}
