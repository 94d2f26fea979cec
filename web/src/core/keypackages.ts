/** Key packages with which others add us while we are away: kept in stock on the home relay. */
import { sha256 } from '../crypto/hashes.ts';
import { encodeKeyPackage, KeyPackageBundle } from '../mls/group.ts';
import { same } from '../wire/bytes.ts';
import { sealKeyPackage } from '../wire/keypackages.ts';
import { ownerId } from '../wire/labels.ts';
import type { Request, Response } from '../wire/messages.ts';
import { type Me, PackageUse } from './_state.ts';
import { hasIdentity } from './conversation.ts';
import { me } from './identity.ts';
import { DAY, newKeyPackage, PACKAGE_LIFETIME } from './mlsgroup.ts';
import { CLOCK, ME, PACKAGE, SCALAR } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** One-time key packages on the relay: as many groups can add us before we are back. */
const STOCK = 20;
/** One-time private keys kept here: a relay that says it has none left gets no more than ten stocks within 90 days. */
const KEPT_MAX = 200;
/** In one request. */
const PUT_MAX = 10;
/** A last-resort key package protects nothing that was sent before its private key is destroyed: not kept for long. */
const LAST_RESORT_RENEWED = 30 * DAY;

const NONE = new Uint8Array(0);

/** A new key package, kept with its private keys; for the stock it is sealed and waits to be put on the relay. */
export async function create(t: Transaction, use: PackageUse): Promise<Uint8Array> {
  const { packageKey, ownerSecret } = me(t);
  const bundle = await newKeyPackage(me(t), t.time, use === PackageUse.last, t.random);
  const encoded = encodeKeyPackage(bundle.keyPackage);
  const sealed =
    use === PackageUse.sent ? undefined : await sealKeyPackage(packageKey, ownerId(ownerSecret), encoded, t.random);
  t.put(PACKAGE, sha256(encoded), { bundle: bundle.encode(), use, expires: t.time + PACKAGE_LIFETIME, sealed });
  return encoded;
}

/** All that a Welcome may be for. */
export function bundles(t: Transaction): KeyPackageBundle[] {
  return t.entries(PACKAGE).map(([, row]) => KeyPackageBundle.decode(row.bundle));
}

/** A Welcome used it: one-time private keys are destroyed. True for the last resort, which stays. */
export function used(t: Transaction, bundle: KeyPackageBundle): boolean {
  const key = sha256(encodeKeyPackage(bundle.keyPackage));
  if (t.get(PACKAGE, key)?.use === PackageUse.last) return true;
  t.remove(PACKAGE, key);
  t.put(SCALAR, 'keys-told', 0);
  work.wake(t, 'keys');
  return false;
}

/** One-time packages that the relay does not have yet, and the last resort. */
function unsent(t: Transaction): [Uint8Array[], Uint8Array | undefined] {
  const packages: Uint8Array[] = [];
  let last: Uint8Array | undefined;
  for (const [, { sealed, use }] of t.entries(PACKAGE)) {
    if (!sealed) continue;
    if (use === PackageUse.last) last = sealed;
    else if (packages.length < PUT_MAX) packages.push(sealed);
  }
  return [packages, last];
}

/** First asks how many are left (an empty put), which also tells the relay's clock; then fills the stock. */
export async function workKeys(t: Transaction): Promise<void> {
  const own = t.get(ME);
  if (!own || !work.mayCall(t, own.relay.identity, work.item('keys'))) return;
  if (!t.get(CLOCK) || !t.get(SCALAR, 'keys-told')) {
    put(t, own, []);
    return;
  }
  let [packages, last] = unsent(t);
  if (!packages.length) {
    await fill(t);
    [packages, last] = unsent(t);
  }
  if (packages.length || last) put(t, own, packages, last);
}

async function fill(t: Transaction): Promise<void> {
  const left = t.get(SCALAR, 'keys-left') ?? 0;
  if (left < STOCK && t.keys(PACKAGE).length < KEPT_MAX) {
    for (let n = Math.min(PUT_MAX, STOCK - left); n > 0; n--) await create(t, PackageUse.stock);
  }
  const last = t.entries(PACKAGE).filter(([, row]) => row.use === PackageUse.last);
  const newest = Math.max(0, ...last.map(([, row]) => row.expires));
  if (newest < t.time + PACKAGE_LIFETIME - LAST_RESORT_RENEWED) await create(t, PackageUse.last);
}

function put(t: Transaction, own: Me, packages: readonly Uint8Array[], lastResort?: Uint8Array): void {
  const request = { type: 'PutKeyPackages', ownerSecret: own.ownerSecret, packages, lastResort } as const;
  work.call(t, own.relay.identity, work.item('keys'), request);
}

export function answered(t: Transaction, request: Request, response: Response): void {
  if (work.postponed(t, 'keys', NONE, response) || request.type !== 'PutKeyPackages') return;
  if (response.type !== 'KeyPackagesStored') {
    work.count(t, 'keys-refused');
    work.pause(t, 'keys', NONE);
    return;
  }
  work.succeeded(t, 'keys');
  const { packages, lastResort } = request;
  for (const [key, row] of t.entries(PACKAGE)) {
    const { sealed } = row;
    if (sealed && (hasIdentity(packages, sealed) || (lastResort && same(lastResort, sealed)))) {
      t.put(PACKAGE, key, { ...row, sealed: undefined });
    }
  }
  t.put(SCALAR, 'keys-told', 1);
  t.put(SCALAR, 'keys-left', response.count);
  work.wake(t, 'keys');
}

/** Private keys of packages that nobody may use any more. */
export function forgetExpired(t: Transaction): void {
  for (const [key, row] of t.entries(PACKAGE)) if (row.expires < t.time) t.remove(PACKAGE, key);
  work.wake(t, 'keys');
}
