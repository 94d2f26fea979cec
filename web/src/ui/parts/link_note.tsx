/** The connection, and what the relay does not give, in plain words; silent while all is well. */
import { useEffect, useState } from 'preact/hooks';
import { client, link, shortage } from '../state.ts';
import { t } from '../text/index.ts';
import { Icon } from './icon.tsx';
import { Later } from './later.tsx';

const loadShortage = async () => (await import('./shortage_note.tsx')).ShortageNote;
/** Short interruptions are not worth a word. */
const PATIENCE_MS = 1_200;

export function LinkNote() {
  const { kind, since, retryAt } = link.value;
  const [now, setNow] = useState(Date.now());
  const fine = kind === 'online';
  useEffect(() => {
    if (fine) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    const first = setTimeout(() => setNow(Date.now()), PATIENCE_MS);
    return () => {
      clearInterval(timer);
      clearTimeout(first);
    };
  }, [fine, kind]);
  if (fine && shortage.value) return <Later load={loadShortage} props={shortage.value} meanwhile={null} />;
  if (fine || now - since < PATIENCE_MS) return null;
  const seconds = retryAt === null ? 0 : Math.ceil((retryAt - now) / 1_000);
  const waiting = kind === 'offline' || kind === 'blocked';
  return (
    <div class={kind === 'blocked' ? 'strip link-note bad' : 'strip link-note'} role="status">
      {kind === 'connecting' ? <span class="spinner" /> : <Icon name={kind === 'polling' ? 'info' : 'unlink'} />}
      <span>
        {t(`link:${kind}`)} {waiting && seconds > 0 && t('link:retry', { n: seconds })}
      </span>
      {waiting && (
        <button type="button" class="strip-action" onClick={() => client().retryNow()}>
          {t('link:now')}
        </button>
      )}
    </div>
  );
}
