/**
 * RSA blind signatures (RFC 9474), the client's side: RSABSSA-SHA384-PSS-Deterministic.
 *
 * The signer learns nothing about the message: a blinded message is uniform among the units modulo n whatever the message is.
 */
import { concat, hex, unhex } from './bytes.ts';
import { CryptoError } from './errors.ts';
import type { Random } from './random.ts';
import { subtle, view } from './subtle.ts';

const HASH_SIZE = 48;
/** Bytes of salt in RSABSSA-SHA384-PSS; the PSSZERO variants have none. */
export const SALT_SIZE = 48;

export interface PublicKey {
  readonly n: bigint;
  readonly e: bigint;
}

/** What the client keeps until the signature is there; for one message, once. */
export interface Blinding {
  /** To be signed: as many bytes as the modulus has. */
  readonly blinded: Uint8Array;
  /** Of r modulo n. */
  readonly inverse: bigint;
}

/** RFC 9474 section 4.2; first the salt is drawn, then r. */
export async function blind(key: PublicKey, message: Uint8Array, random: Random, saltSize = SALT_SIZE): Promise<Blinding> {
  const salt = random.bytes(saltSize);
  return blindWith(key, message, salt, drawUnit(key.n, random));
}

/**
 * As `blind` with all that is drawn as arguments; `r` must be a fresh uniform unit modulo n, or messages can be linked.
 *
 * @throws CryptoError for an `r` that has no inverse, or a message that shares a factor with n.
 */
export async function blindWith(key: PublicKey, message: Uint8Array, salt: Uint8Array, r: bigint): Promise<Blinding> {
  const { n, e } = key;
  const representative = toBigint(await encodePss(message, bitLength(n) - 1, salt));
  const inverse = invert(r, n);
  if (inverse === null || invert(representative, n) === null) throw new CryptoError('this cannot be blinded');
  return { blinded: toBytes((representative * power(r, e, n)) % n, sizeOf(key)), inverse };
}

/** The signature of `message` (RFC 9474 section 4.4). @throws CryptoError where the signer did not sign with this key. */
export async function finalize(
  key: PublicKey,
  message: Uint8Array,
  blinding: Blinding,
  blindSignature: Uint8Array,
  saltSize = SALT_SIZE,
): Promise<Uint8Array> {
  const number = toBigint(blindSignature);
  if (blindSignature.length === sizeOf(key) && number < key.n) {
    const signature = toBytes((number * blinding.inverse) % key.n, sizeOf(key));
    if (await verify(key, message, signature, saltSize)) return signature;
  }
  throw new CryptoError('not a blind signature of this key');
}

/** RSASSA-PSS with SHA-384 (RFC 8017 section 8.1.2) and salts of `saltSize` bytes. */
export async function verify(
  key: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
  saltLength = SALT_SIZE,
): Promise<boolean> {
  const algorithm = { name: 'RSA-PSS', hash: 'SHA-384' };
  const jwk = { kty: 'RSA', n: base64Url(toBytes(key.n, sizeOf(key))), e: base64Url(toBytes(key.e, 3)) };
  const imported = await subtle().importKey('jwk', jwk, algorithm, false, ['verify']);
  return subtle().verify({ name: 'RSA-PSS', saltLength }, imported, view(signature), view(message));
}

/** Uniform among the units modulo n, by rejection. */
export function drawUnit(n: bigint, random: Random): bigint {
  const bits = bitLength(n);
  const size = Math.ceil(bits / 8);
  for (;;) {
    const r = toBigint(random.bytes(size)) >> BigInt(8 * size - bits);
    if (r < n && invert(r, n) !== null) return r;
  }
}

/** EMSA-PSS-ENCODE (RFC 8017 section 9.1.1) with SHA-384 and MGF1: a number of at most `bits` bits, big-endian. */
export async function encodePss(message: Uint8Array, bits: number, salt: Uint8Array): Promise<Uint8Array> {
  const size = Math.ceil(bits / 8);
  const zeros = size - salt.length - HASH_SIZE - 2;
  if (zeros < 0) throw new CryptoError('the key is too small for its hash');
  const digest = await sha384(new Uint8Array(8), await sha384(message), salt);
  const mask = await mgf1(digest, size - HASH_SIZE - 1);
  const block = concat(new Uint8Array(zeros), Uint8Array.of(1), salt).map((byte, i) => byte ^ (mask[i] as number));
  block[0] = (block[0] as number) & (255 >> (8 * size - bits));
  return concat(block, digest, Uint8Array.of(0xbc));
}

async function mgf1(seed: Uint8Array, size: number): Promise<Uint8Array> {
  const blocks = Array.from({ length: Math.ceil(size / HASH_SIZE) }, (_, i) => sha384(seed, Uint8Array.of(0, 0, 0, i)));
  return concat(...(await Promise.all(blocks))).subarray(0, size);
}

async function sha384(...parts: Uint8Array[]): Promise<Uint8Array> {
  return new Uint8Array(await subtle().digest('SHA-384', view(concat(...parts))));
}

// ---- numbers ----

/** For public exponents only: how long it takes tells the exponent. */
function power(base: bigint, exponent: bigint, n: bigint): bigint {
  let result = 1n;
  for (let square = base; exponent; exponent >>= 1n, square = (square * square) % n) {
    if (exponent & 1n) result = (result * square) % n;
  }
  return result;
}

/** The inverse of `a` modulo `n`, by Euclid's algorithm; null where they have a factor in common. */
function invert(a: bigint, n: bigint): bigint | null {
  let [r, next, s, nextS] = [n, a % n, 0n, 1n];
  while (next) [r, next, s, nextS] = [next, r % next, nextS, s - (r / next) * nextS];
  return r === 1n ? (s + n) % n : null;
}

const bitLength = (n: bigint): number => n.toString(2).length;

const sizeOf = (key: PublicKey): number => Math.ceil(bitLength(key.n) / 8);

/** Big-endian. */
export const toBigint = (data: Uint8Array): bigint => BigInt(`0x0${hex(data)}`);

export function toBytes(value: bigint, size: number): Uint8Array {
  return unhex(value.toString(16).padStart(2 * size, '0'));
}

const base64Url = (data: Uint8Array): string =>
  btoa(String.fromCharCode(...data)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
