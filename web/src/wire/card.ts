/** Cards: what an invite leads to (protocol.md section 7). */
import { utf8 } from '../crypto/bytes.ts';
import { equal } from '../crypto/compare.ts';
import type { Random } from '../crypto/random.ts';
import { sign, verify } from '../crypto/signature.ts';
import { type Card, type CardBody, decodeCard, decodeCardBody, encodeCard, encodeCardBody } from './_messages.ts';
import { WireError } from './errors.ts';
import { blobId, cardKey, signedBytes } from './labels.ts';
import { openSealed, seal } from './sealing.ts';

const AAD = utf8('polynya card 1');

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

/** `body.identity` must be the public key of `identitySeed`, or nobody will accept the card. */
export async function signCard(identitySeed: Uint8Array, body: CardBody): Promise<Card> {
  const encoded = encodeCardBody(body);
  return { body: encoded, signature: await sign(identitySeed, signedBytes('card', encoded)) };
}

/** [blob id, blob]. */
export async function sealCard(
  inviteSecret: Uint8Array,
  card: Card,
  random: Random,
): Promise<[Uint8Array, Uint8Array]> {
  const blob = await seal(cardKey(inviteSecret), AAD, encodeCard(card), random);
  return [blobId(blob), blob];
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
