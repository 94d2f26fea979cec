/** Devices of a person: credentials, and the list that we sign (protocol.md section 4); devicelists.ts reads others'. */
import { concat } from '../crypto/bytes.ts';
import { publicKey, sign, verify } from '../crypto/signature.ts';
import {
  decodeDeviceCredential,
  type DeviceList,
  type DeviceListBody,
  encodeDeviceCredential,
  encodeDeviceListBody,
} from './_messages.ts';
import { uint } from './bytes.ts';
import { WireError } from './errors.ts';
import { signedBytes } from './labels.ts';

/** A device whose credential the person's identity key signed. */
export interface VerifiedDevice {
  readonly identity: Uint8Array;
  readonly signatureKey: Uint8Array;
  readonly listNumber: number;
}

const deviceBytes = (signatureKey: Uint8Array, listNumber: number): Uint8Array =>
  signedBytes('device', concat(signatureKey, uint(listNumber, 8)));

/** The encoded DeviceCredential that a leaf's basic credential holds. */
export async function makeDeviceCredential(
  identitySeed: Uint8Array,
  signatureKey: Uint8Array,
  listNumber: number,
): Promise<Uint8Array> {
  const signature = await sign(identitySeed, deviceBytes(signatureKey, listNumber));
  return encodeDeviceCredential({ identity: await publicKey(identitySeed), listNumber, signature });
}

/**
 * Whether a leaf with this credential and signature key is accepted.
 *
 * @throws WireError `credential-signature`, a `cbor-` rule, or `message`.
 */
export async function verifyDeviceCredential(data: Uint8Array, signatureKey: Uint8Array): Promise<VerifiedDevice> {
  const { identity, listNumber, signature } = decodeDeviceCredential(data);
  if (!(await verify(identity, deviceBytes(signatureKey, listNumber), signature))) {
    throw new WireError('credential-signature');
  }
  return { identity, signatureKey, listNumber };
}

export async function signDeviceList(identitySeed: Uint8Array, body: DeviceListBody): Promise<DeviceList> {
  const encoded = encodeDeviceListBody(body);
  return { body: encoded, signature: await sign(identitySeed, signedBytes('device list', encoded)) };
}
