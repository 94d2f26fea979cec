/**
 * A lasting connection to one relay: keys, clock, session or exchanges, coming back after failures.
 *
 * Nothing that the relay or the network does escapes from here: it ends in a pause and another attempt.
 */
import { type Carrier, CarrierError, type CarrierProblem, type CarrierProperties } from '../carriers/base.ts';
import { AGAIN_LATER } from '../core/work.ts';
import type { Random } from '../crypto/random.ts';
import { PolynyaError } from '../errors.ts';
import { PathManager } from '../paths/manager.ts';
import { type EphemeralPush, type Push, RefusalCode, type Refused, type RelayAddress, type Request, type Response } from '../wire/messages.ts';
import { payable, type Purse } from './purse.ts';
import { Sealing } from './sealing.ts';
import { type OpenSession, openSession, type SessionSink } from './session.ts';

/** ms: a session that lasted this long was a success; a shorter one counts as a failure, so that nobody is hammered. */
const STABLE = 20000;

/** online: a session; polling: single exchanges only; since: ms, device's clock; retryAt: next attempt while offline. */
export interface RelayState {
  readonly kind: 'connecting' | 'online' | 'polling' | 'offline';
  readonly since: number;
  readonly retryAt: number | null;
  readonly problem: CarrierProblem | null;
}

/** Where a link tells what happens, in order. None of these may throw or wait, but the last two. */
export interface LinkSink {
  connected(relay: Uint8Array, session: boolean): void;
  disconnected(relay: Uint8Array): void;
  pushed(relay: Uint8Array, push: Push | EphemeralPush): void;
  linkChanged(relay: Uint8Array, state: RelayState): void;
  /** Makes the purse as it is now durable. @throws StoreError, ClientError `taken-over` */
  spent(link: Link): Promise<void>;
  /**
   * Has tokens in the purse when it resolves to null, else what is to be answered instead. `refused`: how many the relay has
   * refused one after another.
   */
  needed(link: Link, refused: number): Promise<Refused | null>;
}

/** With the relay's time, ms; null: no answer came. */
export type Answered = [Response, number] | null;

/** A request that waits for its answer; null: the connection broke, and whether the relay did it is unknown. */
interface Asked {
  readonly request: Request;
  readonly done: (answer: Answered) => void;
}

/** The search for a session while exchanges serve. */
interface Probe {
  stopped: boolean;
  found: [string, OpenSession<Asked>] | null;
}

/** What the next run should know of a relay. */
export interface LinkMemory {
  readonly difference: number;
  readonly told: number;
  readonly paths: unknown;
}

/** One relay. `start` once, `close` at the end. */
export class Link implements SessionSink<Asked> {
  readonly address: RelayAddress;
  readonly purse: Purse;
  readonly #carriers: ReadonlyMap<string, Carrier>;
  readonly #sink: LinkSink;
  readonly #random: Random;
  readonly #clock: () => number;
  readonly #sealing: Sealing;
  readonly #paths: PathManager;
  #state: RelayState;
  #session: OpenSession<Asked> | null = null;
  /** Requests for single exchanges; null while there is no such connection. */
  #queue: Asked[] | null = null;
  #wake: () => void = () => {};
  #closed = false;

  constructor(
    address: RelayAddress,
    carriers: readonly Carrier[],
    sink: LinkSink,
    random: Random,
    clock: () => number,
    memory: LinkMemory | null,
    purse: Purse,
  ) {
    this.address = address;
    this.purse = purse;
    this.#carriers = new Map(carriers.map((carrier) => [carrier.name, carrier]));
    this.#sink = sink;
    this.#random = random;
    this.#clock = clock;
    this.#sealing = new Sealing(address.identity, random, clock);
    this.#sealing.difference = memory?.difference ?? 0;
    this.#sealing.told = memory?.told ?? 0;
    this.#paths = new PathManager(new Map(carriers.map((c) => [c.name, c.properties])), memory?.paths);
    this.#state = { kind: 'connecting', since: clock(), retryAt: null, problem: null };
  }

