/** Rows and focus of the screens that are loaded when they are opened. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { wide } from '../route.ts';
import { Icon, type IconName } from './icon.tsx';
import './more_icons.ts';
import { addStyles } from './styles.ts';
import listsCss from '../styles/lists.css?inline';

addStyles(listsCss);

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
