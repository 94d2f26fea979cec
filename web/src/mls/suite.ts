import { AES_128_GCM, type Aead } from '../crypto/aead.ts';
import { concat, u16, utf8 } from '../crypto/bytes.ts';
import { equal } from '../crypto/compare.ts';
import { CryptoError } from '../crypto/errors.ts';
import { hkdfExpand, hkdfExtract, hmacSha256, sha256 } from '../crypto/hashes.ts';
import { openOnce } from '../crypto/hpke.ts';
import { DHKEM_X25519, type Kem } from '../crypto/kem.ts';
import { publicKey, sign, verify } from '../crypto/signature.ts';
import { XWING } from '../crypto/xwing.ts';
import { encode, labelled, opaque, struct } from './codec.ts';
import { MlsError, ensure } from './errors.ts';

export interface Hash {
  /** Bytes, also those of HKDF and HMAC: `KDF.Nh`. */
  readonly size: number;
  digest(data: Uint8Array): Uint8Array;
  mac(key: Uint8Array, data: Uint8Array): Uint8Array;
  extract(salt: Uint8Array, ikm: Uint8Array): Uint8Array;
  expand(prk: Uint8Array, info: Uint8Array, length: number): Uint8Array;
}

export interface SignatureScheme {
  publicKey(privateKey: Uint8Array): Promise<Uint8Array>;
  sign(privateKey: Uint8Array, message: Uint8Array): Promise<Uint8Array>;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** A cipher suite (RFC 9420, section 5.1). */
export interface Suite {
  readonly id: number;
  readonly kem: Kem;
  readonly aead: Aead;
  readonly hash: Hash;
  readonly signature: SignatureScheme;
}

const SHA256: Hash = {
  size: 32,
  digest: sha256,
  mac: hmacSha256,
  extract: hkdfExtract,
  expand: hkdfExpand,
};

/** MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519. */
export const SUITE_X25519: Suite = {
  id: 0x0001,
  kem: DHKEM_X25519,
  aead: AES_128_GCM,
  hash: SHA256,
  signature: { publicKey, sign, verify },
};

/** The same with X-Wing as KEM, under a private-use number (RFC 9420, section 17.1). */
export const SUITE_XWING: Suite = { ...SUITE_X25519, id: 0xf001, kem: XWING };

const SUITES: readonly Suite[] = [SUITE_X25519, SUITE_XWING];

/** @throws MlsError rule `5.1-suite` */
export function suiteById(id: number): Suite {
  const suite = SUITES.find((candidate) => candidate.id === id);
  ensure(suite !== undefined, '5.1-suite', `cipher suite ${id} is unknown`);
  return suite;
}

export const EMPTY = new Uint8Array(0);
const PREFIX = utf8('MLS 1.0 ');

/** The all-zero string that stands for an absent secret. */
export function zeros(suite: Suite): Uint8Array {
  return new Uint8Array(suite.hash.size);
}

/** ExpandWithLabel (section 8). */
export function expandWithLabel(
  suite: Suite,
  secret: Uint8Array,
  label: string | Uint8Array,
  context: Uint8Array,
  length: number,
): Uint8Array {
  const name = typeof label === 'string' ? utf8(label) : label;
  const info = concat(u16(length), encode(opaque, concat(PREFIX, name)), encode(opaque, context));
  return suite.hash.expand(secret, info, length);
}

/** DeriveSecret (section 8). */
export function deriveSecret(suite: Suite, secret: Uint8Array, label: string | Uint8Array): Uint8Array {
  return expandWithLabel(suite, secret, label, EMPTY, suite.hash.size);
}

/** DeriveTreeSecret (section 9.1). */
export function deriveTreeSecret(
  suite: Suite,
  secret: Uint8Array,
  label: string,
  generation: number,
  length: number,
): Uint8Array {
  const context = new Uint8Array(4);
  new DataView(context.buffer).setUint32(0, generation);
  return expandWithLabel(suite, secret, label, context, length);
}

/** RefHash (section 5.2). */
export function refHash(suite: Suite, label: string, value: Uint8Array): Uint8Array {
  return suite.hash.digest(concat(labelled(label), encode(opaque, value)));
}

export function labelledContent(label: string, content: Uint8Array): Uint8Array {
  return concat(labelled(`MLS 1.0 ${label}`), encode(opaque, content));
}

const PRIVATE_KEY = '5.1.2-private-key';

/** The public key of a private signature key. @throws MlsError where that is none */
export function signaturePublicKey(suite: Suite, privateKey: Uint8Array): Promise<Uint8Array> {
  return opened(PRIVATE_KEY, suite.signature.publicKey(privateKey));
}

/** SignWithLabel (section 5.1.2). @throws MlsError */
export function signWithLabel(
  suite: Suite,
  privateKey: Uint8Array,
  label: string,
  content: Uint8Array,
): Promise<Uint8Array> {
  return opened(PRIVATE_KEY, suite.signature.sign(privateKey, labelledContent(label, content)));
}

/** VerifyWithLabel (section 5.1.2). An empty signature is never valid. */
export function verifyWithLabel(
  suite: Suite,
  publicKey: Uint8Array,
  label: string,
  content: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  return suite.signature.verify(publicKey, labelledContent(label, content), signature);
}

export interface HpkeCiphertext {
  readonly kemOutput: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export const hpkeCiphertext = struct<HpkeCiphertext>({ kemOutput: opaque, ciphertext: opaque });

/** DecryptWithLabel (section 5.1.3). @throws CryptoError */
export function decryptWithLabel(
  suite: Suite,
  privateKey: Uint8Array,
  label: string,
  context: Uint8Array,
  sealed: HpkeCiphertext,
): Promise<Uint8Array> {
  const info = labelledContent(label, context);
  return openOnce(suite.kem, suite.aead, privateKey, sealed.kemOutput, info, EMPTY, sealed.ciphertext);
}

/** Whether a MAC is the key's over the data, in constant time. */
export function verifyMac(suite: Suite, key: Uint8Array, data: Uint8Array, tag: Uint8Array): boolean {
  return equal(suite.hash.mac(key, data), tag);
}

/** What an attempt to open gives; MlsError with the rule where a primitive refuses. */
export async function opened<T>(rule: string, attempt: Promise<T>): Promise<T> {
  return attempt.catch((error: unknown) => {
    throw error instanceof CryptoError ? new MlsError(rule) : error;
  });
}
