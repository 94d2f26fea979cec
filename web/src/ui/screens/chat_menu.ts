/** What can be done with a chat from the list. */
import type { ConversationView } from '../../client/types.ts';
import { attempt } from '../notices.ts';
import { ask } from '../parts/dialog.tsx';
import type { MenuContent } from '../parts/popups.tsx';
import { home, open, openAlone, openedChat } from '../route.ts';
import { client } from '../state.ts';
import { t } from '../text/index.ts';

/** Asks, then removes a chat from this device. */
export function deleteChat({ id, kind, state }: ConversationView): void {
  ask({
    title: t('deleteChat'),
    text: t(kind === 'group' && state === 'active' ? 'deleteGroupText' : 'deleteChatText'),
    action: t('delete'),
    danger: true,
    run: async () => {
      if (openedChat.peek() === id) home();
      await attempt(() => client().deleteConversation(id));
    },
  });
}

export function chatMenu(of: ConversationView): MenuContent {
  const { id } = of;
  const info = (): void => {
    openAlone({ name: 'chat', id });
    open({ name: 'info', id });
  };
  return {
    items: [
      { icon: 'info', label: t('info'), run: info },
      { icon: 'trash', label: t('deleteChat'), danger: true, run: () => deleteChat(of) },
    ],
  };
}
