import { randomInt } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { hex, unhex, utf8 } from '../../src/crypto/bytes.ts';
import { commitProposals, encodeGroup } from '../../src/mls/changes.ts';
import { Reader } from '../../src/mls/codec.ts';
import { SeededRandom } from '../support/seeded.ts';
import { Mutator, findVector, prefix } from './mutate.ts';
import { REGRESSIONS, SCENES, SEEDS } from './recorded.ts';
import { build } from './scenes.ts';
import { type Scene, TARGETS, canonical, verdict } from './targets.ts';

/*
 * Hostile bytes by a fuzzer of TypeScript's own: every refusal is an MlsError, what is accepted encodes to the same
 * bytes, no group changes. What Python says of the same bytes is asked by Python's tests (tests/fuzz).
 */

interface Seed {
  readonly target: string;
  readonly scene: number;
  readonly data: Uint8Array;
}

const INPUTS = 4000;

let scenes: Scene[];
let seeds: Seed[];

beforeAll(async () => {
  scenes = await Promise.all(SCENES.map(build));
  // Groups as this language stores them.
  const stored = scenes.map(({ group }, scene) => ({ target: 'stored-group', scene, data: encodeGroup(group) }));
  const { group, now } = scenes[0]!;
  const pending = await commitProposals(group, [], { now, random: new SeededRandom(1) });
  const commit = { target: 'stored-commit', scene: 0, data: pending.encode() };
  const messages = SEEDS.filter(({ target }) => target === 'apply-commit' || target === 'receive-proposal');
  const also = ['verify-commit', 'decrypt', 'inspect'].flatMap((target) => messages.map((seed) => ({ ...seed, target })));
  const packages = SEEDS.filter(({ target }) => target === 'key-package').map((seed) => ({ ...seed, target: 'verify-key-package' }));
  // Stored state is a tenth of all that is tried.
  seeds = [...SEEDS, ...also, ...packages, ...stored, ...stored, ...stored, commit, commit];
});

const show = ({ target, scene, data }: Seed): string => `${target} in ${SCENES[scene]!.name}: ${hex(data)}`;
const run = ({ target, scene, data }: Seed): Promise<string> => verdict(target, scenes[scene]!, data);

describe('hostile bytes', () => {
  test.each([1, randomInt(2 ** 31)])('seed %i', { timeout: 60_000 }, async (seed) => {
    const before = scenes.map(({ group }) => hex(encodeGroup(group)));
    const random = new SeededRandom(seed);
    const mutator = new Mutator(random, seeds.map(({ data }) => data));
    const seen = new Map<string, number>();
    for (let number = 0; number < INPUTS; number += 16) {
      const inputs = Array.from({ length: 16 }, () => {
        const from = random.pick(seeds);
        return { ...from, data: mutator.mutate(from.data) };
      });
      const said = await Promise.all(inputs.map(run));
      said.forEach((text, place) => {
        expect(text, show(inputs[place]!)).not.toMatch(/^fault/);
        const kind = `${inputs[place]!.target} ${text.split(' ')[0]}`;
        seen.set(kind, (seen.get(kind) ?? 0) + 1);
      });
    }
    expect(scenes.map(({ group }) => hex(encodeGroup(group)))).toEqual(before);
    for (const target of Object.keys(TARGETS)) expect(seen.get(`${target} refused`), target).toBeGreaterThan(0);
    expect(seen.get('message accepted')).toBeGreaterThan(0);
  });

  test('good bytes are accepted, most of them', async () => {
    expect(SEEDS.length).toBeGreaterThan(80);
    const said = await Promise.all(seeds.map(run));
    expect(said.filter((text) => text.startsWith('fault'))).toEqual([]);
    expect(said.filter((text) => text.startsWith('accepted')).length).toBeGreaterThan(seeds.length / 2);
  });
});

describe('what was wrong once', () => {
  const shared = REGRESSIONS.filter(({ target }) => !target.startsWith('stored-'));

  test('is recorded', () => {
    expect(shared.length).toBeGreaterThan(5);
  });

  test.each(shared)('$why', async ({ target, scene, input, verdict: expected }) => {
    const place = SCENES.findIndex(({ name }) => name === scene);
    const said = await run({ target, scene: place, data: unhex(input) });
    expect(said.startsWith('accepted') ? 'accepted' : said).toBe(expected);
  });
});

describe('the fuzzer', () => {
  test('writes lengths in every form', () => {
    for (const [length, form] of [[63, 0], [64, 1], [16383, 1], [16384, 2], [2 ** 30 - 1, 2]] as const) {
      expect(new Reader(prefix(length, form)).length()).toBe(length);
    }
    expect(() => new Reader(prefix(5, 1)).length()).toThrow('2.1.2-overlong');
    expect(() => new Reader(prefix(5, 3)).length()).toThrow('2.1.2-prefix');
  });

  test('finds what looks like a vector', () => {
    expect(findVector(Uint8Array.of(0xff, 2, 7, 8), 0)).toEqual([1, 2, 4]);
    expect(findVector(Uint8Array.of(9, 0xc0), 0)).toBe(null);
  });

  test('tells other errors and other encodings', async () => {
    const broken = { ...TARGETS, psk: () => { throw new TypeError('of our own'); } };
    const said = await verdict('psk', scenes[0]!, utf8(''), broken);
    expect(said).toBe('fault TypeError: of our own');
    const lossy: typeof TARGETS = { psk: (_scene, data) => canonical(data, data.slice(1)) };
    expect(await verdict('psk', scenes[0]!, Uint8Array.of(7, 8), lossy)).toBe('fault Error: encodes to 08');
  });
});
