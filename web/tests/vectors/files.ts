import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';

/** The MLS working group's official vectors: outside the repository, in a folder that the environment may name. */
export const folder =
  process.env.POLYNYA_MLS_VECTORS ?? fileURLToPath(new URL('../../../../shared/vectors/mls', import.meta.url));
const required = Boolean(process.env.CI ?? process.env.POLYNYA_REQUIRE_MLS_VECTORS);
export const present = existsSync(folder);

export const SUITE = 0x0001;

/** The files of a kind: the kind's own name, or one that begins with it and a hyphen. */
export function filesOf(kind: string, names: readonly string[]): string[] {
  return names.filter((name) => name.endsWith('.json') && `${name.slice(0, -5)}-`.startsWith(`${kind}-`)).sort();
}

/**
 * Runs every case of a kind's files that is for our suite, or for none; fails where one did not run. An absent folder
 * skips with a printed line, unless the environment requires it.
 */
export function vectors<T extends object>(
  kind: string,
  run: (vector: T) => Promise<void> | void,
  timeout = 60_000,
): void {
  describe(kind, () => {
    if (!present) {
      if (required) test('is there', () => expect.fail(`${folder} is missing`));
      else {
        console.log(`skipped: ${kind}, as ${folder} is missing`);
        test.skip('is there', () => undefined);
      }
      return;
    }
    const files = filesOf(kind, readdirSync(folder));
    test('has a file', () => expect(files).not.toEqual([]));
    for (const file of files) cases(file, run, timeout);
  });
}

function cases<T extends object>(file: string, run: (vector: T) => Promise<void> | void, timeout: number): void {
  describe(file, () => {
    const all = JSON.parse(readFileSync(join(folder, file), 'utf8')) as T[];
    const suiteOf = (vector: T): unknown => (vector as { cipher_suite?: unknown }).cipher_suite;
    const ours = all.filter((vector) => suiteOf(vector) === undefined || suiteOf(vector) === SUITE);
    let ran = 0;
    for (const [index, vector] of ours.entries()) {
      test(
        `case ${index}`,
        async () => {
          await run(vector);
          ran++;
        },
        timeout,
      );
    }
    test('holds cases for the suite', () => expect(ours.length).toBeGreaterThan(0));
    afterAll(() => expect(ran, 'cases that ran').toBe(ours.length));
  });
}
