/** What is known of a relay's tokens beside those in the purse: who we are to it, its keys, and the request on its way. */
import { type Blinding, toBigint, toBytes } from '../crypto/blindrsa.ts';
import { same } from '../wire/bytes.ts';
import * as cbor from '../wire/cbor.ts';
import { type SignedTokenKeys, TOKEN_KEY_LIFETIME, type TokenKey, TokenKind } from '../wire/messages.ts';
import { WireError } from '../wire/errors.ts';
import {
  challengeDigest,
  checkPeriod,
  decodeSpki,
  keyId,
  newestKey,
  parseToken,
  type PendingToken,
  type VerifiedTokenKeys,
  verifyToken,
  verifyTokenKeys,
} from '../wire/tokens.ts';
import type { Purse } from './purse.ts';

/** Tokens of kind use: fewer are filled up, to so many, at leisure; below the last at once. */
export const LOW = 32;
export const FULL = 96;
export const URGENT = 4;
/** Of kind join: as many people can be invited before we are at the relay again. */
export const JOIN_FULL = 4;
/** What a card carries of them at most, and how many its maker keeps. */
const CARRIED = 16;
const KEPT = 8;
const BLINDED = 256;
/** ms after its end for which a key is compared with. */
const KEYS_KEPT = 365 * 86_400_000;
/** An honest relay has 28 keys in 14 months: who shows more would have former ones forgotten. */
const KEYS_MOST = 64;

/** A request for signatures that has not been answered: it is repeated as it is (protocol.md section 2.9, MUST). */
export interface Pending {
  readonly key: TokenKey;
  readonly tokens: readonly PendingToken[];
}

type KeyRow = [kind: number, spki: Uint8Array, notBefore: number];
type PendingRow = [...KeyRow, tokens: [signed: Uint8Array, blinded: Uint8Array, inverse: Uint8Array][]];
type Row = [
  secret: Uint8Array,
  joined: boolean,
  differs: boolean,
  seen: KeyRow[],
  newest: [] | [body: Uint8Array, signature: Uint8Array],
  pending: [] | PendingRow,
  shared: Uint8Array[],
];

const writeKey = ({ kind, spki, notBefore }: TokenKey): KeyRow => [kind, spki, notBefore];

const readKey = ([kind, spki, notBefore]: readonly [number, Uint8Array, number, ...unknown[]]): TokenKey => ({
  kind: kind as TokenKind,
  spki,
  notBefore,
  notAfter: notBefore + TOKEN_KEY_LIFETIME,
});

function writePending({ key, tokens }: Pending): PendingRow {
  const written = tokens.map(({ signed, blinding: { blinded, inverse } }): PendingRow[3][number] => [
    signed,
    blinded,
    toBytes(inverse, BLINDED),
  ]);
  return [...writeKey(key), written];
}

function readPending(row: PendingRow): Pending {
  const tokens = row[3].map(([signed, blinded, inverse]): PendingToken => {
    const blinding: Blinding = { blinded, inverse: toBigint(inverse) };
    return { signed, blinding };
  });
  return { key: readKey(row), tokens };
}

export class Issuing {
  /** By which the relay knows us when it issues; 32 bytes, or none before the first time. */
  secret: Uint8Array = new Uint8Array(0);
  /** Whether the relay has us for a member. */
  joined = false;
  /** The relay has shown two keys for one kind and time: it is asked for nothing any more. */
  differs = false;
  /** Every key that was seen. */
  seen: TokenKey[] = [];
  /** The newest list that was seen, for the cards of our invites. */
  newest: SignedTokenKeys | null = null;
  pending: Pending | null = null;
  /** Tokens that came in cards: whoever made those had them too. */
  shared: Uint8Array[] = [];

  /** `row`: what `encode` made. */
  constructor(row: Uint8Array | null) {
    if (!row) return;
    const [secret, joined, differs, seen, newest, pending, shared] = cbor.decode(row) as unknown as Row;
    Object.assign(this, { secret, joined, differs, shared });
    this.seen = seen.map(readKey);
    if (newest.length) this.newest = { type: 'SignedTokenKeys', body: newest[0], signature: newest[1] };
    if (pending.length) this.pending = readPending(pending);
  }

  encode(): Uint8Array {
    const { secret, joined, differs, seen, newest, pending, shared } = this;
    const row: Row = [
      secret,
      joined,
      differs,
      seen.map(writeKey),
      newest ? [newest.body, newest.signature] : [],
      pending ? writePending(pending) : [],
      shared,
    ];
    return cbor.encode(row as unknown as cbor.Value);
  }