  get state(): RelayState {
    return this.#state;
  }

  memory(): LinkMemory {
    const { difference, told } = this.#sealing;
    return { difference, told, paths: this.#paths.remember() };
  }

  start(): void {
    void this.#run();
  }

  close(): void {
    this.#closed = true;
    this.#session?.close();
    this.#wake();
  }

  /** Ends all pauses: the person asks, or the network came back. */
  retryNow(): void {
    this.#paths.retryNow();
    this.#wake();
  }

  /** The answer; what the relay wants to be paid for is paid. @throws StoreError, ClientError `taken-over` */
  ask(request: Request): Promise<Answered> {
    const what = payable(request);
    return what ? this.#pay(request, what) : this.#send(request);
  }

  async #pay(request: Request, what: string): Promise<Answered> {
    const { purse } = this;
    // To ask how many key packages are left costs nothing where the relay has any.
    let pays = purse.wanted && !(request.type === 'PutKeyPackages' && !request.packages.length);
    for (let refused = 0; ; pays = true) {
      // Where there is none the relay may do without: it wants tokens for what is new only.
      const token = pays ? purse.reserve(what) : undefined;
      const connection = this.#session ?? this.#queue;
      const answer = await this.#send({ ...request, ...(token && { token }) });
      const code = answer?.[0].type === 'Refused' ? answer[0].code : undefined;
      if (!answer || AGAIN_LATER.includes(code as number)) return answer;
      if (token) {
        purse.drop(what);
        await this.#sink.spent(this);
      }
      if (code !== RefusalCode.token) return answer;
      purse.wanted = true;
      if (token) refused++;
      if (refused > 2 || !purse.use.length) {
        const refusal = await this.#sink.needed(this, refused);
        if (refusal) return [refusal, this.relayTime()];
        // Whoever asked has been told that the connection broke, and asks again.
        if (connection !== (this.#session ?? this.#queue)) return null;
      }
    }
  }

  /** By an exchange of its own, beside the session. @throws CarrierError or WireError */
  exchange(request: Request): Promise<[Response, number]> {
    return this.#sealing.exchange(this.#exchanger(), request);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** ms: the relay's clock as well as we know it. */
  relayTime(): number {
    return this.#sealing.relayTime();
  }

  #send(request: Request): Promise<Answered> {
    return new Promise((done) => {
      if (this.#session) this.#session.call(request, { request, done });
      else if (this.#queue) {
        this.#queue.push({ request, done });
        this.#wake();
      } else done(null);
    });
  }

  onReply(asked: Asked, response: Response, time: number): void {
    asked.done([response, time]);
  }

  onPush(push: Push | EphemeralPush): void {
    this.#sink.pushed(this.address.identity, push);
  }

  // ---- connection ----

  #setState(kind: RelayState['kind'], problem: CarrierProblem | null = null, retryAt: number | null = null): void {
    const since = kind === this.#state.kind ? this.#state.since : this.#clock();
    this.#state = { kind, since, retryAt, problem };
    this.#sink.linkChanged(this.address.identity, this.#state);
  }

  /** ms of a clock that nobody sets. */
  #now(): number {
    return Math.round(performance.now());
  }

  #failed(name: string, error: unknown): void {
    const [high = 0, low = 0] = this.#random.bytes(2);
    this.#paths.failed(name, this.#now(), high * 256 + low);
    // Anything but a carrier's error: bytes that are not the protocol's, from a broken or hostile relay or someone between.
    const problem = error instanceof CarrierError ? error.problem : 'not-a-relay';
    if (!(error instanceof PolynyaError)) console.error('The connection failed in a way that it should not:', error);
    this.#setState('offline', problem, this.#clock());
  }

