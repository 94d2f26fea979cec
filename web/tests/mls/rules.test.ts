import { describe, expect, test } from 'vitest';
import { concat, utf8 } from '../../src/crypto/bytes.ts';
import {
  applyCommit,
  commitProposals,
  encodeGroup,
  joinExternal,
  makeGroupInfo,
  pendingProposals,
  proposeUpdate,
  receiveProposal,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { checkLifetimeSpan, checkTree } from '../../src/mls/checks.ts';
import { decode, encode } from '../../src/mls/codec.ts';
import { BY_REFERENCE } from '../../src/mls/commit.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { encodedContext, epochKeys } from '../../src/mls/epoch.ts';
import {
  EXTERNAL_SENDERS,
  REQUIRED_CAPABILITIES,
  externalSenders,
  makeExtension,
  requiredCapabilities,
} from '../../src/mls/extensions.ts';
import {
  APPLICATION,
  EXTERNAL,
  MEMBER,
  NEW_MEMBER_COMMIT,
  NEW_MEMBER_PROPOSAL,
  PRIVATE_MESSAGE,
  PROPOSAL,
  PUBLIC_MESSAGE,
  type Sender,
  WELCOME,
  encodeMessage,
  mlsMessage,
} from '../../src/mls/framing.ts';
import { Group } from '../../src/mls/group.ts';
import { KeyPackageBundle, signKeyPackage } from '../../src/mls/keypackage.ts';
import { FROM_COMMIT, FROM_KEY_PACKAGE, FROM_UPDATE, type LeafNode, signLeaf } from '../../src/mls/leaf.ts';
import {
  ADD,
  EXTERNAL_INIT,
  GROUP_CONTEXT_EXTENSIONS,
  PSK,
  type Proposal,
  REMOVE,
  UPDATE,
} from '../../src/mls/proposal.ts';
import { checkExternalList } from '../../src/mls/proposals.ts';
import { protectPrivate, protectPublic, signContent } from '../../src/mls/protect.ts';
import { SUITE_X25519 as S } from '../../src/mls/suite.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { withLeaf, withPath } from '../../src/mls/treechanges.ts';
import { Club, LIFETIME, NOW, bundleFor, capabilities } from './club.ts';
import { type Tricks, forge, stateOf } from './forge.ts';
import { TRICKS } from './tricks.ts';

/*
 * Each case breaks one rule, signed and sealed by someone who is allowed to sign and seal. Without its check the case
 * would be accepted.
 */

const setUp = (seed: number): Promise<Club> => Club.of(['anna', 'boris', 'clara'], seed);

/** Anna forges, boris must refuse by the rule, and be as before. */
async function refused(club: Club, rule: string, tricks: Tricks): Promise<void> {
  const before = encodeGroup(club.get('boris'));
  const message = await forge(club.get('anna'), tricks);
  await expect(verifyCommit(club.get('boris'), message, { now: NOW }), rule).rejects.toMatchObject({ rule });
  expect(encodeGroup(club.get('boris'))).toEqual(before);
}

test('an honest forgery is accepted, so that what follows is refused for its own reason', async () => {
  const club = await setUp(1);
  const bundle = await club.bundle('dmitri');
  const proposals: Proposal[] = [{ type: REMOVE, removed: 2 }, { type: ADD, keyPackage: bundle.keyPackage }];
  const message = await forge(club.get('anna'), { proposals });
  const verified = await verifyCommit(club.get('boris'), message, { now: NOW });
  expect(verified.removes.map(({ leafIndex }) => leafIndex)).toEqual([2]);
  expect(verified.addedLeaves).toEqual([2]);
  expect((await applyCommit(club.get('boris'), verified)).epoch).toBe(2);
});

test.each(Object.entries(TRICKS))('%s is refused', async (_name, { rule, make }) => {
  const club = await Club.of(['anna', 'boris', 'clara'], 'tricks', { capabilities: capabilities([0xf0a1]) });
  await club.commit('boris', []);
  await refused(club, rule, await make(club.get('anna')));
});

describe('framing', () => {
  test('6.1-signature: an empty one', async () => {
    const club = await setUp(4);
    const state = stateOf(club.get('anna'));
    const content = {
      groupId: state.context.groupId,
      epoch: state.context.epoch,
      sender: { type: MEMBER, leafIndex: 0 },
      authenticatedData: new Uint8Array(0),
      content: { type: PROPOSAL, proposal: { type: REMOVE, removed: 1 } },
    } as const;
    const auth = { signature: new Uint8Array(0), confirmationTag: null };
    const { membershipKey } = state.secrets;
    const publicMessage = protectPublic(S, { content, auth }, epochKeys(state).context, membershipKey);
    const message = encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage });
    await expect(receiveProposal(club.get('boris'), message)).rejects.toMatchObject({ rule: '6.1-signature' });
  });

  test('6-application-in-public', async () => {
    const club = await setUp(6);
    const state = stateOf(club.get('anna'));
    const { groupId, epoch } = state.context;
    const content = {
      groupId,
      epoch,
      sender: { type: MEMBER, leafIndex: 0 },
      authenticatedData: utf8(''),
      content: { type: APPLICATION, data: utf8('in the clear') },
    } as const;
    const signature = await signContent(S, state.signaturePrivate, PUBLIC_MESSAGE, content, encodedContext(state.context));
    const publicMessage = { content, auth: { signature, confirmationTag: null }, membershipTag: new Uint8Array(32) };
    const message = encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage });
    for (const attempt of [receiveProposal(club.get('boris'), message), verifyCommit(club.get('boris'), message, { now: NOW })]) {
      await expect(attempt).rejects.toMatchObject({ rule: '6-application-in-public' });
    }
    await expect(club.get('boris').decrypt(message)).rejects.toMatchObject({ rule: '6-not-application' });
  });

  test('private messages: sender, seal, signature, padding', async () => {
    const club = await setUp(7);
    const state = stateOf(club.get('anna'));
    const keys = epochKeys(state);
    const boris = club.get('boris');
    const { groupId, epoch } = state.context;
    const seal = async (
      sender: Sender & { type: typeof MEMBER },
      privateKey: Uint8Array,
      change?: (message: Uint8Array) => void,
    ): Promise<Uint8Array> => {
      const content = { groupId, epoch, sender, authenticatedData: utf8('a'), content: { type: APPLICATION, data: utf8('x') } } as const;
      const signature = await signContent(S, privateKey, PRIVATE_MESSAGE, content, keys.context);
      const auth = { signature, confirmationTag: null };
      const [privateMessage] = await protectPrivate({ content, auth }, keys, 9, club.random);
      const message = encodeMessage({ wireFormat: PRIVATE_MESSAGE, privateMessage });
      change?.(message);
      return message;
    };
    const before = encodeGroup(boris);
    const fails = async (rule: string, message: Promise<Uint8Array>): Promise<void> => {
      await expect(boris.decrypt(await message), rule).rejects.toMatchObject({ rule });
      expect(encodeGroup(boris)).toEqual(before);
    };
    const own = { type: MEMBER, leafIndex: 0 } as const;
    await boris.decrypt(await seal(own, state.signaturePrivate));
    await fails('6.1-signature', seal(own, new Uint8Array(32)));
    await fails('6.1-signature', seal({ type: MEMBER, leafIndex: 2 }, state.signaturePrivate));
    await fails('6.3.2-blank-sender', seal({ type: MEMBER, leafIndex: 3 }, state.signaturePrivate));
    await fails('6.3-decrypt', seal(own, state.signaturePrivate, (message) => (message[message.length - 1]! ^= 1)));
    await fails('6.3-decrypt', seal(own, state.signaturePrivate, (message) => (message[22]! ^= 1)));
    await fails('6.3.2-own-message', seal({ type: MEMBER, leafIndex: 1 }, stateOf(boris).signaturePrivate));
  });
});

