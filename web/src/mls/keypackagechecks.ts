import { equal } from '../crypto/compare.ts';
import {
  MAX_LIFETIME,
  checkLeafSignature,
  checkLifetimeSpan,
  checkOwnCapabilities,
  checkPublicKeys,
  isCurrent,
  supports,
} from './checks.ts';
import { decode, encode } from './codec.ts';
import { ensure } from './errors.ts';
import { type KeyPackage, keyPackage, unsigned } from './keypackage.ts';
import { FROM_KEY_PACKAGE, type LeafNode, type LeafPlace, MLS10 } from './leaf.ts';
import { checkSource } from './leafchecks.ts';
import { type Suite, suiteById, verifyWithLabel } from './suite.ts';

/** What others' key packages must be (RFC 9420, section 10.1). Each check throws MlsError. */

export function verifyKeyPackageSignature(suite: Suite, value: KeyPackage): Promise<boolean> {
  return verifyWithLabel(
    suite,
    value.leafNode.signatureKey,
    'KeyPackageTBS',
    encode(unsigned, value),
    value.signature,
  );
}

/** `now` in milliseconds. */
export function checkLifetime(leaf: LeafNode, now: number): void {
  ensure(isCurrent(leaf, now), '7.3-lifetime', 'the key package is not yet or no longer valid');
}

async function checkKeyPackageSignature(suite: Suite, keyPackage: KeyPackage): Promise<void> {
  ensure(await verifyKeyPackageSignature(suite, keyPackage), '10.1-signature');
}

function checkInitKey(keyPackage: KeyPackage): void {
  ensure(!equal(keyPackage.initKey, keyPackage.leafNode.encryptionKey), '10.1-init-key');
}

/** All of sections 10.1 and 7.3 that needs neither time nor group. */
export async function checkKeyPackage(suite: Suite, keyPackage: KeyPackage): Promise<void> {
  const leaf = keyPackage.leafNode;
  ensure(keyPackage.version === MLS10 && keyPackage.cipherSuite === suite.id, '10.1-version-or-suite');
  checkSource(leaf, FROM_KEY_PACKAGE);
  await checkLeafSignature(suite, leaf, NOWHERE);
  checkOwnCapabilities(suite, leaf);
  checkPublicKeys(suite, [leaf.encryptionKey, keyPackage.initKey]);
  await checkKeyPackageSignature(suite, keyPackage);
  checkInitKey(keyPackage);
  ensure(supports(leaf.capabilities, keyPackage.extensions.map((extension) => extension.type)), '10-extensions');
}

/** Where a key package's leaf stands, which its signature does not cover. */
const NOWHERE: LeafPlace = { groupId: new Uint8Array(0), leafIndex: 0 };

/** What a stranger sent: well-formed, and nothing more is known. `verifyKeyPackage` makes it usable. */
export interface UnverifiedKeyPackage {
  readonly unverified: KeyPackage;
}

/** A KeyPackage (not wrapped in an MLSMessage) from a stranger. @throws MlsError */
export function decodeKeyPackage(data: Uint8Array): UnverifiedKeyPackage {
  return { unverified: decode(keyPackage, data) };
}

/**
 * RFC 9420, section 10.1, with the lifetime at `now` (ms) and at most `maxLifetime` (seconds) long. What its credential
 * means is the caller's to judge. @throws MlsError
 */
export async function verifyKeyPackage(
  { unverified }: UnverifiedKeyPackage,
  now: number,
  maxLifetime = MAX_LIFETIME,
): Promise<KeyPackage> {
  await checkKeyPackage(suiteById(unverified.cipherSuite), unverified);
  checkLifetimeSpan(unverified.leafNode, maxLifetime);
  checkLifetime(unverified.leafNode, now);
  return unverified;
}
