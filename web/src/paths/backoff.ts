/** Growing pauses with jitter. Pure: chance and time are arguments. */

/** ms after the first failure. */
export const FIRST = 1000;
/** ms at most: a relay that returns after a day finds its clients within five minutes. */
export const LARGEST = 300000;

/**
 * ms to wait after `failures` failures in a row (1 or more), doubled each time up to `LARGEST`.
 *
 * `chance` (0..65535) spreads the pause over its upper half, so that the clients of a relay that restarts do not all come
 * back at once.
 */
export function pause(failures: number, chance: number): number {
  const whole = Math.min(LARGEST, FIRST * 2 ** (Math.max(failures, 1) - 1));
  const half = Math.floor(whole / 2);
  return half + Math.floor(((whole - half) * (chance & 0xffff)) / 0xffff);
}
