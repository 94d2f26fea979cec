/** Cards: what an invite leads to (protocol.md section 7). */
import { utf8 } from '../crypto/bytes.ts';
import { equal } from '../crypto/compare.ts';
import { verify } from '../crypto/signature.ts';
import { type Card, type CardBody, decodeCard, decodeCardBody } from './_messages.ts';
import { WireError } from './errors.ts';
import { blobId, cardKey, signedBytes } from './labels.ts';
import { openSealed } from './sealing.ts';

/** What a sealed card is bound to. */
export const AAD = utf8('polynya card 1');

/** A card that was in the invite's blob; nobody knows yet whether its identity signed it. */
export interface UnverifiedCard {
  /** The blob's. */
  readonly id: Uint8Array;
  readonly card: Card;
}

/** A card that its identity signed and that has not expired. */
export interface VerifiedCard extends CardBody {
  readonly id: Uint8Array;
}

/** @throws WireError `card-id` (another blob than the invite names), `card-open`, a `cbor-` rule, or `message`. */
export async function openCard(
  inviteSecret: Uint8Array,
  cardId: Uint8Array,
  blob: Uint8Array,
): Promise<UnverifiedCard> {
  if (!equal(blobId(blob), cardId)) throw new WireError('card-id');
  return { id: cardId, card: decodeCard(await openSealed(cardKey(inviteSecret), AAD, blob, 'card-open')) };
}

/** `now` in ms, by the relay's clock. @throws WireError `card-signature`, `card-expired`, a `cbor-` rule, or `message`. */
export async function verifyCard({ id, card }: UnverifiedCard, now: number): Promise<VerifiedCard> {
  const body = decodeCardBody(card.body);
  if (!(await verify(body.identity, signedBytes('card', card.body), card.signature))) {
    throw new WireError('card-signature');
  }
  if (body.expires < now) throw new WireError('card-expired');
  return { id, ...body };
}
