/** One tab has the store at a time (Web Locks); another may ask for it, and takes it where the first does not answer. */

/** ms that a tab has to finish what it writes; a frozen one never answers, and the store's fence keeps it from writing. */
const PATIENCE = 3000;

export interface Held {
  /** Gives the store back. */
  release(): void;
  /** Called once when another tab wants the store; this one must release it. */
  onWanted: () => void;
}

function hold(name: string, options: LockOptions): Promise<Held | null> {
  return new Promise((resolve, reject) => {
    let held: Held | null = null;
    navigator.locks
      .request(name, options, (lock) => {
        if (!lock) return resolve(null);
        return new Promise<void>((release) => {
          const channel = new BroadcastChannel(name);
          const current: Held = {
            release: () => {
              channel.close();
              release();
            },
            onWanted: () => {},
          };
          channel.onmessage = () => current.onWanted();
          held = current;
          resolve(current);
        });
      })
      // Stolen from us, or given up: the promise of `request` rejects.
      .catch((error: unknown) => {
        if (held) held.onWanted();
        else reject(error as Error);
      });
  });
}

/** The lock, or null where another tab has it. */
export function tryHold(name: string): Promise<Held | null> {
  return hold(name, { ifAvailable: true });
}

/** Asks the other tab for the lock and waits; takes it where no answer comes. */
export async function takeOver(name: string): Promise<Held> {
  const channel = new BroadcastChannel(name);
  channel.postMessage('wanted');
  channel.close();
  const asked = await hold(name, { signal: AbortSignal.timeout(PATIENCE) }).catch(() => null);
  const held = asked ?? (await hold(name, { steal: true }));
  if (!held) throw new Error('Web Locks gave no lock.');
  return held;
}
