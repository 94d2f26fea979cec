/** The whole app: what state it is in, and the screens of a running client. */
import { signal } from './signals.ts';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Bootstrap, BootstrapFunction, Client } from '../client/types.ts';
import { linkKind, type Arrival } from './arrival.ts';
import { attempt, codeOf, notice } from './notices.ts';
import { Later } from './parts/basics.tsx';
import { closeDialog, DialogPlace } from './parts/overlay.tsx';
import { PopupPlace } from './parts/popups.tsx';
import { back, home, keyOf, openAlone, openedChat, sideOf, stack, wide, type Screen } from './route.ts';
import { Chat } from './chat/chat.tsx';
import { Chats } from './screens/chats.tsx';
import { FirstRun } from './screens/first_run.tsx';
import { Invited } from './screens/invited.tsx';
import { Nothing, Starting } from './screens/plain.tsx';
import { client, connect, conversations, takenOver, unreadChats } from './state.ts';
import { t } from './text/index.ts';
import { beginIdleSoon } from './idle.ts';
import './styles/app.css';
import './styles/chat.css';

type Phase = Bootstrap | { kind: 'starting' };
const phase = signal<Phase>({ kind: 'starting' });
let disconnect: (() => void) | null = null;

const later = <P extends object>(load: () => Promise<(props: P) => ComponentChildren>, props: P): VNode => <Later load={load} props={props} />;

function content(screen: Screen): VNode {
  switch (screen.name) {
    case 'chats':
      return <Chats />;
    case 'chat':
      return <Chat id={screen.id} />;
    case 'invited':
      return <Invited id={screen.id} />;
    case 'invite':
      return later(async () => (await import('./people/invite.tsx')).Invite, {});
    case 'paste-link':
      return later(async () => (await import('./people/new.tsx')).PasteLink, {});
    case 'new-chat':
      return later(async () => (await import('./people/new.tsx')).NewChat, {});
    case 'new-group':
      return later(async () => (await import('./people/new.tsx')).NewGroup, {});
    case 'add-members':
      return later(async () => (await import('./people/new.tsx')).AddMembers, { id: screen.id });
    case 'request':
      return later(async () => (await import('./people/request.tsx')).Request, { id: screen.id });
    case 'info':
      return later(async () => (await import('./people/info.tsx')).Info, { id: screen.id });
    case 'safety':
      return later(async () => (await import('./people/safety.tsx')).Safety, { id: screen.id });
    case 'settings':
      return later(async () => (await import('./settings/settings.tsx')).SettingsScreen, {});
    case 'relay-sees':
      return later(async () => (await import('./settings/relay_sees.tsx')).RelaySees, {});
  }
}

function Pane({ screen, covered, top }: { screen: Screen; covered: boolean; top: boolean }) {
  return (
    <div class={`pane pane-${sideOf(screen)} ${covered ? 'covered' : ''} ${screen.name === 'chats' ? 'pane-first' : ''}`} data-screen={screen.name} inert={covered} aria-hidden={covered} data-top={top}>
      {content(screen)}
    </div>
  );
}

function onKeyDown(event: KeyboardEvent): void {
  if (document.querySelector('dialog[open]')) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    if (!wide.peek() || stack.peek().some((screen) => sideOf(screen) === 'left' && screen.name !== 'chats')) home();
    requestAnimationFrame(() => document.querySelector<HTMLElement>('.search input')?.focus());
  } else if (event.key === 'Escape') {
    back();
  } else if (event.altKey && !command && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
    const all = conversations.peek();
    const at = all.findIndex((each) => each.id === openedChat.peek());
    const next = all[at + (event.key === 'ArrowDown' ? 1 : -1)];
    if (next) {
      event.preventDefault();
      openAlone({ name: 'chat', id: next.id });
    }
  }
}

function Running() {
  const screens = stack.value;
  const count = unreadChats.value;
  useEffect(() => {
    document.title = count > 0 ? `(${count}) ${t('appName')}` : t('appName');
    if ('setAppBadge' in navigator) void navigator.setAppBadge(count).catch(() => undefined);
  }, [count]);
  useEffect(() => {
    addEventListener('keydown', onKeyDown);
    return () => removeEventListener('keydown', onKeyDown);
  }, []);
  const topOf = (side: 'left' | 'right'): number => screens.findLastIndex((screen) => sideOf(screen) === side);
  const tops = wide.value ? [topOf('left'), topOf('right')] : [screens.length - 1];
  return (
    <div class={wide.value ? 'panes wide' : 'panes'}>
      {screens.map((screen, index) => (
        <Pane key={keyOf(screen)} screen={screen} covered={!tops.includes(index)} top={index === screens.length - 1} />
      ))}
      {wide.value && topOf('right') < 0 && (
        <div class="pane pane-right">
          <Nothing />
        </div>
      )}
    </div>
  );
}

/** From now on the person is in: with an invite in hand, that is the first thing shown. */
async function enter(next: Client, link: string): Promise<void> {
  disconnect?.();
  disconnect = connect(next);
  phase.value = { kind: 'ready', client: next };
  beginIdleSoon();
  if (linkKind(link) === 'invite') await attempt(async () => openAlone({ name: 'invited', id: await client().openInvite(link) }));
}

async function settle(result: Bootstrap, arrival: Arrival): Promise<void> {
  if (result.kind === 'ready') await enter(result.client, arrival.fragment);
  else phase.value = result;
}

export function App({ arrival, bootstrap }: { arrival: Arrival; bootstrap: BootstrapFunction }) {
  const begin = async (): Promise<void> => {
    try {
      await settle(await bootstrap(arrival), arrival);
    } catch (error) {
      phase.value = { kind: 'failed', code: codeOf(error) };
    }
  };
  const takeOver = async (from: () => Promise<Bootstrap>): Promise<void> => {
    closeDialog();
    await attempt(async () => settle(await from(), arrival));
  };
  const elsewhere = (from: () => Promise<Bootstrap>): VNode => later(async () => (await import('./screens/interrupted.tsx')).Elsewhere, { useHere: () => takeOver(from) });
  useEffect(() => void begin(), []);

  const now = phase.value;
  const screen = (): VNode => {
    if (now.kind === 'starting') return <Starting />;
    if (now.kind === 'failed') return later(async () => (await import('./screens/interrupted.tsx')).Failed, { code: now.code, again: begin });
    if (now.kind === 'unsupported') return later(async () => (await import('./screens/obstacle.tsx')).ObstaclePage, { obstacle: { reason: now.reason, detail: now.detail ?? '' }, arrival, goOn: null });
    if (now.kind === 'elsewhere') return elsewhere(now.takeOver);
    if (now.kind === 'new') return <FirstRun link={arrival.fragment} register={async (name, link) => enter(await now.register(name, link), link)} />;
    if (takenOver.value) {
      return elsewhere(async () => {
        const result = await bootstrap({ ...arrival, fragment: '' });
        return result.kind === 'elsewhere' ? result.takeOver() : result;
      });
    }
    return <Running />;
  };
  return (
    <>
      {screen()}
      <DialogPlace />
      <PopupPlace />
      {notice.value && later(async () => (await import('./parts/notices.tsx')).Notices, {})}
    </>
  );
}
