/** Key packages with which others add us while we are away: kept in stock on the home relay. */
import { sha256 } from '../crypto/hashes.ts';
import { encodeKeyPackage, KeyPackageBundle } from '../mls/group.ts';
import { same, uint } from '../wire/bytes.ts';
import { sealKeyPackage } from '../wire/keypackages.ts';
import { ownerId, ownerSecret } from '../wire/labels.ts';
import { type Request, type Response, SUITE_XWING } from '../wire/messages.ts';
import { type Me, PackageUse } from './_state.ts';
import { hasIdentity } from './conversation.ts';
import { me } from './identity.ts';
import { DAY, newKeyPackage, PACKAGE_LIFETIME, SUITES } from './mlsgroup.ts';
import { CLOCK, ME, OPENED, PACKAGE, SCALAR } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** One-time key packages of each suite on the relay: as many conversations can add us before we are back. */
const STOCK = 20;
/**
 * One-time private keys of a suite kept here: a relay that says it has none left gets no more than ten stocks within 90
 * days.
 */
const KEPT_MAX = 200;
/** In one request: 28 KB of X-Wing key packages. */
const PUT_MAX = 10;
/** A last-resort key package protects nothing that was sent before its private key is destroyed: not kept for long. */
const LAST_RESORT_RENEWED = 30 * DAY;

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
const LEFT = 'keys-left';

/** Names a suite's stock among work items: 2 bytes. */
function suiteKey(suite: number): Uint8Array {
  return uint(suite, 2);
}

/** Whether whoever gets our reach now finds a key package of the suite of new direct conversations. */
export function offered(t: Transaction): boolean {
  return (t.get(SCALAR, LEFT + SUITE_XWING) ?? 0) > 0;
}

/**
 * Without a key all suites. First asks how many are left (an empty put), which also tells the relay's clock; then fills the
 * stock.
 */
export async function workKeys(t: Transaction, key: Uint8Array): Promise<void> {
  if (!key.length) {
    for (const suite of SUITES) work.wake(t, 'keys', suiteKey(suite));
    return;
  }
  const own = t.get(ME);
  if (!own || !work.mayCall(t, own.relay.identity, work.item('keys', key))) return;
  const suite = suiteOf(key);
  if (!t.get(CLOCK) || !t.get(SCALAR, TOLD + suite)) {
    put(t, own, suite, []);
    return;
  }
  let [packages, last] = unsent(t, suite);
  if (!packages.length) {
    await fill(t, suite);
    [packages, last] = unsent(t, suite);
  }
  if (packages.length || last) put(t, own, suite, packages, last);
}

function suiteOf([high = 0, low = 0]: Uint8Array): number {
  return (high << 8) | low;
}

/** Sealed: one-time packages that the relay does not have yet, and the last resort. */
function unsent(t: Transaction, suite: number): [Uint8Array[], Uint8Array | undefined] {
  const packages: Uint8Array[] = [];
  let last: Uint8Array | undefined;
  for (const [, row] of t.entries(PACKAGE)) {
    if (!row.sealed || row.suite !== suite) continue;
    if (row.use === PackageUse.last) last = row.sealed;
    else if (packages.length < PUT_MAX) packages.push(row.sealed);
  }
  return [packages, last];
}

async function fill(t: Transaction, suite: number): Promise<void> {
  const left = t.get(SCALAR, LEFT + suite) ?? 0;
  const kept = t.entries(PACKAGE).filter(([, row]) => row.suite === suite);
  if (left < STOCK && kept.length < KEPT_MAX) {
    for (let n = Math.min(PUT_MAX, STOCK - left); n > 0; n--) await create(t, suite, PackageUse.stock);
  }
  const last = kept.filter(([, row]) => row.use === PackageUse.last);
  const newest = Math.max(0, ...last.map(([, row]) => row.expires));
  if (newest < t.time + PACKAGE_LIFETIME - LAST_RESORT_RENEWED) await create(t, suite, PackageUse.last);
}

function put(
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

/** Private keys of packages that nobody may use any more. */
export function forgetExpired(t: Transaction): void {
  for (const [key, row] of t.entries(PACKAGE)) if (row.expires < t.time) t.remove(PACKAGE, key);
  work.wake(t, 'keys');
}
