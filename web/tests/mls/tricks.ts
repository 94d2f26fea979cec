import { utf8 } from '../../src/crypto/bytes.ts';
import { BY_REFERENCE, BY_VALUE, type UpdatePath } from '../../src/mls/commit.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { EXTERNAL_SENDERS, REQUIRED_CAPABILITIES } from '../../src/mls/extensions.ts';
import { EXTERNAL, MEMBER, NEW_MEMBER_COMMIT, NEW_MEMBER_PROPOSAL } from '../../src/mls/framing.ts';
import type { Group } from '../../src/mls/group.ts';
import { type KeyPackage, makeKeyPackage, signKeyPackage } from '../../src/mls/keypackage.ts';
import { FROM_COMMIT, FROM_KEY_PACKAGE, FROM_UPDATE, type LeafNode, signLeaf } from '../../src/mls/leaf.ts';
import {
  ADD,
  EXTERNAL_INIT,
  GROUP_CONTEXT_EXTENSIONS,
  PSK,
  type Proposal,
  REINIT,
  REMOVE,
} from '../../src/mls/proposal.ts';
import { SUITE_X25519 as S } from '../../src/mls/suite.ts';
import { SeededRandom } from '../support/seeded.ts';
import { type Tricks, stateOf } from './forge.ts';

/*
 * Dishonest commits by name, each with the rule that it breaks: for the rules of one implementation, and for the
 * question whether two implementations come to the same verdict. The forger is leaf 0 of a group of suite 0x0001 with
 * at least three members and leaf 3 blank or beyond the tree; all members support the extension types given there.
 */

interface Trick {
  readonly rule: string;
  readonly make: (group: Group) => Promise<Tricks> | Tricks;
}

const seed = new Uint8Array(32).fill(9);
const ZERO = new Uint8Array(32);
const NONE = new Uint8Array(0);

const proposals = (...list: Proposal[]): Tricks => ({ proposals: list });
const fixedTricks = (rule: string, tricks: Tricks): Trick => ({ rule, make: () => tricks });

const psk = (nonce: number, usage = 1): Proposal => ({
  type: PSK,
  psk: { type: 2, usage, groupId: utf8('g'), epoch: 0n, nonce: new Uint8Array(nonce) },
});
const reInit = (version: number): Proposal => ({ type: REINIT, groupId: utf8('g'), version, cipherSuite: 1, extensions: [] });
const extensions = (...list: { type: number; data: Uint8Array }[]): Proposal => ({ type: GROUP_CONTEXT_EXTENSIONS, extensions: list });

interface Change {
  readonly leaf?: Partial<LeafNode>;
  readonly keyPackage?: (value: Omit<KeyPackage, 'signature'>) => Partial<KeyPackage>;
  readonly after?: Partial<KeyPackage>;
  readonly signer?: Uint8Array;
}

/** A key package with something wrong in it, signed all the same. */
export async function crooked(group: Group, change: Change): Promise<KeyPackage> {
  const random = new SeededRandom(77);
  const { capabilities } = stateOf(group).tree.leaf(0)!;
  const source = { type: FROM_KEY_PACKAGE, lifetime: { notBefore: 1_799_000_000n, notAfter: 1_801_000_000n } } as const;
  const { lifetime } = source;
  const made = await makeKeyPackage(S, basicCredential(utf8('crooked')), seed, { lifetime, capabilities, random });
  const leafNode = await signLeaf(S, seed, { ...made.keyPackage.leafNode, source, ...change.leaf }, null);
  const value = { ...made.keyPackage, leafNode };
  const signed = await signKeyPackage(S, change.signer ?? seed, { ...value, ...change.keyPackage?.(value) });
  return { ...signed, ...change.after };
}

const adding = (rule: string, change: Change): Trick => ({
  rule,
  make: async (group) => proposals({ type: ADD, keyPackage: await crooked(group, change) }),
});

/** The path's leaf changed and signed again by its owner. */
async function resigned(group: Group, path: UpdatePath, leaf: Partial<LeafNode>, leafIndex = 0): Promise<UpdatePath> {
  const state = stateOf(group);
  const place = { groupId: state.context.groupId, leafIndex };
  return { ...path, leafNode: await signLeaf(S, state.signaturePrivate, { ...path.leafNode, ...leaf }, place) };
}

