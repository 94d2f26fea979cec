import { equal } from '../crypto/compare.ts';
import { encode, mapping, opaque, optional, struct, u32, u64, u8, uint, vector } from './codec.ts';
import type { GroupState, OwnUpdate, PastEpoch, Resumption } from './epoch.ts';
import { groupContext } from './groupcontext.ts';
import { reInit, resolvedProposal } from './proposal.ts';
import type { EpochSecrets } from './schedule.ts';
import type { MessageKey, Ratchet, SecretTree } from './secrettree.ts';

/*
 * A group's state as parts, by name, so that what did not change is not stored again. Names are in hexadecimal:
 *
 *   00                                     what is small, and the epoch's secrets
 *   01                                     the ratchet tree
 *   02 || u64 epoch                        a past epoch, its leaves as changes against the epoch after it
 *   03 || u64 epoch                        the secrets of an epoch's secret tree that nothing was derived from yet
 *   04 || u64 epoch || u32 leaf || u8 kind one ratchet of that epoch, for handshakes (0) or messages (1)
 *
 * A past epoch never changes once the epoch after it has begun; a message changes one ratchet, and a member's first
 * message the secrets too. Values are structs as in RFC 9420's own encoding.
 */

export type Parts = ReadonlyMap<string, Uint8Array>;
/** Null: the part is gone. */
export type PartChanges = ReadonlyMap<string, Uint8Array | null>;

export const HEAD = '00';
export const TREE = '01';
export const PAST = '02';
export const SECRETS = '03';
export const RATCHET = '04';

function digits(value: number | bigint, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, '0');
}

export function partName(kind: string, epoch: bigint): string {
  return kind + digits(epoch, 8);
}

/** `place` as in `SecretTree.ratchets`. */
function ratchetName(epoch: bigint, place: number): string {
  return partName(RATCHET, epoch) + digits(Math.floor(place / 2), 4) + digits(place % 2, 1);
}

// ---- values ----

export const VERSION = 2;

const inHead = {
  context: groupContext,
  own: u32,
  signaturePrivate: opaque,
  privateKeys: mapping(opaque),
  secrets: struct<EpochSecrets>({
    senderDataSecret: opaque,
    exporterSecret: opaque,
    externalSecret: opaque,
    confirmationKey: opaque,
    membershipKey: opaque,
    resumptionPsk: opaque,
    epochAuthenticator: opaque,
    initSecret: opaque,
  }),
  interimTranscriptHash: opaque,
  confirmationTag: opaque,
  pending: vector(resolvedProposal),
  updates: vector(struct<OwnUpdate>({ encryptionKey: opaque, encryptionPrivate: opaque })),
  resumption: vector(struct<Resumption>({ epoch: u64, psk: opaque })),
  reInit: optional(reInit),
};

type Head = Pick<GroupState, keyof typeof inHead>;
const IN_HEAD = Object.keys(inHead) as (keyof Head)[];

export const head = struct<Head & { readonly version: number }>({
  version: u8,
  ...inHead,
});

export const secretNodes = struct<Pick<SecretTree, 'size' | 'nodes'>>({ size: u32, nodes: mapping(opaque) });

export const ratchet = struct<Ratchet>({
  secret: opaque,
  // One past the largest generation takes more than 32 bits.
  generation: uint(5),
  skipped: vector(struct<MessageKey>({ generation: u32, key: opaque, nonce: opaque })),
});

// ---- what changed ----

/** What is kept of an epoch; of the current one the head has the rest. */
type Epoch = Pick<PastEpoch, 'context' | 'secretTree'> & Partial<PastEpoch>;

function epochs({ context, secretTree, past }: GroupState): readonly Epoch[] {
  return [...past, { context, secretTree }];
}

/** Parts that `since` has not, or has with another value. What is the same object in both is not encoded. */
function newParts(state: GroupState, since?: GroupState): Map<string, Uint8Array | null> {
  const found = new Map<string, Uint8Array | null>();
  function compare<T>(name: string, encoded: (value: T) => Uint8Array, value: T, before: T | undefined): void {
    const data = encoded(value);
    if (!before || !equal(data, encoded(before))) found.set(name, data);
  }

  if (IN_HEAD.some((field) => state[field] !== since?.[field])) {
    compare(HEAD, (each) => encode(head, { ...each, version: VERSION }), state, since);
  }
  if (state.tree !== since?.tree) compare(TREE, (each) => each.encode(), state.tree, since?.tree);
  const former = since ? epochs(since) : [];
  for (const { context: { epoch }, encoded, secretTree } of epochs(state)) {
    const before = former.find(({ context }) => context.epoch === epoch);
    if (encoded && encoded !== before?.encoded) compare(partName(PAST, epoch), (each) => each, encoded, before?.encoded);
    const known = before?.secretTree;
    if (secretTree === known) continue;
    if (secretTree.nodes !== known?.nodes) {
      compare(partName(SECRETS, epoch), (each) => encode(secretNodes, each), secretTree, known);
    }
    for (const [place, each] of secretTree.ratchets) {
      const other = known?.ratchets.get(place);
      if (each !== other) compare(ratchetName(epoch, place), (one) => encode(ratchet, one), each, other);
    }
  }
  return found;
}

/**
 * What makes the parts of `since` those of `state`, ascending by name; without it all parts. A message costs the same
 * however many members have spoken.
 */
export function changedParts(state: GroupState, since?: GroupState): PartChanges {
  const changed = newParts(state, since);
  if (since) for (const name of newParts(since, state).keys()) if (!changed.has(name)) changed.set(name, null);
  return new Map([...changed].sort(([a], [b]) => (a < b ? -1 : 1)));
}
