import { equal } from '../crypto/compare.ts';
import { encode } from './codec.ts';
import { type Credential, credential } from './credential.ts';
import { ensure } from './errors.ts';
import type { GroupState } from './epoch.ts';
import { extensions } from './extensions.ts';
import type { GroupContext } from './groupcontext.ts';
import { type Group, stateOf } from './handle.ts';
import type { Succession } from './joining.ts';
import { FOR_REINIT, type ResumptionPskId } from './psk.ts';

/* Groups that follow others: by re-initialisation or as a branch (RFC 9420, sections 11.2, 11.3 and 12.4.3.1). */

/** Whether two credentials stand for one client. */
export type SameClient = (one: Credential, other: Credential) => boolean;

function sameCredential(one: Credential, other: Credential): boolean {
  return equal(encode(credential, one), encode(credential, other));
}

/** What a joiner checks of a group that follows `former`. */
export function following(former: Group, same: SameClient = sameCredential): Succession {
  const state = stateOf(former);
  return (link, context, tree) => {
    const before = checkFormer(state, link);
    const after = [...tree.leaves()].map(([, leaf]) => leaf.credential);
    if (link.usage === FOR_REINIT) {
      checkReInitParameters(state, context);
      checkNobodyLost(before, after, same);
    } else {
      checkBranchParameters(state, context);
      checkNobodyGained(before, after, same);
    }
  };
}

/** The caller has the group and epoch that are named; the credentials of that epoch's members. */
function checkFormer(state: GroupState, link: ResumptionPskId): readonly Credential[] {
  const now = { context: state.context, leaves: state.tree.leaves() };
  const found = [now, ...state.past].find(({ context }) => context.epoch === link.epoch);
  const known = equal(state.context.groupId, link.groupId) && found !== undefined;
  ensure(known, '12.4.3.1-former-group', 'another group or epoch');
  return [...found.leaves.values()].map((leaf) => leaf.credential);
}

/** The former group ended by a ReInit, and the new one is what that said. */
function checkReInitParameters(former: GroupState, context: GroupContext): void {
  const said = former.reInit;
  ensure(
    said !== null &&
      equal(said.groupId, context.groupId) &&
      said.cipherSuite === context.cipherSuite &&
      equal(encode(extensions, said.extensions), encode(extensions, context.extensions)),
    '12.4.3.1-reinit',
  );
}

function checkNobodyLost(before: readonly Credential[], after: readonly Credential[], same: SameClient): void {
  ensure(before.every((one) => after.some((other) => same(one, other))), '12.4.3.1-reinit-members');
}

function checkBranchParameters(former: GroupState, context: GroupContext): void {
  ensure(former.suite.id === context.cipherSuite, '12.4.3.1-branch');
}

function checkNobodyGained(before: readonly Credential[], after: readonly Credential[], same: SameClient): void {
  ensure(after.every((other) => before.some((one) => same(one, other))), '12.4.3.1-branch-members');
}