describe('the list of proposals', () => {
  const psk = (nonce: number, usage = 1, type: 1 | 2 = 2): Proposal => ({
    type: PSK,
    psk: type === 2
      ? { type, usage, groupId: utf8('group'), epoch: 1n, nonce: new Uint8Array(nonce) }
      : { type, id: utf8('id'), nonce: new Uint8Array(nonce) },
  });
  const extensions: Proposal = { type: GROUP_CONTEXT_EXTENSIONS, extensions: [] };

  test('has Updates of members other than the committer only', async () => {
    const club = await setUp(11);
    const [anna, message] = await proposeUpdate(club.get('anna'), { random: club.random });
    const { reference } = pendingProposals(anna)[0]!;
    const { proposal } = pendingProposals(anna)[0]!;
    club.set('anna', anna);
    club.set('boris', (await receiveProposal(club.get('boris'), message))[0]);
    await refused(club, '12.2-committer', { references: [{ kind: BY_REFERENCE, reference: reference! }] });
    await refused(club, '12.2-committer', { proposals: [proposal] });
  });

  test('may be a PSK for branching only in a new group', async () => {
    const club = await Club.found('anna', 13);
    const psks = new Map([['67726f7570/1', new Uint8Array(32)]]);
    await commitProposals(club.get('anna'), [psk(32, 3)], club.commitOptions({ psks }));
    await club.add('anna', 'boris');
    await expect(commitProposals(club.get('anna'), [psk(32, 3)], club.commitOptions({ psks }))).rejects.toThrow('12.1.4-usage');
  });

  test('of an external commit holds one ExternalInit, one Remove at most, PSKs, all by value', async () => {
    const club = await setUp(14);
    const state = stateOf(club.get('anna'));
    const sender = { type: NEW_MEMBER_COMMIT } as const;
    const init: Proposal = { type: EXTERNAL_INIT, kemOutput: new Uint8Array(32) };
    const check = (proposals: Proposal[], reference: Uint8Array | null = null): Promise<void> =>
      checkExternalList(state, proposals.map((proposal) => ({ proposal, sender, reference })));
    await check([init]);
    await check([init, { type: REMOVE, removed: 1 }, psk(32)]);
    const cases: [string, Proposal[]][] = [
      ['12.2-external-commit', []],
      ['12.2-external-commit', [init, init]],
      ['12.2-external-commit', [init, { type: REMOVE, removed: 1 }, { type: REMOVE, removed: 2 }]],
      ['12.2-external-commit', [init, extensions]],
      ['12.1.2-sender', [init, { type: UPDATE, leafNode: state.tree.leaf(1)! }]],
      ['12.1.3-blank', [init, { type: REMOVE, removed: 3 }]],
      ['12.2-same-psk', [init, psk(32), psk(32)]],
    ];
    for (const [rule, proposals] of cases) await expect(check(proposals), rule).rejects.toMatchObject({ rule });
    await expect(check([init], new Uint8Array(32))).rejects.toMatchObject({ rule: '12.4.3.2-by-reference' });
  });
});

