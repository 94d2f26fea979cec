/** Beginning a chat: with a contact, as a group, or from somebody's link; and adding people to a group. */
import { useComputed, useSignal, type Signal } from '../signals.ts';
import type { ContactView, Hex } from '../../client/types.ts';
import { linkKind } from '../arrival.ts';
import { cleanName, fits } from '../format.ts';
import { attempt } from '../notices.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Bar, Name } from '../parts/basics.tsx';
import { ActionButton } from '../parts/action_button.tsx';
import { Item, useFirstFocus } from '../parts/controls.tsx';
import { Icon } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { LinkNote } from '../parts/link_note.tsx';
import { roving } from '../parts/roving.ts';
import { back, open, openAlone } from '../route.ts';
import { client, conversation as conversationById, people } from '../state.ts';
import { t, tn } from '../text/index.ts';
import { addStyles } from '../parts/styles.ts';
import peopleCss from './people.css?inline';

addStyles(peopleCss);

const byName = (all: readonly ContactView[]): ContactView[] => [...all].sort((a, b) => cleanName(a.name).localeCompare(cleanName(b.name)));

export function NewChat() {
  const reachable = useComputed(() => byName(people.value.filter((contact) => contact.conversation)));
  return (
    <section class="screen">
      <Bar title={t('newChat')} />
      <div class="screen-body flush">
        <div class="items">
          <Item icon="invite" title={t('inviteFriend')} note={t('inviteFriendNote')} onClick={() => open({ name: 'invite' })} />
          <Item icon="group" title={t('newGroup')} note={t('newGroupNote')} onClick={() => open({ name: 'new-group' })} />
          <Item icon="link" title={t('haveLink')} note={t('haveLinkNote')} onClick={() => open({ name: 'paste-link' })} />
        </div>
        {reachable.value.length > 0 && <h2 class="group-title">{t('contacts')}</h2>}
        <ul class="items" onKeyDown={roving('.item')}>
          {reachable.value.map((contact) => (
            <li key={contact.identity}>
              <button type="button" class="item" onClick={() => contact.conversation && openAlone({ name: 'chat', id: contact.conversation })}>
                <Avatar id={contact.identity} name={contact.name} verified={contact.verified} />
                <span class="item-text">
                  <span class="item-title">
                    <Name>{contact.name}</Name>
                  </span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function Chooser({ from, chosen }: { from: readonly ContactView[]; chosen: Signal<ReadonlySet<Hex>> }) {
  const toggle = (identity: Hex): void => {
    const next = new Set(chosen.peek());
    if (!next.delete(identity)) next.add(identity);
    chosen.value = next;
  };
  if (from.length === 0) {
    return (
      <div class="none">
        <p>{t('noContacts')}</p>
        <button type="button" class="button" onClick={() => open({ name: 'invite' })}>
          {t('inviteFriend')}
        </button>
      </div>
    );
  }
  return (
    <ul class="items" onKeyDown={roving('input')}>
      {from.map((contact) => (
        <li key={contact.identity}>
          <label class="item">
            <Avatar id={contact.identity} name={contact.name} verified={contact.verified} />
            <span class="item-text">
              <span class="item-title">
                <Name>{contact.name}</Name>
              </span>
            </span>
            <input type="checkbox" checked={chosen.value.has(contact.identity)} onChange={() => toggle(contact.identity)} />
          </label>
        </li>
      ))}
    </ul>
  );
}

export function NewGroup() {
  const name = useSignal('');
  const chosen = useSignal<ReadonlySet<Hex>>(new Set());
  const focus = useFirstFocus<HTMLInputElement>();
  const create = (): Promise<boolean> => attempt(async () => openAlone({ name: 'chat', id: await client().createGroup(cleanName(name.peek()), [...chosen.peek()]) }));
  return (
    <section class="screen">
      <Bar title={t('newGroup')} />
      <LinkNote />
      <div class="screen-body flush">
        <div class="inset">
          <label class="labelled">
            <span>{t('groupName')}</span>
            <input ref={focus} class="field" maxLength={64} dir="auto" value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
          </label>
        </div>
        <h2 class="group-title">{chosen.value.size > 0 ? tn('chosenPeople', chosen.value.size) : t('whoIsIn')}</h2>
        <Chooser from={byName(people.value)} chosen={chosen} />
      </div>
      <footer class="foot">
        <ActionButton run={create} disabled={!fits(cleanName(name.value)) || chosen.value.size === 0}>
          {t('createGroup')}
        </ActionButton>
      </footer>
    </section>
  );
}

export function AddMembers({ id }: { id: Hex }) {
  const chosen = useSignal<ReadonlySet<Hex>>(new Set());
  const members = new Set(conversationById(id)?.members.map((member) => member.identity));
  const add = async (): Promise<void> => {
    if (await attempt(() => client().addMembers(id, [...chosen.peek()]))) back();
  };
  return (
    <section class="screen">
      <Bar title={t('addMembers')} />
      <LinkNote />
      <div class="screen-body flush">
        <p class="lead inset">{t('addMembersText')}</p>
        <Chooser from={byName(people.value.filter((contact) => !members.has(contact.identity)))} chosen={chosen} />
      </div>
      <footer class="foot">
        <ActionButton run={add} disabled={chosen.value.size === 0}>
          <Icon name="plus" />
          {chosen.value.size > 0 ? tn('addChosen', chosen.value.size) : t('addMembers')}
        </ActionButton>
      </footer>
    </section>
  );
}

export function PasteLink() {
  const link = useSignal('');
  const focus = useFirstFocus<HTMLInputElement>();
  const given = link.value.trim();
  const kind = linkKind(given);
  const go = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (kind === 'invite') await attempt(async () => openAlone({ name: 'invited', id: await client().openInvite(given) }));
  };
  return (
    <section class="screen">
      <Bar title={t('haveLink')} />
      <LinkNote />
      <div class="screen-body">
        <form class="stack" onSubmit={(event) => void go(event)}>
          <label class="labelled">
            <span>{t('inviteLink')}</span>
            <input ref={focus} class="field" inputMode="url" autocomplete="off" spellcheck={false} dir="ltr" value={link.value} onInput={(event) => (link.value = event.currentTarget.value)} />
            <small class={given && kind !== 'invite' ? 'problem-text' : ''}>{t(given && kind !== 'invite' ? (kind === 'relay' ? 'error:relay-link' : 'error:bad-link') : 'pasteNote')}</small>
          </label>
          <button type="submit" class="button" disabled={kind !== 'invite'}>
            {t('openLink')}
          </button>
        </form>
      </div>
    </section>
  );
}
