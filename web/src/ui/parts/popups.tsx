/** Menus and the emoji picker: opened from anywhere, loaded on first use. */
import { signal } from '../signals.ts';
import type { VNode } from 'preact';
import { Later } from './basics.tsx';
import type { IconName } from './icon.tsx';

export interface MenuItem {
  icon: IconName;
  label: string;
  run: () => void;
  danger?: boolean;
}

export interface MenuContent {
  items: MenuItem[];
  /** A row of reactions above the items; `own` is the person's present one. */
  reactions?: { own: string | null; choose: (emoji: string) => void };
}

const popup = signal<VNode | null>(null);
let opened = 0;

export function closePopup(): void {
  popup.value = null;
}

const loadMenu = async () => (await import('./menu.tsx')).Menu;
const loadPicker = async () => (await import('./picker.tsx')).Picker;

export function showMenu(content: MenuContent, at: { x: number; y: number }): void {
  opened += 1;
  popup.value = <Later key={opened} load={loadMenu} props={{ content, at }} />;
}

export function showPicker(anchor: Element, choose: (emoji: string) => void): void {
  opened += 1;
  const { left, right, top, bottom } = anchor.getBoundingClientRect();
  popup.value = <Later key={opened} load={loadPicker} props={{ box: { left, right, top, bottom }, choose }} />;
}

export function PopupPlace() {
  return popup.value;
}
