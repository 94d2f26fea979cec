/** What can wait until the person has what they came for: on a slow line nothing else may take its place. */
import { loadLater } from './text/index.ts';

/** A first message is usually under way by then. */
const QUIET_MS = 15_000;
let begun = false;

/** Loads the rest of the words, and keeps the whole app on this device. Happens once. */
export function beginIdle(): void {
  if (begun) return;
  begun = true;
  void loadLater();
  void import('./worker.ts').then(
    ({ registerWorker }) => registerWorker(),
    () => (begun = false),
  );
}

export function beginIdleSoon(): void {
  setTimeout(beginIdle, QUIET_MS);
}
