import { describe, expect, test } from 'vitest';
import { hex } from '../../src/crypto/bytes.ts';
import { MAX_AHEAD, MAX_SKIPPED, take } from '../../src/mls/ratchets.ts';
import { withoutHandshake, withoutLeaf } from '../../src/mls/transitions.ts';
import { SecretTree, placeOf } from '../../src/mls/secrettree.ts';
import { SUITE_X25519 as S } from '../../src/mls/suite.ts';
import { SeededRandom } from '../support/seeded.ts';

const start = (size = 8): SecretTree => SecretTree.fromEncryptionSecret(S, new SeededRandom(1).bytes(32), size);
const kept = (tree: SecretTree): string[] => {
  const ratchets = [...tree.ratchets.values()].flatMap(({ secret, skipped }) => [secret, ...skipped.map(({ key }) => key)]);
  return [...tree.nodes.values(), ...ratchets].map(hex);
};

describe('what is consumed is gone', () => {
  test('the secrets above a leaf, its ratchet’s secret, the key', () => {
    const tree = start();
    const [root] = kept(tree);
    const [first, after] = take(tree, 5, 'application', 0);
    expect(kept(after)).not.toContain(root);
    expect(kept(after)).not.toContain(hex(first.key));
    expect([...after.nodes.keys()].sort((a, b) => a - b)).toEqual([3, 8, 13]);
    const [second, later] = take(after, 5, 'application', 1);
    expect(kept(later)).not.toContain(hex(second.key));
    expect(() => take(later, 5, 'application', 0)).toThrow('9.2-consumed');
    expect(() => take(later, 5, 'application', 1)).toThrow('9.2-consumed');
    // The tree before is as it was.
    expect(hex(take(tree, 5, 'application', 0)[0].key)).toBe(hex(first.key));
  });

  test('skipped keys, once used', () => {
    const [third, tree] = take(start(), 0, 'application', 2);
    const [first, after] = take(tree, 0, 'application', 0);
    expect(new Set([first, third].map(({ key }) => hex(key))).size).toBe(2);
    expect(kept(tree)).toContain(hex(first.key));
    expect(kept(after)).not.toContain(hex(first.key));
    expect(() => take(after, 0, 'application', 0)).toThrow('9.2-consumed');
    expect(() => take(after, 0, 'application', 2)).toThrow('9.2-consumed');
    take(after, 0, 'application', 1);
  });

  test('a leaf’s ratchets, and all handshake ratchets, when dropped', () => {
    for (const tree of [start(), take(start(), 2, 'handshake', 0)[1]]) {
      const without = withoutLeaf(tree, 2);
      for (const name of ['handshake', 'application'] as const) {
        expect(() => take(without, 2, name, 1)).toThrow('9.2-dropped');
        expect(() => withoutLeaf(without, 2).next(2, name)).toThrow('9.2-dropped');
      }
      const key = (from: SecretTree, leaf: number): string => hex(take(from, leaf, 'application', 0)[0].key);
      for (const leaf of [0, 1, 3, 4, 7]) expect(key(without, leaf)).toBe(key(start(), leaf));
      const late = withoutHandshake(take(tree, 1, 'handshake', 0)[1]);
      expect(() => take(late, 1, 'handshake', 1)).toThrow('9.2-dropped');
      expect(key(late, 1)).toBe(key(start(), 1));
    }
  });
});

describe('generations', () => {
  test('may be so far ahead and no further', () => {
    const tree = start();
    const [, after] = take(tree, 1, 'application', MAX_AHEAD);
    expect(() => take(tree, 1, 'application', MAX_AHEAD + 1)).toThrow('9.1-too-far-ahead');
    expect(() => take(tree, 1, 'application', 2 ** 32 - 1)).toThrow('9.1-too-far-ahead');
    const skipped = after.ratchets.get(placeOf(1, 'application'))!.skipped;
    expect(skipped.length).toBe(MAX_SKIPPED);
    expect(skipped[0]!.generation).toBe(MAX_AHEAD - MAX_SKIPPED);
    expect(() => take(after, 1, 'application', MAX_AHEAD - MAX_SKIPPED - 1)).toThrow('9.2-consumed');
    take(after, 1, 'application', MAX_AHEAD - MAX_SKIPPED);
  });

  test('give the same keys in whatever order', () => {
    const random = new SeededRandom(2);
    let inOrder = start();
    const keys: string[] = [];
    for (let generation = 0; generation < 20; generation++) {
      const [key, next] = inOrder.next(3, 'handshake');
      expect(key.generation).toBe(generation);
      keys.push(hex(key.key) + hex(key.nonce));
      inOrder = next;
    }
    expect(new Set(keys).size).toBe(20);
    const left = [...keys.keys()];
    let tree = start();
    while (left.length > 0) {
      const [generation] = left.splice(random.below(left.length), 1);
      const [key, next] = take(tree, 3, 'handshake', generation!);
      expect(hex(key.key) + hex(key.nonce)).toBe(keys[generation!]);
      tree = next;
    }
    expect(kept(tree)).toEqual(kept(inOrder));
  });

  test('of a leaf outside the tree are nobody’s', () => {
    expect(() => take(start(2), 2, 'application', 0)).toThrow('6.3.2-blank-sender');
  });
});
