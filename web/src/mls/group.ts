import { MAX_LIFETIME, checkKeyPackage, checkLifetime, checkLifetimeSpan } from './checks.ts';
import { decode } from './codec.ts';
import { type KeyPackage, keyPackage } from './keypackage.ts';
import { suiteById } from './suite.ts';

/** What joining a group and talking in it take; the rest is in `changes`. */

export type { ApplicationMessage } from './application.ts';
export { type Joined, Group } from './handle.ts';
export { KeyPackageBundle, encodeKeyPackage, makeKeyPackage } from './keypackage.ts';
export type { PartChanges, Parts } from './parts.ts';
export { SUITE_X25519, SUITE_XWING, suiteById } from './suite.ts';
export type { Member } from './views.ts';

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
