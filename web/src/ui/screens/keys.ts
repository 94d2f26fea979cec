/** Keys that work anywhere: Ctrl+K searches, Escape goes back, Alt with arrows walks the chats. */
import { back, home, openAlone, openedChat, sideOf, stack, wide } from '../route.ts';
import { conversations } from '../state.ts';

/** Whether there is a search. */
function focusSearch(): boolean {
  const search = document.querySelector<HTMLElement>('.search input');
  search?.focus();
  return document.activeElement === search;
}

function onKeyDown(event: KeyboardEvent): void {
  if (document.querySelector('dialog[open]')) return;
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
    event.preventDefault();
    if (!wide.peek() || stack.peek().some((screen) => sideOf(screen) === 'left' && screen.name !== 'chats')) home();
    // Where the list was covered it is there after the next drawing; elsewhere a second focus would take it from
    // whatever a quick hand has reached by then.
    if (!focusSearch()) requestAnimationFrame(focusSearch);
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

/** Returns how to stop. */
export function listenToKeys(): () => void {
  addEventListener('keydown', onKeyDown);
  return () => removeEventListener('keydown', onKeyDown);
}
