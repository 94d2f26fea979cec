/** What a chat says of itself above its messages: what is wrong, and what is on its way. */
import type { ConversationView } from '../../client/types.ts';
import { words } from '../notices.ts';
import { Icon } from '../parts/icon.tsx';
import { open } from '../route.ts';
import { t } from '../text/index.ts';

export function Strips({ conversation: { id, problem, pending, state } }: { conversation: ConversationView }) {
  const moving = state === 'moving';
  const outgrown = problem === 'outgrown';
  return (
    <>
      {problem && (
        <div class={outgrown ? 'strip' : 'strip bad'} role="alert">
          <Icon name="alert" />
          <span>{words(problem)}</span>
          {outgrown && (
            <button type="button" class="strip-action" onClick={() => open({ name: 'info', id })}>
              {t('info')}
            </button>
          )}
        </div>
      )}
      {(moving || pending) && (
        <div class="strip" role="status">
          <span class="spinner" />
          <span>{t(moving ? 'state:moving' : 'pending')}</span>
        </div>
      )}
    </>
  );
}
