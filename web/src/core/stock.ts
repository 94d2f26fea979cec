/** The stock of key packages on the home relay, filled and renewed. */
import { same } from '../wire/bytes.ts';
import { sealKeyPackage } from '../wire/keypackages.ts';
import { ownerId } from '../wire/labels.ts';
import type { Request } from '../wire/messages.ts';
import { type Me, PackageUse } from './_state.ts';
import { hasIdentity } from './conversation.ts';
import { me } from './identity.ts';
import { create, put } from './keypackages.ts';
import { DAY, PACKAGE_LIFETIME } from './mlsgroup.ts';
import { PACKAGE, SCALAR } from './state.ts';
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

async function makeSealed(t: Transaction, use: PackageUse): Promise<void> {
  const { packageKey, ownerSecret } = me(t);
  await create(t, use, (encoded) => sealKeyPackage(packageKey, ownerId(ownerSecret), encoded, t.random));
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

/** Puts what the relay lacks, ten at a time. */
export async function stock(t: Transaction, own: Me): Promise<void> {
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
    for (let n = Math.min(PUT_MAX, STOCK - left); n > 0; n--) await makeSealed(t, PackageUse.stock);
  }
  const last = t.entries(PACKAGE).filter(([, row]) => row.use === PackageUse.last);
  const newest = Math.max(0, ...last.map(([, row]) => row.expires));
  if (newest < t.time + PACKAGE_LIFETIME - LAST_RESORT_RENEWED) await makeSealed(t, PackageUse.last);
}

/** The relay has them. */
export function stocked(t: Transaction, request: Request): void {
  if (request.type !== 'PutKeyPackages') return;
  const { packages, lastResort } = request;
  for (const [key, row] of t.entries(PACKAGE)) {
    const { sealed } = row;
    if (sealed && (hasIdentity(packages, sealed) || (lastResort && same(lastResort, sealed)))) {
      t.put(PACKAGE, key, { ...row, sealed: undefined });
    }
  }
}

/** Private keys of packages that nobody may use any more. */
export function forgetExpired(t: Transaction): void {
  for (const [key, row] of t.entries(PACKAGE)) if (row.expires < t.time) t.remove(PACKAGE, key);
  work.wake(t, 'keys');
}
