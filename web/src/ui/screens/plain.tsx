/** Screens with one thing to say. */
import type { ComponentChildren } from 'preact';
import { words } from '../notices.ts';
import { ActionButton } from '../parts/basics.tsx';
import { Logo } from '../parts/icon.tsx';
import { t } from '../text/index.ts';

export function Page({ title, children, className = '' }: { title: ComponentChildren; children: ComponentChildren; className?: string }) {
  return (
    <main class={`page ${className}`}>
      <div class="page-inside">
        <Logo />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

export function Starting() {
  return (
    <main class="page" aria-busy="true" aria-label={t('starting')}>
      <Logo />
    </main>
  );
}

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

/** The larger pane while no chat is open. */
export function Nothing() {
  return (
    <div class="nothing">
      <Logo />
      <p>{t('chooseChat')}</p>
    </div>
  );
}
