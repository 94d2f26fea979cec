/** Modal dialogs: the browser's own, which keeps the focus inside and closes on Esc. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../text/index.ts';
import { ActionButton } from './action_button.tsx';
import { closeDialog, dialog } from './overlay.tsx';
import { addStyles } from './styles.ts';
import listsCss from '../styles/lists.css?inline';

addStyles(listsCss);

export function Dialog({ children, label, className = '' }: { children: ComponentChildren; label: string; className?: string }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog ref={ref} class={`dialog ${className}`} aria-label={label} onClose={closeDialog} onClick={(event) => event.target === ref.current && closeDialog()}>
      <div class="dialog-inside">{children}</div>
    </dialog>
  );
}

interface Question {
  title: string;
  text: ComponentChildren;
  action: string;
  danger?: boolean;
  run: () => Promise<unknown>;
}

/** Asks before something that cannot be taken back. */
export function ask({ title, text, action, danger = false, run }: Question): void {
  const go = async (): Promise<void> => {
    await run();
    closeDialog();
  };
  dialog.value = (
    <Dialog label={title}>
      <h2>{title}</h2>
      <p>{text}</p>
      <div class="dialog-actions">
        <button type="button" class="button quiet" onClick={closeDialog}>
          {t('cancel')}
        </button>
        <ActionButton className={danger ? 'button danger' : 'button'} run={go}>
          {action}
        </ActionButton>
      </div>
    </Dialog>
  );
}
