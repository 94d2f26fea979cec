/** Others' device lists (protocol.md section 4). */
import { verify } from '../crypto/signature.ts';
import type { DeviceEntry, DeviceList } from './_messages.ts';
import { decodeDeviceListBody } from './_messages_rest.ts';
import { same, toBase64url } from './bytes.ts';
import { WireError } from './errors.ts';
import { signedBytes } from './labels.ts';

/** A device list that the person's identity key signed. */
export interface VerifiedDeviceList {
  readonly identity: Uint8Array;
  readonly number: number;
  readonly devices: readonly DeviceEntry[];
  /** As signed. */
  readonly body: Uint8Array;
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
