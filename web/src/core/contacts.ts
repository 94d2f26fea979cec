/** Using somebody's invite: its card, our request, and the inbox for the answer. */
import { same } from '../wire/bytes.ts';
import { openCard, verifyCard } from '../wire/card.ts';
import { sealContactRequest, signContactRequest } from '../wire/contactrequest.ts';
import { textBytes } from '../wire/cbor.ts';
import { WireError } from '../wire/errors.ts';
import { BLOB_PART, type InviteLink, RefusalCode, type RelayAddress, type Request, type Response } from '../wire/messages.ts';
import { DropKind, InboxPurpose, type Opened, OpenedState } from './_state.ts';
import * as drops from './drops.ts';
import { attempt, CoreError } from './errors.ts';
import { me, person } from './identity.ts';
import * as keypackages from './keypackages.ts';
import { rest } from './provided.ts';
import * as reaches from './reaches.ts';
import { INBOX, OPENED } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

const TEXT_MAX = 512;
/** Bytes of a sealed card: 2,048 of body, 17 tokens, a list of token keys. */
const CARD_MAX = 20_480;

/** By which an invite that we use is known here: the same link again is the same invite. */
export const openedId = ({ card }: InviteLink): Uint8Array => card.slice(0, 16);

/** Doing it twice changes nothing, except that a failed one is tried again. @throws CoreError `no-identity` */
export function useInvite(t: Transaction, link: InviteLink, relay: RelayAddress): void {
  me(t);
  const id = openedId(link);
  const known = t.get(OPENED, id);
  if (!known || known.state === OpenedState.failed) {
    t.put(OPENED, id, { id, link, relay, state: OpenedState.opening });
  } else if (known.state === OpenedState.opened && known.card) {
    const { name, identity } = known.card;
    t.notify({ type: 'InviteOpened', id, name, identity });
  }
  work.wake(t, 'opened', id);
}

/** @throws CoreError `unknown-invite`, `invite-not-open`, `bad-content` or `blocked` */
export async function sendRequest(t: Transaction, id: Uint8Array, text: string | null): Promise<void> {
  const opened = t.get(OPENED, id);
  if (!opened) throw new CoreError('unknown-invite');
  if (opened.state !== OpenedState.opened || !opened.card) throw new CoreError('invite-not-open');
  const bytes = await attempt(WireError, () => textBytes(text ?? ''));
  if (!bytes || bytes.length > TEXT_MAX) throw new CoreError('bad-content');
  if (person(t, opened.card.identity).blocked) throw new CoreError('blocked');
  const inbox = reaches.create(t, InboxPurpose.contact, id);
  t.put(OPENED, id, { ...opened, state: OpenedState.requesting, text: text ?? undefined, inbox: inbox.id });
  work.wake(t, 'opened', id);
}

export async function workOpened(t: Transaction, id: Uint8Array): Promise<void> {
  const opened = t.get(OPENED, id);
  if (opened?.state === OpenedState.opening) {
    const relay = opened.relay.identity;
    const name = work.item('opened', id);
    if (!work.mayCall(t, relay, name)) return;
    work.call(t, relay, name, { type: 'GetBlob', id: opened.link.card, offset: 0, length: BLOB_PART });
  } else if (opened?.state === OpenedState.requesting && !drops.isWaiting(t, id, DropKind.request)) {
    await makeRequest(t, opened);
  }
}

/** As soon as the inbox for the answer is there, and key packages with which we can be added. */
async function makeRequest(t: Transaction, opened: Opened): Promise<void> {
  const { id, card, link, relay, text } = opened;
  const inbox = opened.inbox && t.get(INBOX, opened.inbox);
  if (!inbox?.created || !card || !keypackages.offered(t)) return;
  const { identity, identitySecret, name, devices } = me(t);
  const request = await signContactRequest(identitySecret, {
    card: link.card,
    identity,
    name,
    text,
    devices,
    reach: reaches.ofInbox(t, inbox),
  });
  try {
    const record = await sealContactRequest(card.publicKey, link.card, card.inbox, request, t.random);
    drops.put(t, { relay, inbox: card.inbox, record, kind: DropKind.request, owner: id });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    work.count(t, `request-${error.rule}`);
    failed(t, opened, 'invite-tampered');
  }
}

export async function answeredOpened(
  t: Transaction,
  id: Uint8Array,
  _: Request,
  response: Response,
): Promise<void> {
  const opened = t.get(OPENED, id);
  if (opened?.state !== OpenedState.opening || work.postponed(t, 'opened', id, response)) return;
  work.succeeded(t, 'opened', id);
  if (response.type === 'BlobPart' && response.total === response.part.length && response.total <= CARD_MAX) {
    await cardFetched(t, opened, response.part);
    return;
  }
  const gone = response.type === 'Refused' && response.code === RefusalCode.unknownBlob;
  failed(t, opened, gone ? 'invite-gone' : 'invite-tampered');
}

async function cardFetched(t: Transaction, opened: Opened, blob: Uint8Array): Promise<void> {
  const { id, link } = opened;
  try {
    const found = await openCard(link.secret, link.card, blob);
    const verified = await verifyCard(found, t.time);
    const { identity, name, inbox, publicKey, expires } = verified;
    if (same(identity, me(t).identity)) {
      failed(t, opened, 'invite-own');
      return;
    }
    const card = { identity, name, inbox, publicKey, expires };
    t.put(OPENED, id, { ...opened, state: OpenedState.opened, card });
    const { tokens = [], join, tokenKeys } = found.card;
    if (tokens.length || join || tokenKeys) {
      t.notify({ type: 'TokensReceived', relay: opened.relay.identity, tokens, join, tokenKeys });
    }
    t.notify({ type: 'InviteOpened', id, name, identity });
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    failed(t, opened, error.rule === 'card-expired' ? 'invite-expired' : 'invite-tampered');
  }
}

function failed(t: Transaction, opened: Opened, code: string): void {
  const { id, inbox } = opened;
  if (inbox) rest().closeInbox(t, inbox);
  t.put(OPENED, id, { ...opened, state: OpenedState.failed, problem: code, inbox: undefined });
  t.notify({ type: 'InviteFailed', id, code });
}

/** The relay has our request, or the invite's inbox is gone: somebody else used it. */
export function requested(t: Transaction, id: Uint8Array, taken: boolean): void {
  const opened = t.get(OPENED, id);
  if (opened?.state !== OpenedState.requesting) return;
  if (taken) {
    t.put(OPENED, id, { ...opened, state: OpenedState.requested });
    t.notify({ type: 'ContactsChanged' });
  } else failed(t, opened, 'invite-used');
}
