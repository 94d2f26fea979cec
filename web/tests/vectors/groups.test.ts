import { expect } from 'vitest';
import { hex, unhex } from '../../src/crypto/bytes.ts';
import { applyCommit, decodeGroup, encodeGroup, forgetEpochsBefore, receiveProposal, verifyCommit } from '../../src/mls/changes.ts';
import { type Codec, decode } from '../../src/mls/codec.ts';
import { commit } from '../../src/mls/commit.ts';
import { encodedContext } from '../../src/mls/epoch.ts';
import { MlsError } from '../../src/mls/errors.ts';
import {
  APPLICATION,
  COMMIT,
  type Content,
  KEY_PACKAGE,
  MEMBER,
  type MlsMessage,
  PRIVATE_MESSAGE,
  PROPOSAL,
  PUBLIC_MESSAGE,
  WELCOME,
  mlsMessage,
} from '../../src/mls/framing.ts';
import { Group } from '../../src/mls/group.ts';
import { groupInfo, verifyGroupInfoSignature } from '../../src/mls/groupinfo.ts';
import { type KeyPackage, KeyPackageBundle, keyPackageRef } from '../../src/mls/keypackage.ts';
import { FROM_KEY_PACKAGE, type LeafNode } from '../../src/mls/leaf.ts';
import { proposal } from '../../src/mls/proposal.ts';
import {
  type EpochKeys,
  protectPrivate,
  protectPublic,
  signContent,
  unprotectPrivate,
  unprotectPublic,
} from '../../src/mls/protect.ts';
import { fromJoiner, welcomeSecret } from '../../src/mls/schedule.ts';
import { SecretTree } from '../../src/mls/secrettree.ts';
import { SUITE_X25519 as S, decryptWithLabel, zeros } from '../../src/mls/suite.ts';
import { groupSecrets, openGroupInfo } from '../../src/mls/welcome.ts';
import { SeededRandom } from '../support/seeded.ts';
import { vectors } from './files.ts';

const SENDER = 1;

interface Protection {
  group_id: string;
  epoch: number;
  tree_hash: string;
  confirmed_transcript_hash: string;
  signature_priv: string;
  signature_pub: string;
  encryption_secret: string;
  sender_data_secret: string;
  membership_key: string;
  proposal: string;
  proposal_priv: string;
  proposal_pub: string;
  commit: string;
  commit_priv: string;
  commit_pub: string;
  application: string;
  application_priv: string;
}

vectors<Protection>('message-protection', async (vector) => {
  const context = encodedContext({
    version: 1,
    cipherSuite: S.id,
    groupId: unhex(vector.group_id),
    epoch: BigInt(vector.epoch),
    treeHash: unhex(vector.tree_hash),
    confirmedTranscriptHash: unhex(vector.confirmed_transcript_hash),
    extensions: [],
  });
  const membershipKey = unhex(vector.membership_key);
  const leaf = { signatureKey: unhex(vector.signature_pub) } as LeafNode;
  const keys: EpochKeys = {
    suite: S,
    context,
    extensions: [],
    leaf: (index) => (index === SENDER ? leaf : null),
    senderDataSecret: unhex(vector.sender_data_secret),
    secretTree: SecretTree.fromEncryptionSecret(S, unhex(vector.encryption_secret), 2),
  };
  const message = (text: string): MlsMessage => decode(mlsMessage, unhex(text));
  const contents: [Content, string, string | null][] = [
    [{ type: PROPOSAL, proposal: decode(proposal, unhex(vector.proposal)) }, vector.proposal_priv, vector.proposal_pub],
    [{ type: COMMIT, commit: decode(commit, unhex(vector.commit)) }, vector.commit_priv, vector.commit_pub],
    [{ type: APPLICATION, data: unhex(vector.application) }, vector.application_priv, null],
  ];
  const privateKey = unhex(vector.signature_priv);
  for (const [content, sealed, open] of contents) {
    const received = message(sealed);
    if (received.wireFormat !== PRIVATE_MESSAGE) return expect.fail('not private');
    const opened = await unprotectPrivate(received.privateMessage, keys);
    expect(opened.content.content.content).toEqual(content);
    const again = unprotectPrivate(received.privateMessage, { ...keys, secretTree: opened.secretTree });
    await expect(again).rejects.toThrow('9.2-consumed');

    const { confirmationTag } = opened.content.auth;
    const framed = {
      groupId: unhex(vector.group_id),
      epoch: BigInt(vector.epoch),
      sender: { type: MEMBER, leafIndex: SENDER },
      authenticatedData: unhex('0102'),
      content,
    } as const;
    const signature = await signContent(S, privateKey, PRIVATE_MESSAGE, framed, context);
    const auth = { signature, confirmationTag };
    const [made, after] = await protectPrivate({ content: framed, auth }, keys, 7, new SeededRandom(1));
    expect((await unprotectPrivate(made, keys)).content.content).toEqual(framed);
    const [second] = await protectPrivate({ content: framed, auth }, { ...keys, secretTree: after }, 0, new SeededRandom(1));
    expect((await unprotectPrivate(second, keys)).sender.generation).toBe(1);
    if (open === null) {
      expect(() => protectPublic(S, { content: framed, auth }, context, membershipKey)).toThrow(MlsError);
      continue;
    }
    const plain = message(open);
    if (plain.wireFormat !== PUBLIC_MESSAGE) return expect.fail('not public');
    const verified = await unprotectPublic(plain.publicMessage, keys, membershipKey);
    expect(verified.content.content).toEqual(content);
    const signed = { signature: await signContent(S, privateKey, PUBLIC_MESSAGE, framed, context), confirmationTag };
    const published = protectPublic(S, { content: framed, auth: signed }, context, membershipKey);
    expect((await unprotectPublic(published, keys, membershipKey)).content).toEqual(framed);
  }
});

