/** The list of chats. */
import { useComputed, useSignal } from '../signals.ts';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ConversationView, Hex } from '../../client/types.ts';
import { cleanName, shownName } from '../format.ts';
import { beginIdleIn, QUIET_MS } from '../idle.ts';
import { listTime } from '../times.ts';
import { attempt } from '../notices.ts';
import { Avatar, ConversationAvatar } from '../parts/avatar.tsx';
import { IconButton, Name } from '../parts/basics.tsx';
import { Icon, Logo } from '../parts/icon.tsx';
import { LinkNote } from '../parts/link_note.tsx';
import '../parts/more_icons.ts';
import { roving } from '../parts/roving.ts';
import { open, openAlone, openedChat } from '../route.ts';
import { conversations, draftOf, me, nameOf, openedInvites, requests } from '../state.ts';
import { t, tn } from '../text/index.ts';
import { Status } from '../chat/status.tsx';
import { typingWords } from '../chat/typing.ts';
import { lastWords } from '../chat/words.ts';
import { addStyles } from '../parts/styles.ts';
import { update } from '../update.ts';
import marksCss from '../styles/marks.css?inline';
import chatsCss from './chats.css?inline';
import { listenToKeys } from './keys.ts';

addStyles(marksCss);
addStyles(chatsCss);

/** Lines are cut by the list's width long before this. */
const LINE = 200;
const oneLine = (text: string): string => text.slice(0, LINE).replace(/\s+/g, ' ');

function Preview({ of, chosen }: { of: ConversationView; chosen: boolean }) {
  const draft = chosen ? '' : draftOf(of.id).trim();
  const typed = typingWords(of);
  const { last } = of;
  if (typed) return <span class="chat-line typing-words">{typed}</span>;
  if (draft) {
    return (
      <span class="chat-line">
        <span class="draft">{t('draft')}</span> <bdi>{oneLine(draft)}</bdi>
      </span>
    );
  }
  if (of.state === 'joining') return <span class="chat-line">{t('joining')}</span>;
  if (!last) return <span class="chat-line">{t(of.kind === 'group' ? 'newGroupLine' : 'newChatLine')}</span>;
  const who = last.kind === 'system' ? '' : last.mine ? t('you') : of.kind === 'group' && last.sender ? shownName(nameOf(last.sender, of)) : '';
  return (
    <span class="chat-line">
      {who && <bdi class="chat-who">{who}: </bdi>}
      {last.kind === 'file' && <Icon name="attach" />}
      <bdi>{oneLine(lastWords(last, of.kind))}</bdi>
    </span>
  );
}

function Row({ of, chosen }: { of: ConversationView; chosen: boolean }) {
  const { id, last, unread, problem } = of;
  const bad = (problem !== null && problem !== 'outgrown') || of.state === 'fraud' || of.state === 'stuck';
  const menu = (event: MouseEvent): void => {
    event.preventDefault();
    const { clientX: x, clientY: y } = event;
    void attempt(async () => {
      const [{ showMenu }, { chatMenu }] = await Promise.all([import('../parts/popups.tsx'), import('./chat_menu.ts')]);
      showMenu(chatMenu(of), { x, y });
    });
  };
  return (
    <li>
      <button type="button" class={chosen ? 'chat-row chosen' : 'chat-row'} aria-current={chosen} onClick={() => openAlone({ name: 'chat', id })} onContextMenu={menu}>
        <ConversationAvatar of={of} size="large" />
        <span class="chat-row-text">
          <span class="chat-row-top">
            <span class="chat-row-name">
              <Name>{of.name}</Name>
            </span>
            {last?.mine && last.status && <Status status={last.status} />}
            {last && <time class="chat-row-time">{listTime(last.time, Date.now())}</time>}
          </span>
          <span class="chat-row-bottom">
            <Preview of={of} chosen={chosen} />
            {bad && (
              <span class="badge bad" role="img" aria-label={t('problemHere')}>
                !
              </span>
            )}
            {unread > 0 && (
              <span class="badge" aria-label={tn('unread', unread)}>
                {unread > 999 ? '999+' : unread}
              </span>
            )}
          </span>
        </span>
      </button>
    </li>
  );
}

