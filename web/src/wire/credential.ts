/** Devices of a person: credentials and device lists (protocol.md section 4). */
import { concat } from '../crypto/bytes.ts';
import { publicKey, sign, verify } from '../crypto/signature.ts';
import {
  decodeDeviceCredential,
  decodeDeviceListBody,
  type DeviceEntry,
  type DeviceList,
  type DeviceListBody,
  encodeDeviceCredential,
  encodeDeviceListBody,
} from './_messages.ts';
import { same, toBase64url, uint } from './bytes.ts';
import { WireError } from './errors.ts';
import { signedBytes } from './labels.ts';

/** A device whose credential the person's identity key signed. */
export interface VerifiedDevice {
  readonly identity: Uint8Array;
  readonly signatureKey: Uint8Array;
  readonly listNumber: number;
}

/** A device list that the person's identity key signed. */
export interface VerifiedDeviceList {
  readonly identity: Uint8Array;
  readonly number: number;
  readonly devices: readonly DeviceEntry[];
  /** As signed. */
  readonly body: Uint8Array;
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

/** @throws WireError `device-list-signature`, `device-list-doubled` (a device twice), a `cbor-` rule, or `message`. */
export async function verifyDeviceList(identity: Uint8Array, signed: DeviceList): Promise<VerifiedDeviceList> {
  if (!(await verify(identity, signedBytes('device list', signed.body), signed.signature))) {
    throw new WireError('device-list-signature');
  }
  const { number, devices } = decodeDeviceListBody(signed.body);
  if (new Set(devices.map((device) => toBase64url(device.signatureKey))).size !== devices.length) {
    throw new WireError('device-list-doubled');
  }
  return { identity, number, devices, body: signed.body };
}

export function namesDevice(list: VerifiedDeviceList, signatureKey: Uint8Array): boolean {
  return list.devices.some((device) => same(device.signatureKey, signatureKey));
}

/**
 * @throws WireError `device-list-identity` (another person's), `device-list-number` (an older list) or
 * `device-list-conflict` (the same number with other content).
 */
export function checkDeviceListFollows(known: VerifiedDeviceList, next: VerifiedDeviceList): void {
  if (!same(known.identity, next.identity)) throw new WireError('device-list-identity');
  if (next.number < known.number) throw new WireError('device-list-number');
  if (next.number === known.number && !same(next.body, known.body)) throw new WireError('device-list-conflict');
}
