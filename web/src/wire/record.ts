/** Sealing of records, contact requests and ephemeral messages (protocol.md sections 3, 5.6 and 7). */
import { AES_256_GCM } from '../crypto/aead.ts';
import { concat, utf8 } from '../crypto/bytes.ts';
import { KDF_HKDF_SHA256, openOnce, sealOnce } from '../crypto/hpke.ts';
import type { Random } from '../crypto/random.ts';
import { XWING } from '../crypto/xwing.ts';
import {
  decodeEphemeralMessage,
  decodeInboxMessage,
  decodeRecordBody,
  encodeEphemeralMessage,
  encodeInboxMessage,
  encodeRecordBody,
  type EphemeralMessage,
  type InboxMessage,
  RECORD_STEPS,
  type RecordBody,
} from './_messages.ts';
import { WireError } from './errors.ts';
import { pad, unpad } from './padding.ts';
import { openSealed, OVERHEAD, refuse, seal } from './sealing.ts';

const LENGTH_SIZE = 2;
/** `Inline` around more than 255 bytes: array, tag, map, key, and three of the byte string. */
const INLINE_HEAD = 7;
/** Most bytes that a record holds itself: 4,096 - 28 - 2 - 7; anything larger is sealed as a file (`InBlob`). */
export const INLINE_MAX = RECORD_STEPS[3] - OVERHEAD - LENGTH_SIZE - INLINE_HEAD;

/** X-Wing's encapsulation and the tag. */
const REQUEST_OVERHEAD = 1120 + 16;
/** Most bytes of an encoded contact request: 4,096 - 1,136 - 2 - 7. */
export const REQUEST_INLINE_MAX = RECORD_STEPS[3] - REQUEST_OVERHEAD - LENGTH_SIZE - INLINE_HEAD;

const BODY_SIZES = RECORD_STEPS.map((step) => step - OVERHEAD);
const REQUEST_SIZES = RECORD_STEPS.map((step) => step - REQUEST_OVERHEAD).filter((size) => size > 0);
const isStep = (n: number): boolean => (RECORD_STEPS as readonly number[]).includes(n);

/**
 * A record for the topic or inbox with id `place`, under its record key or inbox key.
 *
 * @throws WireError `padding-fit` for a body that no record holds (see INLINE_MAX).
 */
export async function sealRecord(
  key: Uint8Array,
  place: Uint8Array,
  body: RecordBody,
  random: Random,
): Promise<Uint8Array> {
  return seal(key, place, pad(encodeRecordBody(body), BODY_SIZES, LENGTH_SIZE), random);
}

/** @throws WireError `record-size`, `record-open`, a `padding-` or `cbor-` rule, or `message`. */
export async function openRecord(key: Uint8Array, place: Uint8Array, record: Uint8Array): Promise<RecordBody> {
  if (!isStep(record.length)) throw new WireError('record-size');
  const padded = await openSealed(key, place, record, 'record-open');
  return decodeRecordBody(unpad(padded, BODY_SIZES, LENGTH_SIZE));
}

const requestInfo = (cardId: Uint8Array): Uint8Array => concat(utf8('polynya contact request 1'), cardId);

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
      sealOnce(XWING, KDF_HKDF_SHA256, AES_256_GCM.id, publicKey, info, inbox, padded, random),
    )),
  );
}

/**
 * @throws WireError `contact-request-size`, `contact-request-open`, `contact-request-inline` (a body in a blob), a
 * `padding-` or `cbor-` rule, or `message`.
 */
export async function openContactRequest(
  privateKey: Uint8Array,
  cardId: Uint8Array,
  inbox: Uint8Array,
  record: Uint8Array,
): Promise<InboxMessage> {
  if (!isStep(record.length) || record.length < REQUEST_OVERHEAD) throw new WireError('contact-request-size');
  const size = XWING.encapsulationSize;
  const [enc, sealed, info] = [record.slice(0, size), record.slice(size), requestInfo(cardId)];
  const padded = await refuse('contact-request-open', () =>
    openOnce(XWING, KDF_HKDF_SHA256, AES_256_GCM.id, privateKey, enc, info, inbox, sealed),
  );
  const body = decodeRecordBody(unpad(padded, REQUEST_SIZES, LENGTH_SIZE));
  if (body.type !== 'Inline') throw new WireError('contact-request-inline');
  return decodeInboxMessage(body.body);
}

/** Under the epoch's ephemeral key. @throws WireError `message`. */
export async function sealEphemeral(
  key: Uint8Array,
  topic: Uint8Array,
  message: EphemeralMessage,
  random: Random,
): Promise<Uint8Array> {
  return seal(key, topic, encodeEphemeralMessage(message), random);
}

/** @throws WireError `ephemeral-open`, a `cbor-` rule, or `message`. */
export async function openEphemeral(key: Uint8Array, topic: Uint8Array, body: Uint8Array): Promise<EphemeralMessage> {
  return decodeEphemeralMessage(await openSealed(key, topic, body, 'ephemeral-open'));
}
