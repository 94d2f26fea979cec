/**
 * Runs the core: feeds it events one at a time, makes what it asks to keep durable, and only then does the rest.
 */
import type { Carrier } from '../carriers/base.ts';
import type { AppEvent, Call, Change, Command, Save } from '../core/commands.ts';
import { Core } from '../core/core.ts';
import type { Event } from '../core/events.ts';
import { hex } from '../crypto/bytes.ts';
import type { Random } from '../crypto/random.ts';
import { PolynyaError } from '../errors.ts';
import * as cbor from '../wire/cbor.ts';
import type { EphemeralPush, Push, Refused, RelayAddress } from '../wire/messages.ts';
import { Link, type LinkMemory, type LinkSink, type RelayState } from './link.ts';
import type { Provision } from './provision.ts';
import { PURSE, Purse } from './purse.ts';
import type { Storage } from './storage.ts';
import type { ClientEvent } from './types.ts';

/** What browsers take as a timer's length. */
const TIMER_MOST = 2 ** 31 - 1;
/** Added to differences of clocks when they are kept, as the encoding has no negative numbers. */
const BIAS = 2 ** 50;
const MEMORY = 'client/link';
/** ms between two looks whether a card has come. */
const CARD_LOOK = 100;

export interface LoopSink {
  appEvent(event: AppEvent): void;
  tell(event: ClientEvent): void;
  linkChanged(): void;
  /** The store is another tab's now, or failed in a way that nothing here mends. */
  stopped(error: PolynyaError): void;
}

/** What the loop asks of the part that is loaded second. */
export interface Payer {
  /** A token was spent. */
  spent(loop: Loop, link: Link): void;
  /** See LinkSink. */
  needed(loop: Loop, link: Link, refused: number): Promise<Refused | null>;
  /** The link was closed for good. */
  dropped(loop: Loop, link: Link): void;
}

const CHANGES: readonly string[] = ['Save', 'AppendMessage', 'AmendMessage', 'ForgetHistory'] satisfies Change['type'][];

export const purseRow = ({ address, purse }: Link): Save => ({ type: 'Save', table: PURSE, key: address.identity, value: purse.encode() });

