/** The state as rows, and one step's changes to it: all of them or none. */
import { hex, unhex } from '../crypto/bytes.ts';
import type { Random } from '../crypto/random.ts';
import { same } from '../wire/bytes.ts';
import type { RelayAddress, Request } from '../wire/messages.ts';
import type { AppEvent, Call, Command } from './commands.ts';
import type { Amendment, StoredMessage } from './history.ts';

/** One kind of row. Without `encode` or `changes` its rows live only as long as the core does. */
export interface Table<V> {
  readonly name: string;
  encode?(value: V): Uint8Array;
  decode?(data: Uint8Array): V;
  /**
   * Of a table whose values consist of named parts (in hexadecimal), each saved by itself under u8 length of the row's
   * key || the row's key || the part's name: what makes the parts of `before` those of `value`; null: gone.
   */
  changes?(value: V | undefined, before: V | undefined): Iterable<readonly [name: string, part: Uint8Array | null]>;
}

/** Bytes; or a name, in tables that are not saved. */
export type Key = Uint8Array | string;

/** Where a part of the row is saved. */
function partPlace(key: string, name: string): string {
  return hex(Uint8Array.of(key.length / 2)) + key + name;
}

const text = (key: Key): string => (typeof key === 'string' ? key : hex(key));

/** All rows, by table and key (as text). Values are frozen: a row changes by being replaced. */
export class State {
  readonly #rows = new Map<string, Map<string, unknown>>();

  rows<V>(table: Table<V>): Map<string, V> {
    let found = this.#rows.get(table.name);
    if (!found) this.#rows.set(table.name, (found = new Map()));
    return found as Map<string, V>;
  }

  get<V>(table: Table<V>, key: Key = ''): V | undefined {
    return this.rows(table).get(text(key));
  }

  /** Ascending. */
  names<V>(table: Table<V>, prefix: Key = ''): string[] {
    const start = text(prefix);
    return [...this.rows(table).keys()].filter((key) => key.startsWith(start)).sort();
  }

  /** Ascending. */
  keys<V>(table: Table<V>, prefix: Key = ''): Uint8Array[] {
    return this.names(table, prefix).map(unhex);
  }

  /** Keys and values, by ascending key. */
  entries<V>(table: Table<V>, prefix: Key = ''): [Uint8Array, V][] {
    const rows = this.rows(table);
    return this.names(table, prefix).map((name) => [unhex(name), rows.get(name) as V]);
  }
}

interface Before {
  readonly table: Table<unknown>;
  readonly key: string;
  readonly value: unknown;
}

/** One step: reads and writes rows at once, remembers how to undo, and gathers the commands. */
export class Transaction {
  readonly state: State;
  /** ms, the device's clock: for timers. */
  readonly now: number;
  /** ms, the home relay's clock as well as it is known: for everything that is kept or sent. */
  time: number;
  readonly random: Random;
  /** Woken items, the lowest last. */
  readonly #woken: string[] = [];
  #before = new Map<string, Before>();
  readonly #history: Command[] = [];
  readonly #relays: Command[] = [];
  #calls: Call[] = [];
  #timer: Command[] = [];
  readonly #events = new Map<string, AppEvent>();

  constructor(state: State, now: number, random: Random, difference: number) {
    this.state = state;
    this.now = now;
    this.time = Math.max(0, now + difference);
    this.random = random;
  }

  // ---- rows ----

  get<V>(table: Table<V>, key: Key = ''): V | undefined {
    return this.state.get(table, key);
  }

  /** Ascending. */
  keys<V>(table: Table<V>, prefix: Key = ''): Uint8Array[] {
    return this.state.keys(table, prefix);
  }

  /** Keys and values as they are now, by ascending key. */
  entries<V>(table: Table<V>, prefix: Key = ''): [Uint8Array, V][] {
    return this.state.entries(table, prefix);
  }

  put<V>(table: Table<V>, key: Key, value: V): void {
    this.#remember(table, text(key));
    this.state.rows(table).set(text(key), value);
  }

  remove<V>(table: Table<V>, key: Key): void {
    if (this.get(table, key) === undefined) return;
    this.#remember(table, text(key));
    this.state.rows(table).delete(text(key));
  }

  #remember<V>(table: Table<V>, key: string): void {
    const place = `${table.name} ${key}`;
    if (!this.#before.has(place)) this.#before.set(place, { table, key, value: this.state.rows(table).get(key) });
  }

  /** Puts every row back as it was. */
  undo(): void {
    for (const { table, key, value } of this.#before.values()) {
      if (value === undefined) this.state.rows(table).delete(key);
      else this.state.rows(table).set(key, value);
    }
    this.#before = new Map();
  }

  // ---- work ----

  /** The work item is looked at before the step ends. */
  wake(item: string): void {
    let [from, to] = [0, this.#woken.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#woken[middle] as string) > item) from = middle + 1;
      else to = middle;
    }
    if (this.#woken[from] !== item) this.#woken.splice(from, 0, item);
  }

  /** The lowest item that was woken and not looked at since; undefined: there is none. */
  nextItem(): string | undefined {
    return this.#woken.pop();
  }

  // ---- commands ----

  append(message: StoredMessage): void {
    this.#history.push({ type: 'AppendMessage', message });
  }

  amend(conversation: Uint8Array, id: Uint8Array, amendment: Amendment): void {
    this.#history.push({ type: 'AmendMessage', conversation, id, amendment });
  }

  forgetHistory(conversation: Uint8Array): void {
    this.#history.push({ type: 'ForgetHistory', conversation });
  }

  useRelay(address: RelayAddress): void {
    this.#relays.push({ type: 'UseRelay', address });
  }

  dropRelay(identity: Uint8Array): void {
    this.#relays.push({ type: 'DropRelay', identity });
    this.#calls = this.#calls.filter((call) => !same(call.relay, identity));
  }

  call(id: number, relay: Uint8Array, request: Request): void {
    this.#calls.push({ type: 'Call', id, relay, request });
  }

  setTimer(at: number): void {
    this.#timer = [{ type: 'SetTimer', at }];
  }

  /** Once a step, however often it happens. */
  notify(event: AppEvent): void {
    const name = JSON.stringify(event, (_, value: unknown) => (value instanceof Uint8Array ? hex(value) : value));
    if (!this.#events.has(name)) this.#events.set(name, event);
  }

  /** The step's commands in their order; changed rows by order of their first change. */
  commands(): Command[] {
    const saves: Command[] = [];
    for (const { table, key, value: before } of this.#before.values()) {
      const value = this.state.rows(table).get(key);
      if (value === before) continue;
      const save = (place: string, data: Uint8Array | null): void => {
        saves.push({ type: 'Save', table: table.name, key: unhex(place), value: data });
      };
      if (table.encode) save(key, value === undefined ? null : table.encode(value));
      for (const [name, part] of table.changes?.(value, before) ?? []) save(partPlace(key, name), part);
    }
    const events = [...this.#events.values()].map((event): Command => ({ type: 'Notify', event }));
    return [...saves, ...this.#history, ...this.#relays, ...this.#calls, ...this.#timer, ...events];
  }
}
