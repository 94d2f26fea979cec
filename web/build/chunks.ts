/**
 * How the app is cut. What an invited person needs until a first message can be sent: the page's own script, the client
 * and the first words. Then chats and the list of them; then all the rest of the screens, in one file, as every file
 * more is a name that the first script carries, and a request that can fail. Why it does not work here comes alone.
 */
import { fileURLToPath } from 'node:url';

interface Modules {
  getModuleInfo(id: string): { importedIds: readonly string[] } | null;
}

const sources = fileURLToPath(new URL('../src/', import.meta.url)).replaceAll('\\', '/');

/** Earlier parts take first. */
const PARTS: readonly (readonly [name: string, roots: readonly string[]])[] = [
  ['first', ['main.tsx']],
  ['client', ['client/bootstrap.ts']],
  ['trouble', ['ui/screens/obstacle.tsx', 'ui/screens/interrupted.tsx']],
  ['chats', ['ui/chat/thread.tsx', 'ui/chat/composer_mode.tsx', 'ui/screens/chats.tsx', 'ui/screens/nothing.tsx']],
];
/** Of what no part has taken. */
const SCREENS = /\/src\/ui\/(?!text\/)|\/node_modules\/uqr\//;

/** All that the roots import, lazy imports aside; themselves too. */
function closure(roots: readonly string[], modules: Modules): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = roots.map((root) => sources + root);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    waiting.push(...(modules.getModuleInfo(id)?.importedIds ?? []));
  }
  return found;
}

let taken: (readonly [string, ReadonlySet<string>])[] = [];

/** The name of the chunk that a module goes to; null leaves it where the bundler puts it. */
function chunkOf(id: string, modules: Modules): string | null {
  // Ten lines of the bundler's own, which every other chunk may import: they are not worth a request.
  if (id.includes('rolldown/runtime')) return 'first';
  if (taken.length === 0) taken = PARTS.map(([name, roots]) => [name, closure(roots, modules)]);
  for (const [name, ids] of taken) if (ids.has(id)) return name;
  return SCREENS.test(id) ? 'screens' : null;
}

export const chunks = { groups: [{ name: chunkOf, debugName: 'parts', includeDependenciesRecursively: false }] };
