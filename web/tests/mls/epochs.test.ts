import { expect, test } from 'vitest';
import { utf8 } from '../../src/crypto/bytes.ts';
import { applyCommit, commitProposals, groupFromParts, inspect, joinExternal, verifyCommit } from '../../src/mls/changes.ts';
import { decode } from '../../src/mls/codec.ts';
import { BY_VALUE } from '../../src/mls/commit.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { makeCommit } from '../../src/mls/committing.ts';
import { type GroupState, encodedContext, enterEpoch, epochKeys } from '../../src/mls/epoch.ts';
import { EXTERNAL_PUB, externalPub, makeExtension } from '../../src/mls/extensions.ts';
import {
  COMMIT,
  type FramedContent,
  GROUP_INFO,
  PRIVATE_MESSAGE,
  PUBLIC_MESSAGE,
  type PublicMessage,
  encodeMessage,
  mlsMessage,
} from '../../src/mls/framing.ts';
import { Group, SUITE_X25519 } from '../../src/mls/group.ts';
import { type Parts, changedParts } from '../../src/mls/parts.ts';
import { ADD, EXTERNAL_INIT } from '../../src/mls/proposal.ts';
import { protectPublic, signContent } from '../../src/mls/protect.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { nextEpoch } from '../../src/mls/transitions.ts';
import { makeGroupInfo, makeWelcome } from '../../src/mls/welcoming.ts';
import { Club, NOW } from './club.ts';
import { stateOf } from './forge.ts';

/* The end of the epochs, and keys that are none: whoever founds a group says what its GroupInfo says. */

/** The largest that a number holds exactly. */
const LAST = 2n ** 53n - 1n;

function at(state: GroupState, epoch: bigint): GroupState {
  return { ...state, context: { ...state.context, epoch } };
}

async function infoOf(state: GroupState, key?: Uint8Array): Promise<Uint8Array> {
  const extensions = key === undefined ? [] : [makeExtension(EXTERNAL_PUB, externalPub, key)];
  const groupInfo = await makeGroupInfo(state, extensions, { tree: true, externalPub: key === undefined });
  return encodeMessage({ wireFormat: GROUP_INFO, groupInfo });
}

function publicOf(message: Uint8Array): PublicMessage {
  const decoded = decode(mlsMessage, message);
  if (decoded.wireFormat !== PUBLIC_MESSAGE) throw new Error('not a public message');
  return decoded.publicMessage;
}

const join = (info: Uint8Array, club: Club, key = new Uint8Array(32).fill(5)): Promise<unknown> =>
  joinExternal(info, basicCredential(utf8('eva')), key, { random: club.random });

/** Who joins by a Welcome that leads into that epoch, whatever epoch it comes from. */
async function welcomed(club: Club, epoch: bigint): Promise<Group> {
  const bundle = await club.bundle('boris');
  const add = { type: ADD, keyPackage: bundle.keyPackage } as const;
  const made = await makeCommit(stateOf(club.get('anna')), [add], club.commitOptions());
  const { state, joiner, psk } = made;
  const { suite, tree, context } = at(state, epoch);
  const { secrets } = enterEpoch(suite, joiner, psk, encodedContext(context), tree.size);
  const confirmationTag = suite.hash.mac(secrets.confirmationKey, context.confirmedTranscriptHash);
  const told = { ...made, state: { ...state, context, secrets, confirmationTag } };
  return (await Group.join((await makeWelcome(told, [], true, club.random))!, [bundle], { now: NOW })).group;
}

function messageOf(epoch: bigint): Uint8Array {
  const [groupId, authenticatedData] = [utf8('group'), new Uint8Array(0)];
  const sealed = { encryptedSenderData: new Uint8Array(32), ciphertext: new Uint8Array(32) };
  const privateMessage = { groupId, epoch, contentType: COMMIT, authenticatedData, ...sealed } as const;
  return encodeMessage({ wireFormat: PRIVATE_MESSAGE, privateMessage });
}

test('8.1-last-epoch: nothing comes after the largest epoch', async () => {
  expect(nextEpoch({ epoch: LAST - 1n })).toBe(LAST);
  const club = await Club.of(['anna', 'boris'], 1);
  const [anna, boris] = [at(stateOf(club.get('anna')), LAST), at(stateOf(club.get('boris')), LAST)];
  const made = commitProposals(new Group(anna), [], club.commitOptions());
  await expect(made).rejects.toMatchObject({ rule: '8.1-last-epoch' });
  await expect(join(await infoOf(anna), club)).rejects.toMatchObject({ rule: '8.1-last-epoch' });
  // By somebody whose arithmetic has no end.
  const { message } = await commitProposals(club.get('anna'), [], club.commitOptions());
  const content = { ...publicOf(message).content, epoch: LAST };
  const { suite, signaturePrivate, secrets } = anna;
  const { context } = epochKeys(anna);
  const signature = await signContent(suite, signaturePrivate, PUBLIC_MESSAGE, content, context);
  const auth = { ...publicOf(message).auth, signature };
  const publicMessage = protectPublic(suite, { content, auth }, context, secrets.membershipKey);
  const sent = encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage });
  await expect(verifyCommit(new Group(boris), sent, { now: NOW })).rejects.toMatchObject({ rule: '8.1-last-epoch' });
});

