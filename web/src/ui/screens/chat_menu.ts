/** What can be done with a chat from the list. */
import type { ConversationView } from '../../client/types.ts';
import { attempt } from '../notices.ts';
import { ask } from '../parts/dialog.tsx';
import type { MenuContent } from '../parts/popup.ts';
import { home, open, openAlone, openedChat } from '../route.ts';
import { client } from '../state.ts';
import '../parts/more_icons.ts';
import { t } from '../text/index.ts';

/** Asks, then leaves. Only a chat that one has left can be deleted: the others must know that nobody reads here any more. */
export function leaveChat({ id, kind, members }: ConversationView): void {
  const admins = members.filter((member) => member.admin);
  const lastAdmin = members.length > 1 && admins.length === 1 && admins[0]?.me;
  const group = kind === 'group';
  ask({
    title: t(group ? 'leaveTitle' : 'endTitle'),
    text: t(group ? (lastAdmin ? 'leaveLastAdminText' : 'leaveText') : 'endText'),
    action: t(group ? 'leave' : 'end'),
    danger: true,
    run: () => attempt(() => client().leave(id)),
  });
}

/** Asks, then removes a chat from this device. */
export function deleteChat({ id }: ConversationView): void {
  ask({
    title: t('deleteChat'),
    text: t('deleteChatText'),
    action: t('delete'),
    danger: true,
    run: async () => {
      if (openedChat.peek() === id) home();
      await attempt(() => client().deleteConversation(id));
    },
  });
}

export const isActive = ({ state }: ConversationView): boolean => state === 'active' || state === 'joining' || state === 'moving' || state === 'stuck';

export function chatMenu(of: ConversationView): MenuContent {
  const { id } = of;
  const info = (): void => {
    openAlone({ name: 'chat', id });
    open({ name: 'info', id });
  };
  return {
    items: [
      { icon: 'info', label: t('info'), run: info },
      isActive(of) ? { icon: 'leave', label: t(of.kind === 'group' ? 'leaveGroup' : 'endChat'), danger: true, run: () => leaveChat(of) } : { icon: 'trash', label: t('deleteChat'), danger: true, run: () => deleteChat(of) },
    ],
  };
}
