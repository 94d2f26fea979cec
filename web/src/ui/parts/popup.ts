/** What is popped up now, and what a menu holds. */
import type { VNode } from 'preact';
import { signal } from '../signals.ts';
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

export const popup = signal<VNode | null>(null);

export function closePopup(): void {
  popup.value = null;
}
