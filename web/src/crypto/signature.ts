import { CryptoError } from './errors.ts';
import { feature, jwkField, pkcs8, remembered, subtle, view } from './subtle.ts';
import type { Random } from './random.ts';

/** Ed25519 (RFC 8032). A private key is its 32-byte seed. */

export const PUBLIC_KEY_SIZE = 32;
export const SIGNATURE_SIZE = 64;

const importPrivate = remembered((seed) =>
  subtle().importKey('pkcs8', pkcs8(0x70, seed), { name: 'Ed25519' }, true, ['sign']),
);
const importPublic = remembered((publicKey) =>
  subtle().importKey('raw', view(publicKey), { name: 'Ed25519' }, true, ['verify']),
);

/** Whether WebCrypto has Ed25519. */
export const native = feature(() => subtle().generateKey({ name: 'Ed25519' }, false, ['sign', 'verify']));

/** A fresh private key: one draw of 32 bytes. */
export function generate(random: Random): Uint8Array {
  return random.bytes(32);
}

/** The 32-byte public key of a seed. */
export async function publicKey(seed: Uint8Array): Promise<Uint8Array> {
  if (seed.length !== 32) throw new CryptoError('An Ed25519 seed has 32 bytes.');
  if (!(await native())) return (await import('./fallback.ts')).ed25519Public(seed);
  return jwkField(await importPrivate(seed), 'x');
}

/** A 64-byte signature. */
export async function sign(seed: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  if (seed.length !== 32) throw new CryptoError('An Ed25519 seed has 32 bytes.');
  if (!(await native())) return (await import('./fallback.ts')).ed25519Sign(seed, message);
  return new Uint8Array(await subtle().sign('Ed25519', await importPrivate(seed), view(message)));
}

/** Whether the signature is the key's over the message. A key or signature of any other length is never valid. */
export async function verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (publicKey.length !== PUBLIC_KEY_SIZE || signature.length !== SIGNATURE_SIZE) return false;
  try {
    if (!(await native())) return (await import('./fallback.ts')).ed25519Verify(publicKey, message, signature);
    return await subtle().verify('Ed25519', await importPublic(publicKey), view(signature), view(message));
  } catch {
    return false;
  }
}
