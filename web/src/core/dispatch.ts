/** Which module looks after which kind of work item and timer. */
import { RECEIVE_KEYS_LIFETIME, type Request, type Response } from '../wire/messages.ts';
import * as blobs from './blobs.ts';
import * as contacts from './contacts.ts';
import * as contents from './contents.ts';
import * as drops from './drops.ts';
import * as ephemeral from './ephemeral.ts';
import * as epochs from './epochs.ts';
import * as founding from './founding.ts';
import * as inboxes from './inboxes.ts';
import * as invites from './invites.ts';
import * as keypackages from './keypackages.ts';
import * as leave from './leave.ts';
import * as log from './log.ts';
import * as membership from './membership.ts';
import { DAY } from './mlsgroup.ts';
import * as operations from './operations.ts';
import * as outbox from './outbox.ts';
import * as readd from './readd.ts';
import * as receipts from './receipts.ts';
import { COMMIT, CONVERSATION, INVITE, OUTBOX } from './state.ts';
import * as sync from './sync.ts';
import * as topics from './topics.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Work items of one step: a full catch-up of 256 held entries wakes a few thousand. More is a fault of ours. */
const ROUNDS_MAX = 100_000;

const NONE = new Uint8Array(0);

type Handlers<A extends unknown[]> = Readonly<
  Record<string, (t: Transaction, key: Uint8Array, ...rest: A) => void | Promise<void>>
>;

/** Looks at woken items, lowest first, until none is left. */
export async function run(t: Transaction): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const name = t.nextItem();
    if (name === undefined) return;
    const [kind, key] = work.split(name);
    await LOOK[kind]?.(t, key);
  }
  work.count(t, 'rounds');
}

const LOOK: Handlers<[]> = {
  commit: membership.workCommit,
  download: blobs.workDownload,
  drop: drops.workDrop,
  inbox: inboxes.workInbox,
  invite: invites.workInvite,
  keys: keypackages.workKeys,
  later: founding.welcomeLater,
  left: leave.intentLogged,
  log: log.advance,
  opened: contacts.workOpened,
  operation: membership.workOperation,
  out: (t, key) => work.wake(t, 'outbox', key.slice(0, 16)),
  outbox: outbox.workConversation,
  'request-refused': (t, key) => contacts.requested(t, key, false),
  requested: (t, key) => contacts.requested(t, key, true),
  subscribe: sync.workSubscribe,
  take: operations.workTake,
  topic: sync.workTopic,
  upload: blobs.workUpload,
  uploads: uploaded,
};

/** A blob is whole: whatever waited for one looks again. */
function uploaded(t: Transaction): void {
  blobs.wakeDrops(t);
  for (const conversation of t.keys(COMMIT)) work.wake(t, 'commit', conversation);
  for (const key of t.keys(OUTBOX)) work.wake(t, 'outbox', key.slice(0, 16));
  for (const invite of t.keys(INVITE)) work.wake(t, 'invite', invite);
}

const ANSWER: Handlers<[Request, Response]> = {
  commit: membership.answeredCommit,
  download: blobs.answeredDownload,
  drop: drops.answered,
  inbox: inboxes.answered,
  keys: (t, _, request, response) => keypackages.answered(t, request, response),
  opened: contacts.answeredOpened,
  out: outbox.answered,
  subscribe: sync.answeredSubscribe,
  take: operations.answeredTake,
  topic: sync.answeredTopic,
  upload: blobs.answeredUpload,
};

export async function answer(t: Transaction, name: string, request: Request, response: Response): Promise<void> {
  const [kind, key] = work.split(name);
  await ANSWER[kind]?.(t, key, request, response);
}

const TIMER: Handlers<[]> = {
  answered: founding.closeAnswered,
  close: topics.close,
  daily,
  epochs: epochs.forgetOld,
  invite: invites.expire,
  left: leave.overdue,
  poll: sync.poll,
  readd: readd.ask,
  receipts: receipts.flush,
  typing: (t, key) => ephemeral.show(t, key, false),
  wish: leave.commitWish,
};

export async function timer(t: Transaction, name: string): Promise<void> {
  if (name.startsWith(work.RETRY)) return work.retry(t, name.slice(work.RETRY.length));
  const [kind, key] = work.split(name);
  await TIMER[kind]?.(t, key);
}

function daily(t: Transaction): void {
  contents.forgetOld(t, t.time - RECEIVE_KEYS_LIFETIME);
  keypackages.forgetExpired(t);
  for (const conversation of t.keys(CONVERSATION)) epochs.forgetOld(t, conversation);
  work.setTimer(t, 'daily', NONE, t.now + DAY);
}
