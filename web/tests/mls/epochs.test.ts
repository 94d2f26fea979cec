import { expect, test } from 'vitest';
import { utf8 } from '../../src/crypto/bytes.ts';
import { applyCommit, commitProposals, joinExternal, verifyCommit } from '../../src/mls/changes.ts';
import { decode } from '../../src/mls/codec.ts';
import { BY_VALUE } from '../../src/mls/commit.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { type GroupState, epochKeys } from '../../src/mls/epoch.ts';
import { EXTERNAL_PUB, externalPub, makeExtension } from '../../src/mls/extensions.ts';
import {
  COMMIT,
  type FramedContent,
  GROUP_INFO,
  PUBLIC_MESSAGE,
  type PublicMessage,
  encodeMessage,
  mlsMessage,
} from '../../src/mls/framing.ts';
import { Group, SUITE_X25519 } from '../../src/mls/group.ts';
import { nextEpoch } from '../../src/mls/groupcontext.ts';
import { EXTERNAL_INIT } from '../../src/mls/proposal.ts';
import { protectPublic, signContent } from '../../src/mls/protect.ts';
import { encodeState } from '../../src/mls/state.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { makeGroupInfo } from '../../src/mls/welcoming.ts';
import { Club, NOW } from './club.ts';
import { stateOf } from './forge.ts';

/* The end of the epochs, and keys that are none: whoever founds a group says what its GroupInfo says. */

const LAST = 2n ** 64n - 1n;

function lateOf(group: Group): GroupState {
  const state = stateOf(group);
  return { ...state, context: { ...state.context, epoch: LAST } };
}

const groupOf = (state: GroupState): Group => Group.decode(encodeState(state));

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

test('8.1-last-epoch: nothing comes after the largest epoch', async () => {
  expect(nextEpoch({ epoch: LAST - 1n })).toBe(LAST);
  const club = await Club.of(['anna', 'boris'], 1);
  const [anna, boris] = [lateOf(club.get('anna')), lateOf(club.get('boris'))];
  const made = commitProposals(groupOf(anna), [], club.commitOptions());
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
  await expect(verifyCommit(groupOf(boris), sent, { now: NOW })).rejects.toMatchObject({ rule: '8.1-last-epoch' });
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
  const made = commitProposals(groupOf({ ...state, tree }), [], club.commitOptions());
  await expect(made).rejects.toMatchObject({ rule: '5.1.3-public-key' });
});

test('5.1.2-private-key: a private key that was cut short', async () => {
  const club = await Club.of(['anna'], 3);
  const state = stateOf(club.get('anna'));
  const short = groupOf({ ...state, signaturePrivate: state.signaturePrivate.slice(1) });
  const sent = short.encrypt(utf8('text'), { random: club.random });
  await expect(sent).rejects.toMatchObject({ rule: '5.1.2-private-key' });
  const joined = join(await infoOf(state), club, new Uint8Array(31));
  await expect(joined).rejects.toMatchObject({ rule: '5.1.2-private-key' });
});

test('state-damaged: a secret tree of another size', async () => {
  const club = await Club.of(['anna', 'boris'], 4);
  await club.commit('anna', []);
  const state = stateOf(club.get('boris'));
  const past = state.past[0]!;
  expect(past.leaves.length).toBe(2);
  const wide = { ...past, secretTree: Object.create(past.secretTree, { size: { value: 2 ** 20 } }) as typeof past.secretTree };
  const blob = encodeState({ ...state, past: [wide] });
  expect(() => Group.decode(blob)).toThrow(expect.objectContaining({ rule: 'state-damaged' }));
});
