/** Sealing of records (protocol.md section 3). */
import type { Random } from '../crypto/random.ts';
import { decodeRecordBody, encodeRecordBody, RECORD_STEPS, type RecordBody } from './_messages.ts';
import { WireError } from './errors.ts';
import { pad, unpad } from './padding.ts';
import { openSealed, OVERHEAD, seal } from './sealing.ts';

/** Bytes of the length in front of a padded body. */
export const LENGTH_SIZE = 2;
/** `Inline` around more than 255 bytes: array, tag, map, key, and three of the byte string. */
export const INLINE_HEAD = 7;
/** Most bytes that a record holds itself: 4,096 - 28 - 2 - 7; anything larger is sealed as a file (`InBlob`). */
export const INLINE_MAX = RECORD_STEPS[3] - OVERHEAD - LENGTH_SIZE - INLINE_HEAD;

const BODY_SIZES = RECORD_STEPS.map((step) => step - OVERHEAD);
/** Whether a record may have that many bytes. */
export const isStep = (n: number): boolean => (RECORD_STEPS as readonly number[]).includes(n);

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
