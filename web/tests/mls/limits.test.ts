import { expect, test, vi } from 'vitest';
import { encodedContext } from '../../src/mls/epoch.ts';
import { nextContext } from '../../src/mls/transitions.ts';
import { suiteById } from '../../src/mls/suite.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { createPath, openPath, sealPath } from '../../src/mls/treekem.ts';
import { single } from '../../src/mls/treechanges.ts';
import { Club } from './club.ts';
import { stateOf } from './forge.ts';

/* Limits, here with trees of four leaves at most. */
vi.mock('../../src/mls/treemath.ts', async (original) => ({ ...(await original<object>()), MAX_LEAVES: 4 }));

test('7.7-size, 12.4.3.3-size: trees grow so far and no further', async () => {
  const club = await Club.of(['a', 'b', 'c', 'd'], 1);
  await expect(club.add('a', 'e')).rejects.toMatchObject({ rule: '7.7-size' });
  const { tree } = stateOf(club.get('a'));
  expect(RatchetTree.decode(tree.encode()).size).toBe(4);
  const rest = tree.encode().slice(2);
  const blanks = [0, 0, 0];
  const leaf = single(tree.leaf(0)!).encode().slice(2);
  const all = Uint8Array.of(...rest, ...blanks, ...leaf);
  const larger = Uint8Array.of(0x40 | (all.length >> 8), all.length & 255, ...all);
  expect(() => RatchetTree.decode(larger)).toThrow('12.4.3.3-size');
});

test('5.1-suite: suites that are not known', () => {
  expect(() => suiteById(2)).toThrow('5.1-suite');
  expect(suiteById(0xf001).kem.id).toBe(0x647a);
});

test('7.5-no-common-ancestor, 7.5-no-private-key: paths that are not for us', async () => {
  const club = await Club.of(['a', 'b', 'c'], 2);
  const state = stateOf(club.get('a'));
  const { suite, tree, context } = state;
  const made = await createPath(suite, tree, 0, context.groupId, tree.leaf(0)!, state.signaturePrivate, club.random);
  const under = encodedContext(nextContext(context, suite, made.tree, context));
  const path = await sealPath(suite, made, 0, new Set(), under, club.random);
  const none = new Set<number>();
  const open = (own: number, keys: ReadonlyMap<number, Uint8Array>): Promise<unknown> =>
    openPath(suite, made.tree, 0, path, none, own, keys, under);
  const { privateKeys } = stateOf(club.get('b'));
  await open(1, privateKeys);
  await expect(open(0, state.privateKeys)).rejects.toMatchObject({ rule: '7.5-no-common-ancestor' });
  await expect(open(1, new Map())).rejects.toMatchObject({ rule: '7.5-no-private-key' });
  // A key of a node that is not above us does not count.
  await expect(open(1, new Map([[4, privateKeys.get(2)!]]))).rejects.toMatchObject({ rule: '7.5-no-private-key' });
});