describe('leaves and key packages', () => {
  test('of members are not added again', async () => {
    const club = await setUp(21);
    const boris = stateOf(club.get('boris'));
    const { keyPackage } = await bundleFor('boris', club.random);
    const signatureKey = await S.signature.publicKey(boris.signaturePrivate);
    const leafNode = await signLeaf(S, boris.signaturePrivate, { ...keyPackage.leafNode, signatureKey }, null);
    const twin = await signKeyPackage(S, boris.signaturePrivate, { ...keyPackage, leafNode });
    await refused(club, '7.3-signature-key-reused', { proposals: [{ type: ADD, keyPackage: twin }] });
    // Unless the same commit removes the old one.
    const proposals: Proposal[] = [{ type: REMOVE, removed: 1 }, { type: ADD, keyPackage: twin }];
    const message = await forge(club.get('anna'), { proposals });
    await verifyCommit(club.get('clara'), message, { now: NOW });
  });

  test('support what the group requires, before and after the commit', async () => {
    const required = makeExtension(REQUIRED_CAPABILITIES, requiredCapabilities, {
      extensionTypes: [0xf0a1],
      proposalTypes: [],
      credentialTypes: [1],
    });
    const club = await Club.of(['anna', 'boris', 'clara'], 22, {
      extensions: [required, { type: 0xf0a1, data: utf8('') }],
      capabilities: capabilities([0xf0a1]),
    });
    const poor = (await bundleFor('dmitri', club.random)).keyPackage;
    await refused(club, '13.4-context-extension', { proposals: [{ type: ADD, keyPackage: poor }] });
    const none: Proposal = { type: GROUP_CONTEXT_EXTENSIONS, extensions: [] };
    const joined = { type: ADD, keyPackage: poor } as const;
    const verified = await verifyCommit(club.get('boris'), await forge(club.get('anna'), { proposals: [none, joined] }), { now: NOW });
    expect(verified.extensionsAfter).toEqual([]);
  });

  test('of an Update are new and made for their place', async () => {
    const club = await setUp(23);
    const clara = stateOf(club.get('clara'));
    const leaf = clara.tree.leaf(2)!;
    const fresh = (await S.kem.generate(club.random)).publicKey;
    const place = { groupId: clara.context.groupId, leafIndex: 2 };
    const sign = (change: Partial<LeafNode>, at = place): Promise<LeafNode> =>
      signLeaf(S, clara.signaturePrivate, { ...leaf, source: { type: FROM_UPDATE }, encryptionKey: fresh, ...change }, at);
    const cases: [string, LeafNode][] = [
      ['7.3-same-encryption-key', await sign({ encryptionKey: leaf.encryptionKey })],
      ['7.3-signature', await sign({}, { ...place, leafIndex: 1 })],
      ['7.3-signature', await sign({}, { ...place, groupId: utf8('other') })],
      ['7.3-source', await sign({ source: { type: FROM_COMMIT, parentHash: utf8('') } })],
      ['7.3-encryption-key', await sign({ encryptionKey: new Uint8Array(32) })],
      ['7.3-own-credential', await sign({ capabilities: { ...leaf.capabilities, credentials: [] } })],
    ];
    const state = clara;
    const keys = epochKeys(state);
    for (const [rule, leafNode] of [...cases, ['', await sign({})] as const]) {
      const content = {
        ...place,
        epoch: 1n,
        sender: { type: MEMBER, leafIndex: 2 },
        authenticatedData: utf8(''),
        content: { type: PROPOSAL, proposal: { type: UPDATE, leafNode } },
      } as const;
      const signature = await signContent(S, state.signaturePrivate, PUBLIC_MESSAGE, content, keys.context);
      const framed = { content, auth: { signature, confirmationTag: null } };
      const publicMessage = protectPublic(S, framed, keys.context, state.secrets.membershipKey);
      const received = receiveProposal(club.get('boris'), encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage }));
      if (rule === '') await received;
      else await expect(received, rule).rejects.toMatchObject({ rule });
    }
  });

  test('live no longer than allowed', async () => {
    const { keyPackage } = await bundleFor('anna', (await setUp(24)).random);
    const { notBefore, notAfter } = LIFETIME;
    expect(() => checkLifetimeSpan(keyPackage.leafNode, Number(notAfter - notBefore))).not.toThrow();
    expect(() => checkLifetimeSpan(keyPackage.leafNode, Number(notAfter - notBefore) - 1)).toThrow('7.2-lifetime-span');
    const source = { type: FROM_KEY_PACKAGE, lifetime: { notBefore: 2n, notAfter: 1n } } as const;
    expect(() => checkLifetimeSpan({ ...keyPackage.leafNode, source }, 100)).toThrow('7.2-lifetime-span');
  });
});

