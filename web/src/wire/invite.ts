/** Making cards (protocol.md section 7); `card.ts` opens and verifies them. */
import type { Random } from '../crypto/random.ts';
import { sign } from '../crypto/signature.ts';
import type { Card, CardBody } from './_messages.ts';
import { encodeCard, encodeCardBody } from './_messages_rest.ts';
import { AAD } from './card.ts';
import { blobId, cardKey, signedBytes } from './labels.ts';
import { seal } from './sealing.ts';

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
