import { CryptoError } from '../crypto/errors.ts';
import { MlsError, ensure } from './errors.ts';
import {
  type Extension,
  REQUIRED_CAPABILITIES,
  type RequiredCapabilities,
  findExtension,
  isDefaultExtension,
  requiredCapabilities,
} from './extensions.ts';
import {
  type Capabilities,
  FROM_KEY_PACKAGE,
  type LeafNode,
  type LeafPlace,
  MLS10,
  verifyLeafSignature,
} from './leaf.ts';
import { checkParentHashes } from './parenthash.ts';
import type { Suite } from './suite.ts';
import type { RatchetTree } from './tree.ts';
import * as math from './treemath.ts';

/*
 * What a receiver must check, one named function per rule (RFC 9420). Each throws MlsError with the rule's id.
 * The rules of changed leaves are in `leafchecks`, those of others' key packages in `keypackagechecks`, the proposal
 * list's in `proposals`, those of framing in `protect`, those of paths in `treekem`.
 */

/** Seconds: key packages that claim more than a year are refused before they are used (section 7.2). */
export const MAX_LIFETIME = 60 * 60 * 24 * 366;

// Leaves (section 7.3)

export async function checkLeafSignature(suite: Suite, leaf: LeafNode, place: LeafPlace): Promise<void> {
  ensure(await verifyLeafSignature(suite, leaf, place), '7.3-signature', `leaf ${place.leafIndex}`);
}

/** By a set: both lists may be a stranger's, and as long as a message. */
function areIn(types: readonly number[], list: readonly number[]): boolean {
  const known = new Set(list);
  return types.every((type) => known.has(type));
}

export function supports(capabilities: Capabilities, extensionTypes: readonly number[]): boolean {
  return areIn(extensionTypes.filter((type) => !isDefaultExtension(type)), capabilities.extensions);
}

/** The leaf supports MLS 1.0, the suite, its own credential type and its own extensions. */
export function checkOwnCapabilities(
  suite: Suite,
  { capabilities, credential, extensions }: Pick<LeafNode, 'capabilities' | 'credential' | 'extensions'>,
): void {
  const { versions, cipherSuites, credentials } = capabilities;
  ensure(versions.includes(MLS10) && cipherSuites.includes(suite.id), '7.3-version-or-suite');
  ensure(credentials.includes(credential.type), '7.3-own-credential');
  ensure(supports(capabilities, extensions.map((extension) => extension.type)), '7.3-extensions');
}

function isDefaultProposal(type: number): boolean {
  return type >= 1 && type <= 7;
}

function supportsRequired(capabilities: Capabilities, required: RequiredCapabilities): boolean {
  return (
    supports(capabilities, required.extensionTypes) &&
    areIn(required.proposalTypes.filter((type) => !isDefaultProposal(type)), capabilities.proposals) &&
    areIn(required.credentialTypes, capabilities.credentials)
  );
}

/** Sections 7.3 and 13.4: all support the GroupContext's extensions and what those require. */
export function checkSupported(all: Iterable<Capabilities>, extensions: readonly Extension[]): void {
  const required = findExtension(extensions, REQUIRED_CAPABILITIES, requiredCapabilities);
  const types = extensions.map((extension) => extension.type);
  for (const capabilities of all) {
    ensure(supports(capabilities, types), '13.4-context-extension');
    ensure(required === null || supportsRequired(capabilities, required), '7.3-required-capabilities');
  }
}

/** Whether a leaf that has a lifetime is in it at `now` (milliseconds). */
export function isCurrent(leaf: LeafNode, now: number): boolean {
  if (leaf.source.type !== FROM_KEY_PACKAGE) return true;
  const seconds = BigInt(Math.floor(now / 1000));
  const { notBefore, notAfter } = leaf.source.lifetime;
  return notBefore <= seconds && seconds <= notAfter;
}

/** Section 7.2: no leaf claims to live longer than `maximum` seconds. */
export function checkLifetimeSpan(leaf: LeafNode, maximum: number): void {
  if (leaf.source.type !== FROM_KEY_PACKAGE) return;
  const span = leaf.source.lifetime.notAfter - leaf.source.lifetime.notBefore;
  ensure(span >= 0n && span <= BigInt(maximum), '7.2-lifetime-span', `more than ${maximum} seconds, or less than none`);
}

