import { readFileSync } from 'node:fs';
import type { Description } from './scenes.ts';
import { unhex } from '../../src/crypto/bytes.ts';

/* What Python's fuzzer recorded: the scenes, good inputs for them, and those that were wrong once. */

interface Recorded {
  readonly scenes: readonly (Description & { readonly name: string })[];
  readonly seeds: readonly (readonly [target: string, scene: number, input: string])[];
}

interface Regression {
  readonly why: string;
  readonly target: string;
  readonly scene: string;
  readonly input: string;
  readonly verdict: string;
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../../../tests/fuzz/${name}`, import.meta.url), 'utf8')) as T;
}

const recorded = read<Recorded>('scenes.json');

export const SCENES = recorded.scenes;
export const SEEDS = recorded.seeds.map(([target, scene, input]) => ({ target, scene, data: unhex(input) }));
export const REGRESSIONS = read<readonly Regression[]>('regressions.json');
