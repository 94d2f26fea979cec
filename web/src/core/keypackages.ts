/** Key packages with which others add us while we are away: kept in stock on the home relay. */
import { sha256 } from '../crypto/hashes.ts';
import { encodeKeyPackage, KeyPackageBundle } from '../mls/group.ts';
import { same, uint } from '../wire/bytes.ts';
import { sealKeyPackage } from '../wire/keypackages.ts';
import { ownerId, ownerSecret } from '../wire/labels.ts';
import { type Request, type Response, SUITE_XWING } from '../wire/messages.ts';
import { type Me, PackageUse, type StoredPackage } from './_state.ts';
import { hasIdentity } from './conversation.ts';
import { me } from './identity.ts';
import { newKeyPackage, PACKAGE_LIFETIME, SUITES } from './mlsgroup.ts';
import { restIfThere } from './provided.ts';
import { CLOCK, ME, OPENED, PACKAGE, SCALAR } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

const NONE = new Uint8Array(0);

/** A new key package, kept with its private keys; for the stock it is sealed and waits to be put on the relay. */
export async function create(t: Transaction, suite: number, use: PackageUse): Promise<Uint8Array> {
  const own = me(t);
  const bundle = await newKeyPackage(own, suite, t.time, use === PackageUse.last, t.random);
  const encoded = encodeKeyPackage(bundle.keyPackage);
  const sealed =
    use === PackageUse.sent
      ? undefined
      : await sealKeyPackage(own.packageKey, ownerId(ownerSecret(own.ownerSecret, suite)), encoded, t.random);
  t.put(PACKAGE, sha256(encoded), { bundle: bundle.encode(), use, expires: t.time + PACKAGE_LIFETIME, suite, sealed });
  return encoded;
}

/** All that a Welcome may be for. */
export function bundles(t: Transaction): KeyPackageBundle[] {
  return t.entries(PACKAGE).map(([, row]) => KeyPackageBundle.decode(row.bundle));
}

/** A Welcome used it: one-time private keys are destroyed. True for the last resort, which stays. */
export function used(t: Transaction, { keyPackage }: KeyPackageBundle): boolean {
  const key = sha256(encodeKeyPackage(keyPackage));
  if (t.get(PACKAGE, key)?.use === PackageUse.last) return true;
  t.remove(PACKAGE, key);
  t.put(SCALAR, TOLD + keyPackage.cipherSuite, 0);
  work.wake(t, 'keys', suiteKey(keyPackage.cipherSuite));
  return false;
}

// ---- the stock on the relay ----

/** Before a suite: whether the relay has said how many it has, since then. */
const TOLD = 'keys-told';
/** Before a suite: how many one-time key packages the relay has. */
export const LEFT = 'keys-left';

/** Names a suite's stock among work items: 2 bytes. */
function suiteKey(suite: number): Uint8Array {
  return uint(suite, 2);
}

/** Whether whoever gets our reach now finds a key package of the suite of new direct conversations. */
export function offered(t: Transaction): boolean {
  return (t.get(SCALAR, LEFT + SUITE_XWING) ?? 0) > 0;
}

/**
 * Without a key all suites. First asks how many are left (an empty put), which also tells the relay's clock; then the rest
 * fills the stock (stock.ts).
 */
export async function workKeys(t: Transaction, key: Uint8Array): Promise<void> {
  const there = restIfThere();
  if (!key.length) {
    for (const suite of there ? SUITES : [SUITE_XWING]) work.wake(t, 'keys', suiteKey(suite));
    // The rest may come at any moment, and other suites are its.
    if (!there) work.pause(t, 'keys', NONE);
    return;
  }
  const own = t.get(ME);
  if (!own || !work.mayCall(t, own.relay.identity, work.item('keys', key))) return;
  const suite = suiteOf(key);
  if (!t.get(CLOCK) || !t.get(SCALAR, TOLD + suite)) {
    put(t, own, suite, []);
    return;
  }
  if (there) await there.stock(t, own, suite);
  else if (!offered(t)) await offerOne(t, own, suite);
}

/**
 * Before the rest is there nobody knows of us but whom we ask to chat: one key package is enough, and the request does not
 * wait for the 30 KB of a stock.
 */
async function offerOne(t: Transaction, own: Me, suite: number): Promise<void> {
  const isSealed = ([, row]: [Uint8Array, StoredPackage]): boolean => row.sealed !== undefined && row.suite === suite;
  if (!t.entries(PACKAGE).some(isSealed)) await create(t, suite, PackageUse.stock);
  const [first] = t.entries(PACKAGE).filter(isSealed);
  put(t, own, suite, first?.[1].sealed ? [first[1].sealed] : []);
}

function suiteOf([high = 0, low = 0]: Uint8Array): number {
  return (high << 8) | low;
}

export function put(
  t: Transaction,
  own: Me,
  suite: number,
  packages: readonly Uint8Array[],
  lastResort?: Uint8Array,
): void {
  const secret = ownerSecret(own.ownerSecret, suite);
  const request = { type: 'PutKeyPackages', ownerSecret: secret, packages, lastResort } as const;
  work.call(t, own.relay.identity, work.item('keys', suiteKey(suite)), request);
}

export function answered(t: Transaction, key: Uint8Array, request: Request, response: Response): void {
  if (work.postponed(t, 'keys', key, response) || request.type !== 'PutKeyPackages') return;
  if (response.type !== 'KeyPackagesStored') {
    work.count(t, 'keys-refused');
    work.pause(t, 'keys', key);
    return;
  }
  work.succeeded(t, 'keys', key);
  const { packages, lastResort } = request;
  for (const [name, row] of t.entries(PACKAGE)) {
    const { sealed } = row;
    if (sealed && (hasIdentity(packages, sealed) || (lastResort && same(lastResort, sealed)))) {
      t.put(PACKAGE, name, { ...row, sealed: undefined });
    }
  }
  const before = offered(t);
  t.put(SCALAR, TOLD + suiteOf(key), 1);
  t.put(SCALAR, LEFT + suiteOf(key), response.count);
  work.wake(t, 'keys', key);
  if (!before && offered(t)) for (const opened of t.keys(OPENED)) work.wake(t, 'opened', opened);
}
