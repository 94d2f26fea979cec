/** Tokens (protocol.md section 2.9; RFC 9577, RFC 9578 type 0x0002): what is signed, the token, and the relay's keys. */
import { type Blinding, blind, finalize, type PublicKey, toBigint, verify as verifyRsa } from '../crypto/blindrsa.ts';
import { concat, hex, u16, utf8 } from '../crypto/bytes.ts';
import { CryptoError } from '../crypto/errors.ts';
import { sha256 } from '../crypto/hashes.ts';
import type { Random } from '../crypto/random.ts';
import { sign, verify } from '../crypto/signature.ts';
import {
  type SignedTokenKeys,
  TOKEN_KEY_LIFETIME,
  TOKEN_KEY_PERIOD,
  TOKEN_SIZE,
  type TokenKey,
  TokenKind,
} from './_messages.ts';
import { decodeTokenKeyList, encodeTokenKeyList } from './_messages_rest.ts';
import { same } from './bytes.ts';
import { WireError } from './errors.ts';
import { signedBytes } from './labels.ts';

const TOKEN_TYPE = u16(0x0002);
const NONCE_SIZE = 32;
/** Bytes of a modulus, a blinded message and a signature: RSA with 2,048 bits. */
const KEY_BYTES = 256;
/** Bytes of a token in front of its authenticator: what the authenticator signs. */
const SIGNED_SIZE = 2 + 3 * 32;

// RFC 9578 section 6.5: SubjectPublicKeyInfo with id-RSASSA-PSS, SHA-384, MGF1 with SHA-384 and salts of 48 bytes; all
// that is around the modulus is the same in every key of 2,048 bits with exponent 65,537.
const SPKI_HEAD =
  '30820152303d06092a864886f70d01010a3030a00d300b0609608648016503040202a11a301806092a864886f70d010108300b06' +
  '09608648016503040202a2030201300382010f003082010a0282010100';
const SPKI_TAIL = '0203010001';
const LABEL = 'token keys';
/**
 * ms around the end of a period in which a relay's newest keys may be of either: it makes them beside its other work, and
 * who waited for the answer has an older time of it.
 */
const TURN = 86_400_000;

/** A token's parts (RFC 9577 section 2.2); nothing in it is verified. */
export interface Token {
  readonly nonce: Uint8Array;
  readonly challengeDigest: Uint8Array;
  readonly keyId: Uint8Array;
  readonly authenticator: Uint8Array;
  /** What the authenticator signs. */
  readonly signed: Uint8Array;
}

/** What a client keeps until the relay has signed: for one token, sent again unchanged until it is answered. */
export interface PendingToken {
  readonly signed: Uint8Array;
  readonly blinding: Blinding;
}

/** A list that the relay's identity signed. */
export interface VerifiedTokenKeys {
  readonly keys: readonly TokenKey[];
}

/** The key that tokens of this kind are issued with. */
export function newestKey({ keys }: VerifiedTokenKeys, kind: TokenKind): TokenKey {
  const [first, ...others] = keys.filter((key) => key.kind === kind);
  return others.reduce((best, key) => (key.notBefore > best.notBefore ? key : best), first as TokenKey);
}

/** @throws WireError `token-key` for anything but an odd modulus of 2,048 bits with exponent 65,537 in the RFC's form. */
export function decodeSpki(spki: Uint8Array): PublicKey {
  const at = SPKI_HEAD.length / 2;
  const modulus = spki.subarray(at, at + KEY_BYTES);
  const [first = 0, last = 0] = [modulus[0], modulus[KEY_BYTES - 1]];
  if (hex(spki) !== SPKI_HEAD + hex(modulus) + SPKI_TAIL || first < 128 || last % 2 === 0) {
    throw new WireError('token-key');
  }
  return { n: toBigint(modulus), e: 65_537n };
}

export function keyId(spki: Uint8Array): Uint8Array {
  return sha256(spki);
}

/** By which a relay knows whom it issues tokens to. */
export function memberId(memberSecret: Uint8Array): Uint8Array {
  return sha256(utf8('polynya member 1'), memberSecret);
}

/** SHA-256 of the TokenChallenge (RFC 9577 section 2.1) of this relay and kind. */
export function challengeDigest(identity: Uint8Array, kind: TokenKind): Uint8Array {
  const issuer = utf8(hex(identity));
  const origin = utf8(kind === TokenKind.use ? 'polynya use' : 'polynya join');
  return sha256(TOKEN_TYPE, u16(issuer.length), issuer, Uint8Array.of(0), u16(origin.length), origin);
}

