/** Changes of a conversation that we want, kept until a commit of ours or of somebody else has made them. */
import { concat } from '../crypto/bytes.ts';
import { reInit } from '../mls/changes.ts';
import { compare, same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { openKeyPackage } from '../wire/takenpackages.ts';
import {
  type ConversationInfo,
  ConversationKind,
  type KeyPackageTaken,
  RefusalCode,
  type RelayAddress,
  type Request,
  type Response,
} from '../wire/messages.ts';
import { encodeConversationInfo } from '../wire/messages_rest.ts';
import { type Conversation, ConversationState, type Membership } from './_state.ts';
import { type Candidate, type Operation, OperationKind } from './_state_rest.ts';
import { group, hasIdentity, identities, membership, need, nextNumber, save } from './conversation.ts';
import { acceptedKeyPackage, knownDevices } from './devices.ts';
import { attempt } from './errors.ts';
import { me, person } from './identity.ts';
import * as leaveproofs from './leaveproofs.ts';
import { fits } from './newgroups.ts';
import { setProblem } from './notes.ts';
import { of as reachOf, ownerOf } from './reachable.ts';
import * as roles from './roles.ts';
import { OPERATION } from './tables.ts';
import type { State, Transaction } from './transaction.ts';
import * as work from './work.ts';

/** ms by which each founder of a successor waits longer than the one before, so that one is enough. */
export const TURN = 3_600_000;

export function add(
  t: Transaction,
  conversation: Uint8Array,
  kind: OperationKind,
  wanted: Partial<Pick<Operation, 'candidates' | 'identities' | 'name' | 'proof' | 'suite'>>,
): void {
  const key = nextNumber(t, conversation);
  t.put(OPERATION, key, { conversation, kind, candidates: [], identities: [], ...wanted });
  save(t, need(t, conversation));
  work.wake(t, 'operation', conversation);
}

/**
 * [key, operation] of the next one that still makes sense; those that do not are dropped. While the conversation is moving
 * all but the move wait.
 */
export async function first(
  t: Transaction,
  conversation: Uint8Array,
  skipped: readonly Uint8Array[] = [],
): Promise<[Uint8Array, Operation] | null> {
  const moving = need(t, conversation).state === ConversationState.moving;
  for (const [key, operation] of t.entries(OPERATION, conversation)) {
    if (hasIdentity(skipped, key) || (moving && operation.kind !== OperationKind.move)) continue;
    const revised = await revise(t, membership(t, conversation), need(t, conversation), operation);
    if (revised) {
      t.put(OPERATION, key, revised);
      return [key, revised];
    }
    drop(t, key);
  }
  return null;
}

/** It is done, or will never be. */
export function drop(t: Transaction, key: Uint8Array): void {
  const operation = t.get(OPERATION, key);
  if (!operation) return;
  t.remove(OPERATION, key);
  let conversation = need(t, operation.conversation);
  const left = t.entries(OPERATION, conversation.id).some(([, { kind }]) => kind === OperationKind.add);
  if (conversation.founding && !left) {
    conversation = { ...conversation, founding: false };
    work.wake(t, 'outbox', conversation.id);
  }
  save(t, conversation);
}

export function dropAll(t: Transaction, conversation: Uint8Array): void {
  for (const key of t.keys(OPERATION, conversation)) t.remove(OPERATION, key);
}

/** The part of the operation that is still wanted and allowed; null: nothing is. */
async function revise(
  t: Transaction,
  present: Membership,
  conversation: Conversation,
  operation: Operation,
): Promise<Operation | null> {
  const own = me(t).identity;
  const members = identities(present);
  const { kind, proof } = operation;
  let allowed = true;
  if (kind === OperationKind.update) return operation;
  if (kind === OperationKind.add) {
    const candidates = operation.candidates.filter((one) => !hasIdentity(members, one.identity));
    if (!candidates.length) return null;
    operation = { ...operation, candidates };
    allowed = roles.mayAdd(present, own, conversation.epoch);
  } else if (kind === OperationKind.readd) {
    const candidates: Candidate[] = [];
    for (const one of operation.candidates) {
      if (hasIdentity(members, one.identity) && !(await isIn(t, conversation, one))) candidates.push(one);
    }
    return candidates.length ? { ...operation, candidates } : null;
  } else if (kind === OperationKind.leave) {
    const leaves = proof && (await leaveproofs.leavesOfWish(group(t, conversation.id), present, proof));
    return leaves?.length ? operation : null;
  } else if (kind === OperationKind.move) {
    return revisedMove(t, present, conversation, operation);
  } else {
    if (kind === OperationKind.remove) {
      operation = { ...operation, identities: operation.identities.filter((one) => hasIdentity(members, one)) };
      if (!operation.identities.length) return null;
    } else if (same(encodeConversationInfo(newInfo(present, operation)), encodeConversationInfo(present.info))) {
      return null;
    }
    allowed = roles.isAdmin(present, own);
  }
  return allowed ? operation : refused(t, conversation);
}

function refused(t: Transaction, { id }: Conversation): null {
  setProblem(t, id, 'change-refused');
  return null;
}

/** With all present members but us for candidates. After the ReInit it is founding the successor. */
function revisedMove(
  t: Transaction,
  present: Membership,
  conversation: Conversation,
  operation: Operation,
): Operation | null {
  const { suite, candidates: known } = operation;
  const own = me(t).identity;
  const ended = reInit(group(t, conversation.id));
  if (suite === undefined || suite === present.suite || (ended && suite !== ended.cipherSuite)) return null;
  if (!ended && !roles.isAdmin(present, own)) return refused(t, conversation);
  const candidates: Candidate[] = [];
  for (const identity of identities(present).filter((one) => !same(one, own))) {
    const reach = reachOf(t, identity, conversation.id);
    const candidate = known.find((one) => same(one.identity, identity)) ?? (reach && { identity, reach });
    if (!candidate) {
      cannotMove(t, conversation);
      return null;
    }
    candidates.push(candidate);
  }
  if (!ended && !fits(suite, 1 + candidates.length)) {
    cannotMove(t, conversation);
    return null;
  }
  return { ...operation, candidates };
}

/** Somebody cannot be taken along: nothing has changed, or after the ReInit it is tried again. */
export function cannotMove(t: Transaction, { id, state }: Conversation): void {
  setProblem(t, id, 'cannot-move');
  if (state === ConversationState.moving) work.setTimer(t, 'move', id, t.now + TURN);
}

const NONE = new Uint8Array(0);

/** Whether somebody else has added the candidate's new leaf already. */
async function isIn(t: Transaction, { id }: Conversation, { keyPackage, identity }: Candidate): Promise<boolean> {
  const found = await acceptedKeyPackage(keyPackage ?? NONE, membership(t, id).suite, identity, null, t.time);
  // A leaf's signature covers all of it.
  return (
    !found || group(t, id).members().some((member) => same(member.leafNode.signature, found.leafNode.signature))
  );
}

/** The ConversationInfo that the operation wants. */
export function newInfo(present: Membership, { kind, name, identities: whom }: Operation): ConversationInfo {
  const { info } = present;
  if (kind === OperationKind.rename && name !== undefined) return { ...info, name };
  const before = roles.effectiveAdmins(present);
  let admins: readonly Uint8Array[];
  if (kind === OperationKind.admin) {
    const members = identities(present);
    admins = [...before, ...whom.filter((one) => hasIdentity(members, one) && !hasIdentity(before, one))];
  } else if (kind === OperationKind.unadmin) admins = before.filter((one) => !hasIdentity(whom, one));
  else return info;
  return { ...info, admins: [...admins].sort(compare) };
}

// ---- key packages of those who are to be added ----

/** Of the key packages that the operation needs. */
export function suiteOf(t: Transaction, { kind, suite, conversation }: Operation): number {
  return kind === OperationKind.move && suite !== undefined ? suite : membership(t, conversation).suite;
}

export function isMissing({ keyPackage }: Candidate): boolean {
  return !keyPackage;
}

export function takeMissing(t: Transaction, key: Uint8Array, operation: Operation): void {
  for (const { identity } of operation.candidates.filter(isMissing)) work.wake(t, 'take', concat(key, identity));
}

function candidateOf(t: Transaction, key: Uint8Array): [Uint8Array, Operation, Candidate] | undefined {
  const operationKey = key.slice(0, 24);
  const operation = t.get(OPERATION, operationKey);
  const candidate = operation?.candidates.find((one) => same(one.identity, key.slice(24)));
  return operation && candidate && [operationKey, operation, candidate];
}

export function workTake(t: Transaction, key: Uint8Array): void {
  const found = candidateOf(t, key);
  if (!found || !isMissing(found[2])) return;
  const [, operation, { reach }] = found;
  const { relay } = reach;
  const owner = ownerOf(reach, suiteOf(t, operation));
  const name = work.item('take', key);
  if (!owner) taken(t, found, null, 'no-key-package');
  else if (work.mayCall(t, relay.identity, name)) work.call(t, relay.identity, name, { type: 'TakeKeyPackage', owner });
}

export async function answeredTake(t: Transaction, key: Uint8Array, _: Request, response: Response): Promise<void> {
  const found = candidateOf(t, key);
  if (!found || work.postponed(t, 'take', key, response)) return;
  const [, operation, candidate] = found;
  work.succeeded(t, 'take', key);
  let keyPackage: Uint8Array | null = null;
  let problem = 'relay-refuses';
  if (response.type === 'KeyPackageTaken') {
    problem = 'bad-key-package';
    keyPackage = await open(t, suiteOf(t, operation), candidate, response);
  } else if (response.type === 'Refused' && response.code === RefusalCode.noKeyPackage) problem = 'no-key-package';
  const { id, kind, state } = need(t, operation.conversation);
  if (kind === ConversationKind.direct || state === ConversationState.moving) {
    // It is not founded without them: asked for until there is one.
    setProblem(t, id, keyPackage ? undefined : problem);
    if (!keyPackage) {
      work.pause(t, 'take', key);
      return;
    }
  }
  taken(t, found, keyPackage, problem);
}

/** The candidate has its key package; who has none is left out, and a group does not move without a member. */
function taken(
  t: Transaction,
  [key, operation, { identity }]: [Uint8Array, Operation, Candidate],
  keyPackage: Uint8Array | null,
  problem: string,
): void {
  if (!keyPackage && operation.kind === OperationKind.move) {
    drop(t, key);
    cannotMove(t, need(t, operation.conversation));
    return;
  }
  const candidates = operation.candidates.flatMap((one) =>
    !same(one.identity, identity) ? [one] : keyPackage ? [{ ...one, keyPackage }] : [],
  );
  t.put(OPERATION, key, { ...operation, candidates });
  if (!keyPackage) setProblem(t, operation.conversation, problem);
  work.wake(t, 'operation', operation.conversation);
}

async function open(
  t: Transaction,
  suite: number,
  { identity, reach }: Candidate,
  { package: sealed }: KeyPackageTaken,
): Promise<Uint8Array | null> {
  const owner = ownerOf(reach, suite) ?? NONE;
  const data = await attempt(WireError, () => openKeyPackage(reach.packageKey, owner, sealed));
  const devices = await knownDevices(person(t, identity));
  return data && (await acceptedKeyPackage(data, suite, identity, devices, t.time)) && data;
}

const ADDING_FAILED = ['no-key-package', 'bad-key-package', 'relay-refuses', 'welcome-failed'];

/** The person adds somebody: what stood in the way before is over until it does again. */
export function triedAgain(t: Transaction, conversation: Uint8Array): void {
  if (ADDING_FAILED.includes(need(t, conversation).problem ?? '')) setProblem(t, conversation, undefined);
}

/** Where key packages are waited for. */
export function relays(state: State): RelayAddress[] {
  return state
    .entries(OPERATION)
    .flatMap(([, { candidates }]) => candidates.filter(isMissing).map(({ reach }) => reach.relay));
}
