/** What can wait until the person has what they came for: on a slow line nothing else may take its place. */
import { signal } from './signals.ts';
import { loadLater } from './text/index.ts';

/** Without an invite under way nobody waits for anything by then. */
export const QUIET_MS = 15_000;
/** Who has asked to chat waits for a person; who waits longer than this may close the page and come back offline. */
export const WAITING_MS = 120_000;
let begun = false;

/** Set when all parts are on this device. */
export const roomy = signal(false);

type Load = () => Promise<unknown>;
let parts: readonly Load[] = [];

/** What to load then, one after another. */
export function whenIdle(loads: readonly Load[]): void {
  parts = loads;
}

async function loadRest(): Promise<void> {
  for (const load of parts) await load();
  if (!(await loadLater())) throw new Error('the words did not come');
  roomy.value = true;
  (await import('./worker.ts')).registerWorker();
}

/** Loads the rest, and keeps the whole app on this device. Happens once; what fails is tried again when the network is back. */
export function beginIdle(): void {
  if (begun) return;
  begun = true;
  loadRest().catch(() => {
    begun = false;
    addEventListener('online', beginIdle, { once: true });
  });
}

/** Returns how to call it off. */
export function beginIdleIn(milliseconds: number): () => void {
  const timer = setTimeout(beginIdle, milliseconds);
  return () => clearTimeout(timer);
}
