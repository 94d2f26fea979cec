import { Logo } from '../parts/icon.tsx';
import { t } from '../text/index.ts';

/** The larger pane while no chat is open. */
export function Nothing() {
  return (
    <div class="nothing">
      <Logo />
      <p>{t('chooseChat')}</p>
    </div>
  );
}
