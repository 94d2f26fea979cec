/** Where the app runs. */
import type { Held } from './lock.ts';

/** What one tab holds of the store. */
export interface Place {
  /** Name of the store and the lock. */
  readonly name: string;
  /** Address of the app, which is its relay's unless a link says otherwise. */
  readonly base: string;
  readonly held: Held;
}
