/** Others' devices: which key packages may bring them in, and their lists. */
import { MlsError } from '../mls/errors.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../mls/changes.ts';
import type { KeyPackage } from '../mls/keypackage.ts';
import { same } from '../wire/bytes.ts';
import { checkDeviceListFollows, namesDevice, type VerifiedDeviceList, verifyDeviceList } from '../wire/devicelists.ts';
import { WireError } from '../wire/errors.ts';
import type { DeviceList } from '../wire/messages.ts';
import type { Person } from './_state.ts';
import { attempt } from './errors.ts';
import { acceptedLeaf, person, savePerson } from './identity.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/**
 * A key package of the suite that brings in a leaf of `identity`, of a device in its list as far as that is known; null where it must
 * not be used. `now`: ms, for its lifetime.
 */
export async function acceptedKeyPackage(
  data: Uint8Array,
  suite: number,
  identity: Uint8Array,
  devices: VerifiedDeviceList | null,
  now: number,
): Promise<KeyPackage | null> {
  const found = await attempt(MlsError, () => verifyKeyPackage(decodeKeyPackage(data), now));
  if (found?.cipherSuite !== suite) return null;
  const { credential, signatureKey } = found.leafNode;
  const device = await acceptedLeaf(credential, signatureKey);
  if (!device || !same(device.identity, identity)) return null;
  return devices && !namesDevice(devices, signatureKey) ? null : found;
}

/** Their device list; what is saved was verified. */
export async function knownDevices({ identity, devices }: Person): Promise<VerifiedDeviceList | null> {
  return devices ? verifyDeviceList(identity, devices) : null;
}

/** A list is refused when its number is lower than one seen, or equal with other content. */
export async function newerDeviceList(known: VerifiedDeviceList | null, next: VerifiedDeviceList): Promise<boolean> {
  return !known || (await attempt(WireError, () => (checkDeviceListFollows(known, next), true))) !== null;
}

/** Keeps a person's device list; false where it is not theirs or not newer. */
export async function learnDevices(t: Transaction, identity: Uint8Array, signed: DeviceList): Promise<boolean> {
  const somebody = person(t, identity);
  const next = await attempt(WireError, () => verifyDeviceList(identity, signed));
  if (!next) {
    work.count(t, 'device-list-bad');
    return false;
  }
  if (!(await newerDeviceList(await knownDevices(somebody), next))) {
    work.count(t, 'device-list-old');
    return false;
  }
  savePerson(t, { ...somebody, devices: signed });
  return true;
}
