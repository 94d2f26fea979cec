/** The core: one event in, the commands it leads to out, all of its changes or none. */
import { hex } from '../crypto/bytes.ts';
import type { Random } from '../crypto/random.ts';
import { PolynyaError } from '../errors.ts';
import { same } from '../wire/bytes.ts';
import type { RelayAddress } from '../wire/messages.ts';
import { CLOCK_BIAS, type Meta, STATE_VERSION } from './_state.ts';
import * as actions from './actions.ts';
import type { Command } from './commands.ts';
import * as dispatch from './dispatch.ts';
import * as drops from './drops.ts';
import { CoreError } from './errors.ts';
import type { Event } from './events.ts';
import { DAY } from './mlsgroup.ts';
import * as outbox from './outbox.ts';
import { rest, restIfThere } from './provided.ts';
import * as show from './show.ts';
import { CLOCK, CONVERSATION, COUNT, LINK, MARK, ME, META, OPENED, SAVED, SCALAR } from './state.ts';
import * as sync from './sync.ts';
import { State, type Table, Transaction } from './transaction.ts';
import type * as v from './views.ts';
import * as work from './work.ts';

const NONE = new Uint8Array(0);

/** ms: smaller changes of the clocks' difference are not worth a write. */
const CLOCK_CHANGE = 10_000;

/** Everything a device knows, and what it does next. One `handle` at a time: the caller waits for each. */
export class Core {
  readonly #state = new State();