test('8.1-last-epoch: one that no number holds is in no group', async () => {
  const club = await Club.of(['anna'], 7);
  const refused = expect.objectContaining({ rule: '8.1-last-epoch', code: 'malformed' });
  for (const epoch of [LAST + 1n, 2n ** 64n - 1n]) {
    const late = at(stateOf(club.get('anna')), epoch);
    expect(() => groupFromParts(changedParts(late) as Parts), 'stored').toThrow(refused);
    await expect(join(await infoOf(late), club), 'joined from outside').rejects.toEqual(refused);
    await expect(welcomed(club, epoch), 'joined').rejects.toEqual(refused);
    expect(() => inspect(messageOf(epoch)), 'seen').toThrow(refused);
  }
  expect(new Group(at(stateOf(club.get('anna')), LAST)).epoch).toBe(Number(LAST));
  expect((await welcomed(club, LAST)).epoch).toBe(Number(LAST));
  expect(inspect(messageOf(LAST)).epoch).toBe(Number(LAST));
});

test('8.3-public-key: an external key that is none', async () => {
  const club = await Club.of(['anna'], 2);
  const state = stateOf(club.get('anna'));
  for (const key of [new Uint8Array(0), new Uint8Array(31), new Uint8Array(32), new Uint8Array(33)]) {
    await expect(join(await infoOf(state, key), club)).rejects.toMatchObject({ rule: '8.3-public-key' });
  }
  await join(await infoOf(state, (await SUITE_X25519.kem.deriveKeyPair(utf8('key'))).publicKey), club);
});

test('8.3-kem-output: an encapsulation to the external key that is none', async () => {
  const club = await Club.of(['anna', 'boris'], 5);
  const info = await infoOf(stateOf(club.get('anna')));
  const key = new Uint8Array(32).fill(5);
  const { message } = await joinExternal(info, basicCredential(utf8('eva')), key, { random: club.random });
  const boris = stateOf(club.get('boris'));
  const { content: sent, auth } = publicOf(message);
  if (sent.content.type !== COMMIT) throw new Error('not a commit');
  const { path } = sent.content.commit;
  const verdictOn = async (kemOutput: Uint8Array): Promise<unknown> => {
    const proposals = [{ kind: BY_VALUE, proposal: { type: EXTERNAL_INIT, kemOutput } }] as const;
    const content: FramedContent = { ...sent, content: { type: COMMIT, commit: { proposals, path } } };
    const { context } = epochKeys(boris);
    const signature = await signContent(boris.suite, key, PUBLIC_MESSAGE, content, context);
    const publicMessage = { content, auth: { ...auth, signature }, membershipTag: null };
    const changed = encodeMessage({ wireFormat: PUBLIC_MESSAGE, publicMessage });
    const group = club.get('boris');
    return applyCommit(group, await verifyCommit(group, changed, { now: NOW }));
  };
  await expect(verdictOn(new Uint8Array(31))).rejects.toMatchObject({ rule: '8.3-kem-output', code: 'path' });
  await expect(verdictOn(new Uint8Array(32))).rejects.toMatchObject({ rule: '8.3-kem-output', code: 'path' });
  await expect(verdictOn(key)).rejects.toMatchObject({ rule: '12.4.2-confirmation-tag' });
});

test('5.1.3-public-key: stored keys that were damaged', async () => {
  const club = await Club.of(['anna', 'boris'], 6);
  const state = stateOf(club.get('anna'));
  const [anna, boris] = state.tree.allLeaves;
  const leaves = [anna!, { ...boris!, encryptionKey: new Uint8Array(32) }];
  const tree = new RatchetTree(leaves, state.tree.allParents.map(() => null), [null, null, null]);
  const made = commitProposals(new Group({ ...state, tree }), [], club.commitOptions());
  await expect(made).rejects.toMatchObject({ rule: '5.1.3-public-key' });
});

test('5.1.2-private-key: a private key that was cut short', async () => {
  const club = await Club.of(['anna'], 3);
  const state = stateOf(club.get('anna'));
  const short = new Group({ ...state, signaturePrivate: state.signaturePrivate.slice(1) });
  const sent = short.encrypt(utf8('text'), { random: club.random });
  await expect(sent).rejects.toMatchObject({ rule: '5.1.2-private-key' });
  const joined = join(await infoOf(state), club, new Uint8Array(31));
  await expect(joined).rejects.toMatchObject({ rule: '5.1.2-private-key' });
});
