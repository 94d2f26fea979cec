/** Changes of a conversation that we want, kept until a commit of ours or of somebody else has made them. */
import { concat } from '../crypto/bytes.ts';
import { compare, same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { openKeyPackage } from '../wire/keypackages.ts';
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
import type { Conversation, Membership } from './_state.ts';
import { type Candidate, type Operation, OperationKind } from './_state_rest.ts';
import { group, hasIdentity, identities, membership, need, nextNumber, save } from './conversation.ts';
import { acceptedKeyPackage, knownDevices } from './devices.ts';
import { attempt } from './errors.ts';
import { me, person } from './identity.ts';
import * as leaveproofs from './leaveproofs.ts';
import { setProblem } from './notes.ts';
import { ownerOf } from './reachable.ts';
import * as roles from './roles.ts';
import { OPERATION } from './tables.ts';
import type { State, Transaction } from './transaction.ts';
import * as work from './work.ts';

export function add(
  t: Transaction,
  conversation: Uint8Array,
  kind: OperationKind,
  wanted: Partial<Pick<Operation, 'candidates' | 'identities' | 'name' | 'proof'>>,
): void {
  const key = nextNumber(t, conversation);
  t.put(OPERATION, key, { conversation, kind, candidates: [], identities: [], ...wanted });
  save(t, need(t, conversation));
  work.wake(t, 'operation', conversation);
}

/** [key, operation] of the next one that still makes sense; those that do not are dropped. */
export async function first(t: Transaction, conversation: Uint8Array): Promise<[Uint8Array, Operation] | null> {
  for (const [key, operation] of t.entries(OPERATION, conversation)) {
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
    const { id } = conversation;
    return proof && (await leaveproofs.leavesOfWish(group(t, id), id, present, proof)).length ? operation : null;
  } else {
    if (kind === OperationKind.remove) {
      operation = { ...operation, identities: operation.identities.filter((one) => hasIdentity(members, one)) };
      if (!operation.identities.length) return null;
    } else if (same(encodeConversationInfo(newInfo(present, operation)), encodeConversationInfo(present.info))) {
      return null;
    }
    allowed = roles.isAdmin(present, own);
  }
  if (allowed) return operation;
  setProblem(t, conversation.id, 'change-refused');
  return null;
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
  const [, { conversation }, { reach }] = found;
  const { relay } = reach;
  const owner = ownerOf(reach, membership(t, conversation).suite);
  const name = work.item('take', key);
  if (!owner) taken(t, found, null, 'no-key-package');
  else if (work.mayCall(t, relay.identity, name)) work.call(t, relay.identity, name, { type: 'TakeKeyPackage', owner });
}

export async function answeredTake(t: Transaction, key: Uint8Array, _: Request, response: Response): Promise<void> {
  const found = candidateOf(t, key);
  if (!found || work.postponed(t, 'take', key, response)) return;
  const [, { conversation }, candidate] = found;
  work.succeeded(t, 'take', key);
  let keyPackage: Uint8Array | null = null;
  let problem = 'relay-refuses';
  if (response.type === 'KeyPackageTaken') {
    problem = 'bad-key-package';
    keyPackage = await open(t, membership(t, conversation).suite, candidate, response);
  } else if (response.type === 'Refused' && response.code === RefusalCode.noKeyPackage) problem = 'no-key-package';
  if (need(t, conversation).kind === ConversationKind.direct) {
    // There is nobody else to found it with: asked for until there is one.
    setProblem(t, conversation, keyPackage ? undefined : problem);
    if (!keyPackage) {
      work.pause(t, 'take', key);
      return;
    }
  }
  taken(t, found, keyPackage, problem);
}

/** The candidate has its key package; who has none is left out. */
function taken(
  t: Transaction,
  [key, operation, { identity }]: [Uint8Array, Operation, Candidate],
  keyPackage: Uint8Array | null,
  problem: string,
): void {
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

/** Where key packages are waited for. */
export function relays(state: State): RelayAddress[] {
  return state
    .entries(OPERATION)
    .flatMap(([, { candidates }]) => candidates.filter(isMissing).map(({ reach }) => reach.relay));
}