  async #pause(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const choice = this.#paths.choose(this.#now());
      if (typeof choice === 'number') {
        const wait = Math.max(50, choice - this.#now());
        if (this.#state.kind === 'offline') this.#setState('offline', this.#state.problem, this.#clock() + wait);
        await this.#pause(wait);
        continue;
      }
      try {
        await this.#serve(choice);
      } catch (error) {
        if (!this.#closed) this.#failed(choice, error);
      }
    }
  }

  /** One connection over carrier `name`, until it ends. @throws CarrierError or WireError */
  async #serve(name: string): Promise<void> {
    const carrier = this.#carrier(name);
    if (carrier.properties.streams) await this.#serveSession(name, await this.#openSession(carrier));
    else {
      const better = await this.#serveExchanges(name, carrier);
      if (better) await this.#serveSession(...better);
    }
  }

  /** One that the path manager chose. */
  #carrier(name: string): Carrier {
    return this.#carriers.get(name) as Carrier;
  }

  #openSession(carrier: Carrier): Promise<OpenSession<Asked>> {
    return openSession<Asked>(carrier, this.#exchanger(), this.#sealing, this.#random);
  }

  /** The carrier for keys and single exchanges: the best that can, pauses or not. */
  #exchanger(): Carrier {
    const failures = (carrier: Carrier): number => this.#paths.record(carrier.name).failures;
    const [best] = [...this.#carriers.values()]
      .filter((carrier) => carrier.properties.exchanges)
      .sort((a, b) => failures(a) - failures(b));
    if (!best) throw new CarrierError('cannot');
    return best;
  }

  async #serveSession(name: string, session: OpenSession<Asked>): Promise<void> {
    if (this.#closed) return session.close();
    const began = this.#now();
    this.#session = session;
    this.#setState('online');
    this.#sink.connected(this.address.identity, true);
    try {
      await session.serve(this);
    } catch (error) {
      if (this.#now() - began < STABLE) throw error;
      // It worked: try the same again at once, before anything slower.
      this.#paths.succeeded(name);
    } finally {
      this.#session = null;
      session.close();
      this.#leave(session.unanswered());
    }
  }

  /** Everything that got no answer has failed. */
  #leave(unanswered: readonly Asked[]): void {
    for (const asked of unanswered) asked.done(null);
    this.#setState('connecting');
    this.#sink.disconnected(this.address.identity);
  }

  // ---- exchanges ----

  /** Calls as single exchanges, one after another, until one fails or a session can be had again. */
  async #serveExchanges(name: string, carrier: Carrier): Promise<[string, OpenSession<Asked>] | null> {
    await this.#sealing.exchange(carrier, { type: 'Ping' });
    this.#paths.succeeded(name);
    const queue: Asked[] = [];
    this.#queue = queue;
    this.#setState('polling');
    this.#sink.connected(this.address.identity, false);
    const probe: Probe = { stopped: false, found: null };
    void this.#probe(probe);
    try {
      while (!this.#closed && !probe.found) {
        const asked = queue[0];
        if (!asked) {
          await new Promise<void>((resolve) => (this.#wake = resolve));
          continue;
        }
        const answer = await this.#sealing.exchange(carrier, asked.request);
        queue.shift();
        asked.done(answer);
      }
      return probe.found;
    } finally {
      probe.stopped = true;
      this.#queue = null;
      this.#leave(queue);
    }
  }

  /** Tries for a session beside the polling, in the pauses that the path manager sets. */
  async #probe(probe: Probe): Promise<void> {
    while (!probe.stopped) {
      const choice = this.#paths.choose(this.#now(), (properties: CarrierProperties) => properties.streams);
      if (typeof choice === 'number') {
        await new Promise<void>((resolve) => setTimeout(resolve, Math.max(50, choice - this.#now())));
        continue;
      }
      try {
        const session = await this.#openSession(this.#carrier(choice));
        if (probe.stopped) return session.close();
        probe.found = [choice, session];
        this.#wake();
        return;
      } catch {
        const [high = 0, low = 0] = this.#random.bytes(2);
        this.#paths.failed(choice, this.#now(), high * 256 + low);
      }
    }
  }
}
