/** The app cannot go on here: it did not start, or runs in another tab. */
import { words } from '../notices.ts';
import { ActionButton } from '../parts/action_button.tsx';
import { t } from '../text/index.ts';
import { Page } from './plain.tsx';

export function Failed({ code, again }: { code: string; again: () => Promise<void> }) {
  return (
    <Page title={t('failedTitle')}>
      <p>{words(code)}</p>
      <ActionButton run={again}>{t('tryAgain')}</ActionButton>
    </Page>
  );
}

export function Elsewhere({ useHere }: { useHere: () => Promise<void> }) {
  return (
    <Page title={t('elsewhereTitle')}>
      <p>{t('elsewhereText')}</p>
      <ActionButton run={useHere}>{t('useHere')}</ActionButton>
    </Page>
  );
}
