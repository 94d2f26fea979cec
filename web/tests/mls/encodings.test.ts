import { expect, test } from 'vitest';
import { utf8 } from '../../src/crypto/bytes.ts';
import { commitProposals } from '../../src/mls/changes.ts';
import { type Codec, decode } from '../../src/mls/codec.ts';
import { commit } from '../../src/mls/commit.ts';
import { makeCommit } from '../../src/mls/committing.ts';
import { credential } from '../../src/mls/credential.ts';
import { extensions } from '../../src/mls/extensions.ts';
import { KEY_PACKAGE, authenticatedContent, encodeMessage, framedContent, mlsMessage } from '../../src/mls/framing.ts';
import { Group } from '../../src/mls/group.ts';
import { groupContext } from '../../src/mls/groupcontext.ts';
import { leafNode } from '../../src/mls/leaf.ts';
import { ratchetTree } from '../../src/mls/node.ts';
import { ADD, PSK, proposal } from '../../src/mls/proposal.ts';
import { type PskId, pskId, pskName } from '../../src/mls/psk.ts';
import { makeWelcome } from '../../src/mls/welcoming.ts';
import { Club, NOW } from './club.ts';
import { stateOf } from './forge.ts';

/* Values that have no encoding, or one that nothing decodes to, and Welcomes that do not fit. */

const EMPTY_LEAF = [0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const EPOCH = [0, 0, 0, 0, 0, 0, 0, 1];

const MALFORMED: readonly [string, Codec<unknown>, readonly number[]][] = [
  ['5.3-credential-type', credential, [0, 3, 0]],
  ['6-version', mlsMessage, [0, 2, 0, 1]],
  ['6-wire-format', mlsMessage, [0, 1, 0, 0]],
  ['6-wire-format', mlsMessage, [0, 1, 0, 6]],
  ['6-wire-format', authenticatedContent, [0, 9]],
  ['6-content-type', mlsMessage, [0, 1, 0, 2, 0, ...EPOCH, 4, 0, 0, 0]],
  ['6-content-type', framedContent, [0, ...EPOCH, 1, 0, 0, 0, 0, 0, 0]],
  ['6-sender-type', framedContent, [0, ...EPOCH, 0, 0, 1, 0]],
  ['6-sender-type', framedContent, [0, ...EPOCH, 5, 0, 1, 0]],
  ['7.2-source', leafNode, [...EMPTY_LEAF, 0, 0, 0]],
  ['7.2-source', leafNode, [...EMPTY_LEAF, 4, 0, 0]],
  ['7.8-node-type', ratchetTree, [2, 1, 3]],
  ['8.1-version', groupContext, [0, 2, 0, 1]],
  ['8.4-type', pskId, [0, 0, 0]],
  ['8.4-type', pskId, [3, 0, 0]],
  ['8.4-usage', pskId, [2, 0, 0]],
  ['8.4-usage', pskId, [2, 4, 0]],
  ['12.1-proposal-type', proposal, [0, 8]],
  ['12.4-proposal-or-ref', commit, [1, 0, 0]],
  ['12.4-proposal-or-ref', commit, [1, 3, 0]],
  ['13.4-repeated-extension', extensions, [6, 0, 9, 0, 0, 9, 0]],
];

test.each(MALFORMED)('%s, case %#', (rule, codec, bytes) => {
  expect(() => decode(codec, Uint8Array.from(bytes))).toThrow(expect.objectContaining({ rule, code: 'malformed' }));
});

test('10-version: a key package of another version than its message', async () => {
  const club = await Club.found('anna', 1);
  const { keyPackage } = await club.bundle('boris');
  const message = (version: number): Uint8Array =>
    encodeMessage({ wireFormat: KEY_PACKAGE, keyPackage: { ...keyPackage, version } });
  expect(decode(mlsMessage, message(1))).toMatchObject({ keyPackage: { version: 1 } });
  expect(() => decode(mlsMessage, message(2))).toThrow(expect.objectContaining({ rule: '10-version' }));
});

test('a message of an epoch that is not here', async () => {
  const club = await Club.of(['anna', 'boris'], 2);
  const behind = club.get('boris');
  await club.commit('anna', []);
  const [, message] = await club.get('anna').encrypt(utf8('later'), { random: club.random });
  await expect(behind.decrypt(message)).rejects.toMatchObject({ rule: '6-epoch-unknown', code: 'wrong-epoch' });
});

test('a Welcome under another secret than its PSKs give', async () => {
  const club = await Club.found('anna', 3);
  const bundle = await club.bundle('boris');
  const psk: PskId = { type: 1, id: utf8('id'), nonce: new Uint8Array(32) };
  const keys = (value: string): ReadonlyMap<string, Uint8Array> => new Map([[pskName(psk), utf8(value)]]);
  const add = { type: ADD, keyPackage: bundle.keyPackage } as const;
  const options = club.commitOptions({ psks: keys('right') });
  const { welcome } = await commitProposals(club.get('anna'), [add, { type: PSK, psk }], options);
  expect((await Group.join(welcome!, [bundle], { psks: keys('right'), now: NOW })).group.epoch).toBe(1);
  const wrong = Group.join(welcome!, [bundle], { psks: keys('wrong'), now: NOW });
  await expect(wrong).rejects.toMatchObject({ rule: '12.4.3.1-group-info' });
});

test('a Welcome with another confirmation tag', async () => {
  const club = await Club.found('anna', 4);
  const bundle = await club.bundle('boris');
  const add = { type: ADD, keyPackage: bundle.keyPackage } as const;
  const made = await makeCommit(stateOf(club.get('anna')), [add], club.commitOptions());
  const join = async (confirmationTag: Uint8Array): Promise<unknown> => {
    const told = { ...made, state: { ...made.state, confirmationTag } };
    return Group.join((await makeWelcome(told, [], true, club.random))!, [bundle], { now: NOW });
  };
  await join(made.state.confirmationTag);
  await expect(join(new Uint8Array(32))).rejects.toMatchObject({ rule: '12.4.3.1-confirmation-tag' });
});
