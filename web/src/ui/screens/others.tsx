/** Every screen that is opened from another one: together in one part, which comes when all is quiet or on the first use. */
import { Info } from '../people/info.tsx';
import { Invite } from '../people/invite.tsx';
import { AddMembers, NewChat, NewGroup, PasteLink } from '../people/new.tsx';
import { Request } from '../people/request.tsx';
import { Safety } from '../people/safety.tsx';
import type { Screen } from '../route.ts';
import { RelaySees } from '../settings/relay_sees.tsx';
import { SettingsScreen } from '../settings/settings.tsx';

export type OtherScreen = Exclude<Screen, { name: 'chats' | 'chat' | 'invited' }>;

export function Other({ screen }: { screen: OtherScreen }) {
  switch (screen.name) {
    case 'invite':
      return <Invite />;
    case 'paste-link':
      return <PasteLink />;
    case 'new-chat':
      return <NewChat />;
    case 'new-group':
      return <NewGroup />;
    case 'add-members':
      return <AddMembers id={screen.id} />;
    case 'request':
      return <Request id={screen.id} />;
    case 'info':
      return <Info id={screen.id} />;
    case 'safety':
      return <Safety id={screen.id} />;
    case 'settings':
      return <SettingsScreen />;
    case 'relay-sees':
      return <RelaySees />;
  }
}
