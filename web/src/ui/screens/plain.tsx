/** Screens with one thing to say. */
import type { ComponentChildren } from 'preact';
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
