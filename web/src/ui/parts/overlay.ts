/** The dialog that is open; what dialogs are made of is loaded with the first one. */
import { signal } from '../signals.ts';
import type { VNode } from 'preact';

export const dialog = signal<VNode | null>(null);

export function closeDialog(): void {
  dialog.value = null;
}

export function DialogPlace() {
  return dialog.value;
}
