/** The safety number: whether both people talk to each other and to nobody between. */
import { useEffect, useState } from 'preact/hooks';
import type { Hex, SafetyView } from '../../client/types.ts';
import { attempt, codeOf, words } from '../notices.ts';
import { Bar, Name } from '../parts/basics.tsx';
import { ActionButton } from '../parts/action_button.tsx';
import '../parts/controls.tsx';
import { Icon } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { client, conversation as conversationById } from '../state.ts';
import { rich, t } from '../text/index.ts';
import { Qr } from './qr.tsx';
import { Digits } from './request.tsx';
import { addStyles } from '../parts/styles.ts';
import peopleCss from './people.css?inline';

addStyles(peopleCss);

/** Groups of digits that belong to the two people; the rest changes with the conversation. */
const IDENTITY_GROUPS = 8;

export function Safety({ id }: { id: Hex }) {
  const conversation = conversationById(id);
  const [view, setView] = useState<SafetyView | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const verified = conversation?.members.some((member) => !member.me && member.verified) ?? false;
  // The number's second part changes with the conversation's epoch, which shows as a change of its view.
  useEffect(() => {
    client().safety(id).then(setView, (error: unknown) => setProblem(words(codeOf(error))));
  }, [conversation]);
  if (!conversation) return <section class="screen" />;
  const name = <Name>{conversation.name}</Name>;
  return (
    <section class="screen">
      <Bar title={t('safetyNumber')} />
      <div class="screen-body centred">
        {problem && <p class="problem-text">{problem}</p>}
        {view && (
          <>
            <p class="lead">{rich('safetyText', { name })}</p>
            <Qr text={view.qr} label={t('safetyQr')} />
            <Digits groups={view.groups.slice(0, IDENTITY_GROUPS)} />
            <p class="fine">{t('safetyEpoch')}</p>
            <Digits groups={view.groups.slice(IDENTITY_GROUPS)} className="second" />
            <p class={verified ? 'verdict good' : 'verdict'}>
              <Icon name={verified ? 'shield' : 'info'} />
              <span>{rich(verified ? 'isVerified' : 'isNotVerified', { name })}</span>
            </p>
            <ActionButton className={verified ? 'button quiet' : 'button'} run={() => attempt(() => client().verify(id, !verified))}>
              {t(verified ? 'unverify' : 'markVerified')}
            </ActionButton>
            <details class="fold">
              <summary>{t('safetyDiffers')}</summary>
              <p>{t('safetyDiffersText')}</p>
            </details>
          </>
        )}
      </div>
    </section>
  );
}
