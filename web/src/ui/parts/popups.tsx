/** Menus and the emoji picker: opened from anywhere, loaded on first use. */
import { Later } from './basics.tsx';
import { type MenuContent, popup } from './popup.ts';

export { closePopup, type MenuContent, type MenuItem } from './popup.ts';

let opened = 0;

const loadMenu = async () => (await import('./menu.tsx')).Menu;
const loadPicker = async () => (await import('./picker.tsx')).Picker;

export function showMenu(content: MenuContent, at: { x: number; y: number }): void {
  opened += 1;
  popup.value = <Later key={opened} load={loadMenu} props={{ content, at, pick: showPicker }} />;
}

export function showPicker(anchor: Element, choose: (emoji: string) => void): void {
  opened += 1;
  const { left, right, top, bottom } = anchor.getBoundingClientRect();
  popup.value = <Later key={opened} load={loadPicker} props={{ box: { left, right, top, bottom }, choose }} />;
}

export function PopupPlace() {
  return popup.value;
}
