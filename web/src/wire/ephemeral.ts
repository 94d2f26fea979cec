/** Sealing of ephemeral messages (protocol.md section 5.6). */
import type { Random } from '../crypto/random.ts';
import type { EphemeralMessage } from './_messages.ts';
import { decodeEphemeralMessage, encodeEphemeralMessage } from './_messages_rest.ts';
import { openSealed, seal } from './sealing.ts';

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
