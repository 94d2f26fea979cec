import { equal } from '../crypto/compare.ts';
import { decode } from './codec.ts';
import type { GroupState, PastEpoch } from './epoch.ts';
import { ensure } from './errors.ts';
import { Group } from './handle.ts';
import {
  HEAD,
  PAST,
  type Parts,
  RATCHET,
  SECRETS,
  TREE,
  VERSION,
  changedParts,
  head,
  partName,
  ratchet,
  secretNodes,
} from './parts.ts';
import { pastEpoch, pastFields } from './pastepoch.ts';
import { type Ratchet, SecretTree } from './secrettree.ts';
import { suiteById } from './suite.ts';
import { RatchetTree } from './tree.ts';
import * as math from './treemath.ts';

/* A group's state out of its stored parts: only what would be stored in just this way is taken. */

/** All that a state needs is there. */
function part(parts: Parts, name: string): Uint8Array {
  const found = parts.get(name);
  ensure(found !== undefined, 'state-damaged', '', 'malformed');
  return found;
}

/** Its first byte says in which form a head is. */
function checkVersion(data: Uint8Array): void {
  ensure(data[0] === VERSION, 'state-version', '', 'malformed');
}

/** The state is of one piece: its tree is that of its context, and the own leaf is in it. */
function checkCoherent({ suite, context, tree, own }: GroupState): void {
  const fits = equal(tree.hash(suite), context.treeHash) && tree.leaf(own) !== null;
  ensure(fits, 'state-damaged', '', 'malformed');
}

/** A secret tree is that of its epoch's tree: nothing in it is of a leaf or node outside. */
function checkSecretTree({ size, nodes, ratchets }: SecretTree, leaves: number): void {
  const fits = size === leaves && [...nodes.keys()].every((node) => node < math.width(size));
  ensure(fits && [...ratchets.keys()].every((place) => place < 2 * size), 'state-damaged', '', 'malformed');
}

/** A past epoch's tree is full and of a size that is implemented, however few leaves were stored. */
function checkSize(size: number): void {
  ensure(size <= math.MAX_LEAVES && size === math.fullSize(size), 'state-damaged', '', 'malformed');
}

/** What was stored is what would be stored: nothing is said in another way, said twice or unknown. */
function checkOneEncoding(state: GroupState, parts: Parts): void {
  const again = changedParts(state);
  const same = [...again].every(([name, value]) => equal(value!, part(parts, name)));
  ensure(same && again.size === parts.size, 'state-damaged', '', 'malformed');
}

/** By `partName(RATCHET, epoch)`. */
function readRatchets(parts: Parts): Map<string, Map<number, Ratchet>> {
  const all = new Map<string, Map<number, Ratchet>>();
  for (const [name, data] of parts) {
    if (!name.startsWith(RATCHET)) continue;
    const epoch = name.slice(0, 18);
    const found = all.get(epoch) ?? new Map<number, Ratchet>();
    const [leaf, kind] = [name.slice(18, 26), name.slice(26)];
    all.set(epoch, found.set(2 * parseInt(leaf, 16) + parseInt(kind, 16), decode(ratchet, data)));
  }
  return all;
}

function readState(parts: Parts): GroupState {
  const data = part(parts, HEAD);
  checkVersion(data);
  const { version: _, ...stored } = decode(head, data);
  const suite = suiteById(stored.context.cipherSuite);
  const tree = RatchetTree.decode(part(parts, TREE));
  const ratchets = readRatchets(parts);
  const secretTreeOf = (epoch: bigint, leaves: number): SecretTree => {
    const { size, nodes } = decode(secretNodes, part(parts, partName(SECRETS, epoch)));
    const found = new SecretTree(suite, size, nodes, ratchets.get(partName(RATCHET, epoch)));
    checkSecretTree(found, leaves);
    return found;
  };
  const past: PastEpoch[] = [];
  let after = tree.leaves();
  const { epoch: current } = stored.context;
  for (let epoch = current - 1n; parts.has(partName(PAST, epoch)); epoch--) {
    const { size, changes, ...rest } = decode(pastFields, part(parts, partName(PAST, epoch)));
    checkSize(size);
    const leaves = new Map(after);
    for (const [index, leaf] of changes) {
      if (leaf === null) leaves.delete(index);
      else leaves.set(index, leaf);
    }
    for (const index of leaves.keys()) if (index >= size) leaves.delete(index);
    past.unshift(pastEpoch({ ...rest, leaves, secretTree: secretTreeOf(epoch, size) }, after));
    after = leaves;
  }
  const state = { ...stored, suite, tree, secretTree: secretTreeOf(current, tree.size), past };
  checkCoherent(state);
  checkOneEncoding(state, parts);
  return state;
}

/** The group whose parts these are, in whatever order. @throws MlsError */
export function groupFromParts(parts: Parts): Group {
  return new Group(readState(parts));
}
