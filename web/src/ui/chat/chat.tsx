/** A conversation: its bar, its messages, and the place to write. */
import { useSignal } from '../signals.ts';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { ConversationView, Hex } from '../../client/types.ts';
import { beginIdle } from '../idle.ts';
import { attempt } from '../notices.ts';
import { ConversationAvatar } from '../parts/avatar.tsx';
import { IconButton, Name } from '../parts/basics.tsx';
import { Later } from '../parts/later.tsx';
import { LinkNote } from '../parts/link_note.tsx';
import { showDialog } from '../parts/overlay.tsx';
import { back, home, open, wide } from '../route.ts';
import { client, conversation as conversationById } from '../state.ts';
import { t, tn } from '../text/index.ts';
import { Composer } from './composer.tsx';
import { historyOf } from './history.ts';
import type { Mode } from './mode.ts';
import { PlainMessages } from './plain_messages.tsx';
import { typingWords } from './typing.ts';

export function Chat({ id }: { id: Hex }) {
  const conversation = conversationById(id);
  return conversation ? <OpenChat conversation={conversation} /> : <div class="chat" />;
}

function subtitle(conversation: ConversationView): string {
  if (conversation.state === 'joining') return t('joining');
  if (conversation.kind === 'group') return tn('members', conversation.members.length);
  return conversation.members.some((member) => !member.me && member.verified) ? t('verifiedPerson') : t('encrypted');
}

function Header({ conversation }: { conversation: ConversationView }) {
  const typed = typingWords(conversation);
  const info = (): void => open({ name: 'info', id: conversation.id });
  return (
    <header class="bar chat-bar">
      <IconButton icon="back" label="back" onClick={back} className="bar-back" />
      <button type="button" class="chat-title" onClick={info}>
        <ConversationAvatar of={conversation} />
        <span class="chat-title-text">
          <h1 class="chat-name">
            <Name>{conversation.name}</Name>
          </h1>
          <span class={typed ? 'chat-subtitle typing-words' : 'chat-subtitle'}>{typed || subtitle(conversation)}</span>
        </span>
      </button>
      <IconButton icon="info" label="info" onClick={info} />
    </header>
  );
}

/** What stands where one would write when one cannot. */
function Closed({ conversation: { id, state } }: { conversation: ConversationView }) {
  const over = state === 'left' || state === 'removed' || state === 'closed';
  const remove = (): void => {
    home();
    void attempt(() => client().deleteConversation(id));
  };
  return (
    <div class={state === 'fraud' ? 'closed bad' : 'closed'}>
      <p>{t(state === 'active' ? 'cannotSend' : `state:${state}`)}</p>
      {over && (
        <button type="button" class="button quiet" onClick={remove}>
          {t('deleteChat')}
        </button>
      )}
    </div>
  );
}

const loadThread = async () => (await import('./thread.tsx')).Thread;
const loadFiles = async () => (await import('./send_files.tsx')).SendFiles;

function OpenChat({ conversation }: { conversation: ConversationView }) {
  const { id, canSend, problem, pending, state } = conversation;
  const mode = useSignal<Mode>(null);
  const field = useRef<HTMLTextAreaElement | null>(null);
  const history = useMemo(() => historyOf(client(), id), []);
  const joining = state === 'joining';
  useEffect(() => {
    if (!joining) beginIdle();
  }, [joining]);

  const sendFiles = (files: File[]): void => {
    if (files.length === 0 || !conversationById(id)?.canSend) return;
    const how = mode.peek();
    mode.value = null;
    showDialog(loadFiles, { conversation: id, files, replyTo: how?.kind === 'reply' ? how.message.id : null });
  };
  const editLast = (): void => {
    const last = history.messages.peek()?.findLast((message) => message.mine && message.kind === 'text' && !message.deleted);
    if (last) mode.value = { kind: 'edit', message: last };
  };
  const plain = <PlainMessages conversation={conversation} messages={history.messages.value} />;
  return (
    <section class="chat">
      <Header conversation={conversation} />
      {!wide.value && <LinkNote />}
      {joining && !problem && !pending ? plain : <Later load={loadThread} props={{ conversation, history, mode, field, onFiles: sendFiles }} meanwhile={plain} />}
      {canSend ? <Composer conversation={conversation} mode={mode} field={field} onFiles={sendFiles} editLast={editLast} /> : <Closed conversation={conversation} />}
    </section>
  );
}
