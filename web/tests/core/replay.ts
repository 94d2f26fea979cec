/**
 * One device's recorded life, lived again: the same events at the same times with the same random bytes must lead to the
 * same commands. Values stand as in spec/vectors: names of messages.toml, byte strings as "0x...", unions by `type`.
 */
import type { Command } from '../../src/core/commands.ts';
import { Core } from '../../src/core/core.ts';
import { CoreError } from '../../src/core/errors.ts';
import type { Event } from '../../src/core/events.ts';
import { unhex } from '../../src/core/transaction.ts';
import { hex } from '../../src/crypto/bytes.ts';
import { sha256 } from '../../src/crypto/hashes.ts';
import type { Random } from '../../src/crypto/random.ts';

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

interface Encapsulation {
  readonly secret: string;
  readonly ciphertext: string;
}

/** The device starts anew with what its Save commands have made durable. */
export interface Reload {
  readonly reload: true;
}

export interface Step {
  readonly now: number;
  /** Absent: the start after loading. */
  readonly event?: Json;
  readonly random: string;
  readonly encapsulations?: readonly Encapsulation[];
  readonly commands?: readonly Json[];
  /** Instead of commands: code of the CoreError. */
  readonly error?: string;
}

export interface Life {
  /** What was durable at its beginning: [table, key, value] in hex. */
  readonly rows: readonly (readonly [string, string, string])[];
  readonly steps: readonly (Step | Reload)[];
}

/** What was drawn, in the same order and in the same amounts. */
export class Drawn implements Random {
  readonly #bytes: Uint8Array;
  readonly #encapsulations: readonly Encapsulation[];
  #at = 0;
  #next = 0;

  constructor(bytes: Uint8Array, encapsulations: readonly Encapsulation[]) {
    this.#bytes = bytes;
    this.#encapsulations = encapsulations;
  }

  bytes(n: number): Uint8Array {
    if (this.#at + n > this.#bytes.length) throw new Error('draws more than was drawn');
    return this.#bytes.slice(this.#at, (this.#at += n));
  }

  encapsulate(): Promise<[Uint8Array, Uint8Array]> {
    const next = this.#encapsulations[this.#next++];
    if (!next) throw new Error('encapsulates more often than was done');
    return Promise.resolve([unhex(next.secret), unhex(next.ciphertext)]);
  }

  get left(): number {
    return this.#bytes.length - this.#at + this.#encapsulations.length - this.#next;
  }
}

/** From recorded values to the core's. */
export function read(value: Json): unknown {
  if (typeof value === 'string' && value.startsWith('0x')) return unhex(value.slice(2));
  if (Array.isArray(value)) return (value as readonly Json[]).map(read);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => [
    name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
    read(field),
  ]);
  return Object.fromEntries(fields) as unknown;
}

/** The other way round; what is absent is left out. */
export function write(value: unknown): Json {
  if (value instanceof Uint8Array) return `0x${hex(value)}`;
  if (Array.isArray(value)) return value.map(write);
  if (typeof value !== 'object' || value === null) return value as Json;
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined && field !== null)
    .map(([name, field]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), write(field)]);
  return Object.fromEntries(fields) as Json;
}

/** As recorded: a row's value by the first 8 bytes of its SHA-256. */
export function writeCommand(command: Command): Json {
  if (command.type !== 'Save') return write(command);
  const { type, table, key, value } = command;
  return { type, table, key: write(key), value: value && hex(sha256(value)).slice(0, 16) };
}

/** Lives it again; `check` compares what a step led to. */
export async function replay(
  { rows, steps }: Life,
  check: (made: Pick<Step, 'commands' | 'error'>, step: Step, place: number, core: Core) => void,
): Promise<void> {
  const durable = new Map<string, [string, Uint8Array, Uint8Array]>();
  for (const [table, key, value] of rows) durable.set(`${table} ${key}`, [table, unhex(key), unhex(value)]);
  let core = await Core.load(durable.values());
  for (const [place, step] of steps.entries()) {
    if ('reload' in step) {
      core = await Core.load(durable.values());
      continue;
    }
    const random = new Drawn(unhex(step.random), step.encapsulations ?? []);
    let made: Pick<Step, 'commands' | 'error'>;
    try {
      const commands = step.event
        ? await core.handle(read(step.event) as Event, step.now, random)
        : await core.start(step.now, random);
      for (const command of commands) {
        if (command.type !== 'Save') continue;
        const { table, key, value } = command;
        const row = `${table} ${hex(key)}`;
        if (value) durable.set(row, [table, key, value]);
        else durable.delete(row);
      }
      made = { commands: commands.map(writeCommand) };
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      made = { error: error.code };
    }
    if (random.left) throw new Error(`step ${place}: ${random.left} of what was drawn is left`);
    check(made, step, place, core);
  }
}
