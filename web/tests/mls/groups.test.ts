import { describe, expect, test } from 'vitest';
import { hex, utf8 } from '../../src/crypto/bytes.ts';
import {
  PendingCommit,
  applyCommit,
  commitProposals,
  decodeGroup,
  encodeGroup,
  forgetEpochsBefore,
  inspect,
  joinExternal,
  makeGroupInfo,
  mergeCommit,
  pastEpochs,
  pendingProposals,
  propose,
  proposeUpdate,
  ratchetTree,
  reInit,
  receiveProposal,
  resumptionPsk,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { Group, SUITE_XWING, encodeKeyPackage } from '../../src/mls/group.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../../src/mls/keypackagechecks.ts';
import { KeyPackageBundle } from '../../src/mls/keypackage.ts';
import { ADD, GROUP_CONTEXT_EXTENSIONS, PSK, type Proposal, REINIT, REMOVE, UPDATE } from '../../src/mls/proposal.ts';
import type { PskId } from '../../src/mls/psk.ts';
import { SeededRandom } from '../support/seeded.ts';
import { Club, GROUP_ID, LIFETIME, NOW, bundleFor, capabilities } from './club.ts';

describe('a group', () => {
  test('is founded, grows, talks and shrinks', async () => {
    const club = await Club.of(['anna', 'boris', 'clara'], 1);
    await club.say('anna', 'hello');
    await club.say('clara', '');
    await club.add('clara', 'dmitri', 'eva');
    await club.say('eva', 'hi');
    await club.remove('boris', 'anna', 'eva');
    await club.say('dmitri', 'still here');
    expect(club.names).toEqual(['boris', 'clara', 'dmitri']);
    const group = club.get('boris');
    expect(group.members().map(({ credential }) => credential)).toEqual(
      ['boris', 'clara', 'dmitri'].map((name) => basicCredential(utf8(name))),
    );
    expect(group.member(0)).toBe(null);
    expect(group.member(group.ownLeafIndex)!.credential).toEqual(basicCredential(utf8('boris')));
  });

  test('works with X-Wing as its KEM', async () => {
    const club = await Club.of(['anna', 'boris', 'clara'], 2, { suite: SUITE_XWING });
    await club.say('boris', 'post-quantum');
    await club.remove('clara', 'anna');
    await club.say('boris', 'two');
    expect(club.get('boris').suite.kem.id).toBe(0x647a);
  });

  test('lets members join with the tree outside the Welcome', async () => {
    const club = await Club.of(['anna', 'boris'], 3, { treeInWelcome: false });
    await club.add('boris', 'clara');
    await club.say('clara', 'found the tree');
    const bundle = await club.bundle('dmitri');
    const pending = await commitProposals(club.get('anna'), [{ type: ADD, keyPackage: bundle.keyPackage }], club.commitOptions());
    const join = (tree: Uint8Array | null): Promise<unknown> => Group.join(pending.welcome!, [bundle], { tree, now: NOW });
    await expect(join(null)).rejects.toThrow('12.4.3.1-no-tree');
    await expect(join(ratchetTree(club.get('anna')))).rejects.toThrow('12.4.3.1-tree-hash');
    await expect(join(pending.tree)).resolves.toBeDefined();
  });

  test('prefers the tree inside a Welcome to one from elsewhere', async () => {
    const club = await Club.of(['anna'], 4);
    const bundle = await club.bundle('boris');
    const pending = await commitProposals(club.get('anna'), [{ type: ADD, keyPackage: bundle.keyPackage }], club.commitOptions());
    const joined = await Group.join(pending.welcome!, [bundle], { tree: ratchetTree(club.get('anna')), now: NOW });
    expect(joined.group.treeHash).toEqual(pending.group.treeHash);
    expect(joined.bundle).toBe(bundle);
  });

  test('hands GroupInfo extensions to joiners, also those that only the next epoch knows', async () => {
    const club = await Club.of(['anna'], 5);
    const bundle = await club.bundle('boris');
    const pending = await commitProposals(club.get('anna'),
      [{ type: ADD, keyPackage: bundle.keyPackage }],
      club.commitOptions({ groupInfoExtensions: (next) => [{ type: 0xf0a2, data: next.export('x', utf8(''), 16) }] }),
    );
    const { group, groupInfoExtensions, expired } = await Group.join(pending.welcome!, [bundle], { now: NOW * 2 });
    expect(groupInfoExtensions).toEqual([{ type: 0xf0a2, data: group.export('x', utf8(''), 16) }]);
    expect(expired).toEqual([1]);
  });

  test('can add without a path, and cannot remove without one', async () => {
    const club = await Club.of(['anna', 'boris'], 6);
    const bundle = await club.bundle('clara');
    const pending = await commitProposals(club.get('anna'),
      [{ type: ADD, keyPackage: bundle.keyPackage }],
      club.commitOptions({ path: false }),
    );
    await club.accept('anna', pending, new Map([['clara', bundle]]));
    await club.say('clara', 'hello');
    await club.add('clara', 'dmitri');
    for (const proposals of [[], [{ type: REMOVE, removed: 1 }], [{ type: GROUP_CONTEXT_EXTENSIONS, extensions: [] }]]) {
      const commit = commitProposals(club.get('anna'), proposals as Proposal[], club.commitOptions({ path: false }));
      await expect(commit).rejects.toThrow('12.4-path-required');
    }
    const change = commitProposals(club.get('anna'),
      [{ type: ADD, keyPackage: (await club.bundle('eva')).keyPackage }],
      club.commitOptions({ path: false, leaf: { credential: basicCredential(utf8('ana')) } }),
    );
    await expect(change).rejects.toThrow('12.4.1-leaf-without-path');
  });

  test('changes a leaf in a path commit, its signature key too', async () => {
    const club = await Club.of(['anna', 'boris'], 7);
    const before = club.get('anna').member(0)!;
    await club.commit('anna', [], {
      leaf: { credential: basicCredential(utf8('anna 2')), signaturePrivate: club.random.bytes(32) },
    });
    const after = club.get('boris').member(0)!;
    expect(after.credential).toEqual(basicCredential(utf8('anna 2')));
    expect(after.signatureKey).not.toEqual(before.signatureKey);
    expect(after.leafNode.signature).not.toEqual(before.leafNode.signature);
    const [, message] = await club.get('anna').encrypt(utf8('new key'), { random: club.random });
    expect((await club.get('boris').decrypt(message))[1].sender).toEqual(after);
    await club.commit('anna', []);
  });

  test('commits pending proposals of everybody, public and private', async () => {
    const club = await Club.of(['anna', 'boris', 'clara', 'dmitri'], 8);
    const spread = async (by: string, [group, message]: [Group, Uint8Array]): Promise<void> => {
      club.set(by, group);
      for (const name of club.names.filter((other) => other !== by)) {
        const [next, received] = await receiveProposal(club.get(name), message);
        expect(received.member!.leafIndex).toBe(group.ownLeafIndex);
        expect(received.authenticatedData).toEqual(utf8('why'));
        expect(pendingProposals(next).at(-1)!.reference).toEqual(received.reference);
        const [again] = await receiveProposal(next, message).catch(() => [next] as const);
        expect(pendingProposals(again).length).toBe(pendingProposals(next).length);
        club.set(name, next);
      }
    };
    const options = { authenticatedData: utf8('why'), random: club.random };
    const leaf = club.get('boris').member(club.get('boris').ownLeafIndex)!.leafNode;
    await spread('boris', await proposeUpdate(club.get('boris'), { ...options, leaf: { credential: basicCredential(utf8('boris')) } }));
    await spread('clara', await proposeUpdate(club.get('clara'), { ...options, private: true }));
    await spread('anna', await propose(club.get('anna'), { type: REMOVE, removed: 3 }, { ...options, private: true }));
    await expect(club.get('anna').encrypt(utf8('x'), options)).rejects.toThrow('12.4-pending-proposals');
    const eva = await club.bundle('eva');
    await expect(propose(club.get('anna'), { type: UPDATE, leafNode: leaf }, options)).rejects.toThrow('12.1.2-own-update');
    for (const name of club.names) club.set(name, decodeGroup(encodeGroup(club.get(name))));
    const add = { type: ADD, keyPackage: eva.keyPackage } as const;
    const pending = await commitProposals(club.get('anna'), [add], club.commitOptions());
    expect(pending.proposals.map(({ proposal }) => proposal.type)).toEqual([UPDATE, UPDATE, REMOVE, ADD]);
    await club.accept('anna', pending, new Map([['eva', eva]]));
    await club.commit('boris', []);
    await club.say('clara', 'with new keys');
  });

  test('leaves out of a commit what cannot be committed together', async () => {
    const club = await Club.of(['anna', 'boris', 'clara'], 9);
    const options = { random: club.random };
    let anna = club.get('anna');
    const from = async (name: string, proposal: Proposal | null): Promise<void> => {
      const group = club.get(name);
      const [next, message] = await (proposal ? propose(group, proposal, options) : proposeUpdate(group, options));
      club.set(name, next);
      [anna] = await receiveProposal(anna, message);
    };
    const { keyPackage } = await club.bundle('dmitri');
    await from('boris', null);
    await from('boris', null);
    await from('clara', { type: ADD, keyPackage });
    await from('boris', { type: ADD, keyPackage });
    await from('clara', null);
    await from('boris', { type: REMOVE, removed: 2 });
    await from('clara', { type: REMOVE, removed: 0 });
    await from('clara', { type: REINIT, groupId: utf8('g'), version: 1, cipherSuite: 1, extensions: [] });
    [anna] = await proposeUpdate(anna, options);
    const pending = await commitProposals(anna, [], club.commitOptions());
    const kept = pending.proposals.map(({ proposal, sender }) => [proposal.type, sender]);
    expect(kept).toEqual([
      [UPDATE, { type: 1, leafIndex: 1 }],
      [ADD, { type: 1, leafIndex: 2 }],
      [REMOVE, { type: 1, leafIndex: 1 }],
    ]);
    expect(pending.proposals[0]!.reference).toEqual(pendingProposals(anna)[1]!.reference);
    const none = await commitProposals(anna, [], club.commitOptions({ includePending: false }));
    expect(none.proposals).toEqual([]);
  });

  test('mixes in pre-shared keys, in private commits too', async () => {
    const club = await Club.of(['anna', 'boris'], 10);
    const psk = (id: Partial<PskId>): Proposal => ({
      type: PSK,
      psk: { nonce: club.random.bytes(32), ...id } as PskId,
    });
    const psks = new Map([[hex(utf8('shared')), utf8('secret')]]);
    await club.commit('boris', []);
    const external = (): Proposal => psk({ type: 1, id: utf8('shared') });
    const past = (): Proposal =>
      psk({ type: 2, usage: 1, groupId: GROUP_ID, epoch: BigInt(club.get('anna').epoch - 1) } as Partial<PskId>);
    for (const isPrivate of [false, true]) {
      const plain = await commitProposals(club.get('anna'), [external()], club.commitOptions({ psks, private: isPrivate }));
      const verified = await verifyCommit(club.get('boris'), plain.message, { now: NOW });
      await expect(applyCommit(club.get('boris'), verified)).rejects.toThrow('12.4.2-psk-missing');
      const wrong = new Map([[hex(utf8('shared')), utf8('another')]]);
      await expect(applyCommit(club.get('boris'), verified, { psks: wrong })).rejects.toMatchObject({
        rule: '12.4.2-confirmation-tag',
        code: 'path',
      });
      await club.commit('anna', [external(), past()], { psks, private: isPrivate });
      await club.say('boris', 'with a key');
    }
    const bundle = await club.bundle('clara');
    const pending = await commitProposals(club.get('boris'),
      [external(), { type: ADD, keyPackage: bundle.keyPackage }],
      club.commitOptions({ psks }),
    );
    await expect(Group.join(pending.welcome!, [bundle], { now: NOW })).rejects.toThrow('12.4.2-psk-missing');
    await club.accept('boris', pending, new Map([['clara', bundle]]), psks);
    await expect(commitProposals(club.get('anna'), [external()], club.commitOptions())).rejects.toThrow('12.4.2-psk-missing');
  });

  test('is over after a ReInit', async () => {
    const club = await Club.of(['anna', 'boris'], 11);
    const ended = { groupId: GROUP_ID, version: 1, cipherSuite: 0x0001, extensions: [] };
    await club.commit('anna', [{ type: REINIT, ...ended }], { path: false });
    const { random } = club;
    for (const name of ['anna', 'boris']) {
      const group = decodeGroup(encodeGroup(club.get(name)));
      expect(reInit(group)).toMatchObject(ended);
      await expect(group.encrypt(utf8('x'), { random })).rejects.toThrow('12.4.2-reinit');
      await expect(commitProposals(group, [], club.commitOptions())).rejects.toThrow('12.4.2-reinit');
      await expect(propose(group, { type: REMOVE, removed: 0 }, { random })).rejects.toThrow('12.4.2-reinit');
    }
    // The new group starts from the old one's resumption key.
    const next = await Club.found('anna', 12);
    const bundle = await next.bundle('boris');
    const old = club.get('anna');
    const id: PskId = { type: 2, usage: 2, groupId: old.groupId, epoch: BigInt(old.epoch), nonce: random.bytes(32) };
    const psks = new Map([[`${hex(old.groupId)}/${old.epoch}`, resumptionPsk(old)]]);
    const proposals: Proposal[] = [{ type: PSK, psk: id }, { type: ADD, keyPackage: bundle.keyPackage }];
    const pending = await commitProposals(next.get('anna'), proposals, next.commitOptions({ psks }));
    await next.accept('anna', pending, new Map([['boris', bundle]]), psks, club.get('boris'));
    const late = commitProposals(next.get('anna'), [{ type: PSK, psk: id }], next.commitOptions({ psks }));
    await expect(late).rejects.toThrow('12.1.4-usage');
  });
});

describe('external commits', () => {
  test('join, and replace a former self', async () => {
    const club = await Club.of(['anna', 'boris', 'clara'], 20);
    await club.remove('anna', 'boris');
    for (const resync of [false, true]) {
      const info = await makeGroupInfo(club.get('clara'), { externalPub: true, tree: !resync });
      const former = resync ? club.get('dmitri') : null;
      const joined = await joinExternal(info, basicCredential(utf8('dmitri')), club.random.bytes(32), {
        random: club.random,
        authenticatedData: utf8('me'),
        tree: resync ? ratchetTree(club.get('anna')) : null,
        resync: former && former.ownLeafIndex,
      });
      for (const name of club.names) {
        const verified = await verifyCommit(club.get(name), joined.message, { now: NOW });
        expect(verified).toMatchObject({ isExternal: true, committerLeafIndex: joined.group.ownLeafIndex });
        expect(verified.committer.credential).toEqual(basicCredential(utf8('dmitri')));
        expect(verified.authenticatedData).toEqual(utf8('me'));
        const applied = applyCommit(club.get(name), verified);
        if (name === 'dmitri') await expect(applied).rejects.toMatchObject({ code: 'removed' });
        else club.set(name, await applied);
      }
      club.set('dmitri', PendingCommit.decode(joined.encode()).group);
      club.agree();
      await club.say('dmitri', 'joined by myself');
      await club.say('anna', 'welcome');
      await club.commit('dmitri', []);
    }
    expect(club.get('anna').members().length).toBe(3);
  });

  test('need the external key and a signature of a member', async () => {
    const club = await Club.of(['anna', 'boris'], 21);
    const join = (info: Uint8Array): Promise<PendingCommit> =>
      joinExternal(info, basicCredential(utf8('x')), club.random.bytes(32), { random: club.random });
    await expect(join(await makeGroupInfo(club.get('anna')))).rejects.toThrow('12.4.3.2-no-external-pub');
    const info = await makeGroupInfo(club.get('anna'), { externalPub: true });
    info[info.length - 1]! ^= 1;
    await expect(join(info)).rejects.toThrow('12.4.3-signature');
    await expect(join(await makeGroupInfo(club.get('anna'), { externalPub: true, tree: false }))).rejects.toThrow('no-tree');
  });
});

describe('messages', () => {
  test('open once, in any order', async () => {
    const club = await Club.of(['anna', 'boris'], 30);
    const sent: Uint8Array[] = [];
    for (let i = 0; i < 12; i++) {
      const [group, message] = await club.get('anna').encrypt(Uint8Array.of(i), { random: club.random });
      club.set('anna', group);
      sent.push(message);
    }
    let boris = club.get('boris');
    const order = [5, 0, 11, 3, 1, 2, 4, 10, 9, 8, 7, 6];
    for (const index of order) {
      const [next, opened] = await boris.decrypt(sent[index]!);
      expect(opened.data).toEqual(Uint8Array.of(index));
      boris = decodeGroup(encodeGroup(next));
      for (const seen of order.slice(0, order.indexOf(index) + 1)) {
        await expect(boris.decrypt(sent[seen]!)).rejects.toMatchObject({ code: 'replayed' });
      }
    }
    await expect(club.get('anna').decrypt(sent[0]!)).rejects.toMatchObject({ code: 'replayed' });
  });

  test('of past epochs open until their keys are forgotten', async () => {
    const club = await Club.of(['anna', 'boris', 'clara'], 31);
    const late: Uint8Array[] = [];
    for (let i = 0; i < 3; i++) {
      const [group, message] = await club.get('boris').encrypt(Uint8Array.of(i), { random: club.random });
      const [next, second] = await group.encrypt(Uint8Array.of(i), { random: club.random });
      club.set('boris', next);
      late.push(message, second);
      if (i === 1) await club.remove('anna', 'boris');
      else await club.commit('clara', []);
      if (i === 1) break;
    }
    for (const name of ['anna', 'clara']) {
      let group = decodeGroup(encodeGroup(club.get(name)));
      expect(pastEpochs(group).slice(-2)).toEqual([1, 2]);
      for (const message of late.slice(0, 3)) {
        const [next, opened] = await group.decrypt(message);
        expect(opened.sender.credential).toEqual(basicCredential(utf8('boris')));
        group = decodeGroup(encodeGroup(next));
        await expect(group.decrypt(message)).rejects.toMatchObject({ code: 'replayed' });
      }
      group = forgetEpochsBefore(group, group.epoch);
      expect(pastEpochs(group)).toEqual([]);
      await expect(group.decrypt(late[3]!)).rejects.toMatchObject({ code: 'wrong-epoch' });
    }
  });

  test('opened while an own commit was on its way do not open again after it', async () => {
    const club = await Club.of(['anna', 'boris'], 32);
    const pending = await commitProposals(club.get('anna'), [], club.commitOptions());
    const message = await club.say('boris', 'in between');
    await club.accept('anna', pending);
    await expect(club.get('anna').decrypt(message)).rejects.toMatchObject({ code: 'replayed' });
    expect(() => mergeCommit(club.get('anna'), pending)).toThrow('12.4.2-other-epoch');
    const external = new PendingCommit({ ...fields(pending), before: null });
    expect(() => mergeCommit(club.get('anna'), external)).toThrow('12.4.2-other-epoch');
    const next = await commitProposals(club.get('anna'), [], club.commitOptions());
    expect(pastEpochs(mergeCommit(club.get('anna'), next))).toEqual([0, 1, 2]);
    expect(pastEpochs(mergeCommit(club.get('anna'), next, { keepPast: false }))).toEqual([]);
  });

  test('say from outside what they are', async () => {
    const club = await Club.of(['anna', 'boris'], 33);
    const [, message] = await club.get('anna').encrypt(utf8('x'), { random: club.random });
    expect(inspect(message)).toEqual({ groupId: GROUP_ID, epoch: 1, contentType: 1, isPrivate: true });
    const pending = await commitProposals(club.get('anna'), [], club.commitOptions());
    expect(inspect(pending.message)).toEqual({ groupId: GROUP_ID, epoch: 1, contentType: 3, isPrivate: false });
    expect(() => inspect(new Uint8Array(3))).toThrow();
    await expect(club.get('boris').decrypt(pending.message)).rejects.toThrow('6-not-application');
    await expect(verifyCommit(club.get('boris'), message, { now: NOW })).rejects.toThrow('6-not-a-commit');
    await expect(receiveProposal(club.get('boris'), pending.message)).rejects.toThrow('6-not-a-proposal');
  });
});

function fields(pending: PendingCommit): ConstructorParameters<typeof PendingCommit>[0] {
  const { message, welcome, group, proposals, before } = pending;
  return { message, welcome, group, proposals, before };
}

describe('a removed member', () => {
  test('cannot read on in a group of two, nor at any later epoch', async () => {
    const club = await Club.of(['anna', 'boris'], 40);
    const boris = club.get('boris');
    const removal = await club.remove('anna', 'boris');
    const [, message] = await club.get('anna').encrypt(utf8('alone'), { random: club.random });
    await expect(boris.decrypt(message)).rejects.toMatchObject({ code: 'wrong-epoch' });
    await club.commit('anna', []);
    const add = await club.add('anna', 'clara');
    const later = await club.say('anna', 'later');
    // Whatever boris makes of the commits that he sees, he does not arrive at the epoch's secrets.
    await expect(verifyCommit(boris, add.message, { now: NOW })).rejects.toMatchObject({ code: 'wrong-epoch' });
    await expect(boris.decrypt(later)).rejects.toMatchObject({ code: 'wrong-epoch' });
    const verified = await verifyCommit(boris, removal.message, { now: NOW });
    await expect(applyCommit(boris, verified)).rejects.toMatchObject({ code: 'removed', rule: '12.4.2-removed' });
  });
});

describe('storage', () => {
  test('gives the same group back, bytes too, through a long life', async () => {
    const random = new SeededRandom(50);
    const club = await Club.of(['anna', 'boris', 'clara', 'dmitri', 'eva'], 50);
    for (let i = 0; i < 12; i++) {
      const by = random.pick(club.names);
      if (i === 4) await club.remove(by, random.pick(club.names.filter((name) => name !== by)));
      else if (i % 3 === 0) await club.add(by, `new ${i}`);
      else if (i % 3 === 1) await club.say(by, 'text');
      else await club.commit(by, []);
      for (const [name, group] of club.groups) {
        const blob = encodeGroup(group);
        const again = decodeGroup(blob);
        expect(encodeGroup(again)).toEqual(blob);
        expect(pastEpochs(again)).toEqual(pastEpochs(group));
        club.set(name, again);
      }
      club.agree();
    }
  });

  test('refuses what it did not write', async () => {
    const club = await Club.of(['anna', 'boris'], 51);
    const blob = encodeGroup(club.get('anna'));
    expect(() => decodeGroup(blob.slice(1))).toThrow();
    expect(() => decodeGroup(Uint8Array.of(...blob, 0))).toThrow('2.1-trailing');
    const bundle = await club.bundle('x');
    expect(KeyPackageBundle.decode(bundle.encode()).encode()).toEqual(bundle.encode());
    expect(() => KeyPackageBundle.decode(bundle.encode().slice(1))).toThrow();
  });

  test('shows no secrets when printed', async () => {
    const club = await Club.of(['anna', 'boris'], 52);
    const { inspect: print } = await import('node:util');
    const bundle = await club.bundle('clara');
    for (const value of [bundle, club.get('anna')]) {
      const text = print(value, { depth: 10 }) + JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
      for (const secret of [bundle.initPrivate, bundle.signaturePrivate]) {
        expect(text).not.toContain([...secret.slice(0, 6)].join(', '));
      }
      expect(text).not.toContain('rivate');
    }
  });
});

describe('key packages', () => {
  test('are verified before use', async () => {
    const bundle = await bundleFor('anna', new SeededRandom(60), { lastResort: true });
    const sent = encodeKeyPackage(bundle.keyPackage);
    const verified = await verifyKeyPackage(decodeKeyPackage(sent), NOW);
    expect(verified).toEqual(bundle.keyPackage);
    expect(verified.leafNode.capabilities.extensions).toEqual([0x000a]);
    const first = Number(LIFETIME.notBefore) * 1000;
    await verifyKeyPackage(decodeKeyPackage(sent), first);
    await expect(verifyKeyPackage(decodeKeyPackage(sent), first - 1)).rejects.toThrow('7.3-lifetime');
    const last = Number(LIFETIME.notAfter) * 1000 + 999;
    await verifyKeyPackage(decodeKeyPackage(sent), last);
    await expect(verifyKeyPackage(decodeKeyPackage(sent), last + 1)).rejects.toThrow('7.3-lifetime');
    await expect(verifyKeyPackage(decodeKeyPackage(sent), NOW, 1999999)).rejects.toThrow('7.2-lifetime-span');
    for (let place = 0; place < sent.length; place += 7) {
      const changed = sent.slice();
      changed[place]! ^= 1;
      await expect((async () => verifyKeyPackage(decodeKeyPackage(changed), NOW))()).rejects.toMatchObject({
        name: 'MlsError',
      });
    }
  });

  test('list what they use', async () => {
    const random = new SeededRandom(61);
    const extension = { type: 0xf0a1, data: utf8('') };
    const wrong = bundleFor('anna', random, { leafExtensions: [extension], capabilities: capabilities([]) });
    await expect(wrong).rejects.toThrow('10-capabilities');
    const right = await bundleFor('anna', random, { leafExtensions: [extension] });
    expect(right.keyPackage.leafNode.capabilities.extensions).toEqual([0xf0a1]);
  });
});
