/** The first screen of all: pick a name. Without a link in hand there is a second field for one. */
import { useSignal } from '../signals.ts';
import { linkKind } from '../arrival.ts';
import { cleanName, fits } from '../format.ts';
import { attempt } from '../notices.ts';
import { t } from '../text/index.ts';
import { Page } from './plain.tsx';

interface Props {
  /** The link or fragment that the person came with; possibly empty. */
  link: string;
  register: (name: string, link: string) => Promise<void>;
}

export function FirstRun({ link, register }: Props) {
  const name = useSignal('');
  const pasted = useSignal('');
  const busy = useSignal(false);
  const came = linkKind(link);
  const used = came ? link : pasted.value.trim();
  const clean = cleanName(name.value);
  const wrongLink = !came && pasted.value.trim() !== '' && linkKind(pasted.value) === null;

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!fits(clean) || linkKind(used) === null) return;
    busy.value = true;
    await attempt(() => register(clean, used));
    busy.value = false;
  };
  return (
    <Page title={t(came === 'invite' ? 'welcomeInvited' : 'appName')} className="first-run">
      <p>{t('firstRunText')}</p>
      <form onSubmit={(event) => void submit(event)}>
        <label class="labelled">
          <span>{t('yourName')}</span>
          <input class="field" name="name" autocomplete="nickname" autoFocus required maxLength={64} dir="auto" value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
          <small>{t('yourNameNote')}</small>
        </label>
        {!came && (
          <label class="labelled">
            <span>{t('inviteLink')}</span>
            <input class="field" name="link" inputMode="url" autocomplete="off" spellcheck={false} required dir="ltr" value={pasted.value} onInput={(event) => (pasted.value = event.currentTarget.value)} />
            <small class={wrongLink ? 'problem-text' : ''}>{t(wrongLink ? 'error:bad-link' : 'inviteLinkNote')}</small>
          </label>
        )}
        <button type="submit" class="button" disabled={busy.value || !fits(clean) || linkKind(used) === null} aria-busy={busy.value}>
          {t('begin')}
          {busy.value && <span class="spinner" />}
        </button>
      </form>
      <p class="fine">{t('firstRunFine')}</p>
    </Page>
  );
}
