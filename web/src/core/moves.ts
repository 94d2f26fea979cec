/**
 * Moving a group to another suite, our part: the ReInit, and where we are the one to found it, its successor (protocol.md
 * section 5.7).
 */
import { commitProposals, makeGroupInfo, type PendingCommit, reInit, resumptionPsk } from '../mls/changes.ts';
import { MlsError } from '../mls/errors.ts';
import { MLS10 } from '../mls/leaf.ts';
import { ADD, type Proposal, PSK, REINIT } from '../mls/proposal.ts';
import { FOR_REINIT, pskName, type Psks, RESUMPTION_PSK, type ResumptionPskId } from '../mls/psk.ts';
import type { Group } from '../mls/group.ts';
import { compare, same } from '../wire/bytes.ts';
import { encodeMoved } from '../wire/messages_rest.ts';
import { signMoved } from '../wire/requests.ts';
import { ConversationState, type Membership } from './_state.ts';
import { type Operation, OperationKind } from './_state_rest.ts';
import { group, hasIdentity, identities } from './conversation.ts';
import { acceptedKeyPackage, knownDevices } from './devices.ts';
import { me, person } from './identity.ts';
import { DAY, readInfo } from './mlsgroup.ts';
import { newGroup } from './newgroups.ts';
import * as operations from './operations.ts';
import * as roles from './roles.ts';
import { CONVERSATION, MEMBERSHIP } from './state.ts';
import { OPERATION } from './tables.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Draws the successor's group id (16 bytes). */
export function reinit(t: Transaction, { conversation, suite = 0 }: Operation): Proposal {
  const { extensions } = group(t, conversation).context;
  return { type: REINIT, groupId: t.random.bytes(16), version: MLS10, cipherSuite: suite, extensions };
}

// ---- whose turn it is ----

/**
 * ms after the ReInit that the member waits for a successor before it founds one: admins in order of identity key, after a
 * day the others. The ReInit's committer does so at once. Null: never, as founding would make it an admin.
 */
export function turnOf(present: Membership, identity: Uint8Array): number | null {
  const admins = [...roles.effectiveAdmins(present)].sort(compare);
  const rank = (list: readonly Uint8Array[]): number => 1 + list.findIndex((one) => same(one, identity));
  if (hasIdentity(admins, identity)) return operations.TURN * rank(admins);
  if (!admins.some((admin) => hasIdentity(present.info.admins, admin))) return null;
  const others = identities(present).filter((one) => !hasIdentity(admins, one));
  return DAY + operations.TURN * rank(others.sort(compare));
}

export function setTimer(t: Transaction, conversation: Uint8Array): void {
  const present = t.get(MEMBERSHIP, conversation);
  if (present?.ended === undefined) return;
  const wait = turnOf(present, me(t).identity);
  if (wait !== null) work.setTimerByRelay(t, 'move', conversation, present.ended + wait);
}

/** Our turn to found the successor, if there is none. */
export function turn(t: Transaction, conversation: Uint8Array): void {
  const found = t.get(CONVERSATION, conversation);
  if (found?.state !== ConversationState.moving || isFounding(t, conversation)) return;
  const ended = reInit(group(t, conversation));
  if (ended) operations.add(t, conversation, OperationKind.move, { suite: ended.cipherSuite });
}

/** Whether we have begun to found the successor. */
function isFounding(t: Transaction, conversation: Uint8Array): boolean {
  return t.entries(OPERATION, conversation).some(([, { kind }]) => kind === OperationKind.move);
}

// ---- the successor ----

/** Names the resumption key of the ended group's last epoch. `nonce`: 32 bytes. */
export function resumption({ groupId, context }: Group, nonce: Uint8Array): ResumptionPskId {
  return { type: RESUMPTION_PSK, usage: FOR_REINIT, groupId, epoch: context.epoch, nonce };
}

/** The ended group's key, as its successor mixes it in. */
export function resumptionPsks(ended: Group): Psks {
  return new Map([[pskName(resumption(ended, new Uint8Array(0))), resumptionPsk(ended)]]);
}

/**
 * Encoded Moved, and founding commit, of the group that the ReInit promised; null where a key package does not fit. Draws
 * the nonce of the resumption key (32 bytes), what `createGroup` draws, then what `commitProposals` draws.
 */
export async function foundSuccessor(
  t: Transaction,
  operation: Operation,
): Promise<readonly [Uint8Array, PendingCommit] | null> {
  const own = me(t);
  const ended = group(t, operation.conversation);
  const promised = reInit(ended);
  const info = await readInfo(ended.context.extensions);
  if (!promised || !info) return null;
  const { cipherSuite, groupId } = promised;
  const psk = resumption(ended, t.random.bytes(ended.suite.hash.size));
  const founded = await newGroup(own, cipherSuite, groupId, info, t.time, t.random);
  const proposals = [...(await addsOf(t, cipherSuite, operation)), { type: PSK, psk } as const];
  let pending: PendingCommit;
  try {
    pending = await commitProposals(founded, proposals, {
      psks: resumptionPsks(ended),
      treeInWelcome: false,
      now: t.time,
      random: t.random,
    });
  } catch (error) {
    if (!(error instanceof MlsError)) throw error;
    work.count(t, `commit-${error.rule}`);
    return null;
  }
  const body = {
    group: ended.groupId,
    epoch: ended.epoch,
    identity: own.identity,
    groupInfo: await makeGroupInfo(pending.group),
    welcome: pending.welcome ?? undefined,
  };
  return [encodeMoved(await signMoved(own.identitySecret, body)), pending];
}

async function addsOf(t: Transaction, suite: number, { candidates }: Operation): Promise<Proposal[]> {
  const adds: Proposal[] = [];
  for (const { identity, keyPackage: data } of candidates) {
    const devices = await knownDevices(person(t, identity));
    const keyPackage = data && (await acceptedKeyPackage(data, suite, identity, devices, t.time));
    if (keyPackage) adds.push({ type: ADD, keyPackage });
  }
  return adds;
}
