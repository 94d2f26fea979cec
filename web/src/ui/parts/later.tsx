/** Parts of the app that are loaded when they are first shown. */
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { loadLater, t } from '../text/index.ts';

interface Props<P> {
  load: () => Promise<(props: P) => ComponentChildren>;
  props: P;
  /** What stands there until then. */
  meanwhile?: ComponentChildren;
}

/** What has been loaded, so that the next one of its kind is there at once. */
const loaded = new WeakMap<object, unknown>();

/** A component whose module, and whose words, are loaded when it is first shown; where they do not come, a way to try again. */
export function Later<P extends object>({ load, props, meanwhile }: Props<P>) {
  type Part = (props: P) => ComponentChildren;
  const [Loaded, setLoaded] = useState<Part | null>(() => (loaded.get(load) as Part | undefined) ?? null);
  const [failed, setFailed] = useState(false);
  const start = (): void => {
    setFailed(false);
    Promise.all([load(), loadLater()]).then(
      ([component, words]) => {
        if (!words) return setFailed(true);
        loaded.set(load, component);
        setLoaded(() => component);
      },
      () => setFailed(true),
    );
  };
  useEffect(() => {
    if (!Loaded) start();
  }, []);
  useEffect(() => {
    if (!failed) return undefined;
    addEventListener('online', start);
    return () => removeEventListener('online', start);
  }, [failed]);
  if (Loaded) return <Loaded {...props} />;
  const whole = meanwhile === undefined;
  return (
    <>
      {meanwhile}
      {(failed || whole) && (
        <div class={whole ? 'later' : 'strip bad'} role="status" aria-busy={!failed}>
          {failed && (
            <>
              <span>{t('error:load')}</span>
              <button type="button" class={whole ? 'button' : 'strip-action'} onClick={start}>
                {t('tryAgain')}
              </button>
            </>
          )}
        </div>
      )}
    </>
  );
}
