/** What is kept of one relay to seal to it: its verified keys, its clock, and the single sealed exchange. */
import { type Carrier, CarrierError } from '../carriers/base.ts';
import type { Random } from '../crypto/random.ts';
import { sealRequest } from '../wire/exchange.ts';
import { type VerifiedKeyConfigs, verifyKeyConfigs } from '../wire/keys.ts';
import {
  type Answer,
  KEY_CONFIG_LIFETIME,
  type KeyConfig,
  PROTOCOL_VERSION,
  RefusalCode,
  type Request,
  type Response,
} from '../wire/messages.ts';

/** ms of a key's life in which it is used without asking for a newer one: the relay makes one then. */
const FRESH = (KEY_CONFIG_LIFETIME * 2) / 3;

/** One relay's keys and clock. `identity` is pinned: what it did not sign is not used. */
export class Sealing {
  readonly #identity: Uint8Array;
  readonly #random: Random;
  readonly #clock: () => number;
  #keys: VerifiedKeyConfigs | null = null;
  /** ms: the relay's clock minus ours, from its last authenticated answer. */
  difference = 0;
  /** ms: the latest time in an authenticated answer, within the life of the key that it was sealed to. */
  told = 0;

  constructor(identity: Uint8Array, random: Random, clock: () => number) {
    this.#identity = identity;
    this.#random = random;
    this.#clock = clock;
  }

  /** ms: the relay's clock as well as we know it. */
  relayTime(): number {
    return Math.max(0, this.#clock() + this.difference);
  }

  /**
   * Takes the time of an authenticated answer. A key's end bounds what it says of the time: a relay whose clock was wrong
   * for a minute would shut us out for ever.
   */
  learn(time: number): void {
    this.difference = time - this.#clock();
    this.told = Math.max(this.told, Math.min(time, this.#keys?.newest.notAfter ?? time));
  }

  /**
   * The relay's key to seal to, fetched over `carrier` if need be.
   *
   * @throws CarrierError, or WireError for keys that the pinned identity did not sign or that are outdated.
   */
  async key(carrier: Carrier): Promise<KeyConfig> {
    if (!this.#keys || this.relayTime() - this.#keys.newest.notBefore > FRESH) {
      this.#keys = await verifyKeyConfigs(this.#identity, await carrier.keys(), this.told);
    }
    return this.#keys.newest;
  }

  /** The relay could not open what we sealed: ask for its keys again. */
  forgetKeys(): void {
    this.#keys = null;
  }

  /**
   * [response, relay's time in ms] of one sealed exchange. Tries once more where the relay's key was gone, our clock was
   * wrong, or an encapsulation was repeated on the way.
   *
   * @throws CarrierError or WireError
   */
  async exchange(carrier: Carrier, request: Request): Promise<[Response, number]> {
    for (let attempt = 0; attempt < 3; attempt++) {
      let answer: Answer;
      try {
        answer = await this.#exchangeOnce(carrier, request);
      } catch (error) {
        if (!(error instanceof CarrierError) || error.problem !== 'not-opened' || attempt) throw error;
        this.forgetKeys();
        continue;
      }
      const { response } = answer;
      const again =
        response.type === 'Refused' &&
        (response.code === RefusalCode.clock || response.code === RefusalCode.repeated);
      if (!again) return [response, answer.time];
    }
    throw new CarrierError('not-a-relay');
  }

  async #exchangeOnce(carrier: Carrier, request: Request): Promise<Answer> {
    const config = await this.key(carrier);
    const exchange = { version: PROTOCOL_VERSION, time: this.relayTime(), request };
    const [sealed, opener] = await sealRequest(config, exchange, this.#random);
    const answer = await opener.open(await carrier.exchange(sealed));
    this.learn(answer.time);
    return answer;
  }
}
