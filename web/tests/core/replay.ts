/**
 * One device's recorded life, lived again: the same events at the same times with the same random bytes must lead to the
 * same commands. Values stand as in spec/vectors: names of messages.toml, byte strings as "0x...", unions by `type`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Command } from '../../src/core/commands.ts';
import { Core } from '../../src/core/core.ts';
import { CoreError } from '../../src/core/errors.ts';
import type { Event } from '../../src/core/events.ts';
import '../../src/core/rest.ts';
import { hex, unhex } from '../../src/crypto/bytes.ts';
import { sha256 } from '../../src/crypto/hashes.ts';
import { asJson, type Json, RecordedRandom, type RandomRecord } from '../vectors/recorded.ts';

const FOLDER = new URL('../../../spec/vectors/conversations/', import.meta.url);

/** The device starts anew with what its Save commands have made durable. */
interface Reload {
  readonly reload: true;
}

interface Step {
  readonly now: number;
  /** Absent: the start after loading. */
  readonly event?: Json;
  readonly random: RandomRecord;
  readonly commands?: readonly Json[];
  /** Instead of commands: code of the CoreError. */
  readonly error?: string;
}

export interface Life {
  readonly name: string;
  readonly steps: readonly (Step | Reload)[];
}

export function fileNames(): string[] {
  return readdirSync(FOLDER)
    .map((name) => name.replace('.json', ''))
    .sort();
}

/** All lives of a file; fails if the file holds another number of them than it says, or none. */
export function lives(name: string): readonly Life[] {
  const content = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8')) as {
    count: number;
    cases: Life[];
    pool: string[];
  };
  expect(content.cases.length).toBe(content.count);
  expect(content.count).toBeGreaterThan(0);
  const filled = (value: Json): Json => {
    if (typeof value === 'string') return value.startsWith('0x#') ? `0x${content.pool[Number(value.slice(3))]}` : value;
    if (Array.isArray(value)) return (value as readonly Json[]).map(filled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([field, member]) => [field, filled(member)]));
  };
  return filled(content.cases as unknown as Json) as unknown as readonly Life[];
}

/** From recorded values to the core's. */
function read(value: Json): unknown {
  if (typeof value === 'string' && value.startsWith('0x')) return unhex(value.slice(2));
  if (Array.isArray(value)) return (value as readonly Json[]).map(read);
  if (typeof value !== 'object' || value === null) return value;
  const camel = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [camel(name), read(member)]));
}

const present = (value: unknown): unknown => {
  if (value instanceof Uint8Array || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(present);
  const members = Object.entries(value).filter(([, member]) => member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, present(member)]));
};

/** Bytes: longer byte strings in commands stand as their hash. */
const HASHED = 256;

function hashed(value: Json): Json {
  if (typeof value === 'string') {
    return value.startsWith('0x') && value.length > 2 + 2 * HASHED ? `0x=${hex(sha256(unhex(value.slice(2))))}` : value;
  }
  if (Array.isArray(value)) return (value as readonly Json[]).map(hashed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, member]) => [field, hashed(member)]));
}

/** As recorded: what is absent is left out, and how a language keeps its rows is its own affair. */
function recordedForm(commands: readonly Command[]): Json[] {
  return commands.filter((command) => command.type !== 'Save').map((command) => hashed(asJson(present(command))));
}

/** Lives it again; gives the number of its steps. */
export async function replay({ name, steps }: Life): Promise<number> {
  const durable = new Map<string, [string, Uint8Array, Uint8Array]>();
  let core = await Core.load([]);
  for (const [place, step] of steps.entries()) {
    if ('reload' in step) {
      core = await Core.load(durable.values());
      continue;
    }
    const where = [name, place, (step.event as { type?: string } | undefined)?.type];
    const random = new RecordedRandom(step.random);
    let commands: Command[];
    try {
      commands = step.event
        ? await core.handle(read(step.event) as Event, step.now, random)
        : await core.start(step.now, random);
    } catch (error) {
      if (!(error instanceof CoreError)) throw error;
      expect([where, error.code]).toEqual([where, step.error]);
      continue;
    }
    random.assertUsed();
    expect([where, recordedForm(commands)]).toEqual([where, step.commands]);
    for (const command of commands) {
      if (command.type !== 'Save') continue;
      const { table, key, value } = command;
      if (value) durable.set(`${table} ${hex(key)}`, [table, key, value]);
      else durable.delete(`${table} ${hex(key)}`);
    }
  }
  return steps.length;
}
