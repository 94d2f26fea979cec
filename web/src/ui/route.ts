/** Which screens are open: a stack, kept in step with the browser's history so that Back works, without ever changing the address. */
import { computed, signal } from './signals.ts';
import type { Hex } from '../client/types.ts';

export type Screen =
  | { name: 'chats' }
  | { name: 'new-chat' }
  | { name: 'new-group' }
  | { name: 'invite' }
  | { name: 'request'; id: Hex }
  | { name: 'invited'; id: Hex }
  | { name: 'paste-link' }
  | { name: 'settings' }
  | { name: 'relay-sees' }
  | { name: 'chat'; id: Hex }
  | { name: 'info'; id: Hex }
  | { name: 'add-members'; id: Hex }
  | { name: 'safety'; id: Hex };

const LEFT: ReadonlySet<Screen['name']> = new Set(['chats', 'new-chat', 'new-group', 'invite', 'paste-link', 'settings', 'relay-sees']);
export const sideOf = (screen: Screen): 'left' | 'right' => (LEFT.has(screen.name) ? 'left' : 'right');
export const keyOf = (screen: Screen): string => ('id' in screen ? `${screen.name} ${screen.id}` : screen.name);

const HOME: Screen = { name: 'chats' };
/** Everything reachable by Back and Forward; `depth` says where we are in it. */
let trail: Screen[] = [HOME];
const depth = signal(0);
/** Set anew with each change so that a replaced screen is noticed too. */
const version = signal(0);

export const stack = computed<readonly Screen[]>(() => (version.value, trail.slice(0, depth.value + 1)));

const twoPanes = matchMedia('(min-width: 900px)');
/** Two panes side by side. */
export const wide = signal(twoPanes.matches);
twoPanes.addEventListener('change', () => (wide.value = twoPanes.matches));

/** The conversation whose chat is open. */
export const openedChat = computed<Hex | null>(() => {
  const chat = stack.value.findLast((screen) => screen.name === 'chat');
  return chat?.name === 'chat' ? chat.id : null;
});

interface Mark {
  depth?: unknown;
}

addEventListener('popstate', (event) => {
  const mark = (event.state as Mark | null)?.depth;
  depth.value = typeof mark === 'number' ? Math.min(mark, trail.length - 1) : 0;
});

function settle(next: Screen[]): void {
  trail = next;
  depth.value = next.length - 1;
  version.value += 1;
}

export function open(screen: Screen): void {
  const now = stack.peek();
  if (keyOf(now.at(-1) as Screen) === keyOf(screen)) return;
  settle([...now, screen]);
  history.pushState({ depth: now.length }, '');
}

/** Replaces all screens above the list with this one. */
export function openAlone(screen: Screen): void {
  const was = stack.peek().length - 1;
  settle([HOME, screen]);
  if (was === 0) history.pushState({ depth: 1 }, '');
  else if (was > 1) history.go(1 - was);
}

export function back(): void {
  if (depth.peek() > 0) history.back();
}

export function home(): void {
  const was = stack.peek().length - 1;
  settle([HOME]);
  if (was > 0) history.go(-was);
}
