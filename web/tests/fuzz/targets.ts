import { concat, hex, utf8 } from '../../src/crypto/bytes.ts';
import { sha256 } from '../../src/crypto/hashes.ts';
import {
  PendingCommit,
  applyCommit,
  commitProposals,
  decodeGroup,
  encodeGroup,
  inspect,
  joinExternal,
  makeGroupInfo,
  pendingProposals,
  receiveProposal,
  resumptionPsk,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { type Codec, decode, encode, opaque, u32, u64 } from '../../src/mls/codec.ts';
import { commit, updatePath } from '../../src/mls/commit.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { MlsError } from '../../src/mls/errors.ts';
import { externalPub, externalSenders, extensions, requiredCapabilities } from '../../src/mls/extensions.ts';
import { mlsMessage } from '../../src/mls/framing.ts';
import { Group, KeyPackageBundle, type Parts, SUITE_X25519, encodeKeyPackage } from '../../src/mls/group.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../../src/mls/keypackagechecks.ts';
import { groupContext } from '../../src/mls/groupcontext.ts';
import { groupInfo } from '../../src/mls/groupinfo.ts';
import { keyPackage } from '../../src/mls/keypackage.ts';
import { leafNode } from '../../src/mls/leaf.ts';
import { proposal } from '../../src/mls/proposal.ts';
import { type Psks, pskId } from '../../src/mls/psk.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { groupSecrets, welcome } from '../../src/mls/welcome.ts';
import { SeededRandom } from '../support/seeded.ts';

/*
 * What hostile bytes are given to, under the names that `tests/fuzz/targets.py` has for them. Each target gives the
 * bytes that Python must give too.
 */

/** A group in the state in which its member receives the bytes. */
export interface Scene {
  readonly now: number;
  readonly group: Group;
  readonly joiner: KeyPackageBundle;
  readonly psks: Psks;
  /** The last things that the member received, to try on a damaged state. */
  readonly steps: readonly (readonly [kind: string, message: Uint8Array])[];
}

export type Target = (scene: Scene, data: Uint8Array) => Promise<Uint8Array> | Uint8Array;

/** What no input may bring about. */
export class FaultError extends Error {}

/** What was accepted is the one encoding of its value. */
export function canonical(data: Uint8Array, encoded: Uint8Array): Uint8Array {
  if (hex(encoded) !== hex(data)) throw new FaultError(`encodes to ${hex(encoded)}`);
  return encoded;
}

function reading<T>(codec: Codec<T>): Target {
  return (_scene, data) => canonical(data, encode(codec, decode(codec, data)));
}

function only<T>(codec: Codec<T>): Target {
  return (_scene, data) => {
    decode(codec, data);
    return data;
  };
}

const u32s = (...values: number[]): Uint8Array => concat(...values.map((value) => encode(u32, value)));
const vector = (data: Uint8Array): Uint8Array => encode(opaque, data);

function describe(group: Group): Uint8Array {
  const shared = [encode(groupContext, group.context), group.treeHash, group.epochAuthenticator, resumptionPsk(group)];
  return concat(...shared, u32s(group.ownLeafIndex), group.export('fuzz', new Uint8Array(0), 16));
}

/** One state in so many is stored: that takes longer than all else. By the last byte, which in most is of a tag. */
const STORED = 8;

/** A state that hostile bytes led to is stored and found again, as are its changes `since` another. */
function remembers(data: Uint8Array, group: Group, since?: Group): void {
  if (data.at(-1)! % STORED) return;
  const blob = encodeGroup(group);
  if (hex(encodeGroup(decodeGroup(blob))) !== hex(blob)) throw new FaultError('the state that follows is not found again');
  if (!since) return;
  const rows = new Map(since.parts());
  for (const [name, value] of group.changes(since)) {
    if (value) rows.set(name, value);
    else rows.delete(name);
  }
  if (told(rows) !== told(group.parts())) throw new FaultError('the changes do not lead to the state that follows');
}

const told = (parts: Parts): string => [...parts].map(([name, value]) => `${name}=${hex(value)}`).sort().join();

/** Does what may fail by MlsError alone. */
async function attempt(use: () => Promise<object>): Promise<void> {
  try {
    await use();
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
  }
}

async function useAll(group: Group, { now, steps }: Scene): Promise<void> {
  for (const [kind, message] of steps.slice(-3)) {
    if (kind === 'message') await attempt(() => group.decrypt(message));
    else await attempt(() => verifyCommit(group, message, { now }));
  }
  const random = new SeededRandom(1);
  await attempt(() => group.encrypt(new Uint8Array(0), { random }));
  await attempt(() => commitProposals(group, [], { now, random }));
  await attempt(() => makeGroupInfo(group, { externalPub: true }));
}

export const TARGETS: Readonly<Record<string, Target>> = {
  message: reading(mlsMessage),
  'key-package': reading(keyPackage),
  leaf: reading(leafNode),
  tree: (_scene, data) => {
    const tree = RatchetTree.decode(data);
    return concat(canonical(data, tree.encode()), tree.hash(SUITE_X25519));
  },
  'group-context': reading(groupContext),
  'group-info': reading(groupInfo),
  welcome: reading(welcome),
  'group-secrets': reading(groupSecrets),
  commit: reading(commit),
  'update-path': reading(updatePath),
  proposal: reading(proposal),
  psk: reading(pskId),
  'required-capabilities': only(requiredCapabilities),
  'external-pub': only(externalPub),
  'external-senders': only(externalSenders),
  bundle: (_scene, data) => canonical(data, KeyPackageBundle.decode(data).encode()),
  inspect: (_scene, data) => {
    const { groupId, epoch, contentType, isPrivate } = inspect(data);
    return concat(vector(groupId), encode(u64, BigInt(epoch)), Uint8Array.of(contentType, isPrivate ? 1 : 0));
  },
  'verify-key-package': async ({ now }, data) =>
    canonical(data, encodeKeyPackage(await verifyKeyPackage(decodeKeyPackage(data), now))),
  decrypt: async ({ group }, message) => {
    const [next, { senderLeafIndex, data, authenticatedData }] = await group.decrypt(message);
    remembers(message, next, group);
    return concat(u32s(senderLeafIndex), vector(data), vector(authenticatedData));
  },
  'receive-proposal': async ({ group }, message) => {
    const [next, { reference, authenticatedData }] = await receiveProposal(group, message);
    remembers(message, next, group);
    return concat(u32s(pendingProposals(next).length), vector(reference), vector(authenticatedData));
  },
  'verify-commit': async ({ group, now }, message) => {
    const { committerLeafIndex, details } = await verifyCommit(group, message, { now });
    return concat(u32s(committerLeafIndex), details.tree.hash(group.suite));
  },
  'apply-commit': async ({ group, now, psks }, message) => {
    const verified = await verifyCommit(group, message, { now });
    const next = await applyCommit(group, verified, { psks });
    remembers(message, next, group);
    const removed = verified.removes.map(({ leafIndex }) => leafIndex);
    const places = u32s(verified.committerLeafIndex, ...verified.addedLeaves, ...removed);
    return concat(places, vector(verified.authenticatedData), describe(next));
  },
  join: async ({ joiner, now, psks }, message) => {
    const joined = await Group.join(message, [joiner], { now, psks });
    remembers(message, joined.group);
    const ids = joined.psks.map((id) => encode(pskId, id));
    const kept = encode(extensions, joined.groupInfoExtensions);
    return concat(u32s(joined.signerLeafIndex, ...joined.expired), ...ids, kept, describe(joined.group));
  },
  'join-external': async (_scene, info) => {
    const key = Uint8Array.from({ length: 32 }, (_, place) => (place === 31 ? 7 : 0));
    const capabilities = { versions: [1], cipherSuites: [1, 0xf001], extensions: [0xf0a1], proposals: [], credentials: [1] };
    const options = { capabilities, random: new SeededRandom(7) };
    const { group, message } = await joinExternal(info, basicCredential(utf8('from outside')), key, options);
    remembers(info, group);
    return concat(group.suite === SUITE_X25519 ? message : new Uint8Array(0), u32s(group.ownLeafIndex));
  },
  'stored-group': async (scene, data) => {
    const group = decodeGroup(data);
    const blob = canonical(data, encodeGroup(group));
    await useAll(group, scene);
    return blob;
  },
  'stored-commit': (_scene, data) => canonical(data, PendingCommit.decode(data).encode()),
};

/** `accepted <digest>`, `refused <code> <rule>`, or `fault <what>`. */
export async function verdict(target: string, scene: Scene, data: Uint8Array, targets = TARGETS): Promise<string> {
  try {
    return `accepted ${hex(sha256(await targets[target]!(scene, data))).slice(0, 16)}`;
  } catch (error) {
    if (error instanceof MlsError) return `refused ${error.code} ${error.rule}`;
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return `fault ${what.replaceAll('\n', ' ').slice(0, 2000)}`;
  }
}
