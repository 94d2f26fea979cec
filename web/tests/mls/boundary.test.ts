import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));
const IMPORT = /^(?:import|export)\s+(type\s)?[^;'"]*?\bfrom\s+'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;

/** What a module imports for its code, not for types alone: paths below src. */
function imports(module: string): string[] {
  const text = readFileSync(join(src, module), 'utf8');
  const found = [...text.matchAll(IMPORT)].filter(([, type, , lazy]) => !type && !lazy);
  return found.map(([, , path]) => relative(src, join(src, dirname(module), path!)));
}

function closure(...entries: string[]): Set<string> {
  const reached = new Set<string>();
  const waiting = [...entries];
  for (let module = waiting.pop(); module !== undefined; module = waiting.pop()) {
    if (reached.has(module)) continue;
    reached.add(module);
    waiting.push(...imports(module));
  }
  return reached;
}

/** All of mls that joining a group and talking in it take; what is not here is loaded later. */
const FIRST = [
  'application', 'checks', 'codec', 'credential', 'epoch', 'errors', 'extensions', 'group', 'groupcontext', 'groupinfo',
  'handle', 'joining', 'keypackage', 'leaf', 'node', 'parenthash', 'parts', 'pathsecrets', 'privatemessage', 'proposal',
  'psk', 'ratchets', 'schedule', 'secrettree', 'sender', 'suite', 'tree', 'treemath', 'views', 'welcome',
];

test('joining a group and talking in it load no code of commits and proposals', () => {
  const first = [...closure('mls/group.ts')].filter((module) => module.startsWith('mls/'));
  expect(first.sort()).toEqual(FIRST.map((name) => `mls/${name}.ts`));
  const all = readdirSync(join(src, 'mls')).map((name) => `mls/${name}`);
  expect([...closure('mls/group.ts', 'mls/changes.ts')].filter((module) => all.includes(module)).sort()).toEqual(all.sort());
});

test('neither loads the fallback for older browsers or a large library of hashes', () => {
  const reached = closure('mls/group.ts', 'mls/changes.ts', 'wire/exchange.ts', 'wire/session.ts', 'wire/record.ts');
  for (const module of reached) expect(readFileSync(join(src, module), 'utf8'), module).not.toMatch(/from '@noble/);
  expect([...reached]).not.toContain('crypto/fallback.ts');
});

test('only mls reaches into the state of a group', () => {
  const modules = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));
  expect(modules.length).toBeGreaterThan(100);
  const wrong = modules.filter((name) => !name.startsWith('mls/') && imports(name).includes('mls/handle.ts'));
  expect(wrong).toEqual([]);
});
