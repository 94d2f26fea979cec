/** A member who cannot follow asks to be removed and added again; and those whom it asks. */
import { compare, same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { ConversationKind, type ReAddRequest, RECEIVE_KEYS_LIFETIME } from '../wire/messages.ts';
import { signReAddRequest, type VerifiedReAddRequest, verifyReAddRequest } from '../wire/requests.ts';
import { type Conversation, ConversationState, DropKind, type Membership, PackageUse } from './_state.ts';
import { OperationKind } from './_state_rest.ts';
import { hasIdentity, identities, membership as membersOf, need, save } from './conversation.ts';
import { acceptedKeyPackage, knownDevices } from './devices.ts';
import * as deliveries from './deliveries.ts';
import * as ending from './ending.ts';
import { me, person } from './identity.ts';
import * as keypackages from './keypackages.ts';
import { isLeaving } from './leave.ts';
import * as membership from './membership.ts';
import { SUITES } from './mlsgroup.ts';
import { setProblem } from './notes.ts';
import * as operations from './operations.ts';
import * as reachable from './reachable.ts';
import * as roles from './roles.ts';
import { CONVERSATION } from './state.ts';
import { conversationOf } from './successors.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Whoever is online commits; each further one asked makes a race of commits likelier. */
const ASKED_AT_ONCE = 3;
/** ms until the next are asked. */
const ASK_AGAIN = 3_600_000;

/** We cannot follow the conversation any more: stops it and asks the first members. Who wishes to leave has left. */
export async function begin(t: Transaction, conversation: Uint8Array): Promise<void> {
  const found = need(t, conversation);
  if (isLeaving(found)) {
    ending.end(t, conversation, ConversationState.left);
    return;
  }
  membership.forget(t, found);
  save(t, { ...need(t, conversation), state: ConversationState.stuck, since: t.time, asked: undefined });
  setProblem(t, conversation, 'stuck');
  await ask(t, conversation);
}

/** Asks the next members of whom we know a reach, admins first, each group in order of identity key. */
export async function ask(t: Transaction, conversation: Uint8Array): Promise<void> {
  const found = t.get(CONVERSATION, conversation);
  if (found?.state !== ConversationState.stuck) return;
  const { identity: own, identitySecret } = me(t);
  const present = membersOf(t, conversation);
  const admins = roles.effectiveAdmins(present);
  const others = identities(present).filter((identity) => !hasIdentity(admins, identity));
  const known = [...[...admins].sort(compare), ...others.sort(compare)].filter(
    (identity) => !same(identity, own) && reachable.of(t, identity, conversation),
  );
  let asked = found.asked ?? [];
  if (known.every((identity) => hasIdentity(asked, identity))) asked = [];
  const chosen = known.filter((identity) => !hasIdentity(asked, identity)).slice(0, ASKED_AT_ONCE);
  const chosenReaches = chosen.flatMap((identity) => reachable.of(t, identity, conversation) ?? []);
  for (const suite of chosenReaches.length ? suitesOf(found, present) : []) {
    const keyPackage = await keypackages.create(t, suite, PackageUse.sent);
    const body = { group: present.group, identity: own, epoch: found.epoch, keyPackage, time: t.time };
    const request = await signReAddRequest(identitySecret, body);
    await deliveries.send(t, chosenReaches, request, DropKind.readd, conversation);
  }
  save(t, { ...found, asked: [...asked, ...chosen] });
  work.setTimer(t, 'readd', conversation, t.now + ASK_AGAIN);
}

/** One request for each: a group may have moved since we last could follow. */
function suitesOf({ kind }: Conversation, { suite }: Membership): readonly number[] {
  return kind === ConversationKind.group ? SUITES : [suite];
}

/** A request that somebody kept must not remove a member long after. */
export function requestIsFresh(request: VerifiedReAddRequest, epoch: number, now: number): boolean {
  return request.epoch <= epoch && Math.abs(now - request.time) <= RECEIVE_KEYS_LIFETIME;
}

/** Removes the leaf and adds the new key package in one commit, if the request is a member's own. */
export async function received(t: Transaction, signed: ReAddRequest): Promise<void> {
  let request: VerifiedReAddRequest;
  try {
    request = await verifyReAddRequest(signed);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    work.count(t, `readd-${error.rule}`);
    return;
  }
  const { identity, keyPackage } = request;
  const conversation = conversationOf(t, request.group);
  const found = conversation && t.get(CONVERSATION, conversation);
  if (found?.state !== ConversationState.active) {
    work.count(t, 'readd-conversation');
    return;
  }
  const { id } = found;
  const present = membersOf(t, id);
  if (!hasIdentity(identities(present), identity) || same(identity, me(t).identity)) {
    work.count(t, 'readd-member');
    return;
  }
  const devices = await knownDevices(person(t, identity));
  const usable = await acceptedKeyPackage(keyPackage, present.suite, identity, devices, t.time);
  const reach = reachable.of(t, identity, id);
  // Epochs of a former group say nothing of those of the present one.
  const epoch = same(request.group, present.group) ? found.epoch : request.epoch;
  if (!usable || !reach || !requestIsFresh(request, epoch, t.time)) {
    work.count(t, 'readd-stale');
    return;
  }
  operations.add(t, id, OperationKind.readd, { candidates: [{ identity, reach, keyPackage }] });
}