  /**
   * A list of the relay's, its answer or from a card, is compared with all keys that were seen before; `time`: ms, the
   * relay's clock.
   *
   * @throws WireError as verifyTokenKeys; after `token-keys-differ` `differs` is set
   */
  async learn(
    identity: Uint8Array,
    signed: SignedTokenKeys,
    time: number,
    { isAnswer }: { readonly isAnswer: boolean },
  ): Promise<VerifiedTokenKeys> {
    try {
      const verified = await verifyTokenKeys(identity, signed, this.seen);
      if (isAnswer) checkPeriod(verified, time);
      const isNew = (key: TokenKey): boolean => !this.seen.some((one) => one.kind === key.kind && one.notBefore === key.notBefore);
      this.seen = [...this.seen, ...verified.keys.filter(isNew)].filter((key) => key.notAfter + KEYS_KEPT > time);
      if (this.seen.length > KEYS_MOST) throw new WireError('token-keys-differ');
      if (newestOf(verified) === newestOf({ keys: this.seen })) this.newest = signed;
      return verified;
    } catch (error) {
      if (error instanceof WireError && error.rule === 'token-keys-differ') this.differs = true;
      throw error;
    }
  }

  /** What cards brought: keys are compared, and a list that is not the relay's is passed over. */
  async learnCards(identity: Uint8Array, purse: Purse, time: number): Promise<void> {
    for (const [[body, signature], tokens] of purse.cards.splice(0)) {
      this.shared.push(...tokens);
      if (!body || !signature) continue;
      try {
        await this.learn(identity, { type: 'SignedTokenKeys', body, signature }, time, { isAnswer: false });
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
      }
    }
  }

  /**
   * Throws away what the relay will not take: by keys that were seen, tokens of another relay or kind, that it did not
   * sign, or too old at `time` (ms, the relay's clock); tokens twice; with `current`, also those of other keys than these,
   * and what somebody else had in hand.
   */
  async clean(identity: Uint8Array, purse: Purse, time: number, current?: readonly TokenKey[]): Promise<void> {
    const bad = [
      ...(await this.#bad(identity, purse.use, TokenKind.use, time, current)),
      ...(await this.#bad(identity, purse.join, TokenKind.join, time, current)),
    ];
    // What came or went meanwhile is left as it is.
    purse.use = purse.use.filter((token) => !bad.includes(token) && !(current && this.#isShared(token)));
    purse.join = purse.join.filter((token) => !bad.includes(token));
    this.shared = this.shared.filter((token) => purse.use.some((one) => same(one, token)));
  }

  async #bad(
    identity: Uint8Array,
    tokens: readonly Uint8Array[],
    kind: TokenKind,
    time: number,
    current: readonly TokenKey[] | undefined,
  ): Promise<Uint8Array[]> {
    const keys = (current ?? this.seen).filter((key) => key.kind === kind).map((key) => ({ id: keyId(key.spki), ...key }));
    const digest = challengeDigest(identity, kind);
    const isGood = async (token: Uint8Array, i: number): Promise<boolean> => {
      const parts = parseToken(token);
      if (!same(parts.challengeDigest, digest) || tokens.findIndex((one) => same(one, token)) !== i) return false;
      const key = keys.find(({ id }) => same(id, parts.keyId));
      if (!key) return !current;
      // Ours were verified when they came.
      const isKnown = kind === TokenKind.use && !this.#isShared(token);
      return key.notAfter > time && (isKnown || verifyToken(identity, kind, decodeSpki(key.spki), parts));
    };
    const good = await Promise.all(tokens.map((token, i) => isGood(token, i).catch(refused)));
    return tokens.filter((_, i) => !good[i]);
  }

  #isShared(token: Uint8Array): boolean {
    return this.shared.some((one) => same(one, token));
  }

  /** Tokens that nobody else has had. */
  own(purse: Purse): Uint8Array[] {
    return purse.use.filter((token) => !this.#isShared(token));
  }

  /** Whether an invite made now would carry all that it can; `joinless`: the relay gives us no tokens of kind join. */
  isEnough(purse: Purse, joinless: boolean): boolean {
    return this.own(purse).length >= CARRIED + KEPT && (joinless || purse.join.length > 0);
  }

  /** Takes what a new invite's card carries out of the purse. */
  forInvite(purse: Purse): { tokens?: Uint8Array[]; join?: Uint8Array; tokenKeys?: SignedTokenKeys } {
    const tokens = this.own(purse).slice(0, Math.max(0, Math.min(CARRIED, purse.use.length - KEPT)));
    purse.use = purse.use.filter((token) => !tokens.includes(token));
    // Before that it is for ourselves.
    const join = this.joined ? purse.join.shift() : undefined;
    return { ...(tokens.length && { tokens }), ...(join && { join }), ...(this.newest && { tokenKeys: this.newest }) };
  }
}

/** Bytes that are no token. */
function refused(error: unknown): boolean {
  if (error instanceof WireError) return false;
  throw error;
}

function newestOf(keys: VerifiedTokenKeys): number {
  return newestKey(keys, TokenKind.use).notBefore;
}
