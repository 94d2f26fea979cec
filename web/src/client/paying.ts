/** Purses of a client's links, filled as they run low: what the loop asks of the rest, and what invites carry. */
import type { Save } from '../core/commands.ts';
import type { CardTokens } from '../core/events.ts';
import type { OpenedInviteView } from '../core/views.ts';
import { PolynyaError } from '../errors.ts';
import { same } from '../wire/bytes.ts';
import type { Refused } from '../wire/messages.ts';
import { Issuing } from './issuing.ts';
import type { Link } from './link.ts';
import { type Loop, purseRow } from './loop.ts';
import { PURSE } from './purse.ts';
import { Refill } from './refill.ts';
import { systemClock, systemRandom } from './system.ts';

/** What is known of tokens beside the purse, by relay. */
const ISSUING = 'client/issuing';
/** ms that an invite waits for tokens. */
const INVITE_WAIT = 5_000;

/** States of invites that may still need what their cards brought. */
const WAITING: readonly OpenedInviteView['state'][] = ['opening', 'opened', 'requesting', 'requested'];

const refills = new WeakMap<Link, Refill>();

function refill(loop: Loop, link: Link): Refill {
  const key = link.address.identity;
  const made =
    refills.get(link) ??
    new Refill(link, {
      random: systemRandom,
      clock: systemClock,
      load: async () => new Issuing(await loop.storage.own(ISSUING, key)),
      save: (issuing) => loop.commit(() => [purseRow(link), { type: 'Save', table: ISSUING, key, value: issuing.encode() }]),
      shortage: (shortage) => loop.sink.tell({ type: 'shortage', shortage }),
      failed: (error) => {
        if (link.closed) return;
        if (error instanceof PolynyaError) loop.sink.stopped(error);
        else console.error('Tokens failed in a way that they should not:', error);
      },
    });
  refills.set(link, made);
  return made;
}

/** A token was spent, or the app was started. */
export function spent(loop: Loop, link: Link): void {
  refill(loop, link).consider();
}

/** See LinkSink. */
export function needed(loop: Loop, link: Link, refused: number): Promise<Refused | null> {
  return refill(loop, link).needed(refused);
}

/** No connection to this relay is kept any more: its tokens go, unless an invite that waits for the person may need them. */
export function dropped(loop: Loop, link: Link): void {
  refills.get(link)?.stop();
  const key = link.address.identity;
  const isUsed = ({ relay, state }: OpenedInviteView): boolean => WAITING.includes(state) && same(relay, key);
  if (loop.core.openedInvites().some(isUsed)) return;
  const rows = [PURSE, ISSUING].map((table): Save => ({ type: 'Save', table, key, value: null }));
  loop.commit(() => rows).catch(() => undefined);
}

/** What the card of a new invite of ours carries; it is in no purse any more. @throws StoreError, ClientError `taken-over` */
export async function forInvite(loop: Loop): Promise<CardTokens> {
  const link = loop.link(loop.core.me().relay.identity);
  return link ? refill(loop, link).forInvite(INVITE_WAIT) : {};
}
