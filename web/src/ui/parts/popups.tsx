/** Menus and the emoji picker: opened from anywhere, loaded on first use. */
import type { ComponentChildren } from 'preact';
import { attempt } from '../notices.ts';
import { type MenuContent, popup } from './popup.ts';

export { closePopup, type MenuContent, type MenuItem } from './popup.ts';

let opened = 0;

const loadMenu = async () => (await import('./menu.tsx')).Menu;
const loadPicker = async () => (await import('./picker.tsx')).Picker;

/** Loads what pops up, then shows it; a failure becomes a notice. */
function show<P extends object>(load: () => Promise<(props: P) => ComponentChildren>, props: P): void {
  void attempt(async () => {
    const Part = await load();
    opened += 1;
    popup.value = <Part key={opened} {...props} />;
  });
}

export function showMenu(content: MenuContent, at: { x: number; y: number }): void {
  show(loadMenu, { content, at, pick: showPicker });
}

export function showPicker(anchor: Element, choose: (emoji: string) => void): void {
  const { left, right, top, bottom } = anchor.getBoundingClientRect();
  show(loadPicker, { box: { left, right, top, bottom }, choose });
}

export function PopupPlace() {
  return popup.value;
}
