import type { MessageStatus } from '../../client/types.ts';
import { t } from '../text/index.ts';

const PATHS: Record<MessageStatus, string> = {
  waiting: 'M9 11.5a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM9 4v2.7l1.8 1.3',
  sent: 'm5 7 3 3 6-7',
  delivered: 'm1.5 7 3 3 6-7M8.5 10l6-7',
  read: 'm1.5 7 3 3 6-7M8.5 10l6-7',
  failed: 'M9 11.5a5 5 0 1 0 0-10 5 5 0 0 0 0 10ZM9 4v3M9 9v.01',
};

/** Clock, one tick, two ticks, two bright ticks. */
export function Status({ status }: { status: MessageStatus }) {
  return (
    <svg class={`status status-${status}`} viewBox="0 0 18 13" role="img" aria-label={t(`status:${status}`)}>
      <path d={PATHS[status]} />
    </svg>
  );
}
