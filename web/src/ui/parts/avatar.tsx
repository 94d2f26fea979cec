import type { ConversationView } from '../../client/types.ts';
import { hueOf, initials } from '../format.ts';
import { Icon } from './icon.tsx';

interface Props {
  /** Identity or conversation id: it decides the colour. */
  id: string;
  name: string;
  size?: 'small' | 'medium' | 'large' | 'huge';
  verified?: boolean;
}

export function Avatar({ id, name, size = 'medium', verified = false }: Props) {
  return (
    <span class={`avatar avatar-${size}`} style={{ '--hue': hueOf(id) }} aria-hidden="true">
      {initials(name) || <Icon name="group" />}
      {verified && (
        <span class="avatar-badge">
          <Icon name="check" />
        </span>
      )}
    </span>
  );
}

/** A direct conversation has its person's colour, wherever that person is shown. */
export function colourIdOf(conversation: ConversationView): string {
  if (conversation.kind === 'group') return conversation.id;
  return conversation.members.find((member) => !member.me)?.identity ?? conversation.id;
}

export function ConversationAvatar({ of, size }: { of: ConversationView; size?: 'small' | 'medium' | 'large' | 'huge' }) {
  const verified = of.kind === 'direct' && of.members.some((member) => !member.me && member.verified);
  return <Avatar id={colourIdOf(of)} name={of.name} verified={verified} {...(size ? { size } : {})} />;
}
