/** How conversations use MLS: leaves, the group's extensions, secrets of an epoch. */
import type { Random } from '../crypto/random.ts';
import { basicCredential } from '../mls/credential.ts';
import { type Extension, LAST_RESORT } from '../mls/extensions.ts';
import { type Group, type KeyPackageBundle, makeKeyPackage, type Member } from '../mls/group.ts';
import { type Capabilities, type Lifetime, MLS10 } from '../mls/leaf.ts';
import { suiteById } from '../mls/suite.ts';
import { WireError } from '../wire/errors.ts';
import {
  type ConversationInfo,
  decodeConversationInfo,
  decodeJoinInfo,
  EXTENSION_CONVERSATION,
  EXTENSION_TOPIC,
  type JoinInfo,
  SUITE_X25519,
  SUITE_XWING,
} from '../wire/messages.ts';
import type { Me, MemberLeaf, Membership } from './_state.ts';
import { attempt } from './errors.ts';
import { acceptedLeaf } from './identity.ts';

const NONE = new Uint8Array(0);

/** Of which a device offers key packages. */
export const SUITES: readonly number[] = [SUITE_XWING, SUITE_X25519];

export const CAPABILITIES: Capabilities = {
  versions: [MLS10],
  cipherSuites: SUITES,
  extensions: [LAST_RESORT, EXTENSION_CONVERSATION, EXTENSION_TOPIC],
  proposals: [],
  credentials: [1],
};

/** ms */
export const DAY = 86_400_000;
/** As long as a leaf may be silent. */
export const PACKAGE_LIFETIME = 90 * DAY;
/** How far clocks may differ before a new key package looks not yet valid. */
const CLOCK_SLACK = DAY;
/** From a little before `now` (ms) for `length` ms, in MLS's seconds. */
export function lifetime(now: number, length: number): Lifetime {
  const seconds = (ms: number): bigint => BigInt(Math.floor(ms / 1000));
  return { notBefore: seconds(Math.max(0, now - CLOCK_SLACK)), notAfter: seconds(now + length) };
}

export function newKeyPackage(
  me: Me,
  suite: number,
  now: number,
  lastResort: boolean,
  random: Random,
): Promise<KeyPackageBundle> {
  return makeKeyPackage(suiteById(suite), basicCredential(me.credential), me.deviceSecret, {
    lifetime: lifetime(now, PACKAGE_LIFETIME),
    capabilities: CAPABILITIES,
    lastResort,
    random,
  });
}

// ---- extensions ----

/** The one ConversationInfo; null where it is missing, malformed, or not alone. */
export async function readInfo(extensions: readonly Extension[]): Promise<ConversationInfo | null> {
  const [only] = extensions;
  if (extensions.length !== 1 || only?.type !== EXTENSION_CONVERSATION) return null;
  return attempt(WireError, () => decodeConversationInfo(only.data));
}

/** Null where there is none (the joiner starts a new topic). @throws WireError for a malformed one */
export function readJoin(extensions: readonly Extension[]): JoinInfo | null {
  const found = extensions.find((extension) => extension.type === EXTENSION_TOPIC);
  return found ? decodeJoinInfo(found.data) : null;
}

// ---- an epoch ----

export function topicSecret(group: Group): Uint8Array {
  return group.export('polynya topic', NONE, 32);
}

export function slot(group: Group): Uint8Array {
  return group.export('polynya slot', NONE, 16);
}

/** Who is in the group and what it is; null where a leaf is not accepted or the ConversationInfo is not in order. */
export async function readMembership(group: Group): Promise<Membership | null> {
  const info = await readInfo(group.context.extensions);
  const members = await readMembers(group.members());
  if (!info || !members) return null;
  return { info, ownLeaf: group.ownLeafIndex, suite: group.suite.id, members, group: group.groupId };
}

/** Null where a leaf is not accepted. */
export async function readMembers(members: readonly Member[]): Promise<MemberLeaf[] | null> {
  const found: MemberLeaf[] = [];
  for (const { leafIndex, credential, signatureKey } of members) {
    const device = await acceptedLeaf(credential, signatureKey);
    if (!device) return null;
    found.push({ leaf: leafIndex, identity: device.identity, signatureKey });
  }
  return found;
}
