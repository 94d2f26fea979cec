/** One tab has the store at a time (Web Locks); another may ask for it, and takes it where the first does not answer. */

/** ms that a tab has to finish what it writes; a frozen one never answers, and the store's fence keeps it from writing. */
const PATIENCE = 3000;
/** ms that a tab which is being closed may still have it: who opens the next at once means no second one. */
const MOMENT = 1000;

export interface Held {
  /** Gives the store back. */
  release(): void;
  /** Called once when another tab wants the store; this one must release it. */
  onWanted: () => void;
}

function hold(name: string, options: LockOptions): Promise<Held> {
  return new Promise((resolve, reject) => {
    const held: Held = { release: () => {}, onWanted: () => {} };
    navigator.locks
      .request(
        name,
        options,
        () =>
          new Promise<void>((release) => {
            const channel = new BroadcastChannel(name);
            channel.onmessage = () => held.onWanted();
            held.release = () => {
              channel.close();
              release();
            };
            resolve(held);
          }),
      )
      // Never had, or stolen: whoever had it is told.
      .catch((error: unknown) => {
        held.onWanted();
        reject(error as Error);
      });
  });
}

/** The lock, or null where another tab keeps it. */
export const tryHold = (name: string): Promise<Held | null> => wait(name, MOMENT);

function wait(name: string, ms: number): Promise<Held | null> {
  const signal = AbortSignal.timeout(ms);
  return hold(name, { signal }).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
}

/** Asks the other tab for the lock and waits; takes it where no answer comes. */
export async function takeOver(name: string): Promise<Held> {
  const channel = new BroadcastChannel(name);
  channel.postMessage('');
  channel.close();
  return (await wait(name, PATIENCE)) ?? hold(name, { steal: true });
}
