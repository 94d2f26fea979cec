/** Our inboxes: fetched, unsealed, handed on, trimmed. */
import { WireError } from '../wire/errors.ts';
import {
  decodeInboxMessage,
  type Entry,
  FETCH_LIMIT,
  type Records,
  RefusalCode,
  type Request,
  type Response,
} from '../wire/messages.ts';
import { openRecord } from '../wire/record.ts';
import { type Inbox, InboxPurpose } from './_state.ts';
import { readBody } from './downloads.ts';
import type { Body } from './body.ts';
import { sourceOf } from './entries.ts';
import { attempt } from './errors.ts';
import { rest } from './provided.ts';
import { INBOX, LINK, SOURCE, type Source } from './state.ts';
import type { Transaction } from './transaction.ts';
import { welcome } from './welcome.ts';
import * as work from './work.ts';

export function workInbox(t: Transaction, id: Uint8Array): void {
  const inbox = t.get(INBOX, id);
  if (!inbox) return;
  const relay = inbox.relay.identity;
  const name = work.item('inbox', id);
  const link = t.get(LINK, relay);
  if (!link || !work.mayCall(t, relay, name)) return;
  const source = t.get(SOURCE, id);
  const { readSecret, closing, created, seq, trimmed } = inbox;
  if (closing) work.call(t, relay, name, { type: 'DeleteInbox', readSecret });
  else if (!created) work.call(t, relay, name, { type: 'CreateInbox', readSecret });
  else if (isBehind(inbox, source, link.session)) {
    work.call(t, relay, name, { type: 'FetchInbox', readSecret, after: seq, limit: FETCH_LIMIT });
  } else if (seq > trimmed) work.call(t, relay, name, { type: 'TrimInbox', readSecret, upto: seq });
  else if (link.session && !source?.subscribed) work.wake(t, 'subscribe', relay);
}

/** Where nothing was told yet: in a session the answer to Subscribe tells. */
function isBehind({ seq }: Inbox, source: Source | undefined, session: boolean): boolean {
  return source?.told ? source.head > seq : !session;
}

export async function answered(t: Transaction, id: Uint8Array, request: Request, response: Response): Promise<void> {
  const inbox = t.get(INBOX, id);
  if (!inbox || work.postponed(t, 'inbox', id, response)) return;
  work.wake(t, 'inbox', id);
  const done = response.type === 'Done';
  const gone = response.type === 'Refused' && response.code === RefusalCode.unknownInbox;
  if (request.type === 'DeleteInbox') rest().inboxDeleted(t, id, gone || done);
  else if (gone) lost(t, inbox);
  else if (request.type === 'CreateInbox' && done) {
    work.succeeded(t, 'inbox', id);
    t.put(INBOX, id, { ...inbox, created: true });
    work.wake(t, inbox.purpose === InboxPurpose.invite ? 'invite' : 'opened', inbox.owner);
  } else if (request.type === 'FetchInbox' && response.type === 'Records') await fetched(t, inbox, response);
  else if (request.type === 'TrimInbox' && done) {
    work.succeeded(t, 'inbox', id);
    t.put(INBOX, id, { ...inbox, trimmed: Math.max(inbox.trimmed, request.upto) });
  } else {
    work.count(t, 'inbox-refused');
    work.pause(t, 'inbox', id);
    if (inbox.purpose === InboxPurpose.invite && !inbox.created && response.type === 'Refused') {
      rest().inviteFailed(t, inbox.owner);
    }
  }
}

/** The relay does not know it (any more): it is made again, under the same id. */
export function lost(t: Transaction, inbox: Inbox): void {
  t.put(INBOX, inbox.id, { ...inbox, created: false, seq: 0, trimmed: 0 });
  t.remove(SOURCE, inbox.id);
  work.pause(t, 'inbox', inbox.id);
}

async function fetched(t: Transaction, { id, relay, seq: before }: Inbox, { entries, head }: Records): Promise<void> {
  const source = sourceOf(t, id, relay.identity);
  t.put(SOURCE, id, { ...source, head, told: true });
  for (const entry of [...entries].sort((a, b) => a.seq - b.seq)) if (!(await receive(t, id, entry))) return;
  if (t.get(INBOX, id)?.seq === before && head > before) {
    // The answer brought nothing of what it says is there.
    work.count(t, 'inbox-gap');
    t.put(SOURCE, id, { ...source, head: before, told: true });
    return;
  }
  work.succeeded(t, 'inbox', id);
}

export async function pushed(t: Transaction, id: Uint8Array, entry: Entry): Promise<void> {
  const inbox = t.get(INBOX, id);
  if (!inbox || inbox.closing) return;
  const source = sourceOf(t, id, inbox.relay.identity);
  t.put(SOURCE, id, { ...source, head: Math.max(source.head, entry.seq) });
  if (entry.seq === inbox.seq + 1) await receive(t, id, entry);
  work.wake(t, 'inbox', id);
}

/** Takes one entry; false: its body is being fetched. */
async function receive(t: Transaction, id: Uint8Array, entry: Entry): Promise<boolean> {
  const inbox = t.get(INBOX, id);
  if (!inbox || inbox.closing || entry.seq <= inbox.seq) return true;
  // Contact requests come through invites only, everything else never does.
  if (inbox.purpose === InboxPurpose.invite) {
    await rest().receiveRequest(t, inbox, entry);
    return true;
  }
  const body = await read(t, inbox, entry);
  if (body.state === 'waiting') return false;
  const message = body.state === 'ready' && (await attempt(WireError, () => decodeInboxMessage(body.data)));
  t.put(INBOX, id, { ...inbox, seq: entry.seq });
  if (!message) work.count(t, 'inbox-record-bad');
  else if (message.type === 'WelcomeMessage') await welcome(t, message);
  else if (message.type === 'ReAddRequest') await rest().receiveReAdd(t, message);
  return true;
}

async function read(t: Transaction, { id, relay, inboxKey }: Inbox, entry: Entry): Promise<Body> {
  const { record } = entry;
  if (!record || !inboxKey) return { state: 'gone' };
  const body = await attempt(WireError, () => openRecord(inboxKey, id, record));
  return body ? readBody(t, relay.identity, work.item('inbox', id), entry, body) : { state: 'bad' };
}
