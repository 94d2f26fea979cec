/** Settings, and what stands in the person's hands. */
import { useSignal } from '../signals.ts';
import { useEffect } from 'preact/hooks';
import type { Settings } from '../../client/types.ts';
import { cleanName, fits } from '../format.ts';
import { forgetLook } from '../look.ts';
import { attempt, notify } from '../notices.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Bar } from '../parts/basics.tsx';
import { ActionButton } from '../parts/action_button.tsx';
import { Item } from '../parts/controls.tsx';
import { ask } from '../parts/dialog.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { open } from '../route.ts';
import { fileSize } from '../sizes.ts';
import { changeSettings, client, contacts, link, me, settings } from '../state.ts';
import { t, type TextKey } from '../text/index.ts';
import { Digits } from '../people/request.tsx';
import { addStyles } from '../parts/styles.ts';
import peopleCss from '../people/people.css?inline';
import settingsCss from './settings.css?inline';

addStyles(peopleCss);
addStyles(settingsCss);

function OwnName() {
  const name = useSignal(me.value.name);
  const clean = cleanName(name.value);
  const changed = clean !== me.value.name;
  const save = async (): Promise<void> => {
    if (await attempt(() => client().setName(clean))) notify(t('nameSaved'));
  };
  return (
    <form
      class="own-name"
      onSubmit={(event) => {
        event.preventDefault();
        if (changed && fits(clean)) void save();
      }}
    >
      <Avatar id={me.value.identity} name={clean} size="huge" />
      <label class="labelled">
        <span>{t('yourName')}</span>
        <input class="field" maxLength={64} dir="auto" value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
        <small>{t('nameNote')}</small>
      </label>
      {changed && (
        <button type="submit" class="button" disabled={!fits(clean)}>
          {t('save')}
        </button>
      )}
    </form>
  );
}

function Choice<K extends keyof Settings>({ of, icon, label, options }: { of: K; icon: IconName; label: TextKey; options: readonly (readonly [Settings[K], string])[] }) {
  return (
    <div class="item" role="radiogroup" aria-label={t(label)}>
      <span class="item-icon">
        <Icon name={icon} />
      </span>
      <span class="item-text">
        <span class="item-title">{t(label)}</span>
      </span>
      <span class="segments">
        {options.map(([value, words]) => (
          <label key={String(value)} class={settings.value[of] === value ? 'chosen' : ''}>
            <input type="radio" name={of} checked={settings.value[of] === value} onChange={() => void attempt(() => changeSettings({ [of]: value } as Partial<Settings>))} />
            {words}
          </label>
        ))}
      </span>
    </div>
  );
}

type Kept = { persisted: boolean; used: number | null } | null;

function Storage() {
  const kept = useSignal<Kept>(null);
  const look = async (): Promise<void> => {
    const estimate = await navigator.storage.estimate().catch(() => null);
    kept.value = { persisted: await navigator.storage.persisted(), used: estimate?.usage ?? null };
  };
  useEffect(() => {
    if ('storage' in navigator) void look();
  }, []);
  const now = kept.value;
  const askFor = async (): Promise<void> => {
    const granted = await navigator.storage.persist();
    notify(t(granted ? 'storageGranted' : 'storageRefused'), !granted);
    await look();
  };
  return (
    <div class="item">
      <span class="item-icon">
        <Icon name="download" />
      </span>
      <span class="item-text">
        <span class="item-title">{t('storage')}</span>
        <span class="item-note">{t(now?.persisted ? 'storageKept' : 'storageNotKept')}</span>
        {now?.used != null && <span class="item-note">{t('storageUsed', { size: fileSize(now.used) })}</span>}
      </span>
      {now && !now.persisted && (
        <ActionButton className="button small quiet" run={askFor}>
          {t('storageAsk')}
        </ActionButton>
      )}
    </div>
  );
}

function erase(): void {
  const run = async (): Promise<void> => {
    if (!(await attempt(() => client().eraseEverything()))) return;
    forgetLook();
    location.reload();
  };
  ask({ title: t('eraseTitle'), text: t('eraseText'), action: t('eraseAction'), danger: true, run });
}

export function SettingsScreen() {
  const blocked = contacts.value.filter((contact) => contact.blocked);
  return (
    <section class="screen">
      <Bar title={t('settings')} />
      <div class="screen-body flush">
        <OwnName />
        <div class="items">
          <Choice
            of="theme"
            icon="sun"
            label="theme"
            options={[
              ['system', t('themeSystem')],
              ['light', t('themeLight')],
              ['dark', t('themeDark')],
            ]}
          />
          <Choice
            of="language"
            icon="language"
            label="language"
            options={[
              ['auto', t('languageAuto')],
              ['en', 'English'],
              ['ru', 'Русский'],
            ]}
          />
        </div>
        <h2 class="group-title">{t('privacy')}</h2>
        <div class="items">
          <label class="item">
            <span class="item-icon">
              <Icon name="eye" />
            </span>
            <span class="item-text">
              <span class="item-title">{t('readReceipts')}</span>
              <span class="item-note">{t('readReceiptsNote')}</span>
            </span>
            <input type="checkbox" role="switch" class="switch" checked={settings.value.readReceipts} onChange={(event) => void attempt(() => changeSettings({ readReceipts: event.currentTarget.checked }))} />
          </label>
          <Item icon="shield" title={t('relaySees')} note={t('relaySeesNote')} onClick={() => open({ name: 'relay-sees' })}>
            <Icon name="forward" />
          </Item>
        </div>
        {blocked.length > 0 && (
          <>
            <h2 class="group-title">{t('blockedPeople')}</h2>
            <div class="items">
              {blocked.map((contact) => (
                <div key={contact.identity} class="item">
                  <Avatar id={contact.identity} name={contact.name} />
                  <span class="item-text">
                    <span class="item-title">{cleanName(contact.name)}</span>
                  </span>
                  <ActionButton className="button small quiet" run={() => attempt(() => client().unblockContact(contact.identity))}>
                    {t('unblock')}
                  </ActionButton>
                </div>
              ))}
            </div>
          </>
        )}
        <h2 class="group-title">{t('thisDevice')}</h2>
        <div class="items">
          <Item icon={link.value.kind === 'online' ? 'check' : 'unlink'} title={t('connection')} note={t(`link:${link.value.kind}`)} />
          <Storage />
        </div>
        <details class="fold inset">
          <summary>{t('ownFingerprint')}</summary>
          <p>{t('ownFingerprintText')}</p>
          <Digits groups={me.value.fingerprint} />
        </details>
        <div class="items">
          <Item icon="trash" title={t('erase')} note={t('eraseNote')} danger onClick={erase} />
        </div>
      </div>
    </section>
  );
}
