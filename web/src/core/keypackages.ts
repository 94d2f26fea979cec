/** Key packages with which others add us while we are away: kept in stock on the home relay. */
import { sha256 } from '../crypto/hashes.ts';
import { encodeKeyPackage, KeyPackageBundle } from '../mls/group.ts';
import type { Request, Response } from '../wire/messages.ts';
import { type Me, PackageUse } from './_state.ts';
import { me } from './identity.ts';
import { newKeyPackage, PACKAGE_LIFETIME } from './mlsgroup.ts';
import { restIfThere } from './provided.ts';
import { CLOCK, ME, PACKAGE, SCALAR } from './state.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

const NONE = new Uint8Array(0);

/** A new key package, kept with its private keys; `seal` makes the form that waits to be put on the relay. */
export async function create(
  t: Transaction,
  use: PackageUse,
  seal?: (encoded: Uint8Array) => Promise<Uint8Array>,
): Promise<Uint8Array> {
  const bundle = await newKeyPackage(me(t), t.time, use === PackageUse.last, t.random);
  const encoded = encodeKeyPackage(bundle.keyPackage);
  const sealed = await seal?.(encoded);
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

/**
 * First asks how many are left (an empty put), which also tells the relay's clock; then the rest fills the stock. Before it
 * is there nobody knows us, so nobody needs our key packages: they wait.
 */
export async function workKeys(t: Transaction): Promise<void> {
  const own = t.get(ME);
  if (!own || !work.mayCall(t, own.relay.identity, work.item('keys'))) return;
  if (!t.get(CLOCK) || !t.get(SCALAR, 'keys-told')) {
    put(t, own, []);
    return;
  }
  const there = restIfThere();
  if (there) await there.stock(t, own);
  else work.pause(t, 'keys', NONE);
}

export function put(t: Transaction, own: Me, packages: readonly Uint8Array[], lastResort?: Uint8Array): void {
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
  restIfThere()?.stocked(t, request);
  t.put(SCALAR, 'keys-told', 1);
  t.put(SCALAR, 'keys-left', response.count);
  work.wake(t, 'keys');
}
