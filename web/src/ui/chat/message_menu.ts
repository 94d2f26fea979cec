/** What can be done with a message. */
import type { Signal } from '../signals.ts';
import type { ConversationView, MessageView } from '../../client/types.ts';
import { attempt, notify } from '../notices.ts';
import { ask } from '../parts/dialog.tsx';
import { showDialog } from '../parts/overlay.tsx';
import type { MenuContent, MenuItem } from '../parts/popup.ts';
import { client } from '../state.ts';
import { t } from '../text/index.ts';
import { save } from './blobs.ts';
import type { Mode } from './mode.ts';

const loadDetails = async () => (await import('./details.tsx')).Details;

export function messageMenu(message: MessageView, conversation: ConversationView, mode: Signal<Mode>, react: (message: MessageView, emoji: string) => void): MenuContent {
  const { id, canSend } = conversation;
  const { deleted, mine, kind, file } = message;
  const text = message.text ?? file?.caption;
  const items: MenuItem[] = [];
  const add = (when: boolean, icon: MenuItem['icon'], label: string, run: () => void, danger = false): void => {
    if (when) items.push({ icon, label, run, danger });
  };
  const settled = message.status !== 'failed' && message.status !== 'waiting';
  add(mine && message.status === 'failed' && kind === 'text', 'refresh', t('sendAgain'), () => void attempt(() => client().send(id, message.text ?? '').then(() => client().remove(id, message.id))));
  add(canSend && !deleted && settled, 'reply', t('reply'), () => (mode.value = { kind: 'reply', message }));
  add(Boolean(text) && !deleted, 'copy', t('copyText'), () => void attempt(() => navigator.clipboard.writeText(text ?? '').then(() => notify(t('copied')))));
  add(Boolean(file) && !deleted, 'download', t('saveAs'), () => void attempt(async () => save(await client().openFile(id, message.id), file?.name ?? '')));
  add(canSend && mine && kind === 'text' && !deleted && settled, 'edit', t('edit'), () => (mode.value = { kind: 'edit', message }));
  add(true, 'info', t('details'), () => showDialog(loadDetails, { message, conversation }));
  add(canSend && mine && !deleted, 'trash', t('delete'), () => ask({ title: t('deleteMessageTitle'), text: t('deleteMessageText'), action: t('delete'), danger: true, run: () => attempt(() => client().remove(id, message.id)) }), true);
  const own = message.reactions.find((reaction) => reaction.mine)?.emoji ?? null;
  return { items, ...(canSend && !deleted && settled ? { reactions: { own, choose: (emoji: string) => react(message, emoji) } } : {}) };
}
