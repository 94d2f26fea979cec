import { expect } from 'vitest';
import { hex, unhex, utf8 } from '../../src/crypto/bytes.ts';
import { type Codec, Reader, decode, encode } from '../../src/mls/codec.ts';
import { commit } from '../../src/mls/commit.ts';
import { encryptWithLabel } from '../../src/mls/encrypting.ts';
import { interimTranscriptHash } from '../../src/mls/epoch.ts';
import { take } from '../../src/mls/ratchets.ts';
import { extensions } from '../../src/mls/extensions.ts';
import { type AuthenticatedContent, COMMIT, MEMBER, authenticatedContent, mlsMessage } from '../../src/mls/framing.ts';
import { groupContext } from '../../src/mls/groupcontext.ts';
import { keyPackage } from '../../src/mls/keypackage.ts';
import { leafNode } from '../../src/mls/leaf.ts';
import { ratchetTree } from '../../src/mls/node.ts';
import { proposal, reInit } from '../../src/mls/proposal.ts';
import { pskId, pskSecret } from '../../src/mls/psk.ts';
import { exportSecret, fromJoiner, welcomeSecret } from '../../src/mls/schedule.ts';
import { externalKeyPair, joinerSecret } from '../../src/mls/scheduling.ts';
import { SecretTree } from '../../src/mls/secrettree.ts';
import { confirmedTranscriptHash } from '../../src/mls/transcript.ts';
import { groupSecrets } from '../../src/mls/welcome.ts';
import * as suite from '../../src/mls/suite.ts';
import * as math from '../../src/mls/treemath.ts';
import { SeededRandom } from '../support/seeded.ts';
import { vectors } from './files.ts';

const S = suite.SUITE_X25519;

vectors<{
  n_leaves: number;
  n_nodes: number;
  root: number;
  left: (number | null)[];
  right: (number | null)[];
  parent: (number | null)[];
  sibling: (number | null)[];
}>('tree-math', (vector) => {
  const n = vector.n_leaves;
  expect(math.width(n)).toBe(vector.n_nodes);
  expect(math.root(n)).toBe(vector.root);
  for (let node = 0; node < vector.n_nodes; node++) {
    const inner = !math.isLeaf(node);
    const below = node !== math.root(n);
    expect(inner ? math.left(node) : null).toBe(vector.left[node]);
    expect(inner ? math.right(node) : null).toBe(vector.right[node]);
    expect(below ? math.parent(node) : null).toBe(vector.parent[node]);
    expect(below ? math.sibling(node) : null).toBe(vector.sibling[node]);
  }
});

vectors<{ vlbytes_header: string; length: number }>('deserialization', (vector) => {
  expect(new Reader(unhex(vector.vlbytes_header)).length()).toBe(vector.length);
});

interface Basics {
  ref_hash: { label: string; value: string; out: string };
  expand_with_label: { secret: string; label: string; context: string; length: number; out: string };
  derive_secret: { secret: string; label: string; out: string };
  derive_tree_secret: { secret: string; label: string; generation: number; length: number; out: string };
  sign_with_label: { priv: string; pub: string; content: string; label: string; signature: string };
  encrypt_with_label: {
    priv: string;
    pub: string;
    label: string;
    context: string;
    plaintext: string;
    kem_output: string;
    ciphertext: string;
  };
}

