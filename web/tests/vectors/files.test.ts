import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { filesOf, folder, present } from './files.ts';

/** As in Python's tests.vectors.mls; `passive-client` stands for its three kinds. */
const KINDS = [
  'crypto-basics', 'deserialization', 'key-schedule', 'message-protection', 'messages', 'passive-client', 'psk_secret',
  'secret-tree', 'transcript-hashes', 'tree-math', 'tree-operations', 'tree-validation', 'treekem', 'welcome',
];

test('a new file of a known kind is one of its files', () => {
  const names = ['treekem.json', 'treekem-large.json', 'tree-math.json', 'treekem.txt', 'passive-client-random.json'];
  expect(filesOf('treekem', names)).toEqual(['treekem-large.json', 'treekem.json']);
  expect(filesOf('passive-client', names)).toEqual(['passive-client-random.json']);
  expect(filesOf('tree', names)).toEqual(['tree-math.json']);
});

test.runIf(present)('every file is of one kind', () => {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  expect(KINDS.flatMap((kind) => filesOf(kind, files)).sort()).toEqual(files.sort());
});
