/** Buttons, rows and focus of the screens that are loaded when they are opened. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { wide } from '../route.ts';
import { Icon, type IconName } from './icon.tsx';
import './more_icons.ts';
import '../styles/lists.css';

/** A button that shows that its action is under way and cannot be pressed twice. */
export function ActionButton({ run, children, className = 'button', disabled = false, type = 'button' }: { run: () => Promise<unknown>; children: ComponentChildren; className?: string; disabled?: boolean; type?: 'button' | 'submit' }) {
  const [busy, setBusy] = useState(false);
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);
  const onClick = async (): Promise<void> => {
    setBusy(true);
    try {
      await run();
    } finally {
      if (alive.current) setBusy(false);
    }
  };
  return (
    <button type={type} class={className} disabled={disabled || busy} aria-busy={busy} onClick={() => void onClick()}>
      {children}
      {busy && <span class="spinner" />}
    </button>
  );
}

/** A row that leads somewhere or does something. */
export function Item({ icon, title, note, onClick, danger = false, children }: { icon?: IconName; title: ComponentChildren; note?: ComponentChildren; onClick?: () => void; danger?: boolean; children?: ComponentChildren }) {
  const inside = (
    <>
      {icon && (
        <span class="item-icon">
          <Icon name={icon} />
        </span>
      )}
      <span class="item-text">
        <span class="item-title">{title}</span>
        {note && <span class="item-note">{note}</span>}
      </span>
      {children}
    </>
  );
  return onClick ? (
    <button type="button" class={danger ? 'item danger' : 'item'} onClick={onClick}>
      {inside}
    </button>
  ) : (
    <div class="item">{inside}</div>
  );
}

/** Focus where a screen begins, but not on phones, where it would bring up the keyboard. */
export function useFirstFocus<T extends HTMLElement>() {
  const ref = useRef<T>(null);
  useEffect(() => {
    if (wide.peek()) ref.current?.focus({ preventScroll: true });
  }, []);
  return ref;
}
