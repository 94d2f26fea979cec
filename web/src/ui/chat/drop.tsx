import { useEffect, useRef } from 'preact/hooks';
import { Icon } from '../parts/icon.tsx';
import { useSignal } from '../signals.ts';
import { t } from '../text/index.ts';

/** Takes files that are dropped anywhere on the element around it. */
export function DropPlace({ canSend, onFiles }: { canSend: () => boolean; onFiles: (files: File[]) => void }) {
  const sign = useRef<HTMLDivElement>(null);
  const dragging = useSignal(false);
  useEffect(() => {
    const place = sign.current?.parentElement;
    let depth = 0;
    const listeners: Record<string, (event: DragEvent) => void> = {
      dragenter(event) {
        if (!event.dataTransfer?.types.includes('Files')) return;
        depth += 1;
        dragging.value = canSend();
      },
      dragleave() {
        depth -= 1;
        if (depth <= 0) dragging.value = false;
      },
      dragover: (event) => event.preventDefault(),
      drop(event) {
        event.preventDefault();
        depth = 0;
        dragging.value = false;
        onFiles([...(event.dataTransfer?.files ?? [])]);
      },
    };
    for (const [name, listener] of Object.entries(listeners)) place?.addEventListener(name, listener as EventListener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) place?.removeEventListener(name, listener as EventListener);
    };
  }, []);
  return (
    <div class="drop-here" ref={sign} hidden={!dragging.value}>
      {dragging.value && (
        <>
          <Icon name="attach" />
          {t('dropHere')}
        </>
      )}
    </div>
  );
}
