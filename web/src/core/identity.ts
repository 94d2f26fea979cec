/** Who we are, and who others are: the identity of this device's person, accepted leaves, device lists. */
import { utf8 } from '../crypto/bytes.ts';
import * as signature from '../crypto/signature.ts';
import { BASIC, type Credential } from '../mls/credential.ts';
import { MlsError } from '../mls/errors.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../mls/group.ts';
import type { KeyPackage } from '../mls/keypackage.ts';
import { same } from '../wire/bytes.ts';
import {
  checkDeviceListFollows,
  makeDeviceCredential,
  namesDevice,
  signDeviceList,
  type VerifiedDevice,
  type VerifiedDeviceList,
  verifyDeviceCredential,
  verifyDeviceList,
} from '../wire/credential.ts';
import { WireError } from '../wire/errors.ts';
import { type DeviceList, type RelayAddress, SUITE_X25519 } from '../wire/messages.ts';
import { encodePerson, type Me, type Person } from './_state.ts';
import { attempt, CoreError } from './errors.ts';
import { ME, PERSON } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

const NAME_MAX = 128;

/** Without blanks at its ends. @throws CoreError `bad-name` */
export function checkName(text: string): string {
  const name = text.trim();
  // Joiners are letters' neighbours in Persian and in emoji; no other invisible character belongs in a name.
  const invisible = /[^\P{C}\u200c\u200d]|[^\P{Z} ]|^[\u200c\u200d]+$/u;
  if (!name || utf8(name).length > NAME_MAX || invisible.test(name)) throw new CoreError('bad-name');
  return name;
}

/** Draws: identity seed, device seed, owner secret, package key (32 bytes each). */
export async function create(t: Transaction, text: string, relay: RelayAddress): Promise<void> {
  if (t.get(ME)) throw new CoreError('identity-exists');
  const name = checkName(text);
  const identitySecret = signature.generate(t.random);
  const deviceSecret = signature.generate(t.random);
  const ownerSecret = t.random.bytes(32);
  const packageKey = t.random.bytes(32);
  const identity = await signature.publicKey(identitySecret);
  const deviceKey = await signature.publicKey(deviceSecret);
  const listNumber = 1;
  t.put(ME, '', {
    identitySecret,
    identity,
    name,
    deviceSecret,
    deviceKey,
    credential: await makeDeviceCredential(identitySecret, deviceKey, listNumber),
    devices: await signDeviceList(identitySecret, {
      number: listNumber,
      devices: [{ signatureKey: deviceKey, added: t.time }],
    }),
    listNumber,
    relay,
    ownerSecret,
    packageKey,
    readReceipts: true,
  });
  work.wake(t, 'keys');
  t.notify({ type: 'IdentityCreated', identity });
}

/** @throws CoreError `no-identity` */
export function me(t: Transaction): Me {
  const found = t.get(ME);
  if (!found) throw new CoreError('no-identity');
  return found;
}

export function setSettings(t: Transaction, readReceipts: boolean): void {
  t.put(ME, '', { ...me(t), readReceipts });
  t.notify({ type: 'MeChanged' });
}

// ---- leaves ----

/** The device of a leaf whose credential its person's identity key signed; null: the leaf is not accepted. */
export async function acceptedLeaf(credential: Credential, signatureKey: Uint8Array): Promise<VerifiedDevice | null> {
  if (credential.type !== BASIC) return null;
  return attempt(WireError, () => verifyDeviceCredential(credential.identity, signatureKey));
}

/**
 * A key package that brings in a leaf of `identity`, of a device in its list as far as that is known; null where it must
 * not be used. `now`: ms, for its lifetime.
 */
export async function acceptedKeyPackage(
  data: Uint8Array,
  identity: Uint8Array,
  devices: VerifiedDeviceList | null,
  now: number,
): Promise<KeyPackage | null> {
  const found = await attempt(MlsError, () => verifyKeyPackage(decodeKeyPackage(data), now));
  if (found?.cipherSuite !== SUITE_X25519) return null;
  const { credential, signatureKey } = found.leafNode;
  const device = await acceptedLeaf(credential, signatureKey);
  if (!device || !same(device.identity, identity)) return null;
  return devices && !namesDevice(devices, signatureKey) ? null : found;
}

// ---- others ----

/** What is known of somebody; an empty name where nothing is. */
export function person(t: Transaction, identity: Uint8Array): Person {
  return (
    t.get(PERSON, identity) ?? { identity, name: '', accepted: false, verified: false, blocked: false, named: false }
  );
}

export function savePerson(t: Transaction, changed: Person): void {
  const before = t.get(PERSON, changed.identity);
  if (before && same(encodePerson(before), encodePerson(changed))) return;
  t.put(PERSON, changed.identity, changed);
  t.notify({ type: 'ContactsChanged' });
}

export function nameOf(t: Transaction, identity: Uint8Array): string {
  const own = t.get(ME);
  return own && same(own.identity, identity) ? own.name : person(t, identity).name;
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
