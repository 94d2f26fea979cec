/** Menus and the emoji picker. */
import type { VNode } from 'preact';
import { Menu } from './menu.tsx';
import { Picker } from './picker.tsx';
import { popup, type MenuContent } from './popup.ts';

let opened = 0;

/** Shown anew, even where the one before is of the same kind. */
function show(make: (key: number) => VNode): void {
  opened += 1;
  popup.value = make(opened);
}

export function showMenu(content: MenuContent, at: { x: number; y: number }): void {
  show((key) => <Menu key={key} content={content} at={at} pick={showPicker} />);
}

export function showPicker(anchor: Element, choose: (emoji: string) => void): void {
  const box = anchor.getBoundingClientRect();
  show((key) => <Picker key={key} box={box} choose={choose} />);
}
