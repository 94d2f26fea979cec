/** The stock of key packages on the home relay: filled and renewed for each suite. */
import { type Me, PackageUse } from './_state.ts';
import { create, LEFT, put } from './keypackages.ts';
import { DAY, PACKAGE_LIFETIME } from './mlsgroup.ts';
import { PACKAGE, SCALAR } from './state.ts';
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

/** Puts what the relay lacks, ten at a time. */
export async function stock(t: Transaction, own: Me, suite: number): Promise<void> {
  let [packages, last] = unsent(t, suite);
  if (!packages.length) {
    await fill(t, suite);
    [packages, last] = unsent(t, suite);
  }
  if (packages.length || last) put(t, own, suite, packages, last);
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

/** Private keys of packages that nobody may use any more. */
export function forgetExpired(t: Transaction): void {
  for (const [key, row] of t.entries(PACKAGE)) if (row.expires < t.time) t.remove(PACKAGE, key);
  work.wake(t, 'keys');
}
