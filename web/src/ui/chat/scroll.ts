/** Where a chat's scroller stands: kept at its end, or with the same message at the same place, whatever is added around it. */
import type { Hex } from '../../client/types.ts';
import type { History } from './history.ts';

/** This near to the end counts as the end. */
const END_SLACK = 60;
/** Older messages are fetched when less than this is left above. */
export const FETCH_AHEAD = 800;

const rowsOf = (scroller: HTMLElement): HTMLElement[] => [...scroller.querySelectorAll<HTMLElement>('li[data-id]')];

/** The first of the rows whose bottom edge is below `y`. */
function firstBelow(rows: readonly HTMLElement[], y: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((rows[middle] as HTMLElement).getBoundingClientRect().bottom > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Notes where the scroller stands. */
export function remember(scroller: HTMLElement, history: History): void {
  history.atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < END_SLACK;
  const rows = rowsOf(scroller);
  const top = scroller.getBoundingClientRect().top;
  const row = rows[firstBelow(rows, top)];
  history.place = row ? { id: row.dataset['id'] ?? '', offset: row.getBoundingClientRect().top - top } : null;
}

/** Puts the scroller back to where it was noted. */
export function restore(scroller: HTMLElement, history: History): void {
  if (history.atEnd) {
    scroller.scrollTop = scroller.scrollHeight;
    return;
  }
  const { place } = history;
  const row = place && findRow(scroller, place.id);
  if (row) scroller.scrollTop += row.getBoundingClientRect().top - scroller.getBoundingClientRect().top - place.offset;
}

/** Marks the day separator that floats over the messages. */
export function markStuck(scroller: HTMLElement): void {
  const top = scroller.getBoundingClientRect().top;
  for (const pill of scroller.querySelectorAll<HTMLElement>('.day-pill')) {
    const day = pill.parentElement?.getBoundingClientRect();
    pill.classList.toggle('stuck', day !== undefined && day.top < top - 6 && day.bottom > top);
  }
}

export function findRow(scroller: HTMLElement, id: Hex): HTMLElement | null {
  return scroller.querySelector<HTMLElement>(`li[data-id="${CSS.escape(id)}"]`);
}

/** The last message that is wholly, or for its larger part, in sight. */
export function lastSeen(scroller: HTMLElement): Hex | null {
  const rows = rowsOf(scroller);
  const bottom = scroller.getBoundingClientRect().bottom;
  const next = firstBelow(rows, bottom - 4);
  const partly = rows[next]?.getBoundingClientRect();
  const shown = partly && partly.top + partly.height / 2 < bottom ? rows[next] : rows[next - 1];
  return shown?.dataset['id'] ?? null;
}
