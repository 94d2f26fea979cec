/** A relay as far as tokens go, with keys of its own and a clock that the test sets; it signs, and counts, as the real one. */
import { constants, generateKeyPairSync, type KeyObject, privateDecrypt } from 'node:crypto';
import { concat, hex } from '../../src/crypto/bytes.ts';
import { publicKey } from '../../src/crypto/signature.ts';
import { fromBase64url } from '../../src/wire/bytes.ts';
import {
  type Card,
  type IssueTokens,
  type JoinRelay,
  RefusalCode,
  type Request,
  type Response,
  type SignedTokenKeys,
  TOKEN_KEY_LIFETIME,
  TOKEN_KEY_PERIOD,
  type TokenKey,
  TokenKind,
} from '../../src/wire/messages.ts';
import { beginToken, decodeSpki, finishToken, keyId, parseToken, signTokenKeys, verifyToken } from '../../src/wire/tokens.ts';
import { payable } from '../../src/client/purse.ts';
import { unhex } from '../../src/crypto/bytes.ts';
import type { SeededRandom } from '../support/seeded.ts';

export const NOW = 740 * TOKEN_KEY_PERIOD + 86_400_000;
const DAY = 86_400_000;

const SPKI_HEAD = unhex(
  '30820152303d06092a864886f70d01010a3030a00d300b0609608648016503040202a11a301806092a864886f70d010108300b0609608648016503040202a2030201300382010f003082010a0282010100',
);

interface Key {
  readonly token: TokenKey;
  readonly secret: KeyObject;
}

function makeKey(kind: TokenKind, notBefore: number): Key {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const n = fromBase64url(privateKey.export({ format: 'jwk' }).n as string) as Uint8Array;
  const spki = concat(SPKI_HEAD, n, Uint8Array.of(2, 3, 1, 0, 1));
  return { token: { kind, spki, notBefore, notAfter: notBefore + TOKEN_KEY_LIFETIME }, secret: privateKey };
}

/** Made once: two pairs take a second. */
const KEYS = Object.values(TokenKind).map((kind) => makeKey(kind, NOW - (NOW % TOKEN_KEY_PERIOD)));
const OTHERS = Object.values(TokenKind).map((kind) => makeKey(kind, NOW - (NOW % TOKEN_KEY_PERIOD)));

interface Member {
  readonly invited: boolean;
  readonly left: Record<TokenKind, number>;
  readonly last: Map<TokenKind, string>;
}

export class TokenRelay {
  readonly seed: Uint8Array;
  identity!: Uint8Array;
  required = true;
  now = NOW;
  /** How many more become members today, without a token. */
  open = 20;
  keys = KEYS;
  /** By token: what it paid for. */
  readonly spent = new Map<string, string>();
  readonly made = new Set<string>();
  readonly members = new Map<string, Member>();
  readonly asked: Request['type'][] = [];
  /** Tokens that were counted as issued. */
  issued = 0;
  /** Tokens that were shown and refused. */
  refused = 0;

  private constructor(seed: Uint8Array) {
    this.seed = seed;
  }

  static async make(random: SeededRandom): Promise<TokenRelay> {
    const relay = new TokenRelay(random.bytes(32));
    relay.identity = await publicKey(relay.seed);
    return relay;
  }

  /** From now on people are shown other keys for the same time. */
  cheat(): void {
    this.keys = OTHERS;
  }

  signedKeys(): Promise<SignedTokenKeys> {
    return signTokenKeys(this.seed, this.keys.map(({ token }) => token));
  }