export class Loop implements LinkSink {
  readonly storage: Storage;
  readonly #random: Random;
  readonly #clock: () => number;
  readonly #carriers: (url: string) => readonly Carrier[];
  readonly sink: LoopSink;
  readonly #rest: Provision<Payer>;
  readonly #links = new Map<string, Link>();
  #core: Core;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(
    storage: Storage,
    core: Core,
    random: Random,
    clock: () => number,
    carriers: (url: string) => readonly Carrier[],
    sink: LoopSink,
    rest: Provision<Payer>,
  ) {
    this.storage = storage;
    this.#core = core;
    this.#random = random;
    this.#clock = clock;
    this.#carriers = carriers;
    this.sink = sink;
    this.#rest = rest;
  }

  get core(): Core {
    return this.#core;
  }

  link(relay: Uint8Array): Link | undefined {
    return this.#links.get(hex(relay));
  }

  links(): Link[] {
    return [...this.#links.values()];
  }

  start(): Promise<void> {
    return this.#queue(() => this.#startCore());
  }

  /** Ends all pauses: the person asks, or the network came back. */
  retryNow(): void {
    this.#rest.retryNow();
    for (const link of this.links()) link.retryNow();
  }

  /** Finishes what is being written, and lets go of everything. A step that waits for the rest is given up: it is undone. */
  async end(): Promise<void> {
    this.#stopped = true;
    this.#rest.giveUp();
    await this.#last;
    clearTimeout(this.#timer);
    for (const link of this.#links.values()) link.close();
    this.storage.close();
  }

  async #startCore(): Promise<void> {
    const commands = await this.#rest.run(() => this.#core.start(this.#clock(), this.#random));
    await this.#keep(commands);
    await this.#perform(commands);
  }

  /**
   * One step of the core; one that needs the rest waits for it, and all others behind it.
   *
   * @throws what the core says to the person's actions, StoreError, ClientError `taken-over`
   */
  handle(event: Event): Promise<readonly AppEvent[]> {
    return this.#queue(async () => {
      let commands: readonly Command[];
      try {
        commands = await this.#rest.run(() => this.#core.handle(event, this.#clock(), this.#random));
        await this.#keep(commands);
      } catch (error) {
        // The core's memory may be ahead of the disk: the disk is the truth. A refused action changed neither.
        if (!(error instanceof PolynyaError) || /^(store-|taken-over)/.test(error.code)) await this.#reload(error);
        throw error;
      }
      await this.#perform(commands);
      return commands.flatMap((command) => (command.type === 'Notify' ? [command.event] : []));
    });
  }

  #queue<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** An event of the network: what goes wrong with it is told, never thrown. */
  #feed(event: Event): void {
    if (!this.#stopped) this.handle(event).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): null {
    if (this.#stopped) return null;
    if (error instanceof PolynyaError) this.sink.stopped(error);
    else console.error('The core failed in a way that it should not:', error);
    return null;
  }

  async #reload(error: unknown): Promise<void> {
    if (this.#stopped || (error instanceof PolynyaError && error.code === 'taken-over')) return;
    const { core } = await this.storage.load();
    this.#core = await this.#rest.run(() => Core.load(core));
    await this.#startCore();
    for (const link of this.links()) {
      if (link.state.kind === 'online' || link.state.kind === 'polling') {
        this.connected(link.address.identity, link.state.kind === 'online');
      }
    }
  }

  /** Makes the step's changes durable, and the tokens that it brought. */
  #keep(commands: readonly Command[]): Promise<void> {
    const changes = commands.filter((command): command is Change => CHANGES.includes(command.type));
    for (const command of commands) {
      if (command.type !== 'Notify' || command.event.type !== 'TokensReceived') continue;
      const link = this.link(command.event.relay);
      if (link) {
        link.purse.receive(command.event);
        changes.push(purseRow(link));
      }
    }
    return this.storage.commit(changes);
  }

  /** Everything else that the step asks for. */
  async #perform(commands: readonly Command[]): Promise<void> {
    for (const command of commands) {
      switch (command.type) {
        case 'UseRelay':
          await this.#useRelay(command.address);
          break;
        case 'DropRelay': {
          const link = this.link(command.identity);
          link?.close();
          this.#links.delete(hex(command.identity));
          if (link) this.#rest.value?.dropped(this, link);
          break;
        }
        case 'Call':
          this.#call(command);
          break;
        case 'SetTimer':
          clearTimeout(this.#timer);
          this.#timer = setTimeout(
            () => this.#feed({ type: 'TimerFired' }),
            Math.min(TIMER_MOST, Math.max(0, command.at - this.#clock())),
          );
          break;
        case 'Notify':
          if (command.event.type !== 'TokensReceived') this.sink.appEvent(command.event);
          break;
      }
    }
  }

  #call({ id, relay, request }: Call): void {
    const link = this.link(relay);
    void Promise.resolve(link?.ask(request)).catch((error: unknown) => this.#failed(error)).then((answer) => {
      this.#feed(
        answer
          ? { type: 'Answered', callId: id, response: answer[0], relayTime: answer[1] }
          : { type: 'Failed', callId: id },
      );
    });
  }

  // ---- links ----

  async #useRelay(address: RelayAddress): Promise<void> {
    if (this.link(address.identity)) return;
    const memory = await this.#recall(address.identity);
    const purse = new Purse(await this.storage.own(PURSE, address.identity));
    const link = new Link(address, this.#carriers(address.url), this, this.#random, this.#clock, memory, purse);
    this.#links.set(hex(address.identity), link);
    link.start();
  }

  connected(relay: Uint8Array, session: boolean): void {
    this.#feed({ type: 'Connected', relay, session });
    void this.#remember(relay);
  }

  disconnected(relay: Uint8Array): void {
    this.#feed({ type: 'Disconnected', relay });
  }

  pushed(relay: Uint8Array, push: Push | EphemeralPush): void {
    this.#feed(push.type === 'Push' ? { type: 'Pushed', relay, push } : { type: 'EphemeralPushed', relay, push });
  }

  linkChanged(): void {
    this.sink.linkChanged();
  }

  async spent(link: Link): Promise<void> {
    await this.commit(() => [purseRow(link)]);
    this.#rest.value?.spent(this, link);
  }

  async needed(link: Link, refused: number): Promise<Refused | null> {
    // Its card may bring some: then a first message needs nothing of the rest.
    const isOpening = (): boolean => this.#core.openedInvites().some(({ state }) => state === 'opening');
    while (!refused && !link.purse.use.length && isOpening()) await new Promise((resolve) => setTimeout(resolve, CARD_LOOK));
    if (!refused && link.purse.use.length) return null;
    return (await this.#rest.get()).needed(this, link, refused);
  }

  /** Makes the client's own rows durable, as they are when their turn comes. @throws StoreError, ClientError `taken-over` */
  commit(rows: () => readonly Save[]): Promise<void> {
    return this.#queue(() => this.storage.commit(rows()));
  }

  async #remember(relay: Uint8Array): Promise<void> {
    const memory = this.link(relay)?.memory();
    if (!memory) return;
    const value = cbor.encode([memory.difference + BIAS, memory.told, memory.paths as cbor.Value]);
    await this.commit(() => [{ type: 'Save', table: MEMORY, key: relay, value }]).catch(() => undefined);
  }

  async #recall(relay: Uint8Array): Promise<LinkMemory | null> {
    const value = await this.storage.own(MEMORY, relay);
    if (!value) return null;
    const [difference, told, paths] = cbor.decode(value) as unknown as [number, number, unknown];
    return { difference: difference - BIAS, told, paths };
  }

  /** The relay's clock minus ours, ms. */
  difference(relay: Uint8Array): number {
    return this.link(relay)?.memory().difference ?? 0;
  }

  stateOf(relay: Uint8Array): RelayState | null {
    return this.link(relay)?.state ?? null;
  }
}
