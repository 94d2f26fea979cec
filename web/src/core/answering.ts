/** Answering those who use our invites. */
import { sha256 } from '../crypto/hashes.ts';
import { same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import type { ContactRequest, Entry } from '../wire/messages.ts';
import { decodeContactRequestBody } from '../wire/messages_rest.ts';
import { openContactRequest, type VerifiedContactRequest, verifyContactRequest } from '../wire/requests.ts';
import type { Inbox } from './_state.ts';
import { type Asked, type Invite, InviteState } from './_state_rest.ts';
import { knownDevices, learnDevices, newerDeviceList } from './devices.ts';
import { attempt, CoreError } from './errors.ts';
import * as founding from './founding.ts';
import { me, person, savePerson } from './identity.ts';
import * as invites from './invites.ts';
import { INBOX, PERSON } from './state.ts';
import { ASKED, INVITE } from './tables.ts';
import type { Transaction } from './transaction.ts';
import * as welcome from './welcome.ts';
import * as work from './work.ts';

/** Requests that wait for the person: whoever finds an invite can send any number. */
const REQUESTS_MAX = 100;

/** An entry of an invite's inbox: a contact request or nothing. */
export async function receiveRequest(t: Transaction, inbox: Inbox, { seq, record, time }: Entry): Promise<void> {
  const { id, owner } = inbox;
  const invite = t.get(INVITE, owner);
  const message =
    invite && record && (await attempt(WireError, () => openContactRequest(invite.privateKey, invite.card, id, record)));
  t.put(INBOX, id, { ...inbox, seq });
  if (!message) work.count(t, 'inbox-record-bad');
  else if (message.type === 'ContactRequest' && invite.state === InviteState.ready) {
    await requestReceived(t, invite, message, time);
  }
}

/** Shown to the person, if it is in order; `time`: when the relay took it. */
export async function requestReceived(
  t: Transaction,
  invite: Invite,
  request: ContactRequest,
  time: number,
): Promise<void> {
  let verified: VerifiedContactRequest;
  try {
    verified = await verifyContactRequest(invite.card, request);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    work.count(t, `request-${error.rule}`);
    return;
  }
  const { identity, name, text, devices, reach } = verified;
  const somebody = person(t, identity);
  if (somebody.blocked || same(identity, me(t).identity)) {
    work.count(t, 'request-blocked');
    return;
  }
  if (!(await newerDeviceList(await knownDevices(somebody), devices))) {
    work.count(t, 'request-devices');
    return;
  }
  const id = sha256(request.body).slice(0, 16);
  if (t.keys(ASKED).length >= REQUESTS_MAX || t.get(ASKED, id)) {
    work.count(t, 'request-many');
    return;
  }
  const signed = decodeContactRequestBody(request.body).devices;
  t.put(ASKED, id, { id, identity, name, text, time, invite: invite.id, devices: signed, reach });
  t.notify({ type: 'RequestReceived', id });
  t.notify({ type: 'RequestsChanged' });
}

function askedOf(t: Transaction, id: Uint8Array): Asked {
  const found = t.get(ASKED, id);
  if (!found) throw new CoreError('unknown-request');
  return found;
}

/** Founds the conversation. @throws CoreError `unknown-request` or `blocked` */
export async function accept(t: Transaction, id: Uint8Array): Promise<void> {
  const asked = askedOf(t, id);
  const { identity, name, reach } = asked;
  if (person(t, identity).blocked) throw new CoreError('blocked');
  await learnDevices(t, identity, asked.devices);
  const somebody = person(t, identity);
  savePerson(t, { ...somebody, name, named: true, accepted: true, reach });
  // An invite is for one person: its other requests go, and so do others of the same person.
  forgetRequests(t, (other) => same(other.invite, asked.invite) || same(other.identity, identity));
  invites.finish(t, asked.invite, InviteState.used);
  const known = founding.directOf(t, identity);
  if (known) {
    t.notify({ type: 'ConversationChanged', conversation: known });
    return;
  }
  const conversation = await founding.direct(t, { identity, reach });
  welcome.becomeDirect(t, conversation, identity);
}

function forgetRequests(t: Transaction, which: (asked: Asked) => boolean): void {
  for (const [key, asked] of t.entries(ASKED)) if (which(asked)) t.remove(ASKED, key);
  t.notify({ type: 'RequestsChanged' });
}

/** Nothing is sent. */
export function decline(t: Transaction, id: Uint8Array): void {
  const asked = askedOf(t, id);
  forgetRequests(t, (other) => other === asked);
}

export function blockRequest(t: Transaction, id: Uint8Array): void {
  const { identity, name } = askedOf(t, id);
  const somebody = person(t, identity);
  savePerson(t, { ...somebody, name: somebody.name || name, blocked: true });
  forgetRequests(t, (other) => same(other.identity, identity));
}

/** @throws CoreError `unknown-contact` */
export function setBlocked(t: Transaction, identity: Uint8Array, blocked: boolean): void {
  const somebody = t.get(PERSON, identity);
  if (!somebody) throw new CoreError('unknown-contact');
  savePerson(t, { ...somebody, blocked });
  const { conversation } = somebody;
  if (conversation) t.notify({ type: 'ConversationChanged', conversation });
}

/** @throws CoreError `unknown-contact` */
export function markVerified(t: Transaction, identity: Uint8Array, verified: boolean): void {
  const somebody = t.get(PERSON, identity);
  if (!somebody) throw new CoreError('unknown-contact');
  savePerson(t, { ...somebody, verified });
}
