/** Making contact requests (protocol.md section 7); `requests.ts` opens and verifies them. */
import { AES_256_GCM } from '../crypto/aead.ts';
import { concat, utf8 } from '../crypto/bytes.ts';
import { sealOnce } from '../crypto/hpke.ts';
import type { Random } from '../crypto/random.ts';
import { sign } from '../crypto/signature.ts';
import { XWING } from '../crypto/xwing.ts';
import {
  type ContactRequest,
  type ContactRequestBody,
  encodeContactRequestBody,
  encodeInboxMessage,
  encodeRecordBody,
  type InboxMessage,
  RECORD_STEPS,
} from './_messages.ts';
import { signedBytes } from './labels.ts';
import { pad } from './padding.ts';
import { INLINE_HEAD, LENGTH_SIZE } from './record.ts';
import { refuse } from './sealing.ts';

/** X-Wing's encapsulation and the tag. */
export const REQUEST_OVERHEAD = 1120 + 16;
/** Most bytes of an encoded contact request: 4,096 - 1,136 - 2 - 7. */
export const REQUEST_INLINE_MAX = RECORD_STEPS[3] - REQUEST_OVERHEAD - LENGTH_SIZE - INLINE_HEAD;

export const REQUEST_SIZES = RECORD_STEPS.map((step) => step - REQUEST_OVERHEAD).filter((size) => size > 0);

export async function signContactRequest(seed: Uint8Array, body: ContactRequestBody): Promise<ContactRequest> {
  const encoded = encodeContactRequestBody(body);
  const signature = await sign(seed, signedBytes('contact request', encoded));
  return { type: 'ContactRequest', body: encoded, signature };
}

export const requestInfo = (cardId: Uint8Array): Uint8Array => concat(utf8('polynya contact request 1'), cardId);

/**
 * A record for the invite's inbox, which only the holder of the card's X-Wing key opens.
 *
 * @throws WireError `padding-fit` (see REQUEST_INLINE_MAX) or `contact-request-key` for an invalid public key.
 */
export async function sealContactRequest(
  publicKey: Uint8Array,
  cardId: Uint8Array,
  inbox: Uint8Array,
  message: InboxMessage,
  random: Random,
): Promise<Uint8Array> {
  const body = encodeRecordBody({ type: 'Inline', body: encodeInboxMessage(message) });
  const padded = pad(body, REQUEST_SIZES, LENGTH_SIZE);
  const info = requestInfo(cardId);
  return concat(
    ...(await refuse('contact-request-key', () =>
      sealOnce(XWING, AES_256_GCM, publicKey, info, inbox, padded, random),
    )),
  );
}
