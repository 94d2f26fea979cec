/** Randomness that a vector recorded, and messages in the vectors' JSON form. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { hex, unhex } from '../../src/crypto/bytes.ts';
import type { Random } from '../../src/crypto/random.ts';

const FOLDER = new URL('../../../spec/vectors/', import.meta.url);

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface RandomRecord {
  readonly bytes: string;
  readonly encapsulations: readonly { readonly shared_secret: string; readonly ciphertext: string }[];
}

/** One case; which members there are depends on the file. */
export class Case {
  readonly json: { readonly [name: string]: Json };

  constructor(json: { readonly [name: string]: Json }) {
    this.json = json;
  }

  get name(): string {
    return this.text('name');
  }

  get rule(): string | null {
    return this.json['rule'] as string | null;
  }

  has(name: string): boolean {
    return this.json[name] !== undefined && this.json[name] !== null;
  }

  text(name: string): string {
    expect(this.json[name], name).toBeTypeOf('string');
    return this.json[name] as string;
  }

  number(name: string): number {
    expect(this.json[name], name).toBeTypeOf('number');
    return this.json[name] as number;
  }

  bytes(name: string): Uint8Array {
    return unhex(this.text(name));
  }

  list<T = string>(name: string): readonly T[] {
    return this.json[name] as unknown as readonly T[];
  }

  random(name = 'random'): RecordedRandom {
    return new RecordedRandom(this.json[name] as unknown as RandomRecord);
  }
}

export function fileNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json') && name !== 'encapsulations.json')
    .map((name) => name.replace('.json', ''))
    .sort();
}

/** All cases of a file; fails if the file holds another number of them than it says, or none. */
export function cases(name: string): Case[] {
  const content = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as {
    count: number;
    cases: { [name: string]: Json }[];
  };
  expect(content.cases.length).toBe(content.count);
  expect(content.count).toBeGreaterThan(0);
  return content.cases.map((json) => new Case(json));
}

/** Gives what the vector recorded, in the same order; `assertUsed` fails if something is left. */
export class RecordedRandom implements Random {
  #bytes: Uint8Array;
  readonly #encapsulations: RandomRecord['encapsulations'][number][];

  constructor(record: RandomRecord) {
    this.#bytes = unhex(record.bytes);
    this.#encapsulations = [...record.encapsulations];
  }

  bytes(n: number): Uint8Array {
    expect(this.#bytes.length).toBeGreaterThanOrEqual(n);
    const taken = this.#bytes.slice(0, n);
    this.#bytes = this.#bytes.slice(n);
    return taken;
  }

  async encapsulate(): Promise<[Uint8Array, Uint8Array]> {
    const recorded = this.#encapsulations.shift();
    if (!recorded) throw new Error('more encapsulations than the vector recorded');
    return [unhex(recorded.shared_secret), unhex(recorded.ciphertext)];
  }

  assertUsed(): void {
    expect(this.#bytes.length).toBe(0);
    expect(this.#encapsulations.length).toBe(0);
  }
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** A message as the vectors write it: names in snake case, bytes as "0x...", nothing absent. */
export function asJson(value: unknown): Json {
  if (value instanceof Uint8Array) return `0x${hex(value)}`;
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== 'object' || value === null) return value as Json;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [snake(name), asJson(member)]));
}
