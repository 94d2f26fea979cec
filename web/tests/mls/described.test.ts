import { expect, test } from 'vitest';
import { commitProposals, describes, makeGroupInfo, readGroupInfo } from '../../src/mls/changes.ts';
import { decode, encode } from '../../src/mls/codec.ts';
import { GROUP_INFO, encodeMessage, mlsMessage } from '../../src/mls/framing.ts';
import type { GroupInfo } from '../../src/mls/groupinfo.ts';
import { Group, SUITE_X25519, SUITE_XWING } from '../../src/mls/group.ts';
import { leafNode } from '../../src/mls/leaf.ts';
import { Club, NOW } from './club.ts';
import { stateOf } from './forge.ts';

/* A group as its GroupInfo describes it, and whether a member is in the epoch that is described. */

const NAMES = ['anna', 'boris', 'clara'] as const;

async function infoOf(group: Group): Promise<GroupInfo> {
  const message = decode(mlsMessage, await makeGroupInfo(group));
  if (message.wireFormat !== GROUP_INFO) throw new Error('not a GroupInfo');
  return message.groupInfo;
}

const written = (groupInfo: GroupInfo): Uint8Array => encodeMessage({ wireFormat: GROUP_INFO, groupInfo });
const refuses = (rule: string, data: Uint8Array): Promise<void> =>
  expect(readGroupInfo(data)).rejects.toMatchObject({ rule });

test.each([SUITE_X25519, SUITE_XWING])('all who are in the epoch, and nobody else (suite $id)', async (suite) => {
  const club = await Club.of(NAMES, 'described', { suite });
  const found = await readGroupInfo(await makeGroupInfo(club.get('boris')));
  expect(found.signerLeafIndex).toBe(club.get('boris').ownLeafIndex);
  const leaves = (members: typeof found.members): Uint8Array[] => members.map((one) => encode(leafNode, one.leafNode));
  expect(leaves(found.members)).toEqual(leaves(club.get('anna').members()));
  expect(found.tree).toEqual(stateOf(club.get('clara')).tree.encode());
  expect(NAMES.map((name) => describes(found, club.get(name)))).toEqual([true, true, true]);
  await club.commit('anna', []);
  expect(NAMES.map((name) => describes(found, club.get(name)))).toEqual([false, false, false]);
});

test('the same context under other secrets: the tag tells', async () => {
  const club = await Club.of(NAMES, 'tag');
  const found = await readGroupInfo(await makeGroupInfo(club.get('anna')));
  const other = new Group({ ...stateOf(club.get('anna')), confirmationTag: new Uint8Array(32) });
  expect(other.context).toEqual(found.context);
  expect(describes(found, other)).toBe(false);
});

test('the tag under another context', async () => {
  const club = await Club.of(NAMES, 'context');
  const found = await readGroupInfo(await makeGroupInfo(club.get('anna')));
  const other = { ...found, context: { ...found.context, epoch: found.context.epoch + 1n } };
  expect([found, other].map((one) => describes(one, club.get('boris')))).toEqual([true, false]);
});

test('what is no description', async () => {
  const club = await Club.of(NAMES, 'bad');
  const anna = club.get('anna');
  const { message } = await commitProposals(anna, [], { now: NOW, random: club.random });
  await refuses('12.4.3-not-a-group-info', message);
  await refuses('12.4.3.1-no-tree', await makeGroupInfo(anna, { tree: false }));
  const info = await infoOf(anna);
  await refuses('12.4.3-signature', written({ ...info, confirmationTag: new Uint8Array(32) }));
  await refuses('12.4.3-signer', written({ ...info, signer: 7 }));
  const others = await infoOf((await Club.of(NAMES, 'other')).get('anna'));
  await refuses('12.4.3.1-tree-hash', written({ ...info, extensions: others.extensions }));
});
