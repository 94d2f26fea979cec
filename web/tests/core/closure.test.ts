/** What is loaded first imports nothing of the rest. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const SOURCES = new URL('../../src/', import.meta.url);
const IMPORT = /^(?:import|export)\s+(?!type\b)(?:[^'";]*?\sfrom\s+)?'(\.[^']+)';/gm;

/** Paths below src that a module imports when it is loaded: no types, nothing lazy. */
function imports(path: string): string[] {
  const file = new URL(path, SOURCES);
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map((found) =>
    new URL(found[1] as string, file).href.slice(SOURCES.href.length),
  );
}

function closure(root: string): Set<string> {
  const found = new Set<string>();
  const waiting = [root];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (found.has(path)) continue;
    found.add(path);
    waiting.push(...imports(path));
  }
  return found;
}

/** Modules whose functions rest.ts hands over. */
function handedOver(): string[] {
  const text = readFileSync(new URL('core/rest.ts', SOURCES), 'utf8');
  const names = [...text.matchAll(/^ {2}'?[a-zA-Z-]+'?: .*?\b([a-z]+)\.[a-zA-Z]+(?:\(.*\))?,$/gm)];
  return [...new Set(names.map((found) => `core/${found[1]}.ts`))].sort();
}

describe('static imports', () => {
  it('are found', () => {
    expect(imports('core/core.ts')).toContain('core/dispatch.ts');
    expect(imports('client/acts.ts')).toContain('core/rest.ts');
    expect(imports('core/provided.ts')).toEqual([]);
    const rest = handedOver();
    for (const one of ['commits', 'ephemeral', 'management', 'moreviews']) expect(rest).toContain(`core/${one}.ts`);
    for (const path of rest) expect(existsSync(new URL(path, SOURCES)), path).toBe(true);
  });

  it.each(['core/core.ts', 'client/bootstrap.ts'])('of %s do not reach the rest', (root) => {
    const first = closure(root);
    expect([...first]).toContain('core/welcome.ts');
    const wrong = [...handedOver(), 'core/rest.ts', 'client/acts.ts'].filter((path) => first.has(path));
    expect(wrong).toEqual([]);
  });

  it('make the rest one file: it shares none with the fallback for older browsers', () => {
    const first = closure('client/bootstrap.ts');
    const rest = [...closure('client/acts.ts')].filter((path) => !first.has(path));
    const fallback = closure('crypto/fallback.ts');
    expect(rest.filter((path) => fallback.has(path))).toEqual([]);
    const packages = /^import\s+(?!type\b)[^'";]*?\sfrom\s+'[^.']/m;
    const foreign = (path: string): boolean => packages.test(readFileSync(new URL(path, SOURCES), 'utf8'));
    expect(foreign('crypto/fallback.ts')).toBe(true);
    expect(rest.filter(foreign)).toEqual([]);
  });

  it('reach every module of the core from its two parts', () => {
    const reached = new Set([...closure('core/core.ts'), ...closure('core/rest.ts')]);
    // Types alone, and codes for tests and apps.
    const others = ['body', 'commands', 'events', 'place', 'problems', 'views'].map((name) => `core/${name}.ts`);
    const files = readdirSync(new URL('core/', SOURCES)).map((name) => `core/${name}`);
    expect(files.filter((path) => !reached.has(path) && !others.includes(path))).toEqual([]);
  });
});
