/** Why new chats, invitations and files wait: the relay gives no more tokens. */
import type { Shortage } from '../../client/types.ts';
import { words } from '../notices.ts';
import { Icon } from './icon.tsx';

export function ShortageNote({ code, hours }: Shortage) {
  return (
    <div class={code === 'no-tokens' ? 'strip' : 'strip bad'} role="status">
      <Icon name="info" />
      <span>{words(code, { n: hours })}</span>
    </div>
  );
}
