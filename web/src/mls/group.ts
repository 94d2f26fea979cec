/** What joining a group and talking in it take; the rest is in `changes`. */

export type { ApplicationMessage } from './application.ts';
export { type Joined, Group } from './handle.ts';
export { KeyPackageBundle, encodeKeyPackage, makeKeyPackage } from './keypackage.ts';
export type { PartChanges, Parts } from './parts.ts';
export { SUITE_X25519, SUITE_XWING, suiteById } from './suite.ts';
export type { Member } from './views.ts';
