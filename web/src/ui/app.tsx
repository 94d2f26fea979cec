/** The whole app: what state it is in, and the screens of a running client. */
import { signal } from './signals.ts';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Bootstrap, BootstrapFunction, Client } from '../client/types.ts';
import { linkKind, type Arrival } from './arrival.ts';
import { attempt, codeOf, notice } from './notices.ts';
import { Later } from './parts/later.tsx';
import { Notices } from './parts/notices.tsx';
import { closeDialog, dialog } from './parts/overlay.tsx';
import { popup } from './parts/popup.ts';
import { keyOf, openAlone, sideOf, stack, wide, type Screen } from './route.ts';
import { Chat } from './chat/chat.tsx';
import { FirstRun } from './screens/first_run.tsx';
import { Invited } from './screens/invited.tsx';
import { Starting } from './screens/plain.tsx';
import { connect, conversation, conversations, takenOver, unreadChats } from './state.ts';
import { loadLater, t } from './text/index.ts';
import { roomy, whenIdle } from './idle.ts';

type Phase = Bootstrap | { kind: 'starting' };
const phase = signal<Phase>({ kind: 'starting' });
let disconnect: (() => void) | null = null;

const later = <P extends object>(load: () => Promise<(props: P) => ComponentChildren>, props: P): VNode => <Later load={load} props={props} />;
const loadChats = async () => (await import('./screens/chats.tsx')).Chats;
const loadNothing = async () => (await import('./screens/nothing.tsx')).Nothing;
const loadOther = async () => (await import('./screens/others.tsx')).Other;
const loadFailed = async () => (await import('./screens/interrupted.tsx')).Failed;
const loadElsewhere = async () => (await import('./screens/interrupted.tsx')).Elsewhere;
const loadObstacle = async () => (await import('./screens/obstacle.tsx')).ObstaclePage;
whenIdle([loadChats, loadOther]);

function content(screen: Screen): VNode {
  if (screen.name === 'chats') return later(loadChats, {});
  if (screen.name === 'chat') return <Chat id={screen.id} />;
  if (screen.name === 'invited') return <Invited id={screen.id} />;
  return later(loadOther, { screen });
}

function Pane({ screen, covered, top }: { screen: Screen; covered: boolean; top: boolean }) {
  const seen = useRef(false);
  // What lies beneath from the start is not worth its bytes before somebody looks.
  seen.current ||= !covered || roomy.value;
  return (
    <div class={`pane pane-${sideOf(screen)} ${covered ? 'covered' : ''} ${screen.name === 'chats' ? 'pane-first' : ''}`} data-screen={screen.name} inert={covered} aria-hidden={covered} data-top={top}>
      {seen.current && content(screen)}
    </div>
  );
}

function Running() {
  const screens = stack.value;
  const count = unreadChats.value;
  useEffect(() => {
    document.title = count > 0 ? `(${count}) ${t('appName')}` : t('appName');
    if ('setAppBadge' in navigator) void navigator.setAppBadge(count).catch(() => undefined);
  }, [count]);
  const topOf = (side: 'left' | 'right'): number => screens.findLastIndex((screen) => sideOf(screen) === side);
  // Who is new and was invited sees only that, until there is a chat to write in.
  const listed = useRef(conversations.peek().length > 0);
  const shown = screens.at(-1);
  const alone = !listed.current && (shown?.name === 'invited' || (shown?.name === 'chat' && conversation(shown.id)?.state === 'joining'));
  listed.current = !alone;
  const both = wide.value && !alone;
  const tops = both ? [topOf('left'), topOf('right')] : [screens.length - 1];
  return (
    <div class={both ? 'panes wide' : 'panes'}>
      {screens.map((screen, index) => (
        <Pane key={keyOf(screen)} screen={screen} covered={!tops.includes(index)} top={index === screens.length - 1} />
      ))}
      {both && topOf('right') < 0 && (
        <div class="pane pane-right">
          {later(loadNothing, {})}
        </div>
      )}
    </div>
  );
}

/** From now on the person is in: with an invite in hand, that is the first thing shown. */
async function enter(next: Client, link: string): Promise<void> {
  disconnect?.();
  disconnect = connect(next);
  if (linkKind(link) === 'invite') await attempt(async () => openAlone({ name: 'invited', id: await next.openInvite(link) }));
  phase.value = { kind: 'ready', client: next };
}

async function settle(result: Bootstrap, arrival: Arrival): Promise<void> {
  if (result.kind === 'ready') await enter(result.client, arrival.fragment);
  else phase.value = result;
  // Who came without an invite sees the list of chats next.
  if (result.kind === 'new' && linkKind(arrival.fragment) !== 'invite') Promise.all([loadChats(), loadLater()]).catch(() => undefined);
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
  const elsewhere = (from: () => Promise<Bootstrap>): VNode => later(loadElsewhere, { useHere: () => takeOver(from) });
  useEffect(() => void begin(), []);

  const now = phase.value;
  const screen = (): VNode => {
    if (now.kind === 'starting') return <Starting />;
    if (now.kind === 'failed') return later(loadFailed, { code: now.code, again: begin });
    if (now.kind === 'unsupported') return later(loadObstacle, { obstacle: { reason: now.reason, detail: now.detail ?? '' }, arrival, goOn: null });
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
      {dialog.value}
      {popup.value}
      {notice.value && <Notices />}
    </>
  );
}
