/** Small parts that many screens share. */
import type { ComponentChildren } from 'preact';
import { shownName } from '../format.ts';
import { back } from '../route.ts';
import { t, type TextKey } from '../text/index.ts';
import { Icon, type IconName } from './icon.tsx';

export function IconButton({ icon, label, onClick, className = '', disabled = false }: { icon: IconName; label: TextKey; onClick: (event: MouseEvent) => void; className?: string; disabled?: boolean }) {
  return (
    <button type="button" class={`icon-button ${className}`} aria-label={t(label)} title={t(label)} onClick={onClick} disabled={disabled}>
      <Icon name={icon} />
    </button>
  );
}

/** Someone's name, kept apart from the direction of the text around it. */
export function Name({ children }: { children: string }) {
  return <bdi>{shownName(children)}</bdi>;
}

/** A screen's top bar. `wayBack` is absent on the first screen of a side. */
export function Bar({ title, children, wayBack = true }: { title: ComponentChildren; children?: ComponentChildren; wayBack?: boolean }) {
  return (
    <header class="bar">
      {wayBack && <IconButton icon="back" label="back" onClick={back} className="bar-back" />}
      <h1 class="bar-title">{title}</h1>
      {children}
    </header>
  );
}
