import { shownName } from '../format.ts';
import { IconButton } from '../parts/basics.tsx';
import { Icon } from '../parts/icon.tsx';
import { t } from '../text/index.ts';
import type { Mode } from './mode.ts';
import { contentWords } from './words.ts';

/** Above the field: what is answered or edited. */
export function ComposerMode({ mode: { kind, message }, cancel }: { mode: NonNullable<Mode>; cancel: () => void }) {
  return (
    <div class="composer-mode">
      <Icon name={kind} />
      <span class="quote">
        <bdi class="quote-name">{kind === 'edit' ? t('editing') : message.mine ? t('you') : shownName(message.senderName)}</bdi>
        <span class="quote-text" dir="auto">
          {contentWords(message.kind, message.text ?? message.file?.name ?? '')}
        </span>
      </span>
      <IconButton icon="close" label="cancel" onClick={cancel} />
    </div>
  );
}