/** Section 7.3: keys that the suite's KEM can encrypt to, or one member could stop all others' commits. */
export function checkPublicKeys(suite: Suite, keys: Iterable<Uint8Array>): void {
  try {
    for (const key of keys) suite.kem.checkPublicKey(key);
  } catch (error) {
    throw error instanceof CryptoError ? new MlsError('7.3-encryption-key') : error;
  }
}

// Trees

const names = new WeakMap<Uint8Array, string>();

/** Arguments of one call: a stranger's key may have more bytes than a call takes. */
const AT_ONCE = 4096;

/** A key as a string, for sets. */
export function keyName(key: Uint8Array): string {
  let name = names.get(key);
  if (name === undefined) {
    name = '';
    for (let at = 0; at < key.length; at += AT_ONCE) name += String.fromCharCode(...key.subarray(at, at + AT_ONCE));
    names.set(key, name);
  }
  return name;
}

export function encryptionKeys(tree: RatchetTree): string[] {
  const keys: string[] = [];
  for (const [, leaf] of tree.leaves()) keys.push(keyName(leaf.encryptionKey));
  for (const [, parent] of tree.parents()) keys.push(keyName(parent.encryptionKey));
  return keys;
}

/** Section 7.3: no two members share a signature key, no two nodes an encryption key. */
function checkUniqueKeys(tree: RatchetTree): void {
  const signatureKeys = [...tree.leaves()].map(([, leaf]) => keyName(leaf.signatureKey));
  ensure(new Set(signatureKeys).size === signatureKeys.length, '7.3-signature-key-reused');
  const keys = encryptionKeys(tree);
  ensure(new Set(keys).size === keys.length, '7.3-encryption-key-reused');
}

/** Section 7.3: every member supports every credential type in use. */
function checkCredentialSupport(tree: RatchetTree): void {
  const inUse = [...new Set([...tree.leaves()].map(([, leaf]) => leaf.credential.type))];
  for (const [, leaf] of tree.leaves()) {
    const { credentials } = leaf.capabilities;
    ensure(inUse.every((type) => credentials.includes(type)), '7.3-credential-support');
  }
}

/** What holds for the members of every epoch together (sections 7.3 and 12.2). */
export function checkMembers(tree: RatchetTree, extensions: readonly Extension[]): void {
  checkSupported([...tree.leaves()].map(([, leaf]) => leaf.capabilities), extensions);
  checkCredentialSupport(tree);
  checkUniqueKeys(tree);
}

/** Section 12.4.3.1: unmerged leaves are members below, and unmerged at every node in between. */
function checkUnmergedLeaves(tree: RatchetTree): void {
  for (const [node, parent] of tree.parents()) {
    for (const leaf of parent.unmergedLeaves) {
      const below = math.leafNode(leaf);
      const where = `leaf ${leaf} at node ${node}`;
      ensure(leaf < tree.size && tree.leaf(leaf) !== null && math.isWithin(below, node), '12.4.3.1-unmerged-leaf', where);
      for (let step = math.parent(below); step !== node; step = math.parent(step)) {
        const between = tree.parent(step);
        ensure(between === null || between.unmergedLeaves.includes(leaf), '12.4.3.1-unmerged-between', where);
      }
    }
  }
}

/** Everything that a joiner verifies about a tree whose hash it knows (section 12.4.3.1). */
export async function checkTree(
  suite: Suite,
  tree: RatchetTree,
  groupId: Uint8Array,
  extensions: readonly Extension[],
  maxLifetime = MAX_LIFETIME,
): Promise<void> {
  const leaves = [...tree.leaves()];
  for (const [, leaf] of leaves) {
    checkOwnCapabilities(suite, leaf);
    checkLifetimeSpan(leaf, maxLifetime);
  }
  checkMembers(tree, extensions);
  checkPublicKeys(suite, leaves.map(([, leaf]) => leaf.encryptionKey));
  checkPublicKeys(suite, [...tree.parents()].map(([, parent]) => parent.encryptionKey));
  checkUnmergedLeaves(tree);
  checkParentHashes(suite, tree);
  await Promise.all(leaves.map(([leafIndex, leaf]) => checkLeafSignature(suite, leaf, { groupId, leafIndex })));
}