const onPath = (rule: string, edit: (path: UpdatePath, group: Group) => Promise<UpdatePath> | UpdatePath): Trick => ({
  rule,
  make: (group) => ({ path: (path) => edit(path, group) }),
});

const firstKey = (path: UpdatePath, encryptionKey: Uint8Array): UpdatePath => ({
  ...path,
  nodes: path.nodes.map((item, place) => (place === 0 ? { ...item, encryptionKey } : item)),
});

const ciphertexts = (
  path: UpdatePath,
  edit: (list: UpdatePath['nodes'][number]['encryptedPathSecret']) => UpdatePath['nodes'][number]['encryptedPathSecret'],
): UpdatePath => ({
  ...path,
  nodes: path.nodes.map((node) => ({ ...node, encryptedPathSecret: edit(node.encryptedPathSecret) })),
});

const noCapabilities = { versions: [1], cipherSuites: [1], extensions: [], proposals: [], credentials: [1] };
const unknown = { type: 0xf0a9, data: NONE };

export const TRICKS: Readonly<Record<string, Trick>> = {
  'an epoch too early': fixedTricks('12.4.2-epoch', { content: (content) => ({ ...content, epoch: content.epoch - 1n }) }),
  'the largest epoch': fixedTricks('12.4.2-epoch', { content: (content) => ({ ...content, epoch: 2n ** 64n - 1n }) }),
  'another group': fixedTricks('6-group-id', { content: (content) => ({ ...content, groupId: utf8('other') }) }),
  'another membership key': fixedTricks('6.2-membership-tag', { membershipKey: ZERO }),
  'another signer': fixedTricks('6.1-signature', { entry: (entry) => ({ ...entry, signaturePrivate: ZERO }) }),
  'another context': fixedTricks('6.1-signature', { entry: (entry) => ({ ...entry, context: { ...entry.context, epoch: 7n } }) }),
  'a sender who is blank': fixedTricks('6.1-blank-sender', { sender: { type: MEMBER, leafIndex: 3 } }),
  'a sender beyond all trees': fixedTricks('6.1-blank-sender', { sender: { type: MEMBER, leafIndex: 2 ** 32 - 1 } }),
  'an external sender': fixedTricks('6.1-sender-type', { sender: { type: EXTERNAL, senderIndex: 0 } }),
  'a new member who proposes': fixedTricks('6.1-sender-type', { sender: { type: NEW_MEMBER_PROPOSAL } }),
  'an external commit without a path': fixedTricks('12.4.3.2-path-required', {
    sender: { type: NEW_MEMBER_COMMIT },
    withoutPath: true,
  }),
  'an external commit signed by another': fixedTricks('6.1-signature', {
    sender: { type: NEW_MEMBER_COMMIT },
    entry: (entry) => ({ ...entry, signaturePrivate: ZERO }),
  }),
  'an external commit of a member’s': fixedTricks('12.2-external-commit', { sender: { type: NEW_MEMBER_COMMIT } }),

  'removing oneself': fixedTricks('12.2-committer', proposals({ type: REMOVE, removed: 0 })),
  'removing twice': fixedTricks('12.2-same-leaf', proposals({ type: REMOVE, removed: 2 }, { type: REMOVE, removed: 2 })),
  'removing nobody': fixedTricks('12.1.3-blank', proposals({ type: REMOVE, removed: 3 })),
  'removing beyond all trees': fixedTricks('12.1.3-blank', {
    content: (content) => {
      const far = { kind: BY_VALUE, proposal: { type: REMOVE, removed: 2 ** 32 - 1 } } as const;
      return { ...content, content: { type: 3, commit: { proposals: [far], path: null } } };
    },
  }),
  'adding twice': {
    rule: '12.2-same-client',
    make: async (group) => {
      const keyPackage = await crooked(group, {});
      return proposals({ type: ADD, keyPackage }, { type: ADD, keyPackage });
    },
  },
  'a PSK twice': fixedTricks('12.2-same-psk', proposals(psk(32), psk(32))),
  'a short nonce': fixedTricks('12.1.4-nonce', proposals(psk(31))),
  'a PSK to re-initialise': fixedTricks('12.1.4-usage', proposals(psk(32, 2))),
  'a PSK to branch': fixedTricks('12.1.4-usage', proposals(psk(32, 3))),
  'extensions twice': fixedTricks('12.2-context-extensions', proposals(extensions(), extensions())),
  'a ReInit in company': fixedTricks('12.2-reinit-alone', proposals(reInit(1), psk(32))),
  'a ReInit to an older version': fixedTricks('12.1.5-version', proposals(reInit(0))),
  'an ExternalInit from a member': fixedTricks('12.2-external-init', proposals({ type: EXTERNAL_INIT, kemOutput: ZERO })),
  'a proposal nobody saw': fixedTricks('12.4-unknown-proposal', { references: [{ kind: BY_REFERENCE, reference: ZERO }] }),
  'no path and no proposals': fixedTricks('12.4-path-required', { withoutPath: true }),
  'a removal without a path': fixedTricks('12.4-path-required', { ...proposals({ type: REMOVE, removed: 2 }), withoutPath: true }),
  'extensions without a path': fixedTricks('12.4-path-required', { ...proposals(extensions()), withoutPath: true }),
  'an extension that nobody supports': fixedTricks('13.4-context-extension', proposals(extensions(unknown))),
  'an extension required that nobody has': fixedTricks(
    '7.3-required-capabilities',
    proposals(extensions({ type: REQUIRED_CAPABILITIES, data: Uint8Array.of(2, 0xf0, 0xa9, 0, 0) })),
  ),
  'a proposal required that nobody knows': fixedTricks(
    '7.3-required-capabilities',
    proposals(extensions({ type: REQUIRED_CAPABILITIES, data: Uint8Array.of(0, 2, 0xf0, 0xa9, 0) })),
  ),
  'a credential required that nobody has': fixedTricks(
    '7.3-required-capabilities',
    proposals(extensions({ type: REQUIRED_CAPABILITIES, data: Uint8Array.of(0, 0, 2, 0, 2) })),
  ),
  'external senders cut short': fixedTricks('2.1-truncated', proposals(extensions({ type: EXTERNAL_SENDERS, data: Uint8Array.of(9) }))),
  'required capabilities with more behind': fixedTricks(
    '2.1-trailing',
    proposals(extensions({ type: REQUIRED_CAPABILITIES, data: Uint8Array.of(0, 0, 0, 0) })),
  ),

  'a key package of another suite': adding('10.1-version-or-suite', { keyPackage: () => ({ cipherSuite: 0xf001 }) }),
  'a key package without signature': adding('10.1-signature', { after: { signature: NONE } }),
  'a key package with a zero signature': adding('10.1-signature', { after: { signature: new Uint8Array(64) } }),
  'a key package signed by another': adding('10.1-signature', { signer: ZERO }),
  'an init key like the leaf’s': adding('10.1-init-key', { keyPackage: ({ leafNode }) => ({ initKey: leafNode.encryptionKey }) }),
  'a key package extension not listed': adding('10-extensions', { keyPackage: () => ({ extensions: [unknown] }) }),
  'an init key of small order': adding('7.3-encryption-key', { keyPackage: () => ({ initKey: ZERO }) }),
  'a leaf key of small order': adding('7.3-encryption-key', { leaf: { encryptionKey: ZERO } }),
  'a short leaf key': adding('7.3-encryption-key', { leaf: { encryptionKey: utf8('short') } }),
  'a key package whose leaf is from an update': adding('7.3-source', { leaf: { source: { type: FROM_UPDATE } } }),
  'another version': adding('7.3-version-or-suite', { leaf: { capabilities: { ...noCapabilities, versions: [2] } } }),
  'another suite': adding('7.3-version-or-suite', { leaf: { capabilities: { ...noCapabilities, cipherSuites: [2] } } }),
  'a credential not listed': adding('7.3-own-credential', { leaf: { capabilities: { ...noCapabilities, credentials: [2] } } }),
  'a leaf extension not listed': adding('7.3-extensions', { leaf: { extensions: [unknown] } }),
  'a key package run out': adding('7.3-lifetime', {
    leaf: { source: { type: FROM_KEY_PACKAGE, lifetime: { notBefore: 1_799_000_000n, notAfter: 1_799_999_999n } } },
  }),
  'a key package from the future': adding('7.3-lifetime', {
    leaf: { source: { type: FROM_KEY_PACKAGE, lifetime: { notBefore: 1_800_000_001n, notAfter: 1_801_000_000n } } },
  }),
  'a key package that claims to live for ever': adding('7.2-lifetime-span', {
    leaf: { source: { type: FROM_KEY_PACKAGE, lifetime: { notBefore: 0n, notAfter: 2n ** 64n - 1n } } },
  }),
  'a credential type that others do not know': adding('7.3-credential-support', {
    leaf: {
      credential: { type: 2, certificates: [utf8('der')] },
      capabilities: { versions: [1], cipherSuites: [1], extensions: [0xf0a1], proposals: [], credentials: [1, 2] },
    },
  }),
  'a leaf signed by nobody': {
    rule: '7.3-signature',
    make: async (group) => {
      const good = await crooked(group, {});
      const leafNode = { ...good.leafNode, signature: NONE };
      return proposals({ type: ADD, keyPackage: await signKeyPackage(S, seed, { ...good, leafNode }) });
    },
  },
  'the encryption key of another member': {
    rule: '7.3-encryption-key-reused',
    make: async (group) => {
      const { encryptionKey } = stateOf(group).tree.leaf(1)!;
      return proposals({ type: ADD, keyPackage: await crooked(group, { leaf: { encryptionKey } }) });
    },
  },
  'a key with a point of small order as signature key': {
    rule: '7.3-signature',
    make: async (group) => {
      const signatureKey = Uint8Array.of(1, ...new Uint8Array(31));
      const base = [0x58, ...new Array<number>(31).fill(0x66)];
      const signature = Uint8Array.of(...base, 1, ...new Uint8Array(31));
      const good = await crooked(group, {});
      return proposals({ type: ADD, keyPackage: { ...good, leafNode: { ...good.leafNode, signatureKey, signature }, signature } });
    },
  },

  'a path too short': onPath('7.6-path-length', (path) => ({ ...path, nodes: path.nodes.slice(1) })),
  'a path too long': onPath('7.6-path-length', (path) => {
    const [first] = path.nodes;
    const encryptionKey = Uint8Array.from(first!.encryptionKey, (byte, place) => (place === 0 ? byte ^ 1 : byte));
    return { ...path, nodes: [...path.nodes, { ...first!, encryptionKey }] };
  }),
  'too few ciphertexts': onPath('7.6-ciphertexts', (path) => ciphertexts(path, (list) => list.slice(1))),
  'too many ciphertexts': onPath('7.6-ciphertexts', (path) => ciphertexts(path, (list) => [...list, ...list])),
  'short ciphertexts': onPath('7.6-ciphertext-size', (path) => ciphertexts(path, (list) => list.map((item) => ({ ...item, ciphertext: NONE })))),
  'short encapsulations': onPath('7.6-ciphertext-size', (path) => ciphertexts(path, (list) => list.map((item) => ({ ...item, kemOutput: NONE })))),
  'a path key that another node has': onPath('12.4.2-path-key-reused', (path, group) => firstKey(path, stateOf(group).tree.encryptionKey(2))),
  'a path key twice': onPath('12.4.2-path-key-reused', (path) => firstKey(path, path.leafNode.encryptionKey)),
  'a path key of small order': onPath('7.3-encryption-key', (path) => firstKey(path, ZERO)),
  'a path key of no length': onPath('7.3-encryption-key', (path) => firstKey(path, NONE)),
  'another path key than the leaf signed': onPath('7.9.2-parent-hash', async (path) =>
    firstKey(path, (await S.kem.deriveKeyPair(seed)).publicKey),
  ),
  'another parent hash': onPath('7.9.2-parent-hash', (path, group) =>
    resigned(group, path, { source: { type: FROM_COMMIT, parentHash: ZERO } }),
  ),
  'the leaf’s old key': onPath('7.3-same-encryption-key', (path, group) =>
    resigned(group, path, { encryptionKey: stateOf(group).tree.encryptionKey(0) }),
  ),
  'a leaf from an update': onPath('7.3-source', (path, group) => resigned(group, path, { source: { type: FROM_UPDATE } })),
  'a leaf for another place': onPath('7.3-signature', (path, group) => resigned(group, path, {}, 1)),
  'a leaf without signature': onPath('7.3-signature', (path) => ({ ...path, leafNode: { ...path.leafNode, signature: NONE } })),
  'the old leaf’s signature': onPath('7.3-signature', (path, group) => ({
    ...path,
    leafNode: { ...path.leafNode, signature: stateOf(group).tree.leaf(0)!.signature },
  })),
  'a leaf extension not listed in its own': onPath('7.3-extensions', (path, group) => resigned(group, path, { extensions: [unknown] })),
};