describe('paths', () => {
  test('do not take the signature key of another member', async () => {
    const club = await Club.of(['anna', 'boris', 'clara', 'dmitri'], 31);
    const { tree, context } = stateOf(club.get('anna'));
    const boris = stateOf(club.get('boris'));
    await refused(club, '7.3-signature-key-reused', {
      path: async (path) => {
        const leaf = { ...path.leafNode, signatureKey: tree.leaf(1)!.signatureKey };
        const place = { groupId: context.groupId, leafIndex: 0 };
        return { ...path, leafNode: await signLeaf(S, boris.signaturePrivate, leaf, place) };
      },
    });
  });

  test('of a removed former self in an external commit have another key', async () => {
    const club = await Club.of(['anna', 'boris'], 32);
    const info = await makeGroupInfo(club.get('boris'), { externalPub: true });
    const joined = await joinExternal(info, basicCredential(utf8('anna')), club.random.bytes(32), {
      random: club.random,
      resync: 0,
    });
    await verifyCommit(club.get('boris'), joined.message, { now: NOW });
    const message = decode(mlsMessage, joined.message);
    if (message.wireFormat !== PUBLIC_MESSAGE || message.publicMessage.content.content.type !== 3) return expect.fail();
    const { content } = message.publicMessage;
    const { commit } = message.publicMessage.content.content;
    const old = club.get('anna').member(0)!.leafNode.encryptionKey;
    const path = { ...commit.path!, leafNode: { ...commit.path!.leafNode, encryptionKey: old } };
    const signer = stateOf(joined.group).signaturePrivate;
    const changed = { ...content, content: { type: 3, commit: { ...commit, path } } } as const;
    const context = encodedContext(stateOf(club.get('boris')).context);
    const signature = await signContent(S, signer, PUBLIC_MESSAGE, changed, context);
    const publicMessage = { ...message.publicMessage, content: changed, auth: { ...message.publicMessage.auth, signature } };
    const again = encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage });
    await expect(verifyCommit(club.get('boris'), again, { now: NOW })).rejects.toMatchObject({ rule: '7.3-same-encryption-key' });
    const byReference = { ...commit, proposals: [...commit.proposals, { kind: BY_REFERENCE, reference: new Uint8Array(32) } as const] };
    const referring = { ...content, content: { type: 3, commit: byReference } } as const;
    const resigned = await signContent(S, signer, PUBLIC_MESSAGE, referring, context);
    const third = { ...publicMessage, content: referring, auth: { ...publicMessage.auth, signature: resigned } };
    const last = encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage: third });
    await expect(verifyCommit(club.get('boris'), last, { now: NOW })).rejects.toMatchObject({ code: 'unknown-proposal' });
  });
});

