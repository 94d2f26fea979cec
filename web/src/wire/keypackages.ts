/** Key packages as the relay stores them: sealed (protocol.md section 2.6); `takenpackages.ts` opens others'. */
import type { Random } from '../crypto/random.ts';
import { KEY_PACKAGE_MAX } from './_messages.ts';
import { WireError } from './errors.ts';
import { OVERHEAD, seal } from './sealing.ts';

/** @throws WireError `key-package-size` for one that the relay would not store. */
export async function sealKeyPackage(
  packageKey: Uint8Array,
  owner: Uint8Array,
  keyPackage: Uint8Array,
  random: Random,
): Promise<Uint8Array> {
  if (keyPackage.length + OVERHEAD > KEY_PACKAGE_MAX) throw new WireError('key-package-size');
  return seal(packageKey, owner, keyPackage, random);
}
