/** MLS groups that we found: their suites, and our first leaf. */
import type { Random } from '../crypto/random.ts';
import { createGroup } from '../mls/changes.ts';
import { basicCredential } from '../mls/credential.ts';
import type { Group } from '../mls/group.ts';
import { suiteById } from '../mls/suite.ts';
import { type ConversationInfo, SUITE_X25519, SUITE_XWING, XWING_MEMBERS_MAX } from '../wire/messages.ts';
import type { Me } from './_state.ts';
import { infoExtension } from './extensions.ts';
import { CAPABILITIES, DAY, lifetime } from './mlsgroup.ts';

/** A founder's first leaf: nobody judges it by time, as it never was offered to anybody. */
const FOUNDER_LIFETIME = 3650 * DAY;

/** Whether a group of so many may have the suite. */
export function fits(suite: number, members: number): boolean {
  return suite !== SUITE_XWING || members <= XWING_MEMBERS_MAX;
}

/** The suite of a new conversation made for so many. */
export function suiteFor(members: number): number {
  return fits(SUITE_XWING, members) ? SUITE_XWING : SUITE_X25519;
}

export function newGroup(
  me: Me,
  suite: number,
  groupId: Uint8Array,
  info: ConversationInfo,
  now: number,
  random: Random,
): Promise<Group> {
  return createGroup(suiteById(suite), groupId, basicCredential(me.credential), me.deviceSecret, {
    extensions: [infoExtension(info)],
    capabilities: CAPABILITIES,
    lifetime: lifetime(now, FOUNDER_LIFETIME),
    random,
  });
}
