/** This device's chance and clock. */
import { encapsulate } from '../crypto/mlkem.ts';
import type { Random } from '../crypto/random.ts';

export const systemRandom: Random = {
  bytes: (n) => crypto.getRandomValues(new Uint8Array(n)),
  encapsulate,
};

export const systemClock = (): number => Date.now();
