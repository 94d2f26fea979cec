/** The first words are those that the first part of the app says: one too few would be a gap on the screen, one too many a delay. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'vite';
import { expect, test } from 'vitest';
import { en } from '../../src/ui/text/en.ts';
import { later } from '../../src/ui/text/en_later.ts';

const sources = new URL('../../src/', import.meta.url);
type Node = { type: string; [key: string]: unknown };

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** Calls `see` for every node below; what is compared is left out where it is words that are looked for. */
function visit(value: unknown, see: (node: Node) => void, compared = true): void {
  if (Array.isArray(value)) for (const each of value) visit(each, see, compared);
  else if (isNode(value) && (compared || value.type !== 'BinaryExpression')) {
    see(value);
    for (const child of Object.values(value)) visit(child, see, compared);
  }
}

/** Every module that the entry imports, lazy imports and types aside. */
function firstModules(): Map<string, Node> {
  const found = new Map<string, Node>();
  const waiting = ['main.tsx'];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name) || !/\.tsx?$/.test(name)) continue;
    const { program } = parseSync(name, readFileSync(new URL(name, sources), 'utf8'));
    found.set(name, program as unknown as Node);
    for (const statement of program.body) {
      if (statement.type !== 'ImportDeclaration' && statement.type !== 'ExportNamedDeclaration') continue;
      const from = statement.source?.value;
      const types = statement.type === 'ImportDeclaration' ? statement.importKind === 'type' : statement.exportKind === 'type';
      if (from?.startsWith('.') && !types) waiting.push(join(dirname(name), from));
    }
  }
  return found;
}

const SAYING = new Set(['t', 'tn', 'rich']);

/** Keys, and beginnings of keys that are put together, of what a module says. */
function said(module: Node): { keys: string[]; beginnings: string[] } {
  const keys: string[] = [];
  const beginnings: string[] = [];
  const take = (node: Node): void => {
    if (node.type === 'Literal' && typeof node['value'] === 'string' && node['value'] in { ...en, ...later }) keys.push(node['value']);
    if (node.type === 'TemplateLiteral') beginnings.push(((node['quasis'] as Node[])[0]?.['value'] as { cooked: string }).cooked);
  };
  const note = (value: unknown): void => visit(value, take, false);
  visit(module, (node) => {
    const callee = node['callee'];
    if (node.type === 'CallExpression' && isNode(callee) && SAYING.has(String(callee['name']))) note((node['arguments'] as Node[])[0]);
    if (node.type === 'JSXAttribute' && (node['name'] as Node)['name'] === 'label') note(node['value']);
  });
  return { keys, beginnings };
}

const modules = firstModules();
const all = [...modules.values()].map(said);
const keys = new Set(all.flatMap((each) => each.keys));
const beginnings = all.flatMap((each) => each.beginnings);

/** Said of groups, of what ends or of what fails: nobody meets it on the way, and its words come by themselves. */
const LATER = new Set(['cannotSend', 'deleteChat', 'emptyGroup', 'inviteFailed', 'members', 'save', 'typingMany', 'typingOne', 'verifiedPerson']);
/** Said by code from below or of states, as far as it happens on the way. */
const COMPOSED = new Set(['error:bad-link', 'state:joining', 'link:connecting', 'link:polling', 'link:offline', 'link:blocked']);

test('the first part has modules and words', () => {
  expect(modules.size).toBeGreaterThan(25);
  expect(modules.has('ui/chat/composer.tsx')).toBe(true);
  expect(modules.has('ui/chat/thread.tsx')).toBe(false);
  expect(keys.size).toBeGreaterThan(30);
});

test('what the first part says is among the first words', () => {
  expect([...keys].filter((key) => !(key in en) && !LATER.has(key))).toEqual([]);
});

test('the first words are said by the first part', () => {
  const composed = (key: string): boolean => COMPOSED.has(key) && (keys.has(key) || beginnings.some((beginning) => key.startsWith(beginning)) || key.startsWith('error:'));
  expect(Object.keys(en).filter((key) => !keys.has(key) && !composed(key))).toEqual([]);
});
