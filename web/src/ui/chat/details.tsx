/** When a message was sent, and who has it and has read it. */
import type { ConversationView, Hex, MessageView } from '../../client/types.ts';
import { fullTime } from '../times.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Name } from '../parts/basics.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { closeDialog } from '../parts/overlay.tsx';
import { nameOf } from '../state.ts';
import { t } from '../text/index.ts';
import { Status } from './status.tsx';
import { addStyles } from '../parts/styles.ts';
import marksCss from '../styles/marks.css?inline';
import filesCss from './files.css?inline';

addStyles(marksCss);
addStyles(filesCss);

function People({ who, conversation, title, status }: { who: readonly Hex[]; conversation: ConversationView; title: string; status: 'read' | 'delivered' | 'sent' }) {
  if (who.length === 0) return null;
  return (
    <li>
      <h3>
        <Status status={status} />
        {title}
      </h3>
      {who.map((identity) => (
        <div key={identity} class="details-row">
          <Avatar id={identity} name={nameOf(identity, conversation)} size="small" />
          <Name>{nameOf(identity, conversation)}</Name>
        </div>
      ))}
    </li>
  );
}

export function Details({ message, conversation }: { message: MessageView; conversation: ConversationView }) {
  const { readBy, deliveredTo } = message;
  const delivered = deliveredTo.filter((identity) => !readBy.includes(identity));
  const rest = conversation.members.filter((member) => !member.me && !readBy.includes(member.identity) && !deliveredTo.includes(member.identity)).map((member) => member.identity);
  return (
    <Dialog label={t('details')}>
      <h2>{t('details')}</h2>
      <div class="details-row">
        <span>{t('sentAt')}</span>
        <span>{fullTime(message.sent)}</span>
      </div>
      {message.time !== null && (
        <div class="details-row">
          <span>{t('relayTime')}</span>
          <span>{fullTime(message.time)}</span>
        </div>
      )}
      {message.mine && message.status && (
        <>
          <div class="details-row">
            <span>{t('state')}</span>
            <span>{t(`status:${message.status}`)}</span>
          </div>
          <ul class="details">
            <People who={readBy} conversation={conversation} title={t('readBy')} status="read" />
            <People who={delivered} conversation={conversation} title={t('deliveredTo')} status="delivered" />
            {message.status !== 'failed' && <People who={rest} conversation={conversation} title={t('notYet')} status="sent" />}
          </ul>
        </>
      )}
      <div class="dialog-actions">
        <button type="button" class="button quiet" onClick={closeDialog}>
          {t('close')}
        </button>
      </div>
    </Dialog>
  );
}
