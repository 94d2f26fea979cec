import type { ConversationView, MessageView } from '../../client/types.ts';
import { shownName } from '../format.ts';
import { t } from '../text/index.ts';

/** The messages as plain as can be: what stands in a chat until the part that shows them well is there. */
export function PlainMessages({ conversation, messages }: { conversation: ConversationView; messages: readonly MessageView[] | null }) {
  const group = conversation.kind === 'group';
  const written = messages?.filter((message) => message.text ?? message.file?.name);
  return (
    <div class="messages-place">
      <div class="scroller">
        <div class="messages">
          {written?.length === 0 && conversation.state === 'active' && (
            <div class="greeting">
              <p>{t(group ? 'emptyGroup' : 'emptyChat')}</p>
            </div>
          )}
          {written?.map((message) => (
            <p key={message.id} class={message.mine ? 'plain-message mine' : 'plain-message'} dir="auto">
              {group && !message.mine && `${shownName(message.senderName)}: `}
              {message.text ?? message.file?.name}
            </p>
          ))}
        </div>
      </div>
    </div>
  );
}
