/** The dialog that is open; what dialogs are made of is loaded with the first one. */
import type { ComponentChildren, VNode } from 'preact';
import { attempt } from '../notices.ts';
import { signal } from '../signals.ts';

export const dialog = signal<VNode | null>(null);

/** Loads a dialog, then opens it; a failure becomes a notice. */
export function showDialog<P extends object>(load: () => Promise<(props: P) => ComponentChildren>, props: P): void {
  void attempt(async () => {
    const Part = await load();
    dialog.value = <Part {...props} />;
  });
}

export function closeDialog(): void {
  dialog.value = null;
}
