/** Oblivious HTTP's encapsulation (RFC 9458 section 4) over any KEM and media-type label; HKDF-SHA256, AES-128-GCM. */
import { AES_128_GCM } from '../crypto/aead.ts';
import { concat, u16, utf8 } from '../crypto/bytes.ts';
import { CryptoError } from '../crypto/errors.ts';
import { hkdfExpand, hkdfExtract } from '../crypto/hashes.ts';
import { type Context, KDF_HKDF_SHA256, setupReceiver, setupSender } from '../crypto/hpke.ts';
import type { Kem } from '../crypto/kem.ts';
import type { Random } from '../crypto/random.ts';

export const HEADER_SIZE = 7;
/** max(Nk, Nn) of AES-128-GCM. */
const NONCE_SIZE = 16;
const EMPTY = new Uint8Array(0);

/** What stands before `enc`: key id (8 bits), then KEM, KDF and AEAD ids (16 bits each). */
export function header(kem: Kem, keyId: number): Uint8Array {
  return concat(Uint8Array.of(keyId), u16(kem.id), u16(KDF_HKDF_SHA256), u16(AES_128_GCM.id));
}

/** [header, enc, context] of a new request. @throws CryptoError for an invalid key. */
export async function setupRequest(
  kem: Kem,
  keyId: number,
  publicKey: Uint8Array,
  label: string,
  random: Random,
): Promise<[Uint8Array, Uint8Array, Context]> {
  const start = header(kem, keyId);
  const info = concat(utf8(`${label}\0`), start);
  const [enc, context] = await setupSender(kem, AES_128_GCM, publicKey, info, random);
  return [start, enc, context];
}

/** [enc, ciphertext, context] of a request whose header the caller has compared. @throws CryptoError */
export async function openSetup(
  kem: Kem,
  privateKey: Uint8Array,
  label: string,
  message: Uint8Array,
): Promise<[Uint8Array, Uint8Array, Context]> {
  const end = HEADER_SIZE + kem.encapsulationSize;
  const enc = message.slice(HEADER_SIZE, end);
  const info = concat(utf8(`${label}\0`), message.slice(0, HEADER_SIZE));
  const context = await setupReceiver(kem, AES_128_GCM, privateKey, enc, info);
  return [enc, message.slice(end), context];
}

export function responseSecret(context: Context, label: string): Uint8Array {
  return context.export(utf8(label), NONCE_SIZE);
}

function responseKeys(secret: Uint8Array, enc: Uint8Array, nonce: Uint8Array): [Uint8Array, Uint8Array] {
  const prk = hkdfExtract(concat(enc, nonce), secret);
  return [hkdfExpand(prk, utf8('key'), AES_128_GCM.keySize), hkdfExpand(prk, utf8('nonce'), AES_128_GCM.nonceSize)];
}

/** Section 4.4: response nonce, then the plaintext under a key of it and of the request. */
export async function sealResponse(
  secret: Uint8Array,
  enc: Uint8Array,
  plaintext: Uint8Array,
  random: Random,
): Promise<Uint8Array> {
  const nonce = random.bytes(NONCE_SIZE);
  const [key, iv] = responseKeys(secret, enc, nonce);
  return concat(nonce, await AES_128_GCM.seal(key, iv, EMPTY, plaintext));
}

/** The plaintext. @throws CryptoError */
export async function openResponse(secret: Uint8Array, enc: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  if (message.length < NONCE_SIZE) throw new CryptoError('The response is too short.');
  const [key, iv] = responseKeys(secret, enc, message.slice(0, NONCE_SIZE));
  return AES_128_GCM.open(key, iv, EMPTY, message.slice(NONCE_SIZE));
}
