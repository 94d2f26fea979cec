import { describe, expect, test } from 'vitest';
import { hex, utf8 } from '../../src/crypto/bytes.ts';
import { CryptoError } from '../../src/crypto/errors.ts';
import {
  applyCommit,
  commitProposals,
  decodeGroup,
  encodeGroup,
  joinExternal,
  makeGroupInfo,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { decode } from '../../src/mls/codec.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { type GroupState, encodedContext, enterEpoch, interimTranscriptHash } from '../../src/mls/epoch.ts';
import { nextContext } from '../../src/mls/transitions.ts';
import { EXTERNAL_PUB, externalPub, findExtension } from '../../src/mls/extensions.ts';
import { GROUP_INFO, PUBLIC_MESSAGE, mlsMessage } from '../../src/mls/framing.ts';
import { Group } from '../../src/mls/group.ts';
import { GROUP_CONTEXT_EXTENSIONS } from '../../src/mls/proposal.ts';
import { exportSecret } from '../../src/mls/schedule.ts';
import { externalKeyPair, joinerSecret } from '../../src/mls/scheduling.ts';
import { zeros } from '../../src/mls/suite.ts';
import { confirmedTranscriptHash } from '../../src/mls/transcript.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { Club, NOW } from './club.ts';
import { forge, stateOf } from './forge.ts';

/** Mistakes seen in published implementations, each with the test that shows it. */

/**
 * What someone cut off can compute of the epochs after: everything public, the init secret it once had, and the zeros
 * that stand for a missing commit secret.
 */
function follow(state: GroupState, next: Group, commit: Uint8Array): GroupState {
  const { suite } = state;
  const message = decode(mlsMessage, commit);
  if (message.wireFormat !== PUBLIC_MESSAGE) return expect.fail();
  const { content, auth } = message.publicMessage;
  const confirmed = confirmedTranscriptHash(suite, state.interimTranscriptHash, { wireFormat: PUBLIC_MESSAGE, content, auth });
  expect(confirmed).toEqual(next.confirmedTranscriptHash);
  const { tree } = stateOf(next);
  const provisional = nextContext(state.context, suite, tree, next.context);
  const context = { ...provisional, confirmedTranscriptHash: confirmed };
  const joiner = joinerSecret(suite, state.secrets.initSecret, zeros(suite), encodedContext(context));
  return {
    ...state,
    ...enterEpoch(suite, joiner, zeros(suite), encodedContext(context), tree.size),
    context,
    interimTranscriptHash: interimTranscriptHash(suite, confirmed, auth.confirmationTag!),
  };
}

const exporterOf = ({ suite, secrets }: GroupState): string =>
  hex(exportSecret(suite, secrets.exporterSecret, 'test', utf8('context'), 32));
const exported = (group: Group): string => hex(group.export('test', utf8('context'), 32));

describe('whoever is removed cannot read on', () => {
  test('in a group of two, where the filtered path is empty', async () => {
    for (const remover of ['anna', 'boris']) {
      const club = await Club.of(['anna', 'boris'], 1);
      const other = remover === 'anna' ? 'boris' : 'anna';
      let outside = stateOf(club.get(other));
      const removal = await club.remove(remover, other);
      const path = decode(mlsMessage, removal.message);
      expect(path.wireFormat).toBe(PUBLIC_MESSAGE);
      outside = follow(outside, club.get(remover), removal.message);
      expect(exporterOf(outside)).not.toBe(exported(club.get(remover)));
      for (let i = 0; i < 3; i++) {
        const next = i === 1 ? await club.add(remover, 'clara') : await club.commit(remover, []);
        outside = follow(outside, club.get(remover), next.message);
        expect(exporterOf(outside)).not.toBe(exported(club.get(remover)));
      }
    }
  });

  test('where the left half of the tree is blank', async () => {
    const club = await Club.of(['anna', 'boris', 'clara', 'dmitri', 'eva'], 2);
    let outside = stateOf(club.get('boris'));
    const removal = await club.remove('eva', 'anna', 'boris', 'clara', 'dmitri');
    expect(club.get('eva').ownLeafIndex).toBe(4);
    outside = follow(outside, club.get('eva'), removal.message);
    expect(exporterOf(outside)).not.toBe(exported(club.get('eva')));
    const next = await club.commit('eva', []);
    outside = follow(outside, club.get('eva'), next.message);
    expect(exporterOf(outside)).not.toBe(exported(club.get('eva')));
    await club.add('eva', 'fjodor');
    await club.say('fjodor', 'on we go');
  });

  test('and the outsider here would, were the commit secret missing', async () => {
    const club = await Club.of(['anna', 'boris'], 3);
    const outside = stateOf(club.get('boris'));
    const bundle = await club.bundle('clara');
    const pending = await commitProposals(club.get('anna'), [{ type: 1, keyPackage: bundle.keyPackage }], club.commitOptions({ path: false }));
    expect(exporterOf(follow(outside, pending.group, pending.message))).toBe(exported(pending.group));
  });
});

describe('unmerged leaves', () => {
  test('survive copies and storage, and trees that have them can be joined', async () => {
    const club = await Club.of(['a', 'b', 'c', 'd', 'e', 'f', 'g'], 4);
    await club.remove('a', 'b', 'c');
    await club.commit('g', []);
    await club.add('d', 'new 1');
    await club.commit('f', []);
    const unmerged = (group: Group): number[][] => [...stateOf(group).tree.parents()].map(([, { unmergedLeaves }]) => [...unmergedLeaves]);
    for (const name of ['new 2', 'new 3', 'new 4']) {
      const bundle = await club.bundle(name);
      const by = name === 'new 3' ? 'g' : 'a';
      const pending = await commitProposals(club.get(by), [{ type: 1, keyPackage: bundle.keyPackage }], club.commitOptions({ path: false }));
      await club.accept(by, pending, new Map([[name, bundle]]));
      const lists = unmerged(club.get('a'));
      expect(lists.flat().length).toBeGreaterThan(0);
      for (const [member, group] of club.groups) {
        const again = decodeGroup(encodeGroup(group));
        expect(unmerged(again)).toEqual(lists);
        club.set(member, again);
      }
      await club.say(name, 'hello');
    }
    for (const name of ['e', 'new 2', 'f', 'new 4']) await club.commit(name, []);
    await club.say('new 3', 'all keys are known');
  });

  test('are taken out again by whoever commits above them', async () => {
    const club = await Club.of(['a', 'b', 'c'], 5);
    const bundle = await club.bundle('d');
    const pending = await commitProposals(club.get('a'), [{ type: 1, keyPackage: bundle.keyPackage }], club.commitOptions({ path: false }));
    await club.accept('a', pending, new Map([['d', bundle]]));
    expect(stateOf(club.get('b')).tree.parent(3)!.unmergedLeaves).toEqual([3]);
    await club.commit('d', []);
    expect(stateOf(club.get('b')).tree.parent(3)!.unmergedLeaves).toEqual([]);
  });
});

test('a commit of extensions alone has a path, sealed under the new group context', async () => {
  const club = await Club.of(['anna', 'boris'], 6);
  const proposal = { type: GROUP_CONTEXT_EXTENSIONS, extensions: [{ type: 1, data: utf8('app') }] } as const;
  const pending = await commitProposals(club.get('anna'), [proposal], club.commitOptions());
  const message = decode(mlsMessage, pending.message);
  if (message.wireFormat !== PUBLIC_MESSAGE || message.publicMessage.content.content.type !== 3) return expect.fail();
  expect(message.publicMessage.content.content.commit.path).not.toBe(null);
  await club.accept('anna', pending);
  expect(club.get('boris').context.extensions).toEqual(proposal.extensions);
  const old = await forge(club.get('anna'), { proposals: [{ ...proposal, extensions: [] }], sealUnder: 'old' });
  const verified = await verifyCommit(club.get('boris'), old, { now: NOW });
  await expect(applyCommit(club.get('boris'), verified)).rejects.toMatchObject({ code: 'path' });
});

test('external_pub is a vector with its length', async () => {
  const club = await Club.of(['anna'], 7);
  const message = decode(mlsMessage, await makeGroupInfo(club.get('anna'), { externalPub: true }));
  if (message.wireFormat !== GROUP_INFO) return expect.fail();
  const { data } = message.groupInfo.extensions.find(({ type }) => type === EXTERNAL_PUB)!;
  expect(data.length).toBe(33);
  expect(data[0]).toBe(32);
  const { suite, secrets } = stateOf(club.get('anna'));
  const { publicKey } = await externalKeyPair(suite, secrets.externalSecret);
  expect(findExtension(message.groupInfo.extensions, EXTERNAL_PUB, externalPub)).toEqual(publicKey);
  const bare = [{ type: EXTERNAL_PUB, data: publicKey }];
  expect(() => findExtension(bare, EXTERNAL_PUB, externalPub)).toThrow();
});

test('each path commit renews the leaf, its keys and its signature', async () => {
  const club = await Club.of(['anna', 'boris'], 8);
  const seen = new Set<string>();
  for (let i = 0; i < 4; i++) {
    await club.commit('anna', []);
    const { leafNode } = club.get('boris').member(0)!;
    for (const value of [leafNode.encryptionKey, leafNode.signature]) seen.add(hex(value));
  }
  expect(seen.size).toBe(8);
});

test('a GroupInfo signed by another key than its signer’s leaf is refused', async () => {
  const club = await Club.of(['anna', 'boris'], 9);
  const info = decode(mlsMessage, await makeGroupInfo(club.get('anna'), { externalPub: true }));
  if (info.wireFormat !== GROUP_INFO) return expect.fail();
  const { encodeMessage } = await import('../../src/mls/framing.ts');
  for (const change of [{ signer: 1 }, { signer: 2 }, { signature: new Uint8Array(0) }, { confirmationTag: utf8('x') }]) {
    const groupInfo = { ...info.groupInfo, ...change };
    const join = joinExternal(encodeMessage({ wireFormat: GROUP_INFO, groupInfo }), basicCredential(utf8('x')), club.random.bytes(32), { random: club.random });
    await expect(join).rejects.toMatchObject({ rule: change.signer === 2 ? '12.4.3-signer' : '12.4.3-signature' });
  }
});

test('tree hashes kept from tree to tree are those computed anew', async () => {
  const club = await Club.of(['a', 'b', 'c', 'd', 'e'], 10);
  const check = (): void => {
    for (const group of club.groups.values()) {
      const { suite, tree } = stateOf(group);
      const anew = RatchetTree.decode(tree.encode());
      for (let node = 0; node < 2 * tree.size - 1; node++) expect(anew.hash(suite, node)).toEqual(tree.hash(suite, node));
      expect(group.treeHash).toEqual(anew.hash(suite));
    }
  };
  check();
  await club.remove('b', 'c', 'e');
  check();
  await club.add('d', 'f', 'g', 'h');
  check();
  await club.commit('g', []);
  check();
});

test('errors of keys are errors of MLS where a message is to blame', async () => {
  const club = await Club.of(['anna', 'boris'], 11);
  const [, message] = await club.get('anna').encrypt(utf8('x'), { random: club.random });
  message[message.length - 1]! ^= 1;
  await expect(club.get('boris').decrypt(message)).rejects.not.toBeInstanceOf(CryptoError);
});

test('a member whose private keys are gone is told that it alone cannot follow', async () => {
  const club = await Club.of(['anna', 'boris', 'clara'], 'keyless');
  const pending = await commitProposals(club.get('anna'), [], club.commitOptions());
  const keyless = new Group({ ...stateOf(club.get('boris')), privateKeys: new Map() });
  const verified = await verifyCommit(keyless, pending.message, { now: NOW });
  await expect(applyCommit(keyless, verified)).rejects.toMatchObject({ rule: '7.5-no-private-key', code: 'path' });
});
