/** The messages of a chat with all that can be done with them: it follows what a first message needs. */
import { useEffect, useMemo } from 'preact/hooks';
import type { ConversationView, MessageView } from '../../client/types.ts';
import { attempt } from '../notices.ts';
import { dialog, showDialog } from '../parts/overlay.tsx';
import '../parts/more_icons.ts';
import { addStyles } from '../parts/styles.ts';
import type { Signal } from '../signals.ts';
import marksCss from '../styles/marks.css?inline';
import { client, conversation as conversationById } from '../state.ts';
import { DropPlace } from './drop.tsx';
import type { History } from './history.ts';
import { MessageList } from './list.tsx';
import messagesCss from './messages.css?inline';
import type { Mode } from './mode.ts';
import { Strips } from './strips.tsx';

addStyles(marksCss);
addStyles(messagesCss);

const loadViewer = async () => (await import('./viewer.tsx')).Viewer;

interface Props {
  conversation: ConversationView;
  history: History;
  mode: Signal<Mode>;
  /** Where one writes. */
  field: { current: HTMLTextAreaElement | null };
  onFiles: (files: File[]) => void;
}

export function Thread({ conversation, history, mode, field, onFiles }: Props) {
  const { id } = conversation;
  const canSend = (): boolean => conversationById(id)?.canSend ?? false;
  const react = (message: MessageView, emoji: string): void => void attempt(() => client().react(id, message.id, emoji));
  const actions = useMemo(
    () => ({
      react,
      reply: (message: MessageView) => {
        if (canSend()) mode.value = { kind: 'reply', message };
      },
      menu: (message: MessageView, at: { x: number; y: number }) =>
        void attempt(async () => {
          const [{ showMenu }, { messageMenu }] = await Promise.all([import('../parts/popups.tsx'), import('./message_menu.ts')]);
          const current = conversationById(id);
          if (current) showMenu(messageMenu(message, current, mode, react), at);
        }),
      pick: (message: MessageView, anchor: Element) =>
        void attempt(async () => {
          const { showPicker } = await import('../parts/popups.tsx');
          showPicker(anchor, (emoji) => react(message, emoji));
        }),
      view: (message: MessageView, address: string) => showDialog(loadViewer, { message, address }),
    }),
    [],
  );

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
    <>
      <Strips conversation={conversation} />
      <MessageList conversation={conversation} history={history} actions={actions} onEscape={() => field.current?.focus()} />
      <DropPlace canSend={canSend} onFiles={onFiles} />
    </>
  );
}