/** Contact requests to answer and invites that wait, above the chats. */
function Waiting() {
  const opened = openedInvites.value.filter((invite) => invite.state === 'opened' || invite.state === 'requested' || invite.state === 'opening');
  return (
    <>
      {requests.value.map((request) => (
        <li key={request.id}>
          <button type="button" class="chat-row asks" onClick={() => openAlone({ name: 'request', id: request.id })}>
            <Avatar id={request.identity} name={request.name} size="large" />
            <span class="chat-row-text">
              <span class="chat-row-top">
                <span class="chat-row-name">
                  <Name>{request.name}</Name>
                </span>
                <time class="chat-row-time">{listTime(request.time, Date.now())}</time>
              </span>
              <span class="chat-row-bottom">
                <span class="chat-line accent">{t('wantsToChat')}</span>
                <span class="badge">1</span>
              </span>
            </span>
          </button>
        </li>
      ))}
      {opened.map((invite) => (
        <li key={invite.id}>
          <button type="button" class="chat-row" onClick={() => openAlone({ name: 'invited', id: invite.id })}>
            <Avatar id={invite.identity || invite.id} name={invite.name} size="large" />
            <span class="chat-row-text">
              <span class="chat-row-top">
                <span class="chat-row-name">{invite.name ? <Name>{invite.name}</Name> : t('invitation')}</span>
              </span>
              <span class="chat-row-bottom">
                <span class="chat-line">{t(invite.state === 'requested' ? 'waitingLine' : invite.state === 'opened' ? 'invitedLine' : 'openingInvite')}</span>
              </span>
            </span>
          </button>
        </li>
      ))}
    </>
  );
}

function Empty() {
  return (
    <div class="empty">
      <Logo />
      <h2>{t('noChatsTitle')}</h2>
      <p>{t('noChatsText')}</p>
      <button type="button" class="button" onClick={() => open({ name: 'invite' })}>
        <Icon name="invite" />
        {t('inviteFriend')}
      </button>
      <button type="button" class="button quiet" onClick={() => open({ name: 'paste-link' })}>
        {t('haveLink')}
      </button>
    </div>
  );
}

export function Chats() {
  useEffect(listenToKeys, []);
  useEffect(() => beginIdleIn(QUIET_MS), []);
  const search = useSignal('');
  const found = useComputed(() => {
    const wanted = cleanName(search.value).toLocaleLowerCase();
    return wanted ? conversations.value.filter((each) => cleanName(each.name).toLocaleLowerCase().includes(wanted)) : conversations.value;
  });
  const drawn = useRef(new Map<Hex, { of: ConversationView; chosen: boolean; node: VNode }>());
  const opened = openedChat.value;
  const row = (of: ConversationView): VNode => {
    const chosen = of.id === opened;
    const before = drawn.current.get(of.id);
    if (before?.of === of && before.chosen === chosen) return before.node;
    const node = <Row key={of.id} of={of} chosen={chosen} />;
    drawn.current.set(of.id, { of, chosen, node });
    return node;
  };
  const searching = search.value.trim() !== '';
  const empty = conversations.value.length === 0 && requests.value.length === 0 && openedInvites.value.every((invite) => invite.state === 'accepted' || invite.state === 'failed');
  const start = update.value;
  return (
    <nav class="screen chats" aria-label={t('chats')}>
      <header class="bar">
        <button type="button" class="own-avatar" aria-label={t('settings')} title={t('settings')} onClick={() => open({ name: 'settings' })}>
          <Avatar id={me.value.identity} name={me.value.name} />
        </button>
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder={t('search')}
            aria-label={t('search')}
            title={t('searchKeys')}
            value={search.value}
            onInput={(event) => (search.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              const first = found.peek()[0];
              if (event.key === 'Escape') {
                event.stopPropagation();
                search.value = '';
                event.currentTarget.blur();
              } else if (event.key === 'Enter' && first) {
                search.value = '';
                event.currentTarget.blur();
                openAlone({ name: 'chat', id: first.id });
              } else if (event.key === 'ArrowDown') {
                event.preventDefault();
                document.querySelector<HTMLElement>('.chat-row')?.focus();
              }
            }}
          />
        </label>
        <IconButton icon="edit" label="newChat" onClick={() => open({ name: 'new-chat' })} />
      </header>
      <LinkNote />
      {start && (
        <div class="strip" role="status">
          <Icon name="refresh" />
          <span>{t('updateReady')}</span>
          <button type="button" class="strip-action" onClick={start}>
            {t('updateNow')}
          </button>
        </div>
      )}
      {empty ? (
        <Empty />
      ) : (
        <ul class="chat-list" onKeyDown={roving('.chat-row')}>
          {!searching && <Waiting />}
          {found.value.map(row)}
          {searching && found.value.length === 0 && <li class="none">{t('nothingFound')}</li>}
        </ul>
      )}
    </nav>
  );
}