vectors<Basics>('crypto-basics', async (vector) => {
  const ref = vector.ref_hash;
  expect(hex(suite.refHash(S, ref.label, unhex(ref.value)))).toBe(ref.out);
  const expand = vector.expand_with_label;
  const expanded = suite.expandWithLabel(S, unhex(expand.secret), expand.label, unhex(expand.context), expand.length);
  expect(hex(expanded)).toBe(expand.out);
  const derive = vector.derive_secret;
  expect(hex(suite.deriveSecret(S, unhex(derive.secret), derive.label))).toBe(derive.out);
  const tree = vector.derive_tree_secret;
  const treeSecret = suite.deriveTreeSecret(S, unhex(tree.secret), tree.label, tree.generation, tree.length);
  expect(hex(treeSecret)).toBe(tree.out);
  const sign = vector.sign_with_label;
  const [pub, content] = [unhex(sign.pub), unhex(sign.content)];
  expect(await suite.verifyWithLabel(S, pub, sign.label, content, unhex(sign.signature))).toBe(true);
  const signed = await suite.signWithLabel(S, unhex(sign.priv), sign.label, content);
  expect(await suite.verifyWithLabel(S, pub, sign.label, content, signed)).toBe(true);
  const box = vector.encrypt_with_label;
  const [context, plaintext] = [unhex(box.context), unhex(box.plaintext)];
  const sealed = { kemOutput: unhex(box.kem_output), ciphertext: unhex(box.ciphertext) };
  const priv = unhex(box.priv);
  expect(await suite.decryptWithLabel(S, priv, box.label, context, sealed)).toEqual(plaintext);
  const own = await encryptWithLabel(S, unhex(box.pub), box.label, context, plaintext, new SeededRandom(1));
  expect(await suite.decryptWithLabel(S, priv, box.label, context, own)).toEqual(plaintext);
});

vectors<{
  encryption_secret: string;
  sender_data: { sender_data_secret: string; ciphertext: string; key: string; nonce: string };
  leaves: {
    generation: number;
    handshake_key: string;
    handshake_nonce: string;
    application_key: string;
    application_nonce: string;
  }[][];
}>('secret-tree', (vector) => {
  const data = vector.sender_data;
  const sample = unhex(data.ciphertext).slice(0, S.hash.size);
  const secret = unhex(data.sender_data_secret);
  expect(hex(suite.expandWithLabel(S, secret, 'key', sample, S.aead.keySize))).toBe(data.key);
  expect(hex(suite.expandWithLabel(S, secret, 'nonce', sample, S.aead.nonceSize))).toBe(data.nonce);
  let tree = SecretTree.fromEncryptionSecret(S, unhex(vector.encryption_secret), math.fullSize(vector.leaves.length));
  for (const [leaf, generations] of vector.leaves.entries()) {
    for (const generation of generations) {
      for (const name of ['handshake', 'application'] as const) {
        const [key, next] = take(tree, leaf, name, generation.generation);
        tree = next;
        expect(hex(key.key)).toBe(generation[`${name}_key`]);
        expect(hex(key.nonce)).toBe(generation[`${name}_nonce`]);
      }
    }
  }
});

vectors<{
  group_id: string;
  initial_init_secret: string;
  epochs: {
    tree_hash: string;
    commit_secret: string;
    psk_secret: string;
    confirmed_transcript_hash: string;
    group_context: string;
    joiner_secret: string;
    welcome_secret: string;
    init_secret: string;
    sender_data_secret: string;
    encryption_secret: string;
    exporter_secret: string;
    epoch_authenticator: string;
    external_secret: string;
    confirmation_key: string;
    membership_key: string;
    resumption_psk: string;
    external_pub: string;
    exporter: { label: string; context: string; length: number; secret: string };
  }[];
}>('key-schedule', async (vector) => {
  let init = unhex(vector.initial_init_secret);
  for (const [index, epoch] of vector.epochs.entries()) {
    const context = encode(groupContext, {
      version: 1,
      cipherSuite: S.id,
      groupId: unhex(vector.group_id),
      epoch: BigInt(index),
      treeHash: unhex(epoch.tree_hash),
      confirmedTranscriptHash: unhex(epoch.confirmed_transcript_hash),
      extensions: [],
    });
    expect(hex(context)).toBe(epoch.group_context);
    const joiner = joinerSecret(S, init, unhex(epoch.commit_secret), context);
    const psk = unhex(epoch.psk_secret);
    expect(hex(joiner)).toBe(epoch.joiner_secret);
    expect(hex(welcomeSecret(S, joiner, psk))).toBe(epoch.welcome_secret);
    const { secrets, encryptionSecret } = fromJoiner(S, joiner, psk, context);
    expect(hex(encryptionSecret)).toBe(epoch.encryption_secret);
    expect(hex(secrets.initSecret)).toBe(epoch.init_secret);
    expect(hex(secrets.senderDataSecret)).toBe(epoch.sender_data_secret);
    expect(hex(secrets.exporterSecret)).toBe(epoch.exporter_secret);
    expect(hex(secrets.epochAuthenticator)).toBe(epoch.epoch_authenticator);
    expect(hex(secrets.externalSecret)).toBe(epoch.external_secret);
    expect(hex(secrets.confirmationKey)).toBe(epoch.confirmation_key);
    expect(hex(secrets.membershipKey)).toBe(epoch.membership_key);
    expect(hex(secrets.resumptionPsk)).toBe(epoch.resumption_psk);
    expect(hex((await externalKeyPair(S, secrets.externalSecret)).publicKey)).toBe(epoch.external_pub);
    const { label, context: given, length, secret } = epoch.exporter;
    expect(hex(exportSecret(S, secrets.exporterSecret, utf8(label), unhex(given), length))).toBe(secret);
    init = secrets.initSecret;
  }
});

