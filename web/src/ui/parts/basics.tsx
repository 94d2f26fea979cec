/** Small parts that many screens share. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
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

interface LaterProps<P> {
  load: () => Promise<(props: P) => ComponentChildren>;
  props: P;
  /** What stands there until then, and where it fails; without it a way to try again. */
  meanwhile?: ComponentChildren;
}

/** What has been loaded, so that the next one of its kind is there at once. */
const loaded = new WeakMap<object, unknown>();

/** A component whose module is loaded when it is first shown. */
export function Later<P extends object>({ load, props, meanwhile }: LaterProps<P>) {
  const [Loaded, setLoaded] = useState<((props: P) => ComponentChildren) | null>(() => (loaded.get(load) as ((props: P) => ComponentChildren) | undefined) ?? null);
  const [failed, setFailed] = useState(false);
  const start = (): void => {
    setFailed(false);
    load().then(
      (component) => {
        loaded.set(load, component);
        setLoaded(() => component);
      },
      () => setFailed(true),
    );
  };
  useEffect(() => {
    if (!Loaded) start();
  }, []);
  if (Loaded) return <Loaded {...props} />;
  if (meanwhile !== undefined) return meanwhile;
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