describe('what only secrets can show', () => {
  /** Passes every public check, and boris alone cannot follow. */
  async function unfollowable(club: Club, rule: string, tricks: Tricks): Promise<void> {
    const before = encodeGroup(club.get('boris'));
    const message = await forge(club.get('anna'), tricks);
    const verified = await verifyCommit(club.get('boris'), message, { now: NOW });
    await expect(applyCommit(club.get('boris'), verified), rule).rejects.toMatchObject({ rule, code: 'path' });
    expect(encodeGroup(club.get('boris'))).toEqual(before);
  }

  test('7.5-derived-key: keys that do not follow from the secret sent', async () => {
    const club = await Club.of(['anna', 'boris', 'clara', 'dmitri'], 40);
    await unfollowable(club, '7.5-derived-key', {
      newPath: (path) => ({ ...path, pathSecrets: new Map([...path.pathSecrets].map(([node]) => [node, new Uint8Array(32)])) }),
    });
  });

  test('5.1.3-decrypt: path secrets sealed for others, or under the old group context', async () => {
    const club = await setUp(41);
    await unfollowable(club, '5.1.3-decrypt', { sealUnder: 'old' });
    const extensions: Proposal = { type: GROUP_CONTEXT_EXTENSIONS, extensions: [] };
    await unfollowable(club, '5.1.3-decrypt', { sealUnder: 'old', proposals: [extensions] });
  });

  test('12.4.2-confirmation-tag', async () => {
    const club = await setUp(42);
    await unfollowable(club, '12.4.2-confirmation-tag', { commitSecret: new Uint8Array(32) });
    await unfollowable(club, '12.4.2-confirmation-tag', { confirmationTag: () => new Uint8Array(32) });
    await unfollowable(club, '12.4.2-confirmation-tag', { confirmationTag: () => new Uint8Array(0) });
    await unfollowable(club, '12.4.2-confirmation-tag', { entry: (entry) => ({ ...entry, initSecret: new Uint8Array(32) }) });
  });

  test('commits are applied in the epoch that they were verified in, and not by their maker', async () => {
    const club = await setUp(43);
    const pending = await commitProposals(club.get('anna'), [], club.commitOptions());
    const verified = await verifyCommit(club.get('boris'), pending.message, { now: NOW });
    const own = await verifyCommit(club.get('anna'), pending.message, { now: NOW });
    await expect(applyCommit(club.get('anna'), own)).rejects.toMatchObject({ rule: '12.4.2-own-commit' });
    await club.commit('clara', []);
    await expect(applyCommit(club.get('boris'), verified)).rejects.toMatchObject({ rule: '12.4.2-other-epoch' });
  });

  test('a private key of an own Update that is gone is missed', async () => {
    const club = await setUp(44);
    const [boris, message] = await proposeUpdate(club.get('boris'), { random: club.random });
    for (const name of ['anna', 'clara']) club.set(name, (await receiveProposal(club.get(name), message))[0]);
    const [forgetful] = await receiveProposal(club.get('boris'), message);
    const pending = await commitProposals(club.get('anna'), [], club.commitOptions());
    const verified = await verifyCommit(forgetful, pending.message, { now: NOW });
    await expect(applyCommit(forgetful, verified)).rejects.toMatchObject({ rule: '12.4.2-own-update', code: 'path' });
    club.set('boris', boris);
    await club.accept('anna', pending);
  });
});

