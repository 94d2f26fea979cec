/** Which module looks after which kind of work item and timer. The rest enters those of its own. */
import type { Request, Response } from '../wire/messages.ts';
import * as contacts from './contacts.ts';
import * as downloads from './downloads.ts';
import * as drops from './drops.ts';
import * as inboxes from './inboxes.ts';
import * as keypackages from './keypackages.ts';
import * as log from './log.ts';
import * as outbox from './outbox.ts';
import { rest } from './provided.ts';
import * as sync from './sync.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** Work items of one step: a full catch-up of 256 held entries wakes a few thousand. More is a fault of ours. */
const ROUNDS_MAX = 100_000;

type Handlers<A extends unknown[]> = Record<
  string,
  (t: Transaction, key: Uint8Array, ...others: A) => void | Promise<void>
>;

/** Looks at woken items, lowest first, until none is left. */
export async function run(t: Transaction): Promise<void> {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const name = t.nextItem();
    if (name === undefined) return;
    const [kind, key] = work.split(name);
    // Items of the rest have nothing to do before it has made a row for them.
    await LOOK[kind]?.(t, key);
  }
  work.count(t, 'rounds');
}

export const LOOK: Handlers<[]> = {
  download: downloads.workDownload,
  drop: drops.workDrop,
  inbox: inboxes.workInbox,
  keys: keypackages.workKeys,
  log: log.advance,
  opened: contacts.workOpened,
  out: (t, key) => work.wake(t, 'outbox', key.slice(0, 16)),
  outbox: outbox.workConversation,
  'request-refused': (t, key) => contacts.requested(t, key, false),
  requested: (t, key) => contacts.requested(t, key, true),
  subscribe: sync.workSubscribe,
  topic: sync.workTopic,
};

export const ANSWER: Handlers<[Request, Response]> = {
  download: downloads.answeredDownload,
  drop: drops.answered,
  inbox: inboxes.answered,
  keys: keypackages.answered,
  opened: contacts.answeredOpened,
  out: outbox.answered,
  subscribe: sync.answeredSubscribe,
  topic: sync.answeredTopic,
};

export async function answer(t: Transaction, name: string, request: Request, response: Response): Promise<void> {
  const [kind, key] = work.split(name);
  await ANSWER[kind]?.(t, key, request, response);
}

export const TIMER: Handlers<[]> = { poll: sync.poll };

export async function timer(t: Transaction, name: string): Promise<void> {
  if (name.startsWith(work.RETRY)) return work.retry(t, name.slice(work.RETRY.length));
  const [kind, key] = work.split(name);
  if (!TIMER[kind]) rest();
  await TIMER[kind]?.(t, key);
}
