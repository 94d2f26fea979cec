import { expect, test } from 'vitest';
import { hex, utf8 } from '../../src/crypto/bytes.ts';
import {
  commitProposals,
  createGroup,
  inspect,
  joinExternal,
  makeGroupInfo,
  pendingProposals,
  propose,
  proposeUpdate,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { encode } from '../../src/mls/codec.ts';
import { makeCommit } from '../../src/mls/committing.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { encodedContext, epochKeys } from '../../src/mls/epoch.ts';
import {
  APPLICATION,
  EXTERNAL,
  MEMBER,
  PRIVATE_MESSAGE,
  encodeMessage,
  privateContent,
  privateContentAad,
  senderData,
  senderDataAad,
} from '../../src/mls/framing.ts';
import { Group } from '../../src/mls/group.ts';
import { ADD, PSK, type Proposal, UPDATE } from '../../src/mls/proposal.ts';
import { protectPrivate, signContent } from '../../src/mls/protect.ts';
import { type PskId, pskName, pskSecret } from '../../src/mls/psk.ts';
import { SUITE_X25519 as S, expandWithLabel } from '../../src/mls/suite.ts';
import { makeWelcome } from '../../src/mls/welcoming.ts';
import { Club, GROUP_ID, NOW } from './club.ts';
import { stateOf } from './forge.ts';

/* Rules that take more than a commit to break. */

test('6.3.1-padding: padding that is not zeros', async () => {
  const club = await Club.of(['anna', 'boris'], 1);
  const { context, secrets, secretTree, signaturePrivate } = stateOf(club.get('anna'));
  const seal = async (lastByte: number): Promise<Uint8Array> => {
    const { groupId, epoch } = context;
    const sender = { type: MEMBER, leafIndex: 0 } as const;
    const content = { type: APPLICATION, data: utf8('text') } as const;
    const framed = { groupId, epoch, sender, authenticatedData: utf8(''), content };
    const signature = await signContent(S, signaturePrivate, PRIVATE_MESSAGE, framed, encodedContext(context));
    const [{ key, nonce }] = secretTree.next(0, 'application');
    const plaintext = encode(privateContent(APPLICATION), { content, auth: { signature, confirmationTag: null }, padding: 3 });
    plaintext[plaintext.length - 1] = lastByte;
    const head = { groupId, epoch, contentType: APPLICATION, authenticatedData: utf8('') } as const;
    const ciphertext = await S.aead.seal(key, nonce, encode(privateContentAad, head), plaintext);
    const sample = ciphertext.slice(0, 32);
    const [dataKey, dataNonce] = [['key', 16], ['nonce', 12]].map(([label, size]) =>
      expandWithLabel(S, secrets.senderDataSecret, label as string, sample, size as number),
    );
    const data = encode(senderData, { leafIndex: 0, generation: 0, reuseGuard: new Uint8Array(4) });
    const encryptedSenderData = await S.aead.seal(dataKey!, dataNonce!, encode(senderDataAad, head), data);
    return encodeMessage({ wireFormat: PRIVATE_MESSAGE, privateMessage: { ...head, encryptedSenderData, ciphertext } });
  };
  expect((await club.get('boris').decrypt(await seal(0)))[1].data).toEqual(utf8('text'));
  await expect(club.get('boris').decrypt(await seal(1))).rejects.toMatchObject({ rule: '6.3.1-padding', code: 'malformed' });
});

test('12.4.3.1-resumption: two PSKs that branch, and one into a later epoch', async () => {
  const club = await Club.found('anna', 2);
  const bundle = await club.bundle('boris');
  const branch = (nonce: number): PskId => ({ type: 2, usage: 3, groupId: utf8('old'), epoch: 4n, nonce: new Uint8Array(32).fill(nonce) });
  const psks = new Map([[pskName(branch(0)), utf8('key')]]);
  const add: Proposal = { type: ADD, keyPackage: bundle.keyPackage };
  const asPsk = (psk: PskId): Proposal => ({ type: PSK, psk });
  const join = (welcome: Uint8Array | null): Promise<unknown> => Group.join(welcome!, [bundle], { psks, former: () => undefined, now: NOW });
  const one = await commitProposals(club.get('anna'), [add, asPsk(branch(1))], club.commitOptions({ psks }));
  await join(one.welcome);
  const two = await commitProposals(club.get('anna'), [add, asPsk(branch(1)), asPsk(branch(2))], club.commitOptions({ psks }));
  await expect(join(two.welcome)).rejects.toMatchObject({ rule: '12.4.3.1-resumption' });

  await club.commit('anna', []);
  const made = await makeCommit(stateOf(club.get('anna')), [add], club.commitOptions());
  const ids = [branch(1)];
  const psk = pskSecret(S, ids, [utf8('key')]);
  const late = { ...made, applied: { ...made.applied, psks: ids }, psk };
  const welcome = await makeWelcome(late, [], true, club.random);
  await expect(join(welcome)).rejects.toMatchObject({ rule: '12.4.3.1-resumption-epoch' });
});

test('12.4.3.1-path-secret, 7.5-derived-key: a path secret for no node, for a blank node, or a wrong one', async () => {
  const club = await Club.found('anna', 6);
  const bundle = await club.bundle('boris');
  const add: Proposal = { type: ADD, keyPackage: bundle.keyPackage };
  const welcome = async (path: boolean, secrets: [number, Uint8Array][], asJoiner = false): Promise<Uint8Array> => {
    const made = await makeCommit(stateOf(club.get('anna')), [add], club.commitOptions({ path }));
    const newPath = await makeCommit(stateOf(club.get('anna')), [add], club.commitOptions());
    const signer = asJoiner ? { own: 1, signaturePrivate: bundle.signaturePrivate } : {};
    const changed = { ...newPath.path!, pathSecrets: new Map(secrets) };
    return (await makeWelcome({ ...made, state: { ...made.state, ...signer }, path: changed }, [], true, club.random))!;
  };
  const join = (message: Uint8Array): Promise<unknown> => Group.join(message, [bundle], { now: NOW });
  await join(await welcome(false, []));
  const secret = new Uint8Array(32);
  const refused = { rule: '12.4.3.1-path-secret' };
  await expect(join(await welcome(false, [[1, secret]]))).rejects.toMatchObject(refused);
  await expect(join(await welcome(true, [[2, secret]], true))).rejects.toMatchObject(refused);
  await expect(join(await welcome(true, [[1, secret]]))).rejects.toMatchObject({ rule: '7.5-derived-key' });
});

test('12.4.3.1-suite, 12.4.3.1-own-leaf: a GroupInfo of another suite, a tree without the joiner', async () => {
  const club = await Club.found('anna', 7);
  const [bundle, other] = [await club.bundle('boris'), await club.bundle('clara')];
  const add = (keyPackage: typeof bundle.keyPackage): Proposal => ({ type: ADD, keyPackage });
  const made = await makeCommit(stateOf(club.get('anna')), [add(bundle.keyPackage)], club.commitOptions());
  const { state } = made;
  const context = { ...state.context, cipherSuite: 0xf001 };
  const mixed = await makeWelcome({ ...made, state: { ...state, context } }, [], true, club.random);
  const join = (message: Uint8Array | null): Promise<unknown> => Group.join(message!, [bundle, other], { now: NOW });
  await expect(join(mixed)).rejects.toMatchObject({ rule: '12.4.3.1-suite' });
  const proposals = made.proposals.map((item) => ({ ...item, proposal: add(other.keyPackage) }));
  const stranger = await makeWelcome({ ...made, proposals }, [], true, club.random);
  await expect(join(stranger)).rejects.toMatchObject({ rule: '12.4.3.1-own-leaf' });
});

test('only members seal messages', async () => {
  const club = await Club.of(['anna', 'boris'], 8);
  const state = stateOf(club.get('anna'));
  const { groupId, epoch } = state.context;
  const content = { type: APPLICATION, data: utf8('') } as const;
  const framed = { groupId, epoch, sender: { type: EXTERNAL, senderIndex: 0 }, authenticatedData: utf8(''), content } as const;
  const auth = { signature: utf8(''), confirmationTag: null };
  const sealed = protectPrivate({ content: framed, auth }, epochKeys(state), 0, club.random);
  await expect(sealed).rejects.toMatchObject({ rule: '6.3.2-sender' });
});

test('messages of one kind are not taken for another', async () => {
  const club = await Club.of(['anna', 'boris'], 3);
  const { random } = club;
  const info = await makeGroupInfo(club.get('anna'), { externalPub: true });
  const pending = await commitProposals(club.get('anna'), [], club.commitOptions());
  const boris = club.get('boris');
  const join = joinExternal(pending.message, basicCredential(utf8('x')), random.bytes(32), { random });
  await expect(join).rejects.toMatchObject({ rule: '12.4.3.2-not-a-group-info' });
  expect(() => inspect(info)).toThrow('6-not-a-group-message');
  await expect(verifyCommit(boris, info, { now: NOW })).rejects.toMatchObject({ rule: '6-not-a-handshake' });
  await expect(boris.decrypt(info)).rejects.toMatchObject({ rule: '6-not-application' });
  const [, privately] = await propose(club.get('anna'), { type: 3, removed: 1 }, { random, private: true });
  expect(inspect(privately)).toEqual({ groupId: GROUP_ID, epoch: 1, contentType: 2, isPrivate: true });
  await expect(boris.decrypt(privately)).rejects.toMatchObject({ rule: '6-not-application' });
  const other = await Club.found('clara', 4);
  const foreign = await createGroup(S, utf8('another'), basicCredential(utf8('c')), random.bytes(32), {
    lifetime: { notBefore: 0n, notAfter: 1n },
    random,
  });
  const [, message] = await foreign.encrypt(utf8('x'), { random });
  await expect(other.get('clara').decrypt(message)).rejects.toMatchObject({ rule: '6-group-id' });
});

test('an Update keeps the signature key', async () => {
  const club = await Club.of(['anna', 'boris'], 5);
  const { random } = club;
  const change = proposeUpdate(club.get('anna'), { random, leaf: { signaturePrivate: random.bytes(32) } });
  await expect(change).rejects.toMatchObject({ rule: '12.1.2-signature-key' });
  const [after] = await proposeUpdate(club.get('anna'), { random });
  const { proposal } = pendingProposals(after)[0]!;
  if (proposal.type !== UPDATE) return expect.fail();
  expect(hex(proposal.leafNode.signatureKey)).toBe(hex(after.member(0)!.signatureKey));
});

test('8-length: a secret longer than is derived', async () => {
  const group = (await Club.of(['anna'], 12)).get('anna');
  expect(group.export('label', utf8('context'), 255 * 32).length).toBe(8160);
  for (const length of [255 * 32 + 1, 2 ** 32, Infinity, NaN]) {
    expect(() => group.export('label', utf8('context'), length), `${length}`).toThrow(
      expect.objectContaining({ name: 'MlsError', rule: '8-length', code: 'mls' }),
    );
  }
});
