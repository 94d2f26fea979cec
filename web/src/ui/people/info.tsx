/** About a conversation: a person, or a group and its members. */
import { useSignal } from '../signals.ts';
import type { ConversationView, Hex, MemberView } from '../../client/types.ts';
import { cleanName, fits, shownName } from '../format.ts';
import { attempt } from '../notices.ts';
import { Avatar, ConversationAvatar } from '../parts/avatar.tsx';
import { Bar, IconButton, Name } from '../parts/basics.tsx';
import { Item } from '../parts/controls.tsx';
import { ask, Dialog } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { closeDialog, dialog } from '../parts/overlay.tsx';
import type { MenuItem } from '../parts/popup.ts';
import { showMenu } from '../parts/popups.tsx';
import { roving } from '../parts/roving.ts';
import { open, openAlone } from '../route.ts';
import { deleteChat, isActive, leaveChat } from '../screens/chat_menu.ts';
import { chatWith } from '../screens/invited.tsx';
import { client, contacts, conversation as conversationById } from '../state.ts';
import { t, tn } from '../text/index.ts';
import { addStyles } from '../parts/styles.ts';
import marksCss from '../styles/marks.css?inline';
import peopleCss from './people.css?inline';

addStyles(marksCss);
addStyles(peopleCss);

export function Info({ id }: { id: Hex }) {
  const conversation = conversationById(id);
  if (!conversation) return <section class="screen" />;
  return (
    <section class="screen">
      <Bar title={t(conversation.kind === 'group' ? 'groupInfo' : 'contactInfo')} />
      <div class="screen-body flush">
        <div class="info-head">
          <ConversationAvatar of={conversation} size="huge" />
          <h2>
            <Name>{conversation.name}</Name>
            {conversation.kind === 'group' && conversation.admin && conversation.state === 'active' && <IconButton icon="edit" label="rename" onClick={() => (dialog.value = <Rename conversation={conversation} />)} />}
          </h2>
          <p>{conversation.kind === 'group' ? tn('members', conversation.members.length) : t('encrypted')}</p>
        </div>
        <Protection conversation={conversation} />
        {conversation.kind === 'group' ? <Group conversation={conversation} /> : <Person conversation={conversation} />}
      </div>
    </section>
  );
}

/** Which encryption is in force, in plain words. */
function Protection({ conversation: { id, postQuantum, canMove } }: { conversation: ConversationView }) {
  const kind = postQuantum ? 'more' : 'standard';
  const other = postQuantum ? 'lighter' : 'stronger';
  const note = t(`protection:${other}Note`);
  const move = (): void => ask({ title: t(`protection:${other}Title`), text: `${note} ${t('protection:moveText')}`, action: t('move'), run: () => attempt(() => client().move(id, !postQuantum)) });
  return (
    <div class="items">
      <Item icon="lock" title={t(`protection:${kind}`)} note={t(`protection:${kind}Note`)} />
      {canMove && <Item icon="refresh" title={t(`protection:${other}`)} note={note} onClick={move} />}
    </div>
  );
}

function EndItem({ conversation }: { conversation: ConversationView }) {
  if (!isActive(conversation)) return <Item icon="trash" title={t('deleteChat')} danger onClick={() => deleteChat(conversation)} />;
  return <Item icon="leave" title={t(conversation.kind === 'group' ? 'leaveGroup' : 'endChat')} danger onClick={() => leaveChat(conversation)} />;
}

function Person({ conversation }: { conversation: ConversationView }) {
  const person = conversation.members.find((member) => !member.me);
  const contact = contacts.value.find((each) => each.identity === person?.identity);
  const name = shownName(conversation.name);
  const block = (): void => {
    if (!contact) return;
    if (contact.blocked) void attempt(() => client().unblockContact(contact.identity));
    else ask({ title: t('blockTitle', { name }), text: t('blockText'), action: t('block'), danger: true, run: () => attempt(() => client().blockContact(contact.identity)) });
  };
  return (
    <>
      <div class="items">
        <Item icon="shield" title={t('safetyNumber')} note={t(person?.verified ? 'verifiedNote' : 'notVerifiedNote')} onClick={() => open({ name: 'safety', id: conversation.id })} />
      </div>
      <div class="items">
        {contact && <Item icon="block" title={t(contact.blocked ? 'unblock' : 'block')} danger={!contact.blocked} onClick={block} />}
        <EndItem conversation={conversation} />
      </div>
    </>
  );
}

