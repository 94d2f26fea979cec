import { expect, test } from 'vitest';
import { checkSupported, checkTree, keyName } from '../../src/mls/checks.ts';
import { REQUIRED_CAPABILITIES, makeExtension, requiredCapabilities } from '../../src/mls/extensions.ts';
import type { LeafNode } from '../../src/mls/leaf.ts';
import { SUITE_X25519 } from '../../src/mls/suite.ts';
import { single } from '../../src/mls/treechanges.ts';
import { Club, GROUP_ID } from './club.ts';
import { stateOf } from './forge.ts';

/* What a stranger makes as large as a message can be. */

const LONG = new Uint8Array(300_000).fill(7);

test('keys of any length are refused by a rule', async () => {
  const club = await Club.of(['anna'], 1);
  const leaf = stateOf(club.get('anna')).tree.leaf(0)!;
  const check = (change: Partial<LeafNode>): Promise<void> =>
    checkTree(SUITE_X25519, single({ ...leaf, ...change }), GROUP_ID, []);
  await check({});
  await expect(check({ signatureKey: LONG })).rejects.toMatchObject({ rule: '7.3-signature' });
  await expect(check({ encryptionKey: LONG })).rejects.toMatchObject({ rule: '7.3-encryption-key' });
});

test('a key’s name is its bytes', () => {
  const key = Uint8Array.from({ length: 10_000 }, (_, place) => place % 251);
  expect(keyName(key)).toBe([...key].map((byte) => String.fromCharCode(byte)).join(''));
});

test('lists of types are looked through once', () => {
  const types = Array.from({ length: 1000 }, (_, place) => 0xf000 + place);
  const slow = (): never => {
    throw new Error('looked through for each type');
  };
  const list = Object.assign([...types, 1], { includes: slow, indexOf: slow });
  const capabilities = { versions: [1], cipherSuites: [1], extensions: list, proposals: list, credentials: list };
  const ask = (type: number): void => {
    const lists = { extensionTypes: [...types, type], proposalTypes: types, credentialTypes: types };
    const required = makeExtension(REQUIRED_CAPABILITIES, requiredCapabilities, lists);
    checkSupported([capabilities], [required, ...types.map((each) => ({ type: each, data: new Uint8Array(0) }))]);
  };
  ask(0xf000);
  expect(() => ask(0x0aaa)).toThrow('7.3-required-capabilities');
});
