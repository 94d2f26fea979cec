/** The part of the app that is loaded second: asked for when it is needed or all is quiet, until it is there. */
import { RestMissing } from '../core/provided.ts';
import type { Random } from '../crypto/random.ts';
import { pause } from '../paths/backoff.ts';
import { ClientError } from './errors.ts';

export class Provision<T> {
  readonly #load: () => Promise<T>;
  readonly #random: Random;
  readonly #over: Promise<never>;
  #there: Promise<T> | undefined;
  #value: T | undefined;
  #wake: () => void = () => {};
  /** Called once, when the rest is there. */
  onThere: () => void = () => {};
  /** Whoever waits is told `taken-over`; nothing is loaded any more. */
  giveUp!: () => void;

  /** `load` may fail any number of times. */
  constructor(load: () => Promise<T>, random: Random) {
    this.#load = load;
    this.#random = random;
    this.#over = new Promise((_, reject) => {
      this.giveUp = () => reject(new ClientError('taken-over'));
    });
    this.#over.catch(() => undefined);
  }

  /** Resolves when the rest is there, however long that takes. @throws ClientError `taken-over` */
  get(): Promise<T> {
    return Promise.race([(this.#there ??= this.#keepLoading()), this.#over]);
  }

  /** The rest if it is there. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Ends the pause between two attempts. */
  retryNow(): void {
    this.#wake();
  }

  /** What `step` gives; where it needs the rest, it is done once more when that is there. */
  async run<R>(step: () => R | Promise<R>): Promise<R> {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof RestMissing)) throw error;
      await this.get();
      return step();
    }
  }

  async #keepLoading(): Promise<T> {
    for (let failures = 1; ; failures++) {
      try {
        this.#value = await this.#load();
        this.onThere();
        return this.#value;
      } catch {
        const [high = 0, low = 0] = this.#random.bytes(2);
        const length = pause(failures, high * 256 + low);
        await Promise.race([
          this.#over,
          new Promise<void>((resolve) => {
            this.#wake = resolve;
            setTimeout(resolve, length);
          }),
        ]);
      }
    }
  }
}