  /** Tokens as somebody else was issued them. */
  async tokens(count: number, kind: TokenKind, random: SeededRandom): Promise<Uint8Array[]> {
    const key = this.#key(kind);
    const made = Array.from({ length: count }, async () => {
      const pending = await beginToken(this.identity, key.token, random);
      return finishToken(key.token, pending, this.#sign(key, pending.blinding.blinded));
    });
    return Promise.all(made);
  }

  async card(random: SeededRandom, join = true): Promise<Pick<Card, 'tokens' | 'join' | 'tokenKeys'>> {
    const [token] = join ? await this.tokens(1, TokenKind.join, random) : [];
    return { tokens: await this.tokens(16, TokenKind.use, random), join: token, tokenKeys: await this.signedKeys() };
  }

  async answer(request: Request): Promise<Response> {
    this.asked.push(request.type);
    switch (request.type) {
      case 'GetTokenKeys':
        return this.signedKeys();
      case 'JoinRelay':
        return this.#join(request);
      case 'IssueTokens':
        return this.#issue(request);
      case 'CreateTopic':
      case 'CreateInbox':
      case 'PutKeyPackages':
      case 'PutBlob':
        return this.#pay(request);
      default:
        return { type: 'Done' };
    }
  }

  #key(kind: TokenKind): Key {
    return this.keys.find(({ token }) => token.kind === kind) as Key;
  }

  #sign({ secret }: Key, blinded: Uint8Array): Uint8Array {
    return new Uint8Array(privateDecrypt({ key: secret, padding: constants.RSA_NO_PADDING }, blinded));
  }

  async #isGood(token: Uint8Array | undefined, kind: TokenKind, what: string): Promise<boolean> {
    if (!token) return false;
    const parts = parseToken(token);
    const key = this.keys.find((one) => hex(keyId(one.token.spki)) === hex(parts.keyId));
    const before = this.spent.get(hex(token));
    const good = !!key && key.token.kind === kind && (await verifyToken(this.identity, kind, decodeSpki(key.token.spki), parts));
    return good && (before === undefined || before === what);
  }

  async #pay(request: Request & { readonly token?: Uint8Array | undefined }): Promise<Response> {
    const what = payable(request) as string;
    if (this.required && !this.made.has(what)) {
      if (!(await this.#isGood(request.token, TokenKind.use, what))) {
        if (request.token) this.refused++;
        return { type: 'Refused', code: RefusalCode.token };
      }
      this.spent.set(hex(request.token as Uint8Array), what);
    }
    this.made.add(what);
    return { type: 'Done' };
  }

  async #join({ memberSecret, token }: JoinRelay): Promise<Response> {
    const id = hex(memberSecret);
    if (this.members.has(id)) return { type: 'Done' };
    if (token && !(await this.#isGood(token, TokenKind.join, id))) return { type: 'Refused', code: RefusalCode.token };
    if (!token && this.open-- <= 0) return this.#tomorrow();
    if (token) this.spent.set(hex(token), id);
    this.members.set(id, { invited: !!token, left: token ? { 1: 512, 2: 8 } : { 1: 32, 2: 0 }, last: new Map() });
    return { type: 'Done' };
  }

  #tomorrow(): Response {
    return { type: 'Refused', code: RefusalCode.tooMany, retryAfter: DAY - (this.now % DAY) };
  }

  /** A new day: the members may have more again. */
  sleep(days = 1): void {
    this.now += days * DAY;
    for (const { invited, left } of this.members.values()) left[TokenKind.use] += days * (invited ? 256 : 16);
    this.open = 20;
  }

  #issue({ memberSecret, kind, keyId: id, blinded }: IssueTokens): Response {
    const member = this.members.get(hex(memberSecret));
    if (!member) return { type: 'Refused', code: RefusalCode.noMember };
    const key = this.#key(kind);
    if (hex(keyId(key.token.spki)) !== hex(id)) return { type: 'Refused', code: RefusalCode.tokenKey };
    const request = blinded.map(hex).join(' ');
    if (member.last.get(kind) !== request) {
      if (!member.invited && kind === TokenKind.join) return { type: 'Refused', code: RefusalCode.tooLarge };
      if (blinded.length > member.left[kind]) return this.#tomorrow();
      member.left[kind] -= blinded.length;
      member.last.set(kind, request);
      this.issued += blinded.length;
    }
    return { type: 'TokensIssued', signatures: blinded.map((one) => this.#sign(key, one)) };
  }
}
