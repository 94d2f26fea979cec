/** Who we are, and who others are: the identity of this device's person, accepted leaves. */
import { utf8 } from '../crypto/bytes.ts';
import * as signature from '../crypto/signature.ts';
import { BASIC, type Credential } from '../mls/credential.ts';
import { same } from '../wire/bytes.ts';
import {
  makeDeviceCredential,
  signDeviceList,
  type VerifiedDevice,
  verifyDeviceCredential,
} from '../wire/credential.ts';
import { WireError } from '../wire/errors.ts';
import type { RelayAddress } from '../wire/messages.ts';
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

// ---- leaves ----

/** The device of a leaf whose credential its person's identity key signed; null: the leaf is not accepted. */
export async function acceptedLeaf(credential: Credential, signatureKey: Uint8Array): Promise<VerifiedDevice | null> {
  if (credential.type !== BASIC) return null;
  return attempt(WireError, () => verifyDeviceCredential(credential.identity, signatureKey));
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
