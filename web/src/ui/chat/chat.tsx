/** A conversation: its bar, its messages, and the place to write. */
import { useSignal } from '../signals.ts';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ConversationView, Hex, MessageView } from '../../client/types.ts';
import { attempt, words } from '../notices.ts';
import { ConversationAvatar } from '../parts/avatar.tsx';
import { IconButton, Name } from '../parts/basics.tsx';
import { dialog, showDialog } from '../parts/overlay.tsx';
import { Icon } from '../parts/icon.tsx';
import { LinkNote } from '../parts/link_note.tsx';
import { showMenu, showPicker } from '../parts/popups.tsx';
import { back, home, open, wide } from '../route.ts';
import { client, conversation as conversationById } from '../state.ts';
import { t, tn } from '../text/index.ts';
import { Composer, type Mode } from './composer.tsx';
import { historyOf } from './history.ts';
import { MessageList, typingWords } from './list.tsx';

export function Chat({ id }: { id: Hex }) {
  const conversation = conversationById(id);
  if (!conversation) return <div class="chat" />;
  return <OpenChat conversation={conversation} />;
}

function subtitle(conversation: ConversationView): string {
  if (conversation.state === 'joining') return t('joining');
  if (conversation.kind === 'group') return tn('members', conversation.members.length);
  return conversation.members.some((member) => !member.me && member.verified) ? t('verifiedPerson') : t('encrypted');
}

function Header({ conversation }: { conversation: ConversationView }) {
  const typed = typingWords(conversation);
  return (
    <header class="bar chat-bar">
      <IconButton icon="back" label="back" onClick={back} className="bar-back" />
      <button type="button" class="chat-title" onClick={() => open({ name: 'info', id: conversation.id })}>
        <ConversationAvatar of={conversation} />
        <span class="chat-title-text">
          <h1 class="chat-name">
            <Name>{conversation.name}</Name>
          </h1>
          <span class={typed ? 'chat-subtitle typing-words' : 'chat-subtitle'}>{typed || subtitle(conversation)}</span>
        </span>
      </button>
      <IconButton icon="info" label="info" onClick={() => open({ name: 'info', id: conversation.id })} />
    </header>
  );
}

/** What stands where one would write when one cannot. */
function Closed({ conversation }: { conversation: ConversationView }) {
  const { state } = conversation;
  const over = state === 'left' || state === 'removed' || state === 'closed';
  return (
    <div class={state === 'fraud' ? 'closed bad' : 'closed'}>
      <p>{t(state === 'active' ? 'cannotSend' : `state:${state}`)}</p>
      {over && (
        <button
          type="button"
          class="button quiet"
          onClick={() => {
            home();
            void attempt(() => client().deleteConversation(conversation.id));
          }}
        >
          {t('deleteChat')}
        </button>
      )}
    </div>
  );
}

const loadFiles = async () => (await import('./send_files.tsx')).SendFiles;
const loadViewer = async () => (await import('./viewer.tsx')).Viewer;

function OpenChat({ conversation }: { conversation: ConversationView }) {
  const { id } = conversation;
  const mode = useSignal<Mode>(null);
  const dragging = useSignal(false);
  const depth = useRef(0);
  const field = useRef<HTMLTextAreaElement | null>(null);
  const history = useMemo(() => historyOf(client(), id), []);
  const canSend = (): boolean => conversationById(id)?.canSend ?? false;

  const sendFiles = (files: File[]): void => {
    if (files.length === 0 || !canSend()) return;
    const how = mode.peek();
    mode.value = null;
    showDialog(loadFiles, { conversation: id, files, replyTo: how?.kind === 'reply' ? how.message.id : null });
  };
  const react = (message: MessageView, emoji: string): void => void attempt(() => client().react(id, message.id, emoji));
  const actions = useMemo(
    () => ({
      react,
      reply: (message: MessageView) => {
        if (canSend()) mode.value = { kind: 'reply', message };
      },
      menu: (message: MessageView, at: { x: number; y: number }) => {
        const current = conversationById(id);
        if (current) void attempt(async () => showMenu((await import('./message_menu.ts')).messageMenu(message, current, mode, react), at));
      },
      pick: (message: MessageView, anchor: Element) => showPicker(anchor, (emoji) => react(message, emoji)),
      view: (message: MessageView, address: string) => showDialog(loadViewer, { message, address }),
    }),
    [],
  );
  const editLast = (): void => {
    const last = history.messages.peek()?.findLast((message) => message.mine && message.kind === 'text' && !message.deleted);
    if (last) mode.value = { kind: 'edit', message: last };
  };

  // Typing anywhere in the chat writes.
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const active = document.activeElement;
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || dialog.peek()) return;
      if (event.key.length !== 1 || event.key === ' ' || active instanceof HTMLInputElement || active instanceof HTMLTextAreaElement) return;
      if (active instanceof HTMLElement && active.closest('dialog, .pane-left')) return;
      field.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  return (
    <section
      class="chat"
      onDragEnter={(event) => {
        if (!event.dataTransfer?.types.includes('Files')) return;
        depth.current += 1;
        dragging.value = canSend();
      }}
      onDragLeave={() => {
        depth.current -= 1;
        if (depth.current <= 0) dragging.value = false;
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        depth.current = 0;
        dragging.value = false;
        sendFiles([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <Header conversation={conversation} />
      {!wide.value && <LinkNote />}
      {conversation.problem && (
        <div class="strip bad" role="alert">
          <Icon name="alert" />
          <span>{words(conversation.problem)}</span>
        </div>
      )}
      {conversation.pending && (
        <div class="strip" role="status">
          <span class="spinner" />
          <span>{t('pending')}</span>
        </div>
      )}
      <MessageList conversation={conversation} history={history} actions={actions} onEscape={() => field.current?.focus()} />
      {conversation.canSend ? (
        <Composer conversation={conversation} mode={mode} field={field} onFiles={sendFiles} onPickEmoji={(anchor, insert) => showPicker(anchor, insert)} editLast={editLast} />
      ) : (
        <Closed conversation={conversation} />
      )}
      {dragging.value && (
        <div class="drop-here">
          <Icon name="attach" />
          {t('dropHere')}
        </div>
      )}
    </section>
  );
}

