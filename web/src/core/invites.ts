/** Our own invites: an inbox and a card on the home relay, for one person and a while. */
import { concat } from '../crypto/bytes.ts';
import { XWING } from '../crypto/xwing.ts';
import { sealCard, signCard } from '../wire/invite.ts';
import { INVITE_LIFETIME, type InviteLink } from '../wire/messages.ts';
import { InboxPurpose } from './_state.ts';
import { type Invite, InviteState } from './_state_rest.ts';
import * as blobs from './blobs.ts';
import { CoreError } from './errors.ts';
import type { CardTokens } from './events.ts';
import { me } from './identity.ts';
import * as reachable from './reachable.ts';
import * as reaches from './reaches.ts';
import { INBOX, ME } from './state.ts';
import { INVITE, UPLOAD } from './tables.ts';
import type { State, Transaction } from './transaction.ts';
import * as work from './work.ts';

export const LINK_VERSION = 1;

const isOpen = ({ state }: Invite): boolean => state === InviteState.preparing || state === InviteState.ready;

/** Draws: the secret (16), the inbox's read secret, the X-Wing seed (32 each), the card's nonce (12). */
export async function create(t: Transaction, { tokens, join, tokenKeys }: CardTokens): Promise<Uint8Array> {
  const { identity, identitySecret, name, relay } = me(t);
  const secret = t.random.bytes(16);
  const inbox = reaches.create(t, InboxPurpose.invite, new Uint8Array(16));
  const { privateKey, publicKey } = await XWING.generate(t.random);
  const expires = t.time + INVITE_LIFETIME;
  const body = { identity, name, inbox: inbox.id, publicKey, expires };
  const signed = { ...(await signCard(identitySecret, body)), tokens, join, tokenKeys };
  const [card, data] = await sealCard(secret, signed, t.random);
  const id = card.slice(0, 16);
  t.put(INBOX, inbox.id, { ...inbox, owner: id });
  const state = InviteState.preparing;
  const invite = { id, secret, privateKey, card, inbox: inbox.id, created: t.time, expires, state };
  t.put(INVITE, id, invite);
  blobs.want(t, relay, { blob: card, data });
  work.wake(t, 'invite', id);
  setInviteTimer(t, invite);
  t.notify({ type: 'InvitesChanged' });
  return id;
}

function setInviteTimer(t: Transaction, { id, expires }: Invite): void {
  work.setTimerByRelay(t, 'invite', id, expires);
}

/** Ready as soon as the relay has the inbox and the card. */
export function workInvite(t: Transaction, id: Uint8Array): void {
  const invite = t.get(INVITE, id);
  if (invite?.state !== InviteState.preparing) return;
  const relay = me(t).relay.identity;
  const upload = t.get(UPLOAD, concat(relay, invite.card));
  if (!t.get(INBOX, invite.inbox)?.created || upload?.whole === false) return;
  blobs.release(t, relay, invite.card);
  t.put(INVITE, id, { ...invite, state: InviteState.ready });
  t.notify({ type: 'InviteCreated', id, link: linkOf(t.state, invite) });
  t.notify({ type: 'InvitesChanged' });
}

/** Without the relay's address: the link begins with it. */
export function linkOf(state: State, { card, secret }: Invite): InviteLink {
  const own = state.get(ME);
  if (!own) throw new CoreError('no-identity');
  return { version: LINK_VERSION, relay: own.relay.identity, card, secret };
}

/** Its inbox goes; nobody can use it any more. */
export function finish(t: Transaction, id: Uint8Array, state: InviteState): void {
  const invite = t.get(INVITE, id);
  if (!invite || !isOpen(invite)) return;
  t.put(INVITE, id, { ...invite, state });
  reachable.close(t, invite.inbox);
  blobs.release(t, me(t).relay.identity, invite.card);
  work.stopTimer(t, 'invite', id);
  t.notify({ type: 'InvitesChanged' });
}

/** @throws CoreError `unknown-invite` */
export function revoke(t: Transaction, id: Uint8Array): void {
  if (!t.get(INVITE, id)) throw new CoreError('unknown-invite');
  expire(t, id);
  t.remove(INVITE, id);
  t.notify({ type: 'InvitesChanged' });
}

export function expire(t: Transaction, id: Uint8Array): void {
  finish(t, id, InviteState.expired);
}

/** The relay does not take it. */
export function fail(t: Transaction, id: Uint8Array): void {
  finish(t, id, InviteState.failed);
  t.notify({ type: 'ProblemRaised', conversation: null, code: 'invite-failed' });
}

export function restore(t: Transaction): void {
  for (const [, invite] of t.entries(INVITE)) if (isOpen(invite)) setInviteTimer(t, invite);
}
