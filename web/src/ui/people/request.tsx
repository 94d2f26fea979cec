/** Someone asks to chat: accept, decline or block. */
import type { Hex } from '../../client/types.ts';
import { shownName } from '../format.ts';
import { fullTime } from '../times.ts';
import { attempt } from '../notices.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Bar, Name } from '../parts/basics.tsx';
import { ActionButton } from '../parts/action_button.tsx';
import '../parts/controls.tsx';
import { ask } from '../parts/dialog.tsx';
import { LinkNote } from '../parts/link_note.tsx';
import { home, openAlone } from '../route.ts';
import { client, requests } from '../state.ts';
import { rich, t } from '../text/index.ts';
import { addStyles } from '../parts/styles.ts';
import peopleCss from './people.css?inline';

addStyles(peopleCss);

export function Digits({ groups, className = '' }: { groups: readonly string[]; className?: string }) {
  return (
    <div class={`digits ${className}`} dir="ltr">
      {groups.map((group, index) => (
        <span key={index}>{group}</span>
      ))}
    </div>
  );
}

export function Request({ id }: { id: Hex }) {
  const request = requests.value.find((each) => each.id === id);
  if (!request) {
    return (
      <section class="screen">
        <Bar title={t('contactRequest')} />
        <div class="none">{t('requestAnswered')}</div>
      </section>
    );
  }
  const name = shownName(request.name);
  const end = async (action: () => Promise<void>): Promise<void> => {
    if (await attempt(action)) home();
  };
  return (
    <section class="screen">
      <Bar title={t('contactRequest')} />
      <LinkNote />
      <div class="screen-body centred">
        <Avatar id={request.identity} name={request.name} size="huge" />
        <h2>{rich('asksToChat', { name: <Name>{request.name}</Name> })}</h2>
        <p class="fine">{fullTime(request.time)}</p>
        {request.text && (
          <blockquote class="request-text" dir="auto">
            {request.text}
          </blockquote>
        )}
        <div class="stack">
          <ActionButton run={() => attempt(async () => openAlone({ name: 'chat', id: await client().accept(id) }))}>{t('accept')}</ActionButton>
          <div class="pair">
            <ActionButton className="button quiet" run={() => end(() => client().decline(id))}>
              {t('decline')}
            </ActionButton>
            <button
              type="button"
              class="button quiet danger"
              onClick={() => ask({ title: t('blockTitle', { name }), text: t('blockText'), action: t('block'), danger: true, run: () => end(() => client().block(id)) })}
            >
              {t('block')}
            </button>
          </div>
        </div>
        <p class="fine">{t('declineNote')}</p>
        <details class="fold">
          <summary>{t('isItReally', { name })}</summary>
          <p>{t('isItReallyText', { name })}</p>
          <Digits groups={request.fingerprint} />
        </details>
      </div>
    </section>
  );
}
