/** The notice at the bottom of the screen. */
import { dismiss, notice } from '../notices.ts';
import { IconButton } from './basics.tsx';
import { Icon } from './icon.tsx';

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