describe('proposals from outside', () => {
  test('come from listed senders, of the types allowed to them', async () => {
    const seed = new Uint8Array(32).fill(3);
    const signatureKey = await S.signature.publicKey(seed);
    const senders = makeExtension(EXTERNAL_SENDERS, externalSenders, [{ signatureKey, credential: basicCredential(utf8('service')) }]);
    const club = await Club.of(['anna', 'boris'], 50, { extensions: [senders] });
    const { context } = stateOf(club.get('anna'));
    const { keyPackage } = await club.bundle('clara');
    const newcomer = await bundleFor('newcomer', club.random);
    const send = async (sender: Sender, proposal: Proposal, key: Uint8Array): Promise<Uint8Array> => {
      const content = { groupId: context.groupId, epoch: context.epoch, sender, authenticatedData: utf8(''), content: { type: PROPOSAL, proposal } } as const;
      const signature = await signContent(S, key, PUBLIC_MESSAGE, content, encodedContext(context));
      const publicMessage = { content, auth: { signature, confirmationTag: null }, membershipTag: null };
      return encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage });
    };
    const external = (senderIndex: number): Sender => ({ type: EXTERNAL, senderIndex });
    const newMember: Sender = { type: NEW_MEMBER_PROPOSAL };
    const add: Proposal = { type: ADD, keyPackage };
    const { leafNode } = keyPackage;
    const cases: [string, Promise<Uint8Array>][] = [
      ['6.1-external-sender', send(external(1), add, seed)],
      ['6.1-signature', send(external(0), add, new Uint8Array(32))],
      ['12.1.8-external-type', send(external(0), { type: UPDATE, leafNode }, seed)],
      ['12.1.8-external-type', send(external(0), { type: EXTERNAL_INIT, kemOutput: utf8('') }, seed)],
      ['6.1-sender-type', send(newMember, { type: REMOVE, removed: 0 }, seed)],
      ['6.1-signature', send(newMember, add, seed)],
      ['6.1-sender-type', send({ type: NEW_MEMBER_COMMIT }, add, seed)],
    ];
    for (const [rule, message] of cases) {
      await expect(receiveProposal(club.get('anna'), await message), rule).rejects.toMatchObject({ rule });
    }
    const wished = await send(external(0), add, seed);
    const own = await send(newMember, { type: ADD, keyPackage: newcomer.keyPackage }, newcomer.signaturePrivate);
    for (const name of ['anna', 'boris']) {
      let [group, received] = await receiveProposal(club.get(name), wished);
      expect(received.member).toBe(null);
      [group, received] = await receiveProposal(group, own);
      expect(received.sender).toEqual(newMember);
      club.set(name, group);
    }
    const pending = await commitProposals(club.get('boris'), [], club.commitOptions());
    expect(pending.proposals.length).toBe(2);
    await club.accept('boris', pending, new Map([['newcomer', newcomer]])).catch((error: unknown) => {
      // Clara's bundle is not among the joiners, so only the count of members differs.
      expect(String(error)).toContain('deeply equal');
    });
    expect(club.get('anna').members().length).toBe(4);
  });
});

describe('Welcomes', () => {
  test('are for one of our key packages, of the right suite, with our own keys', async () => {
    const club = await Club.of(['anna'], 60);
    const bundle = await club.bundle('boris');
    const other = await club.bundle('clara');
    const pending = await commitProposals(club.get('anna'), [{ type: ADD, keyPackage: bundle.keyPackage }], club.commitOptions());
    const join = (welcome: Uint8Array, ...bundles: KeyPackageBundle[]): Promise<unknown> => Group.join(welcome, bundles, { now: NOW });
    await expect(join(pending.welcome!, other)).rejects.toMatchObject({ rule: '12.4.3.1-no-key-package' });
    await expect(join(pending.message, bundle)).rejects.toMatchObject({ rule: '12.4.3.1-not-a-welcome' });
    const { keyPackage, encryptionPrivate, initPrivate } = bundle;
    const mixed = new KeyPackageBundle({ keyPackage, initPrivate, encryptionPrivate, signaturePrivate: other.signaturePrivate });
    await expect(join(pending.welcome!, mixed)).rejects.toMatchObject({ rule: '12.4.3.1-own-signature-key' });
    const wrong = new KeyPackageBundle({ ...mixed, keyPackage, encryptionPrivate, initPrivate: other.initPrivate, signaturePrivate: bundle.signaturePrivate });
    await expect(join(pending.welcome!, wrong)).rejects.toMatchObject({ rule: '5.1.3-decrypt' });
    for (let place = 40; place < pending.welcome!.length; place += 97) {
      const changed = pending.welcome!.slice();
      changed[place]! ^= 1;
      await expect(join(changed, bundle)).rejects.toMatchObject({ name: 'MlsError' });
    }
    await join(pending.welcome!, other, bundle);
    const message = decode(mlsMessage, pending.welcome!);
    if (message.wireFormat !== WELCOME) return expect.fail();
    const misplaced = encodeMessage({ wireFormat: WELCOME, welcome: { ...message.welcome, cipherSuite: 0xf001 } });
    await expect(join(misplaced, bundle)).rejects.toMatchObject({ rule: '12.4.3.1-no-key-package' });
  });
});

