/** Small parts that many screens share. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { shownName } from '../format.ts';
import { dismiss, notice } from '../notices.ts';
import { back, wide } from '../route.ts';
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

export function Notices() {
  const shown = notice.value;
  return (
    <div class="notices" role="status" aria-live="polite">
      {shown && (
        <div key={shown.id} class={shown.bad ? 'notice bad' : 'notice'}>
          {shown.bad && <Icon name="alert" />}
          <span>{shown.text}</span>
          <IconButton icon="close" label="close" onClick={dismiss} />
        </div>
      )}
    </div>
  );
}

/** Arrow keys, Home and End move the focus among the matching elements inside. */
export function roving(selector: string) {
  return (event: KeyboardEvent & { currentTarget: EventTarget | null }): void => {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined || !(event.currentTarget instanceof Element)) return;
    const items = [...event.currentTarget.querySelectorAll<HTMLElement>(selector)];
    const at = items.indexOf(document.activeElement as HTMLElement);
    if (at < 0) return;
    event.preventDefault();
    items[Math.min(Math.max(at + step, 0), items.length - 1)]?.focus();
  };
}

/** Focus where a screen begins, but not on phones, where it would bring up the keyboard. */
export function useFirstFocus<T extends HTMLElement>() {
  const ref = useRef<T>(null);
  useEffect(() => {
    if (wide.peek()) ref.current?.focus({ preventScroll: true });
  }, []);
  return ref;
}

/** A module's component, loaded when it is first shown; where that fails, a way to try again. */
export function Later<P extends object>({ load, props }: { load: () => Promise<(props: P) => ComponentChildren>; props: P }) {
  const [Loaded, setLoaded] = useState<((props: P) => ComponentChildren) | null>(null);
  const [failed, setFailed] = useState(false);
  const start = (): void => {
    setFailed(false);
    load().then(
      (component) => setLoaded(() => component),
      () => setFailed(true),
    );
  };
  useEffect(start, []);
  if (Loaded) return <Loaded {...props} />;
  if (!failed) return <div class="later" aria-busy="true" />;
  return (
    <div class="later">
      <p>{t('error:load')}</p>
      <button type="button" class="button" onClick={start}>
        {t('tryAgain')}
      </button>
    </div>
  );
}