function Group({ conversation }: { conversation: ConversationView }) {
  const { id, members, admin, canAdd } = conversation;
  const sorted = [...members].sort((a, b) => Number(b.me) - Number(a.me) || Number(b.admin) - Number(a.admin) || cleanName(a.name).localeCompare(cleanName(b.name)));
  return (
    <>
      <h2 class="group-title">{tn('members', members.length)}</h2>
      <ul class="items" onKeyDown={roving('.item')}>
        {canAdd && (
          <li>
            <Item icon="invite" title={t('addMembers')} onClick={() => open({ name: 'add-members', id })} />
          </li>
        )}
        {sorted.map((member) => (
          <li key={member.identity}>
            <Member member={member} conversation={conversation} />
          </li>
        ))}
      </ul>
      <p class="fine inset">{t(admin ? 'adminNote' : 'memberNote')}</p>
      <div class="items">
        <EndItem conversation={conversation} />
      </div>
    </>
  );
}

function Member({ member, conversation }: { member: MemberView; conversation: ConversationView }) {
  const { id, admin, state } = conversation;
  const { identity, name } = member;
  const chat = chatWith(identity);
  const shown = shownName(name);
  const items: MenuItem[] = [];
  if (chat) items.push({ icon: 'send', label: t('writeTo'), run: () => openAlone({ name: 'chat', id: chat }) });
  if (chat) items.push({ icon: 'shield', label: t('safetyNumber'), run: () => open({ name: 'safety', id: chat }) });
  if (admin && state === 'active') {
    items.push({ icon: 'group', label: t(member.admin ? 'unmakeAdmin' : 'makeAdmin'), run: () => void attempt(() => client().setAdmin(id, identity, !member.admin)) });
    items.push({ icon: 'trash', label: t('removeMember'), danger: true, run: () => ask({ title: t('removeTitle', { name: shown }), text: t('removeText', { name: shown }), action: t('remove'), danger: true, run: () => attempt(() => client().removeMember(id, identity)) }) });
  }
  const usable = !member.me && items.length > 0;
  const inside = (
    <>
      <Avatar id={identity} name={name} verified={member.verified && !member.me} />
      <span class="item-text">
        <span class="item-title">
          <Name>{name}</Name>
        </span>
        {member.me && <span class="item-note">{t('thatsYou')}</span>}
      </span>
      {member.admin && <span class="tag">{t('admin')}</span>}
    </>
  );
  if (!usable) return <div class="item">{inside}</div>;
  const menu = (event: MouseEvent): void => {
    event.preventDefault();
    const box = (event.currentTarget as Element).getBoundingClientRect();
    showMenu({ items }, event.clientX ? { x: event.clientX, y: event.clientY } : { x: box.left + 60, y: box.top + box.height / 2 });
  };
  return (
    <button type="button" class="item" aria-haspopup="menu" onClick={menu} onContextMenu={menu}>
      {inside}
      <Icon name="more" />
    </button>
  );
}

function Rename({ conversation }: { conversation: ConversationView }) {
  const name = useSignal(conversation.name);
  const clean = cleanName(name.value);
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!fits(clean)) return;
    closeDialog();
    if (clean !== conversation.name) await attempt(() => client().rename(conversation.id, clean));
  };
  return (
    <Dialog label={t('rename')}>
      <h2>{t('rename')}</h2>
      <form onSubmit={(event) => void save(event)}>
        <input class="field" aria-label={t('groupName')} maxLength={64} dir="auto" autoFocus value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
        <div class="dialog-actions">
          <button type="button" class="button quiet" onClick={closeDialog}>
            {t('cancel')}
          </button>
          <button type="submit" class="button" disabled={!fits(clean)}>
            {t('save')}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
