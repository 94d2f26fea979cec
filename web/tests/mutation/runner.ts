import { readFileSync, readdirSync, writeFileSync, writeSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { createInterface } from 'node:readline';
import type { Plugin } from 'vite';
import { type TestModule, type TestSpecification, type Vitest, createVitest } from 'vitest/node';
import { type Site, rewrite, scopeOf } from './sites.ts';

/*
 * The TypeScript tests with sites in place. `sites FILE` writes the list of sites, `record FILE TESTS...` which site
 * matters to which test, and `serve TESTS...` answers tasks as `scripts/mutation/suite.py` does.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const SRC = join(ROOT, 'src');
/** Stands between the names of suites and tests, and between a file and those. */
const BETWEEN = ' > ';

function fileOf(id: string): string | null {
  const path = id.split('?')[0]!;
  if (!path.startsWith(SRC + sep) || !path.endsWith('.ts')) return null;
  return relative(SRC, path).replaceAll(sep, '/');
}

function allSites(): Site[] {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).sort();
  return files.flatMap((name) => {
    const file = fileOf(join(SRC, name));
    const scope = file === null ? null : scopeOf(file);
    return file === null || scope === null ? [] : [...rewrite(readFileSync(join(SRC, name), 'utf8'), file, scope).sites];
  });
}

const plugin: Plugin = {
  name: 'mutation',
  enforce: 'pre',
  transform(code, id) {
    const file = fileOf(id);
    const scope = file === null ? null : scopeOf(file);
    return file === null || scope === null ? null : { code: rewrite(code, file, scope).code, map: null };
  },
};

async function start(folders: readonly string[]): Promise<Vitest> {
  const vitest = await createVitest(
    'test',
    {
      root: ROOT,
      watch: false,
      include: folders.map((place) => (place.endsWith('.ts') ? place : `${place}/**/*.test.ts`)),
      setupFiles: [join(import.meta.dirname, 'setup.ts')],
      reporters: [{}],
      maxWorkers: 1,
      silent: true,
      // Its keys know nothing of what the rewriting does.
      fsModuleCache: false,
    },
    { plugins: [plugin], logLevel: 'silent' },
  );
  await vitest.standalone?.();
  return vitest;
}

interface Outcome {
  readonly name: string;
  readonly failed: boolean;
  readonly ran: boolean;
  readonly why: string;
  readonly seconds: number;
  readonly sites: readonly string[];
}

function outcomes(modules: readonly TestModule[]): Outcome[] {
  return modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => ({
      name: relative(ROOT, module.moduleId).replaceAll(sep, '/') + BETWEEN + test.fullName,
      failed: test.result().state === 'failed',
      ran: ['passed', 'failed'].includes(test.result().state),
      why: (test.result().errors ?? []).map((error) => error.message)[0] ?? '',
      seconds: (test.diagnostic()?.duration ?? 0) / 1000,
      sites: test.meta().sites ?? [],
    })),
  );
}

async function record(target: string, folders: readonly string[]): Promise<void> {
  const vitest = await start(folders);
  vitest.provide('mutant', '');
  const { testModules } = await vitest.runTestSpecifications(await vitest.globTestSpecifications(), true);
  const all = outcomes(testModules);
  const broken = testModules.filter((module) => module.errors().length > 0).map((module) => module.moduleId);
  const byName = new Map<string, { seconds: number; sites: string[] }>();
  for (const { name, seconds, sites } of all.filter((one) => !one.failed && one.sites.length > 0)) {
    // Tests of one name run together.
    const known = byName.get(name) ?? { seconds: 0, sites: [] };
    byName.set(name, { seconds: known.seconds + seconds, sites: [...new Set([...known.sites, ...sites])].sort() });
  }
  writeFileSync(
    target,
    JSON.stringify({
      tests: Object.fromEntries(byName),
      failed: [...all.filter(({ failed }) => failed).map(({ name, why }) => `${name}: ${why}`), ...broken],
    }),
  );
  await vitest.close();
}

interface Task {
  readonly site: string;
  readonly tests: readonly string[];
  readonly seconds: number;
}

function say(answer: object): void {
  writeSync(1, `${JSON.stringify(answer)}\n`);
}

/** The first of the tests that fails without the site, "time" where they do not end, or null. */
async function attempt(vitest: Vitest, known: ReadonlyMap<string, TestSpecification>, task: Task): Promise<string | null> {
  const byFile = new Map<string, string[]>();
  for (const test of task.tests) {
    const [file = '', ...names] = test.split(BETWEEN);
    byFile.set(file, [...(byFile.get(file) ?? []), names.join(BETWEEN)]);
  }
  vitest.provide('mutant', task.site);
  for (const [file, names] of byFile) {
    const { project, moduleId } = known.get(file)!;
    const specification = project.createSpecification(moduleId, { testNames: names });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      void vitest.cancelCurrentRun('keyboard-input');
    }, task.seconds * 1000);
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification], false);
    clearTimeout(timer);
    if (late) return 'time';
    const own = testModules.filter((module) => module.moduleId === moduleId);
    const results = outcomes(own);
    const failed = results.find((outcome) => outcome.failed);
    if (failed !== undefined) return failed.name;
    if (unhandledErrors.length > 0 || own.some((module) => module.errors().length > 0)) return file;
    if (results.filter(({ ran }) => ran).length < names.length) throw new Error(`${file}: not all tests ran`);
  }
  return null;
}

async function serve(folders: readonly string[]): Promise<void> {
  const vitest = await start(folders);
  vitest.provide('mutant', '');
  const specifications = await vitest.globTestSpecifications();
  const known = new Map(specifications.map((one) => [relative(ROOT, one.moduleId).replaceAll(sep, '/'), one]));
  say({ ready: known.size });
  for await (const line of createInterface({ input: process.stdin })) {
    const task = JSON.parse(line) as Task;
    say({ site: task.site, killed: await attempt(vitest, known, task) });
  }
  await vitest.close();
}

const [word, ...rest] = process.argv.slice(2);
if (word === 'sites') writeFileSync(rest[0]!, JSON.stringify(allSites()));
else if (word === 'record') await record(rest[0]!, rest.slice(1));
else if (word === 'serve') await serve(rest);
else throw new Error('sites, record or serve');
