import { fromBase64Url } from './bytes.ts';
import { CryptoError } from './errors.ts';

/** WebCrypto takes views on an `ArrayBuffer`; none of ours lies on shared memory. */
export function view(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return data as Uint8Array<ArrayBuffer>;
}

/** WebCrypto of this page. @throws CryptoError where the page has none (plain HTTP other than localhost). */
export function subtle(): SubtleCrypto {
  const found = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (found === undefined) throw new CryptoError('This page has no WebCrypto: open it over HTTPS.');
  return found;
}

/** Curves and ML-KEM for browsers that lack them: never loaded by one that has them. */
export const fallback = (): Promise<typeof import('./fallback.ts')> => import('./fallback.ts');

/** A predicate asked once: whether `probe` succeeds in this browser. */
export function feature(probe: () => Promise<unknown>): () => Promise<boolean> {
  let answer: Promise<boolean> | undefined;
  return () => (answer ??= probe().then(() => true, () => false));
}

/** Remembers what `make` gives for a byte string, by identity and only as long as the byte string lives. */
export function remembered<T>(make: (data: Uint8Array) => Promise<T>): (data: Uint8Array) => Promise<T> {
  const known = new WeakMap<Uint8Array, Promise<T>>();
  return (data) => {
    let value = known.get(data);
    if (value === undefined) known.set(data, (value = make(data)));
    return value;
  };
}

/** PKCS#8 of a raw 32-byte key (RFC 8410): the last OID octet is 0x6e for X25519, 0x70 for Ed25519. */
export function pkcs8(oidEnd: number, raw: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(48);
  out.set([0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, oidEnd, 0x04, 0x22, 0x04, 0x20]);
  out.set(raw, 16);
  return out;
}

/** One member of a key's JSON Web Key, decoded. */
export async function jwkField(key: CryptoKey, field: 'x' | 'pub'): Promise<Uint8Array> {
  const jwk = (await subtle().exportKey('jwk', key)) as unknown as Readonly<Record<string, string>>;
  return fromBase64Url(jwk[field] ?? '');
}
