/** A newer version of the app that waits on this device. */
import { signal } from './signals.ts';

/** Starts it, or null while there is none. */
export const update = signal<(() => void) | null>(null);