vectors<{ psks: { psk_id: string; psk: string; psk_nonce: string }[]; psk_secret: string }>('psk_secret', (vector) => {
  const ids = vector.psks.map((psk) => ({ type: 1, id: unhex(psk.psk_id), nonce: unhex(psk.psk_nonce) }) as const);
  const secret = pskSecret(S, ids, vector.psks.map((psk) => unhex(psk.psk)));
  expect(hex(secret)).toBe(vector.psk_secret);
});

vectors<{
  confirmation_key: string;
  authenticated_content: string;
  interim_transcript_hash_before: string;
  confirmed_transcript_hash_after: string;
  interim_transcript_hash_after: string;
}>('transcript-hashes', (vector) => {
  const content: AuthenticatedContent = decode(authenticatedContent, unhex(vector.authenticated_content));
  expect(content.content.content.type).toBe(COMMIT);
  expect(content.content.sender.type).toBe(MEMBER);
  const confirmed = confirmedTranscriptHash(S, unhex(vector.interim_transcript_hash_before), content);
  expect(hex(confirmed)).toBe(vector.confirmed_transcript_hash_after);
  const tag = content.auth.confirmationTag!;
  expect(hex(S.hash.mac(unhex(vector.confirmation_key), confirmed))).toBe(hex(tag));
  expect(hex(interimTranscriptHash(S, confirmed, tag))).toBe(vector.interim_transcript_hash_after);
});

/** The codec of each field of messages.json; proposals there have no type in front. */
const prefixed = (type: number): Codec<unknown> => ({
  write: (writer, value) => {
    const whole = encode(proposal as Codec<unknown>, value);
    writer.bytes(whole.slice(2));
  },
  read: (reader) => {
    const rest = reader.bytes(reader.remaining);
    return decode(proposal, Uint8Array.of(0, type, ...rest));
  },
});

const codecs: Readonly<Record<string, Codec<unknown>>> = {
  mls_welcome: mlsMessage as Codec<unknown>,
  mls_group_info: mlsMessage as Codec<unknown>,
  mls_key_package: mlsMessage as Codec<unknown>,
  ratchet_tree: ratchetTree as Codec<unknown>,
  group_secrets: groupSecrets as Codec<unknown>,
  add_proposal: keyPackage as Codec<unknown>,
  update_proposal: leafNode as Codec<unknown>,
  remove_proposal: prefixed(3),
  pre_shared_key_proposal: pskId as Codec<unknown>,
  re_init_proposal: reInit as Codec<unknown>,
  external_init_proposal: prefixed(6),
  group_context_extensions_proposal: extensions as Codec<unknown>,
  commit: commit as Codec<unknown>,
  public_message_application: mlsMessage as Codec<unknown>,
  public_message_proposal: mlsMessage as Codec<unknown>,
  public_message_commit: mlsMessage as Codec<unknown>,
  private_message: mlsMessage as Codec<unknown>,
};

vectors<Record<string, string>>('messages', (vector) => {
  expect(Object.keys(vector).sort()).toEqual(Object.keys(codecs).sort());
  for (const [name, text] of Object.entries(vector)) {
    const codec = codecs[name]!;
    expect(hex(encode(codec, decode(codec, unhex(text)))), name).toBe(text);
  }
});