function keyPackageOf(text: string): KeyPackage {
  const message = decode(mlsMessage, unhex(text));
  if (message.wireFormat !== KEY_PACKAGE) return expect.fail('not a key package');
  return message.keyPackage;
}

vectors<{ init_priv: string; signer_pub: string; key_package: string; welcome: string }>('welcome', async (vector) => {
  const keyPackage = keyPackageOf(vector.key_package);
  const message = decode(mlsMessage as Codec<MlsMessage>, unhex(vector.welcome));
  if (message.wireFormat !== WELCOME) return expect.fail('not a Welcome');
  const { secrets, encryptedGroupInfo } = message.welcome;
  const reference = hex(keyPackageRef(S, keyPackage));
  const entry = secrets.find((candidate) => hex(candidate.newMember) === reference)!;
  const sealed = entry.encryptedGroupSecrets;
  const opened = await decryptWithLabel(S, unhex(vector.init_priv), 'Welcome', encryptedGroupInfo, sealed);
  const { joinerSecret } = decode(groupSecrets, opened);
  const info = decode(groupInfo, await openGroupInfo(S, welcomeSecret(S, joinerSecret, zeros(S)), encryptedGroupInfo));
  expect(await verifyGroupInfoSignature(S, unhex(vector.signer_pub), info)).toBe(true);
  const { secrets: epoch } = fromJoiner(S, joinerSecret, zeros(S), encodedContext(info.context));
  expect(hex(S.hash.mac(epoch.confirmationKey, info.context.confirmedTranscriptHash))).toBe(hex(info.confirmationTag));
});

interface Passive {
  external_psks: { psk_id: string; psk: string }[];
  key_package: string;
  signature_priv: string;
  encryption_priv: string;
  init_priv: string;
  welcome: string;
  ratchet_tree: string | null;
  initial_epoch_authenticator: string;
  epochs: { proposals: string[]; commit: string; epoch_authenticator: string }[];
}

/** Seconds: the leaves of some vectors never run out. */
const maxLifetime = 2 ** 64;

async function followPassively(vector: Passive): Promise<void> {
  const psks = new Map(vector.external_psks.map(({ psk_id, psk }) => [psk_id, unhex(psk)]));
  const bundle = new KeyPackageBundle({
    keyPackage: keyPackageOf(vector.key_package),
    initPrivate: unhex(vector.init_priv),
    encryptionPrivate: unhex(vector.encryption_priv),
    signaturePrivate: unhex(vector.signature_priv),
  });
  const { source } = bundle.keyPackage.leafNode;
  if (source.type !== FROM_KEY_PACKAGE) return expect.fail('not a key package');
  const now = Number(source.lifetime.notBefore + 1n) * 1000;
  const tree = vector.ratchet_tree === null ? null : unhex(vector.ratchet_tree);
  let { group } = await Group.join(unhex(vector.welcome), [bundle], { tree, psks, maxLifetime, now });
  expect(hex(group.epochAuthenticator)).toBe(vector.initial_epoch_authenticator);
  for (const epoch of vector.epochs) {
    for (const message of epoch.proposals) [group] = await receiveProposal(group, unhex(message), { maxLifetime });
    group = decodeGroup(encodeGroup(group));
    const verified = await verifyCommit(group, unhex(epoch.commit), { maxLifetime, now });
    group = await applyCommit(group, verified, { psks });
    expect(hex(group.epochAuthenticator)).toBe(epoch.epoch_authenticator);
    expect(encodeGroup(decodeGroup(encodeGroup(group)))).toEqual(encodeGroup(group));
    group = forgetEpochsBefore(group, group.epoch - 2);
  }
}

vectors<Passive>('passive-client', followPassively, 120_000);