/**
 * Draws a token of this key's relay and kind, and blinds it.
 *
 * @throws WireError `token-key`, or CryptoError where the relay's key can blind nothing.
 */
export async function beginToken(identity: Uint8Array, key: TokenKey, random: Random): Promise<PendingToken> {
  const nonce = random.bytes(NONCE_SIZE);
  const signed = concat(TOKEN_TYPE, nonce, challengeDigest(identity, key.kind), keyId(key.spki));
  return { signed, blinding: await blind(decodeSpki(key.spki), signed, random) };
}

/** The encoded token. @throws WireError `token-signature` where the relay signed something else, or with another key. */
export async function finishToken(
  key: TokenKey,
  { signed, blinding }: PendingToken,
  blindSignature: Uint8Array,
): Promise<Uint8Array> {
  try {
    return concat(signed, await finalize(decodeSpki(key.spki), signed, blinding, blindSignature));
  } catch (error) {
    if (error instanceof CryptoError) throw new WireError('token-signature');
    throw error;
  }
}

/** @throws WireError `token` for another size or type. */
export function parseToken(token: Uint8Array): Token {
  if (token.length !== TOKEN_SIZE || !same(token.subarray(0, 2), TOKEN_TYPE)) throw new WireError('token');
  const part = (from: number, to: number): Uint8Array => token.slice(from, to);
  return {
    nonce: part(2, 34),
    challengeDigest: part(34, 66),
    keyId: part(66, SIGNED_SIZE),
    authenticator: part(SIGNED_SIZE, TOKEN_SIZE),
    signed: part(0, SIGNED_SIZE),
  };
}

/** Whether this relay signed the token for this kind, with this key; nothing is said of whether it is spent. */
export async function verifyToken(
  identity: Uint8Array,
  kind: TokenKind,
  key: PublicKey,
  token: Token,
): Promise<boolean> {
  if (!same(token.challengeDigest, challengeDigest(identity, kind))) return false;
  return verifyRsa(key, token.signed, token.authenticator);
}

/** @throws WireError `message` over a limit. */
export async function signTokenKeys(relaySeed: Uint8Array, keys: readonly TokenKey[]): Promise<SignedTokenKeys> {
  const body = encodeTokenKeyList({ keys });
  return { type: 'SignedTokenKeys', body, signature: await sign(relaySeed, signedBytes(LABEL, body)) };
}

/**
 * `seen`: verified keys of this relay that were seen before, in lists of the relay's or in cards of others.
 *
 * @throws WireError `token-keys-signature`, `token-key` (a key of another form), `token-keys-period` (times other than a
 * period's), `token-keys-doubled` (two for one kind and period), `token-keys-none` (a kind without a key),
 * `token-keys-differ` (another key than one seen for its kind and period: the relay tells people apart by their tokens),
 * a `cbor-` rule, or `message`.
 */
export async function verifyTokenKeys(
  relayIdentity: Uint8Array,
  { body, signature }: SignedTokenKeys,
  seen: readonly TokenKey[] = [],
): Promise<VerifiedTokenKeys> {
  if (!(await verify(relayIdentity, signedBytes(LABEL, body), signature))) throw new WireError('token-keys-signature');
  const { keys } = decodeTokenKeyList(body);
  for (const key of keys) {
    decodeSpki(key.spki);
    if (key.notBefore % TOKEN_KEY_PERIOD || key.notAfter !== key.notBefore + TOKEN_KEY_LIFETIME) {
      throw new WireError('token-keys-period');
    }
  }
  const places = new Map(keys.map((key) => [place(key), key.spki]));
  if (places.size !== keys.length) throw new WireError('token-keys-doubled');
  const kinds = new Set(keys.map((key) => key.kind));
  if (Object.values(TokenKind).some((kind) => !kinds.has(kind))) throw new WireError('token-keys-none');
  if (seen.some((key) => !same(places.get(place(key)) ?? key.spki, key.spki))) throw new WireError('token-keys-differ');
  return { keys };
}

/**
 * The newest keys are of the period of `time`: ms, what the relay told with the list. Else it could give each person a
 * period of its own, and no two lists would ever differ.
 *
 * @throws WireError `token-keys-period`
 */
export function checkPeriod(keys: VerifiedTokenKeys, time: number): void {
  for (const kind of Object.values(TokenKind)) {
    const { notBefore } = newestKey(keys, kind);
    if (time < notBefore - TURN || time >= notBefore + TOKEN_KEY_PERIOD + TURN) throw new WireError('token-keys-period');
  }
}

const place = (key: TokenKey): string => `${key.kind} ${key.notBefore}`;
