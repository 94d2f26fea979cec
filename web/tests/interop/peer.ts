/*
 * Members of MLS groups for tests in another language: one JSON object a line on standard input, one a line back.
 * `{"op": ..., "member": ..., ...}` is answered by `{"ok": ...}`, or by `{"error": {"rule", "code"}}` where MLS says
 * no. Byte strings are hexadecimal. Run by a Node that strips types: `node peer.ts`.
 */
import { createInterface } from 'node:readline';
import { hex, unhex, utf8 } from '../../src/crypto/bytes.ts';
import {
  PendingCommit,
  applyCommit,
  commitProposals,
  createGroup,
  forgetEpochsBefore,
  groupFromParts,
  joinExternal,
  makeGroupInfo,
  mergeCommit,
  pastEpochs,
  pendingProposals,
  propose,
  proposeUpdate,
  ratchetTree,
  receiveProposal,
  resumptionPsk,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { decode } from '../../src/mls/codec.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { MlsError } from '../../src/mls/errors.ts';
import type { Extension } from '../../src/mls/extensions.ts';
import { mlsMessage } from '../../src/mls/framing.ts';
import { Group, KeyPackageBundle, encodeKeyPackage, makeKeyPackage, suiteById } from '../../src/mls/group.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../../src/mls/keypackagechecks.ts';
import type { Capabilities } from '../../src/mls/leaf.ts';
import { ADD, GROUP_CONTEXT_EXTENSIONS, PSK, type Proposal, REMOVE } from '../../src/mls/proposal.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { SeededRandom } from '../support/seeded.ts';
import { forge } from '../mls/forge.ts';
import { TRICKS } from '../mls/tricks.ts';

interface Request {
  readonly op: string;
  readonly member: string;
  readonly suite: number;
  readonly seed: string;
  readonly identity: string;
  readonly groupId: string;
  readonly message: string;
  readonly tree: string | null;
  readonly data: string;
  readonly authenticatedData: string;
  readonly padding: number;
  readonly private: boolean;
  readonly now: number;
  readonly adds: readonly string[];
  readonly removes: readonly number[];
  readonly extensions: readonly { readonly type: number; readonly data: string }[] | null;
  readonly psks: Readonly<Record<string, string>>;
  readonly pskNonces: Readonly<Record<string, string>>;
  readonly treeInWelcome: boolean;
  readonly path: boolean;
  readonly leaf: number;
  readonly resync: number | null;
  readonly trick: string;
  readonly epoch: number;
  readonly kind: 'message' | 'keyPackage' | 'tree';
  readonly lifetime?: readonly [number, number];
}

interface Peer {
  readonly random: SeededRandom;
  readonly signaturePrivate: Uint8Array;
  group?: Group;
  /** What is stored, and the group as it was stored last. */
  readonly rows: Map<string, Uint8Array>;
  stored?: Group;
  bundle?: KeyPackageBundle;
  pending?: PendingCommit;
}

const EXTENSION = 0xf0a1;
const peers = new Map<string, Peer>();

function newPeer({ member, seed }: Request): Peer {
  const random = new SeededRandom(unhex(seed));
  const peer: Peer = { random, signaturePrivate: random.bytes(32), rows: new Map() };
  peers.set(member, peer);
  return peer;
}

const lifetimeOf = ({ lifetime: [from, to] = [1_799_000_000, 1_801_000_000] }: Request) => ({
  notBefore: BigInt(from),
  notAfter: BigInt(to),
});

const capabilities = (suite: number): Capabilities => ({
  versions: [1],
  cipherSuites: [suite],
  extensions: [EXTENSION],
  proposals: [],
  credentials: [1],
});

const asExtensions = (list: Request['extensions']): Extension[] =>
  (list ?? []).map(({ type, data }) => ({ type, data: unhex(data) }));

const asPsks = (psks: Request['psks']): Map<string, Uint8Array> =>
  new Map(Object.entries(psks).map(([id, key]) => [id, unhex(key)]));

function describe(group: Group): object {
  return {
    epoch: group.epoch,
    own: group.ownLeafIndex,
    treeHash: hex(group.treeHash),
    tree: hex(ratchetTree(group)),
    transcript: hex(group.confirmedTranscriptHash),
    authenticator: hex(group.epochAuthenticator),
    resumption: hex(resumptionPsk(group)),
    exported: hex(group.export('interop', utf8('context'), 40)),
    members: group.members().map(({ leafIndex, credential }) => [
      leafIndex,
      credential.type === 1 ? hex(credential.identity) : null,
    ]),
    extensions: group.context.extensions.map(({ type, data }) => ({ type, data: hex(data) })),
    past: pastEpochs(group),
    pending: pendingProposals(group).map(({ reference }) => hex(reference!)),
  };
}

async function proposalsOf(request: Request): Promise<Proposal[]> {
  const proposals: Proposal[] = request.removes.map((removed) => ({ type: REMOVE, removed }));
  for (const data of request.adds) {
    const keyPackage = await verifyKeyPackage(decodeKeyPackage(unhex(data)), request.now);
    proposals.push({ type: ADD, keyPackage });
  }
  for (const [id, nonce] of Object.entries(request.pskNonces)) {
    proposals.push({ type: PSK, psk: { type: 1, id: unhex(id), nonce: unhex(nonce) } });
  }
  if (request.extensions) proposals.push({ type: GROUP_CONTEXT_EXTENSIONS, extensions: asExtensions(request.extensions) });
  return proposals;
}

const operations: Readonly<Record<string, (request: Request, peer: Peer, group: Group) => Promise<object>>> = {
  async create(request) {
    const peer = newPeer(request);
    const { suite, groupId, identity, extensions } = request;
    const credential = basicCredential(unhex(identity));
    peer.group = await createGroup(suiteById(suite), unhex(groupId), credential, peer.signaturePrivate, {
      extensions: asExtensions(extensions),
      capabilities: capabilities(suite),
      lifetime: lifetimeOf(request),
      random: peer.random,
    });
    return describe(peer.group);
  },
  async keyPackage(request) {
    const peer = newPeer(request);
    const credential = basicCredential(unhex(request.identity));
    peer.bundle = await makeKeyPackage(suiteById(request.suite), credential, peer.signaturePrivate, {
      lifetime: lifetimeOf(request),
      capabilities: capabilities(request.suite),
      random: peer.random,
    });
    return { keyPackage: hex(encodeKeyPackage(peer.bundle.keyPackage)) };
  },
  async join({ message, tree, psks, now }, peer) {
    const bundle = KeyPackageBundle.decode(peer.bundle!.encode());
    const options = { tree: tree === null ? null : unhex(tree), psks: asPsks(psks), now };
    const joined = await Group.join(unhex(message), [bundle], options);
    peer.group = joined.group;
    const info = joined.groupInfoExtensions.map(({ type, data }) => ({ type, data: hex(data) }));
    return { ...describe(peer.group), info, signer: joined.signerLeafIndex };
  },
  async joinExternal(request) {
    const peer = newPeer(request);
    const { message, tree, identity, resync, suite } = request;
    const credential = basicCredential(unhex(identity));
    const pending = await joinExternal(unhex(message), credential, peer.signaturePrivate, {
      tree: tree === null ? null : unhex(tree),
      resync,
      capabilities: capabilities(suite),
      random: peer.random,
    });
    peer.group = pending.group;
    return { ...describe(peer.group), message: hex(pending.message) };
  },
  async groupInfo(_request, _peer, group) {
    return { message: hex(await makeGroupInfo(group, { externalPub: true })) };
  },
  async encrypt({ data, authenticatedData, padding }, peer, group) {
    const options = { authenticatedData: unhex(authenticatedData), padding, random: peer.random };
    const [after, message] = await group.encrypt(unhex(data), options);
    peer.group = after;
    return { message: hex(message) };
  },
  async decrypt({ message }, peer, group) {
    const [after, opened] = await group.decrypt(unhex(message));
    peer.group = after;
    const { senderLeafIndex, epoch, data, authenticatedData } = opened;
    return { sender: senderLeafIndex, epoch, data: hex(data), authenticatedData: hex(authenticatedData) };
  },
  async proposeUpdate({ private: asPrivate }, peer, group) {
    const [after, message] = await proposeUpdate(group, { private: asPrivate, random: peer.random });
    peer.group = after;
    return { message: hex(message) };
  },
  async proposeRemove({ private: asPrivate, leaf }, peer, group) {
    const proposal = { type: REMOVE, removed: leaf } as const;
    const [after, message] = await propose(group, proposal, { private: asPrivate, random: peer.random });
    peer.group = after;
    return { message: hex(message) };
  },
  async proposeAdd({ private: asPrivate, adds, now }, peer, group) {
    const keyPackage = await verifyKeyPackage(decodeKeyPackage(unhex(adds[0]!)), now);
    const options = { private: asPrivate, random: peer.random };
    const [after, message] = await propose(group, { type: ADD, keyPackage }, options);
    peer.group = after;
    return { message: hex(message) };
  },
  async receiveProposal({ message }, peer, group) {
    const [after, received] = await receiveProposal(group, unhex(message));
    peer.group = after;
    return { reference: hex(received.reference), proposer: received.member?.leafIndex ?? null };
  },
  async commit(request, peer, group) {
    peer.pending = await commitProposals(group, await proposalsOf(request), {
      authenticatedData: unhex(request.authenticatedData),
      private: request.private,
      groupInfoExtensions: (next) => [{ type: 0xf0a2, data: next.export('info', utf8(''), 16) }],
      treeInWelcome: request.treeInWelcome,
      path: request.path,
      psks: asPsks(request.psks),
      now: request.now,
      random: peer.random,
    });
    const { message, welcome, tree } = PendingCommit.decode(peer.pending.encode());
    return { message: hex(message), welcome: welcome && hex(welcome), tree: hex(tree) };
  },
  async merge(_request, peer, group) {
    peer.group = mergeCommit(group, peer.pending!);
    delete peer.pending;
    return describe(peer.group);
  },
  async clear(_request, peer) {
    delete peer.pending;
    return {};
  },
  async apply({ message, now, psks }, peer, group) {
    const verified = await verifyCommit(group, unhex(message), { now });
    peer.group = await applyCommit(group, verified, { psks: asPsks(psks) });
    return {
      ...describe(peer.group),
      committer: verified.committerLeafIndex,
      external: verified.isExternal,
      added: verified.addedLeaves,
      removed: verified.removes.map(({ leafIndex }) => leafIndex),
      authenticatedData: hex(verified.authenticatedData),
    };
  },
  async verify({ message, now }, _peer, group) {
    const verified = await verifyCommit(group, unhex(message), { now });
    return { committer: verified.committerLeafIndex };
  },
  async forge({ trick }, _peer, group) {
    return { message: hex(await forge(group, await TRICKS[trick]!.make(group))) };
  },
  async tricks() {
    return { tricks: Object.entries(TRICKS).map(([name, { rule }]) => [name, rule]) };
  },
  async decode({ message, kind }) {
    const data = unhex(message);
    if (kind === 'message') decode(mlsMessage, data);
    else if (kind === 'keyPackage') decodeKeyPackage(data);
    else RatchetTree.decode(data);
    return {};
  },
  async forget({ epoch }, peer, group) {
    peer.group = forgetEpochsBefore(group, epoch);
    return {};
  },
  async reload(_request, peer, group) {
    // From rows, of which those are written that changed since the last time.
    const { rows } = peer;
    for (const [name, part] of peer.stored ? group.changes(peer.stored) : group.parts()) {
      if (part) rows.set(name, part);
      else rows.delete(name);
    }
    peer.group = peer.stored = groupFromParts(rows);
    return describe(peer.group);
  },
  async look(_request, _peer, group) {
    const { epoch, treeHash, epochAuthenticator } = group;
    const exported = hex(group.export('soak', utf8('referees'), 40));
    return { epoch, treeHash: hex(treeHash), authenticator: hex(epochAuthenticator), exported };
  },
  async drop({ member }) {
    peers.delete(member);
    return {};
  },
};

async function answer(line: string): Promise<object> {
  const request = JSON.parse(line) as Request;
  const peer = peers.get(request.member);
  try {
    return { ok: await operations[request.op]!(request, peer as Peer, peer?.group as Group) };
  } catch (error) {
    if (error instanceof MlsError) return { error: { rule: error.rule, code: error.code } };
    return { failed: error instanceof Error ? `${error.stack}` : String(error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
