/** Somebody's invite, opened: who invites, what the link is, and the wait until they accept. */
import { useSignal } from '../signals.ts';
import { useEffect } from 'preact/hooks';
import type { Hex } from '../../client/types.ts';
import { beginIdleIn, QUIET_MS, WAITING_MS } from '../idle.ts';
import { attempt, words } from '../notices.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Bar, Name } from '../parts/basics.tsx';
import { LinkNote } from '../parts/link_note.tsx';
import { home, openAlone } from '../route.ts';
import { client, contacts, conversations, openedInvites } from '../state.ts';
import { rich, t } from '../text/index.ts';

/** The conversation with a person, or null. */
export function chatWith(identity: Hex): Hex | null {
  return contacts.value.find((contact) => contact.identity === identity)?.conversation ?? conversations.value.find((each) => each.kind === 'direct' && each.members.some((member) => !member.me && member.identity === identity))?.id ?? null;
}

export function Invited({ id }: { id: Hex }) {
  const text = useSignal('');
  const invite = openedInvites.value.find((each) => each.id === id);
  // The client tells of it when it has something to tell.
  const state = invite?.state ?? 'opening';
  const chat = invite && state === 'accepted' ? chatWith(invite.identity) : null;
  useEffect(() => {
    if (chat) openAlone({ name: 'chat', id: chat });
  }, [chat]);

  useEffect(() => {
    if (state === 'requested' || state === 'failed') return beginIdleIn(state === 'failed' ? QUIET_MS : WAITING_MS);
    return undefined;
  }, [state]);

  const name = <Name>{invite?.name ?? ''}</Name>;
  return (
    <section class="screen">
      <Bar title={t('invitation')} />
      <LinkNote />
      <div class="screen-body centred">
        {invite && state !== 'opening' && state !== 'failed' && <Avatar id={invite.identity} name={invite.name} size="huge" />}
        {state === 'opening' && (
          <>
            <span class="spinner large" />
            <h2>{t('openingInvite')}</h2>
          </>
        )}
        {state === 'opened' && (
          <>
            <h2>{rich('invitesYou', { name })}</h2>
            <p>{rich('invitesYouText', { name })}</p>
            <form
              class="stack"
              onSubmit={(event) => {
                event.preventDefault();
                void attempt(() => client().requestContact(id, text.value.trim()));
              }}
            >
              <input class="field" placeholder={t('sayHello')} aria-label={t('sayHello')} maxLength={500} dir="auto" value={text.value} onInput={(event) => (text.value = event.currentTarget.value)} />
              <button type="submit" class="button">
                {t('askToChat')}
              </button>
            </form>
            <details class="fold">
              <summary>{t('isLinkSafe')}</summary>
              <p>{rich('linkSafeText', { name })}</p>
            </details>
          </>
        )}
        {(state === 'requested' || state === 'accepted') && (
          <>
            <h2>{rich('waitingFor', { name })}</h2>
            <p>{rich('waitingText', { name })}</p>
            <span class="dots">
              <i />
              <i />
              <i />
            </span>
            <button type="button" class="button quiet" onClick={home}>
              {t('toChats')}
            </button>
          </>
        )}
        {state === 'failed' && (
          <>
            <h2>{t('inviteFailed')}</h2>
            <p>{words(invite?.problem ?? 'invite-gone')}</p>
            <button type="button" class="button quiet" onClick={home}>
              {t('toChats')}
            </button>
          </>
        )}
      </div>
    </section>
  );
}
