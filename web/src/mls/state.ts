import { equal } from '../crypto/compare.ts';
import { constant, decode, encode, opaque, optional, struct, u16, u32, u64, u8, variant, vector } from './codec.ts';
import type { GroupState, OwnUpdate, PastEpoch, Resumption } from './epoch.ts';
import { ensure } from './errors.ts';
import { type GroupContext, groupContext } from './groupcontext.ts';
import { type LeafNode, leafNode } from './leaf.ts';
import { type ReInit, type ResolvedProposal, reInit, resolvedProposal } from './proposal.ts';
import type { EpochSecrets } from './schedule.ts';
import { type MessageKey, type Ratchet, type Ratchets, SecretTree } from './secrettree.ts';
import { type Suite, suiteById } from './suite.ts';
import { RatchetTree } from './tree.ts';
import * as math from './treemath.ts';

/*
 * A group's state as one blob: its format's number, then structs as in RFC 9420's own encoding. The leaves of past
 * epochs are mostly those of today: they are named by where they are found.
 */
const FORMAT = 1;

const secretsCodec = struct<EpochSecrets>({
  senderDataSecret: opaque,
  exporterSecret: opaque,
  externalSecret: opaque,
  confirmationKey: opaque,
  membershipKey: opaque,
  resumptionPsk: opaque,
  epochAuthenticator: opaque,
  initSecret: opaque,
});

const ratchet = struct<Ratchet>({
  generation: u64Number(),
  secret: opaque,
  skipped: vector(struct<MessageKey>({ generation: u32, key: opaque, nonce: opaque })),
});

/** A generation may be one past the largest, which takes more than 32 bits. */
function u64Number(): { write: (w: Parameters<typeof u64.write>[0], v: number) => void; read: (r: Parameters<typeof u64.read>[0]) => number } {
  return { write: (w, v) => u64.write(w, BigInt(v)), read: (r) => Number(u64.read(r)) };
}

interface SecretTreeFields {
  readonly nodes: readonly { readonly node: number; readonly secret: Uint8Array }[];
  readonly ratchets: readonly ({ readonly leaf: number } & Ratchets)[];
  readonly size: number;
}

const secretTree = struct<SecretTreeFields>({
  size: u32,
  nodes: vector(struct<{ node: number; secret: Uint8Array }>({ node: u32, secret: opaque })),
  ratchets: vector(
    struct<{ leaf: number } & Ratchets>({ leaf: u32, handshake: optional(ratchet), application: optional(ratchet) }),
  ),
});

function packTree(tree: SecretTree): SecretTreeFields {
  return {
    size: tree.size,
    nodes: tree.nodes.flatMap((secret, node) => (secret === null ? [] : [{ node, secret }])),
    ratchets: tree.ratchets.flatMap((found, leaf) => (found === null ? [] : [{ leaf, ...found }])),
  };
}

function damaged(condition: boolean): asserts condition {
  ensure(condition, 'state-damaged', '', 'malformed');
}

/** `leaves`: how many its epoch has, each of which was stored: no few bytes may ask for a tree of a million. */
function unpackTree(suite: Suite, { size, nodes, ratchets }: SecretTreeFields, leaves: number): SecretTree {
  damaged(size === leaves && size === math.fullSize(size));
  const secrets = new Array<Uint8Array | null>(math.width(size)).fill(null);
  for (const { node, secret } of nodes) {
    damaged(node < secrets.length);
    secrets[node] = secret;
  }
  const all = new Array<Ratchets | null>(size).fill(null);
  for (const { leaf, handshake, application } of ratchets) {
    damaged(leaf < size);
    all[leaf] = { handshake, application };
  }
  return new SecretTree(suite, secrets, all);
}

const NOBODY = 0;
const AS_NOW = 1;
const LISTED = 2;

type LeafRef = { readonly at: typeof NOBODY } | { readonly at: typeof AS_NOW } | { readonly at: typeof LISTED; readonly place: number };

const nothing = struct<object>({});
const leafRef = variant<LeafRef, 'at'>('at', u8, 'state-damaged', {
  [NOBODY]: nothing,
  [AS_NOW]: nothing,
  [LISTED]: struct<{ place: number }>({ place: u32 }),
});

interface PastFields {
  readonly epoch: bigint;
  readonly context: Uint8Array;
  readonly leaves: readonly LeafRef[];
  readonly senderDataSecret: Uint8Array;
  readonly secretTree: SecretTreeFields;
}

