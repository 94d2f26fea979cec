/** Invites: a link for one person, to copy, to share, or to scan. */
import { useEffect } from 'preact/hooks';
import { useSignal } from '../signals.ts';
import type { Hex, InviteView } from '../../client/types.ts';
import { shortDate } from '../times.ts';
import { attempt, codeOf, notify } from '../notices.ts';
import { Bar, IconButton } from '../parts/basics.tsx';
import { ActionButton } from '../parts/action_button.tsx';
import '../parts/controls.tsx';
import { ask } from '../parts/dialog.tsx';
import { Icon } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { LinkNote } from '../parts/link_note.tsx';
import { client, invites, me, shortage } from '../state.ts';
import { t } from '../text/index.ts';
import { Qr } from './qr.tsx';
import { addStyles } from '../parts/styles.ts';
import peopleCss from './people.css?inline';

addStyles(peopleCss);

async function share(link: string): Promise<void> {
  try {
    await navigator.share({ text: t('shareText', { name: me.peek().name }).replace(/[\u2068\u2069]/g, ''), url: link });
  } catch (error) {
    if (codeOf(error) !== 'abort') notify(t('error:share'), true);
  }
}

function Ready({ invite, link }: { invite: InviteView; link: string }) {
  return (
    <div class="invite-card">
      <Qr text={link} label={t('qrOfInvite')} />
      <input class="field invite-link" readOnly value={link} aria-label={t('link')} dir="ltr" onFocus={(event) => event.currentTarget.select()} />
      <div class="invite-actions">
        <ActionButton run={() => attempt(() => navigator.clipboard.writeText(link).then(() => notify(t('linkCopied'))))}>
          <Icon name="copy" />
          {t('copyLink')}
        </ActionButton>
        {'share' in navigator && (
          <button type="button" class="button quiet" onClick={() => void share(link)}>
            <Icon name="share" />
            {t('share')}
          </button>
        )}
      </div>
      <p class="fine">{t('inviteNote', { date: shortDate(invite.expires) })}</p>
    </div>
  );
}

function revoke(id: Hex): void {
  ask({ title: t('revokeTitle'), text: t('revokeText'), action: t('revoke'), danger: true, run: () => attempt(() => client().revokeInvite(id)) });
}

export function Invite() {
  const shown = useSignal<Hex | null>(null);
  const usable = invites.value.filter((invite) => invite.state === 'ready' || invite.state === 'preparing').sort((a, b) => b.created - a.created);
  const current = usable.find((invite) => invite.id === shown.value) ?? usable[0] ?? null;
  const create = (): Promise<boolean> => attempt(async () => (shown.value = await client().createInvite()));
  useEffect(() => {
    if (usable.length === 0) void create();
  }, []);
  return (
    <section class="screen">
      <Bar title={t('inviteFriend')} />
      <LinkNote />
      <div class="screen-body">
        <p class="lead">{t('inviteText')}</p>
        {current?.state === 'ready' && current.link ? (
          <Ready key={current.id} invite={current} link={current.link} />
        ) : (
          <div class="invite-card preparing">
            {current && !shortage.value && <span class="spinner large" />}
            <p class="fine">{t(!current ? 'inviteNone' : shortage.value ? 'inviteWaits' : 'invitePreparing')}</p>
          </div>
        )}
        <ActionButton className="button quiet wide-button" run={create}>
          <Icon name="plus" />
          {t('anotherInvite')}
        </ActionButton>
        {usable.length > 0 && (
          <>
            <h2 class="group-title">{t('openInvites')}</h2>
            <ul class="items">
              {usable.map((invite) => (
                <li key={invite.id} class="item-line">
                  <button type="button" class={invite === current ? 'item chosen' : 'item'} onClick={() => (shown.value = invite.id)}>
                    <span class="item-icon">
                      <Icon name="link" />
                    </span>
                    <span class="item-text">
                      <span class="item-title">{invite.link ? `…${invite.link.slice(-8)}` : t('invitePreparing')}</span>
                      <span class="item-note">{t('validUntil', { date: shortDate(invite.expires) })}</span>
                    </span>
                  </button>
                  <IconButton icon="trash" label="revoke" onClick={() => revoke(invite.id)} />
                </li>
              ))}
            </ul>
          </>
        )}
      </div>
    </section>
  );
}
