/** Why the app cannot work here and what to do. Loaded without the client, so that it shows where nothing else would. */
import { useState } from 'preact/hooks';
import type { Arrival } from '../arrival.ts';
import type { Obstacle } from '../environment.ts';
import { t } from '../text/index.ts';
import { Page } from './plain.tsx';

function CopyLink({ address }: { address: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async (field: HTMLInputElement | null): Promise<void> => {
    field?.select();
    try {
      await navigator.clipboard.writeText(address);
      setCopied(true);
    } catch {
      // The link is selected: the person can copy it by hand.
    }
  };
  return (
    <>
      <input class="field" readOnly value={address} aria-label={t('link')} onFocus={(event) => event.currentTarget.select()} />
      <button type="button" class="button" onClick={(event) => void copy(event.currentTarget.parentElement?.querySelector('input') ?? null)}>
        {t(copied ? 'copied' : 'copyLink')}
      </button>
    </>
  );
}

interface Props {
  obstacle: Obstacle;
  arrival: Arrival;
  /** Starts all the same. */
  goOn: (() => void) | null;
}

export function ObstaclePage({ obstacle, arrival, goOn }: Props) {
  const { reason, detail } = obstacle;
  const address = arrival.fragment ? `${arrival.base}#${arrival.fragment}` : arrival.base;
  if (reason === 'in-app-browser') {
    return (
      <Page title={t('inAppTitle')}>
        <p>{detail ? t('inAppText', { app: detail }) : t('inAppTextUnknown')}</p>
        <ol class="steps">
          <li>{t('inAppStep1')}</li>
          <li>{t('inAppStep2')}</li>
        </ol>
        <CopyLink address={address} />
        {goOn && (
          <button type="button" class="button plain" onClick={goOn}>
            {t('goOnHere')}
          </button>
        )}
      </Page>
    );
  }
  return (
    <Page title={t(`${reason}:title`)}>
      <p>{t(`${reason}:text`)}</p>
      <p>{t(`${reason}:do`)}</p>
      {reason !== 'no-webcrypto' && <CopyLink address={address} />}
    </Page>
  );
}
