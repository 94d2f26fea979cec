/** Key packages of others, as the relay hands them out (protocol.md section 2.6). */
import { openSealed } from './sealing.ts';

/** An encoded KeyPackage, not yet verified. @throws WireError `key-package-open`. */
export async function openKeyPackage(
  packageKey: Uint8Array,
  owner: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array> {
  return openSealed(packageKey, owner, sealed, 'key-package-open');
}
