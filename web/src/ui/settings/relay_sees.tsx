/** What stays hidden, what does not, and what nobody has checked: in plain words. */
import { Bar } from '../parts/basics.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import '../parts/more_icons.ts';
import { t, type TextKey } from '../text/index.ts';
import { addStyles } from '../parts/styles.ts';
import settingsCss from './settings.css?inline';

addStyles(settingsCss);

const PARTS: readonly (readonly [icon: IconName, kind: string, title: TextKey, texts: readonly TextKey[]])[] = [
  ['lock', 'good', 'sees:notTitle', ['sees:not1', 'sees:not2', 'sees:not3']],
  ['eye', 'bad', 'sees:doesTitle', ['sees:does1', 'sees:does2', 'sees:does3']],
  ['language', 'bad', 'sees:webTitle', ['sees:web1', 'sees:web2']],
  ['phone', 'bad', 'sees:deviceTitle', ['sees:device1', 'sees:device2']],
  ['alert', 'bad', 'sees:auditTitle', ['sees:audit1', 'sees:audit2']],
];

export function RelaySees() {
  return (
    <section class="screen">
      <Bar title={t('relaySees')} />
      <div class="screen-body">
        <p class="lead">{t('sees:lead')}</p>
        {PARTS.map(([icon, kind, title, texts]) => (
          <section key={title} class={`sees ${kind}`}>
            <h2>
              <Icon name={icon} />
              {t(title)}
            </h2>
            <ul>
              {texts.map((text) => (
                <li key={text}>{t(text)}</li>
              ))}
            </ul>
          </section>
        ))}
      </div>
    </section>
  );
}
