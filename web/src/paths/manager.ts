/**
 * Chooses the carrier to a relay. Holds what was seen of each; never touches the network itself.
 *
 * The best-scored carrier that is not in a pause is tried; one that fails pauses for a growing time, and the next is tried
 * at once. So a blocked WebSocket costs one attempt before exchanges take over, and is tried again when its pause is over.
 * Times are milliseconds of a clock that nobody sets (monotonic).
 */
import type { CarrierProperties } from '../carriers/base.ts';
import { LARGEST, pause } from './backoff.ts';

/** What was seen of one carrier: failures in a row, when it may be tried again (ms), and whether it ever worked. */
export interface PathRecord {
  readonly failures: number;
  readonly retryAt: number;
  readonly worked: boolean;
}

const UNKNOWN: PathRecord = { failures: 0, retryAt: 0, worked: false };

/** Higher is tried first: streams before exchanges, then what works, then the quicker. */
export function defaultScore(properties: CarrierProperties, record: PathRecord): number {
  const works = record.worked && record.failures === 0;
  return 100 * Number(properties.streams) + 10 * Number(works) - properties.latency / 1000;
}

/** The carriers to one relay by name; where scores are equal, in the order given. */
export class PathManager {
  readonly #carriers: ReadonlyMap<string, CarrierProperties>;
  readonly #records = new Map<string, PathRecord>();

  constructor(carriers: ReadonlyMap<string, CarrierProperties>, memory: unknown = null) {
    this.#carriers = carriers;
    for (const name of carriers.keys()) this.#records.set(name, UNKNOWN);
    this.#recall(memory);
  }

  record(name: string): PathRecord {
    return this.#records.get(name) ?? UNKNOWN;
  }

  /** The name of the carrier to try among those that `fits` accepts, or until when (ms) all of them pause. */
  choose(now: number, fits: (properties: CarrierProperties) => boolean = () => true): string | number {
    const able = [...this.#carriers].filter(([, properties]) => fits(properties));
    const score = ([name, properties]: [string, CarrierProperties]): number =>
      defaultScore(properties, this.record(name));
    const retryAt = ([name]: readonly [string, unknown]): number => this.record(name).retryAt;
    const [best] = able.filter((one) => retryAt(one) <= now).sort((a, b) => score(b) - score(a));
    return best ? best[0] : Math.min(now + LARGEST, ...able.map(retryAt));
  }

  succeeded(name: string): void {
    this.#records.set(name, { ...UNKNOWN, worked: true });
  }

  /** Notes a failure; `chance` (0..65535) is the jitter. */
  failed(name: string, now: number, chance: number): void {
    const record = this.record(name);
    const failures = record.failures + 1;
    this.#records.set(name, { ...record, failures, retryAt: now + pause(failures, chance) });
  }

  /** The person asks, or the network changed: all pauses end. */
  retryNow(): void {
    for (const [name, record] of this.#records) this.#records.set(name, { ...record, retryAt: 0 });
  }

  /** What the next run should know: which carriers work. Pauses are not kept: a start is the wish to try. */
  remember(): [string, number, boolean][] {
    return [...this.#records].map(([name, record]) => [name, record.failures, record.worked]);
  }

  /** Takes what `remember` made; anything else is forgotten, as that costs one attempt only. */
  #recall(memory: unknown): void {
    for (const row of Array.isArray(memory) ? (memory as unknown[]) : []) {
      const [name, failures, worked] = Array.isArray(row) ? (row as unknown[]) : [];
      if (typeof name !== 'string' || !this.#records.has(name)) continue;
      if (typeof failures !== 'number' || typeof worked !== 'boolean') continue;
      this.#records.set(name, { failures: Math.min(failures, 20), retryAt: 0, worked });
    }
  }
}
