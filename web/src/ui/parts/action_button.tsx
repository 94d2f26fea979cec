import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';

/** A button that shows that its action is under way and cannot be pressed twice. */
export function ActionButton({ run, children, className = 'button', disabled = false, type = 'button' }: { run: () => Promise<unknown>; children: ComponentChildren; className?: string; disabled?: boolean; type?: 'button' | 'submit' }) {
  const [busy, setBusy] = useState(false);
  const alive = useRef(true);
  useEffect(() => () => void (alive.current = false), []);
  const onClick = async (): Promise<void> => {
    setBusy(true);
    try {
      await run();
    } finally {
      if (alive.current) setBusy(false);
    }
  };
  return (
    <button type={type} class={className} disabled={disabled || busy} aria-busy={busy} onClick={() => void onClick()}>
      {children}
      {busy && <span class="spinner" />}
    </button>
  );
}
