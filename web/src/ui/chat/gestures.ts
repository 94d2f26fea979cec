/** Touch: a long press opens a message's menu, a swipe towards the line's start answers it. */

/** A press this long without moving; phones' own long press takes as long. */
const LONG_PRESS_MS = 450;
/** Movement that makes it a scroll or swipe. */
const SLOP = 10;
/** A swipe this far answers. */
const SWIPE = 56;
const LONGEST = 80;

interface Touch {
  row: HTMLElement;
  x: number;
  y: number;
  /** null until it is known whether the finger swipes. */
  swiping: boolean | null;
  timer: ReturnType<typeof setTimeout>;
}

/** Starts listening on a list whose rows carry `data-id`; returns how to stop. */
export function listenToTouch(list: HTMLElement, onLongPress: (id: string, at: { x: number; y: number }) => void, onSwipe: (id: string) => void): () => void {
  let touch: Touch | null = null;
  let pressed = false;

  const end = (): void => {
    if (!touch) return;
    clearTimeout(touch.timer);
    touch.row.classList.remove('swiped');
    touch.row.style.removeProperty('--swipe');
    touch = null;
  };
  const start = (event: TouchEvent): void => {
    end();
    pressed = false;
    const finger = event.touches[0];
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>('.message') : null;
    if (!finger || !row || event.touches.length > 1) return;
    const { clientX: x, clientY: y } = finger;
    const timer = setTimeout(() => {
      pressed = true;
      onLongPress(row.dataset['id'] ?? '', { x, y });
      end();
    }, LONG_PRESS_MS);
    touch = { row, x, y, swiping: null, timer };
  };
  const move = (event: TouchEvent): void => {
    const finger = event.touches[0];
    if (!touch || !finger) return;
    const across = touch.x - finger.clientX;
    const along = Math.abs(finger.clientY - touch.y);
    if (touch.swiping === null && Math.max(Math.abs(across), along) > SLOP) {
      clearTimeout(touch.timer);
      touch.swiping = across > along;
      if (!touch.swiping) return end();
    }
    if (!touch.swiping) return;
    const distance = Math.min(Math.max(across, 0), LONGEST);
    touch.row.style.setProperty('--swipe', `${-distance}px`);
    touch.row.classList.toggle('swiped', distance >= SWIPE);
  };
  const release = (event: TouchEvent): void => {
    if (touch?.row.classList.contains('swiped')) onSwipe(touch.row.dataset['id'] ?? '');
    // The press has already opened the menu: the finger's release must not click what lies under it.
    if (pressed && event.cancelable) event.preventDefault();
    end();
  };

  list.addEventListener('touchstart', start, { passive: true });
  list.addEventListener('touchmove', move, { passive: true });
  list.addEventListener('touchend', release);
  list.addEventListener('touchcancel', end);
  return () => {
    end();
    list.removeEventListener('touchstart', start);
    list.removeEventListener('touchmove', move);
    list.removeEventListener('touchend', release);
    list.removeEventListener('touchcancel', end);
  };
}