const pastCodec = struct<PastFields>({
  epoch: u64,
  context: opaque,
  leaves: vector(leafRef),
  senderDataSecret: opaque,
  secretTree,
});

interface Fields {
  readonly format: number;
  readonly suite: number;
  readonly context: GroupContext;
  readonly tree: Uint8Array;
  readonly own: number;
  readonly signaturePrivate: Uint8Array;
  readonly privateKeys: readonly { readonly node: number; readonly key: Uint8Array }[];
  readonly secrets: EpochSecrets;
  readonly secretTree: SecretTreeFields;
  readonly interimTranscriptHash: Uint8Array;
  readonly confirmationTag: Uint8Array;
  readonly pending: readonly ResolvedProposal[];
  readonly updates: readonly OwnUpdate[];
  /** Leaves of past epochs that are not where they were. */
  readonly formerLeaves: readonly LeafNode[];
  readonly past: readonly PastFields[];
  readonly resumption: readonly Resumption[];
  readonly reInit: ReInit | null;
}

const fields = struct<Fields>({
  format: constant(u8, FORMAT, 'state-version'),
  suite: u16,
  context: groupContext,
  tree: opaque,
  own: u32,
  signaturePrivate: opaque,
  privateKeys: vector(struct<{ node: number; key: Uint8Array }>({ node: u32, key: opaque })),
  secrets: secretsCodec,
  secretTree,
  interimTranscriptHash: opaque,
  confirmationTag: opaque,
  pending: vector(resolvedProposal),
  updates: vector(
    struct<OwnUpdate>({ encryptionKey: opaque, encryptionPrivate: opaque }),
  ),
  formerLeaves: vector(leafNode),
  past: vector(pastCodec),
  resumption: vector(struct<Resumption>({ epoch: u64, psk: opaque })),
  reInit: optional(reInit),
});

export function encodeState(state: GroupState): Uint8Array {
  const former = new Map<LeafNode, number>();
  const refer = (leaf: LeafNode | null, index: number): LeafRef => {
    if (leaf === null) return { at: NOBODY };
    if (leaf === state.tree.leaf(index)) return { at: AS_NOW };
    if (!former.has(leaf)) former.set(leaf, former.size);
    return { at: LISTED, place: former.get(leaf)! };
  };
  const past = state.past.map((epoch) => ({
    ...epoch,
    leaves: epoch.leaves.map(refer),
    secretTree: packTree(epoch.secretTree),
  }));
  return encode(fields, {
    ...state,
    format: FORMAT,
    suite: state.suite.id,
    tree: state.tree.encode(),
    privateKeys: [...state.privateKeys].map(([node, key]) => ({ node, key })).sort((a, b) => a.node - b.node),
    secretTree: packTree(state.secretTree),
    formerLeaves: [...former.keys()],
    past,
  });
}

/** The state whose one encoding these bytes are. @throws MlsError code `malformed` */
export function decodeState(data: Uint8Array): GroupState {
  const stored = decode(fields, data);
  const suite = suiteById(stored.suite);
  const tree = RatchetTree.decode(stored.tree);
  const resolveLeaf = (ref: LeafRef, index: number): LeafNode | null => {
    if (ref.at === NOBODY) return null;
    const leaf = ref.at === AS_NOW ? tree.leaf(index) : (stored.formerLeaves[ref.place] ?? null);
    damaged(leaf !== null);
    return leaf;
  };
  const past = stored.past.map((epoch): PastEpoch => ({
    ...epoch,
    leaves: epoch.leaves.map(resolveLeaf),
    secretTree: unpackTree(suite, epoch.secretTree, epoch.leaves.length),
  }));
  damaged(tree.leaf(stored.own) !== null);
  const state: GroupState = {
    suite,
    context: stored.context,
    tree,
    own: stored.own,
    signaturePrivate: stored.signaturePrivate,
    privateKeys: new Map(stored.privateKeys.map(({ node, key }) => [node, key])),
    secrets: stored.secrets,
    secretTree: unpackTree(suite, stored.secretTree, tree.size),
    interimTranscriptHash: stored.interimTranscriptHash,
    confirmationTag: stored.confirmationTag,
    pending: stored.pending,
    updates: stored.updates,
    past,
    resumption: stored.resumption,
    reInit: stored.reInit,
  };
  damaged(equal(encodeState(state), data));
  return state;
}