  /**
   * From what Save commands made durable; without rows a new device.
   *
   * @throws CoreError `state-too-new`, `state-too-old` or `state-broken`; RestMissing where a row is of the rest
   */
  static async load(rows: Iterable<readonly [table: string, key: Uint8Array, value: Uint8Array]>): Promise<Core> {
    const core = new Core();
    const tables = new Map(SAVED.map((table) => [table.name, table]));
    const saved = [...rows];
    for (const [name, , value] of saved) if (name === META.name) checkVersion(decoded(META, value));
    for (const [name, key, value] of saved) {
      const table = tables.get(name);
      if (table?.decode) core.#state.rows(table).set(hex(key), decoded(table, value));
      else rest().restorePart(core.#state, name, hex(key), value);
    }
    return core;
  }

  /** Once after loading, before the first event: relays to connect to, and the first timer. @throws RestMissing */
  start(now: number, random: Random): Promise<Command[]> {
    return this.#do(now, random, (t) => {
      if (!t.get(META)) t.put(META, '', { version: STATE_VERSION });
      outbox.restore(t);
      drops.restore(t);
      setTimers(t);
    });
  }

  /**
   * One step. `now`: ms, the device's clock. An action may throw CoreError; then nothing has changed.
   *
   * @throws RestMissing where the event needs what is not loaded; then nothing has changed either
   */
  handle(event: Event, now: number, random: Random): Promise<Command[]> {
    return this.#do(now, random, (t) => this.#step(t, event));
  }

  async #do(now: number, random: Random, step: (t: Transaction) => void | Promise<void>): Promise<Command[]> {
    const clock = this.#state.get(CLOCK);
    const t = new Transaction(this.#state, now, random, clock ? clock.difference - CLOCK_BIAS : 0);
    try {
      await step(t);
      await dispatch.run(t);
      sync.useRelays(t);
      work.askForTimer(t);
      return t.commands();
    } catch (error) {
      t.undo();
      throw error;
    }
  }

  async #step(t: Transaction, event: Event): Promise<void> {
    switch (event.type) {
      case 'Connected':
        return sync.connected(t, event.relay, event.session);
      case 'Disconnected':
        return sync.disconnected(t, event.relay);
      case 'Answered': {
        const context = work.finishCall(t, event.callId);
        if (!context) return;
        learnClock(t, context.relay, event.relayTime);
        return dispatch.answer(t, context.item, context.request, event.response);
      }
      case 'Failed': {
        const context = work.finishCall(t, event.callId);
        if (context && t.get(LINK, context.relay)) work.pause(t, ...work.split(context.item));
        return;
      }
      case 'Pushed':
        return sync.pushed(t, event.push);
      case 'EphemeralPushed':
        // A hint, never stored: nothing is lost.
        return restIfThere()?.ephemeralPushed(t, event.push);
      case 'TimerFired':
        t.remove(SCALAR, 'timer');
        for (const name of work.dueTimers(t)) await dispatch.timer(t, name);
        return;
      case 'Batch':
        return rest().actAll(t, event);
      default:
        return actions.act(t, event);
    }
  }

  // ---- views ----

  hasIdentity(): boolean {
    return this.#state.get(ME) !== undefined;
  }

  /** @throws CoreError `no-identity` */
  me(): v.MeView {
    const view = show.meView(this.#state);
    if (!view) throw new CoreError('no-identity');
    return view;
  }

  /** Newest activity first. */
  conversations(): v.ConversationView[] {
    return show.conversations(this.#state);
  }

  conversation(id: Uint8Array): v.ConversationView | null {
    return show.conversation(this.#state, id);
  }

  /** By name. */
  contacts(): v.ContactView[] {
    return restIfThere()?.contacts(this.#state) ?? [];
  }

  /** Oldest first. */
  requests(): v.RequestView[] {
    return restIfThere()?.requests(this.#state) ?? [];
  }

  /** Newest first. */
  invites(): v.InviteView[] {
    return restIfThere()?.invites(this.#state) ?? [];
  }

  openedInvites(): v.OpenedInviteView[] {
    return show.openedInvites(this.#state);
  }

  /** Those that connections are wanted to. */
  relays(): RelayAddress[] {
    return sync.relaysNeeded(this.#state);
  }

  /** Of a direct conversation. @throws CoreError `no-safety-number` where there is none to compare now; RestMissing */
  safetyNumber(conversation: Uint8Array): v.SafetyView {
    return rest().safety(this.#state, conversation);
  }

  /** Somebody's name as far as it is known; empty where it is not. */
  nameOf(identity: Uint8Array): string {
    return show.nameOf(this.#state, identity);
  }

  /** What a Batch has saved under `key`. */
  mark(key: Uint8Array): Uint8Array | null {
    return this.#state.get(MARK, key) ?? null;
  }

  /** How often something was skipped since the start, by reason; for diagnosis only. */
  counters(): Map<string, number> {
    return new Map(this.#state.names(COUNT).map((name) => [name, this.#state.get(COUNT, name) ?? 0]));
  }
}

/** @throws CoreError `state-broken` */
function decoded<V>(table: Table<V>, data: Uint8Array): V {
  try {
    return table.decode!(data);
  } catch (error) {
    throw error instanceof PolynyaError ? new CoreError('state-broken') : error;
  }
}

/** The state is of this program's version, before anything else of it is read. @throws CoreError */
function checkVersion({ version }: Meta): void {
  if (version > STATE_VERSION) throw new CoreError('state-too-new');
  if (version < STATE_VERSION) throw new CoreError('state-too-old');
}

function learnClock(t: Transaction, relay: Uint8Array, relayTime: number): void {
  const own = t.get(ME);
  if (!own || !same(own.relay.identity, relay)) return;
  const difference = relayTime - t.now + CLOCK_BIAS;
  const known = t.get(CLOCK);
  if (difference < 0 || (known && Math.abs(known.difference - difference) < CLOCK_CHANGE)) return;
  t.put(CLOCK, '', { difference });
  t.time = relayTime;
  setTimers(t);
}

/** All that hang on what is saved; the others belong to a connection and are made with it. */
function setTimers(t: Transaction): void {
  work.setTimer(t, 'daily', NONE, t.now + DAY);
  const more = t.keys(CONVERSATION).length || t.entries(OPENED).some(([, { accepted }]) => accepted !== undefined);
  (more ? rest() : restIfThere())?.setTimers(t);
}