describe('trees', () => {
  test('are refused when a leaf, a parent or an unmerged leaf is not in order', async () => {
    const club = await Club.of(['anna', 'boris', 'clara', 'dmitri', 'eva'], 70);
    await club.add('anna', 'fjodor');
    const state = stateOf(club.get('anna'));
    const { groupId, extensions } = state.context;
    const check = (tree: RatchetTree): Promise<void> => checkTree(S, tree, groupId, extensions);
    await check(state.tree);
    const withUnmerged = [...state.tree.parents()];
    expect(withUnmerged.length).toBeGreaterThan(2);
    const [node, parent] = withUnmerged[0]!;
    const parents = (...entries: [number, typeof parent][]): RatchetTree =>
      withPath(state.tree, 0, new Map([...withUnmerged, ...entries]));
    await check(parents());
    const cases: [string, RatchetTree][] = [
      ['7.9.2-parent-hash', parents([node, { ...parent, parentHash: new Uint8Array(32) }])],
      ['7.9.2-parent-hash', parents([node, { ...parent, encryptionKey: (await S.kem.generate(club.random)).publicKey }])],
      ['12.4.3.1-unmerged-leaf', parents([node, { ...parent, unmergedLeaves: [7] }])],
      ['12.4.3.1-unmerged-leaf', parents([node, { ...parent, unmergedLeaves: [5] }])],
      ['12.4.3.1-unmerged-leaf', parents([node, { ...parent, unmergedLeaves: [2 ** 32 - 1] }])],
      ['12.4.3.1-unmerged-leaf', parents([state.tree.root, { ...state.tree.parent(state.tree.root)!, unmergedLeaves: [6] }])],
      ['12.4.3.1-unmerged-between', parents([state.tree.root, { ...state.tree.parent(state.tree.root)!, unmergedLeaves: [1] }])],
      ['7.3-encryption-key-reused', parents([node, { ...parent, encryptionKey: state.tree.encryptionKey(2) }])],
      ['7.3-encryption-key', parents([node, { ...parent, encryptionKey: new Uint8Array(32) }])],
      ['7.3-signature', withLeaf(state.tree, 0, { ...state.tree.leaf(0)!, credential: basicCredential(utf8('mallory')) })],
      ['7.3-signature-key-reused', withLeaf(state.tree, 7, state.tree.leaf(1)!)],
    ];
    for (const [rule, tree] of cases) {
      await expect(check(RatchetTree.decode(tree.encode())), rule).rejects.toMatchObject({ rule });
    }
    await expect(checkTree(S, state.tree, utf8('other group'), extensions)).rejects.toMatchObject({ rule: '7.3-signature' });
    const root = { ...parent, unmergedLeaves: [3, 1] };
    expect(() => RatchetTree.decode(parents([node, root]).encode())).toThrow('7.1-unmerged-order');
    expect(() => RatchetTree.decode(parents([node, { ...parent, unmergedLeaves: [1, 1] }]).encode())).toThrow('7.1-unmerged-order');
  });

  test('have their last node filled and each node in its place', () => {
    expect(() => RatchetTree.decode(Uint8Array.of(0))).toThrow('12.4.3.3-last-blank');
    expect(() => RatchetTree.decode(Uint8Array.of(1, 0))).toThrow('12.4.3.3-last-blank');
    const parent = encode({ write: (w) => w.bytes(Uint8Array.of(1, 2, 0, 0, 0)), read: () => null }, null);
    expect(() => RatchetTree.decode(concat(Uint8Array.of(parent.length), parent))).toThrow('12.4.3.3-node-type');
  });
});
