/**
 * Filling a relay's purse: keys, membership and signatures, each by an exchange of its own rather than over the session
 * that reads our topics (protocol.md section 2.9). Nothing is lost where it is broken off.
 */
import { CarrierError } from '../carriers/base.ts';
import { CryptoError } from '../crypto/errors.ts';
import type { Random } from '../crypto/random.ts';
import { pause } from '../paths/backoff.ts';
import { WireError } from '../wire/errors.ts';
import { RefusalCode, type Refused, type Request, type Response, TOKENS_ISSUED, TokenKind } from '../wire/messages.ts';
import { beginToken, finishToken, keyId, newestKey, type VerifiedTokenKeys } from '../wire/tokens.ts';
import { FULL, type Issuing, JOIN_FULL, LOW, type Pending, URGENT } from './issuing.ts';
import type { Link } from './link.ts';
import type { Purse } from './purse.ts';
import type { Shortage } from './types.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** ms within which a refill that can wait begins, so that it does not tell what was paid for. */
const AT_LEISURE = 10 * MINUTE;
/** Tokens refused one after another, after which the keys are looked at. */
const REFUSED_MOST = 3;
/** Failures that the pauses grow with: up to half a minute, as somebody may be waiting. */
const FAILURES_MOST = 6;
/** How often membership and keys are asked for again in one run. */
const ROUNDS = 3;
/** The relay cannot now, and says nothing of when. */
const TRANSIENT: readonly number[] = [RefusalCode.full, RefusalCode.internal, RefusalCode.clock, RefusalCode.repeated];

/** Why there are no more tokens, and until when, ms. */
interface Obstacle {
  readonly code: Shortage['code'];
  readonly until: number;
}

export interface Surroundings {
  readonly random: Random;
  /** ms. */
  readonly clock: () => number;
  /** What is kept of the relay's tokens beside the purse. */
  load(): Promise<Issuing>;
  /** Makes that and the purse durable, in one transaction. @throws StoreError, ClientError `taken-over` */
  save(issuing: Issuing): Promise<void>;
  /** To be told to the person for as long as it lasts; null: there are tokens again. */
  shortage(found: Shortage | null): void;
  /** What goes wrong where nobody waits. */
  failed(error: unknown): void;
}

export class Refill {
  readonly #link: Pick<Link, 'address' | 'purse' | 'closed' | 'exchange' | 'relayTime'>;
  readonly #around: Surroundings;
  #issuing: Issuing | undefined;
  #running: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #obstacle: Obstacle | null = null;
  /** ms: before, the relay has no more than what is here, which is enough for now. */
  #sated = 0;
  /** ms: the person was told of an obstacle that lasts until then. */
  #told = 0;
  /** The relay gives us none of kind join. */
  #joinless = false;

  constructor(link: Pick<Link, 'address' | 'purse' | 'closed' | 'exchange' | 'relayTime'>, around: Surroundings) {
    this.#link = link;
    this.#around = around;
  }

  get #purse(): Purse {
    return this.#link.purse;
  }

  // ---- when ----

  /** Begins to fill what runs low: at once what is nearly empty, else at some moment of the next minutes. */
  consider(): void {
    const { wanted, use } = this.#purse;
    if (!wanted || use.length >= LOW || this.#running || this.#link.closed) return;
    const isUrgent = use.length < URGENT;
    if (this.#timer && !isUrgent) return;
    const leisure = Math.max(this.#chance() * AT_LEISURE, this.#sated - this.#around.clock());
    const wait = Math.max(isUrgent ? 0 : leisure, this.#paused());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.fill().catch((error: unknown) => this.#around.failed(error));
    }, wait);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** See LinkSink. @throws StoreError, ClientError `taken-over` */
  async needed(refused: number): Promise<Refused | null> {
    if (refused > REFUSED_MOST) return this.#refusal(this.#later(HOUR));
    const isStrict = refused === REFUSED_MOST;
    // A card may have brought some meanwhile.
    if (isStrict || !this.#purse.use.length) await this.fill(isStrict);
    return this.#purse.use.length ? null : this.#refusal(this.#obstacle ?? this.#later(HOUR));
  }

  /** Takes out what a new invite's card is to carry; waits no longer than `ms` for tokens. @throws as `needed` */
  async forInvite(ms: number): Promise<ReturnType<Issuing['forInvite']>> {
    if (!this.#purse.wanted) return {};
    const issuing = await this.#load();
    if (!issuing.isEnough(this.#purse, this.#joinless)) await Promise.race([this.fill(), sleep(ms)]);
    const carried = issuing.forInvite(this.#purse);
    await this.#around.save(issuing);
    this.consider();
    return carried;
  }

  /** As answer to a request that waits. */
  #refusal(obstacle: Obstacle): Refused {
    this.#tell(obstacle);
    // Tokens may come before, with an invitation.
    return { type: 'Refused', code: RefusalCode.tooMany, retryAfter: Math.min(this.#until(obstacle), HOUR) };
  }

  /** Once. */
  #tell(obstacle: Obstacle): void {
    if (this.#told >= obstacle.until || this.#link.closed) return;
    this.#told = obstacle.until;
    this.#around.shortage({ code: obstacle.code, hours: Math.max(1, Math.ceil(this.#until(obstacle) / HOUR)) });
  }

  /** ms. */
  #until(obstacle: Obstacle | null): number {
    return Math.max(0, (obstacle?.until ?? 0) - this.#around.clock());
  }

  #later(wait: number, code: Shortage['code'] = 'no-tokens'): Obstacle {
    return { code, until: this.#around.clock() + wait };
  }

  /** ms until the relay is worth asking; with a token to become a member with it is at once. */
  #paused(): number {
    if (this.#purse.join.length && !this.#issuing?.joined) return 0;
    return this.#until(this.#obstacle);
  }

  /** 0 up to 1. */
  #chance(): number {
    const [high = 0, low = 0] = this.#around.random.bytes(2);
    return (high * 256 + low) / 65_536;
  }

  // ---- how ----

  /**
   * Resolves when the purse is full or something stands against it; one at a time. Strict: what the relay's keys of now did
   * not sign is thrown away.
   *
   * @throws StoreError, ClientError `taken-over`
   */
  async fill(isStrict = false): Promise<void> {
    if (isStrict) await this.#running;
    this.#running ??= this.#keepTrying(isStrict).finally(() => {
      this.#running = undefined;
      this.consider();
    });
    return this.#running;
  }

  async #load(): Promise<Issuing> {
    return (this.#issuing ??= await this.#around.load());
  }

  async #keepTrying(isStrict: boolean): Promise<void> {
    const issuing = await this.#load();
    if (this.#paused() && !isStrict) return;
    for (let failures = 1; !this.#link.closed; failures++) {
      try {
        this.#obstacle = await this.#run(issuing, isStrict);
        if (this.#obstacle?.code === 'token-keys-differ') this.#tell(this.#obstacle);
        if (!this.#obstacle && this.#told) {
          this.#told = 0;
          this.#around.shortage(null);
        }
        return;
      } catch (error) {
        if (error instanceof CryptoError) {
          this.#obstacle = this.#later(HOUR);
          return;
        }
        // Bytes that are not the protocol's are someone's between, as a broken connection is.
        if (!(error instanceof CarrierError || error instanceof WireError)) throw error;
        await sleep(pause(Math.min(failures, FAILURES_MOST), Math.floor(this.#chance() * 65_536)));
      }
    }
  }

  /** What stands against more tokens; null where the purse is full. @throws CarrierError, WireError, CryptoError */
  async #run(issuing: Issuing, isStrict: boolean): Promise<Obstacle | null> {
    const { identity } = this.#link.address;
    for (let round = 0; round < ROUNDS; round++) {
      await issuing.learnCards(identity, this.#purse, this.#link.relayTime());
      if (issuing.pending && !issuing.differs) await this.#issue(issuing, issuing.pending);
      const keys = await this.#keys(issuing);
      if (keys) await issuing.clean(identity, this.#purse, this.#link.relayTime(), isStrict ? keys.keys : undefined);
      await this.#around.save(issuing);
      if (!keys) return issuing.differs ? this.#later(DAY, 'token-keys-differ') : this.#later(HOUR);
      const wait = (issuing.joined ? 0 : await this.#join(issuing)) || (await this.#issueAll(issuing, keys));
      if (wait === null) continue;
      const until = this.#later(Math.min(wait, DAY));
      if (wait && this.#purse.use.length < URGENT) return until;
      this.#sated = until.until;
      return null;
    }
    return this.#later(HOUR);
  }

  /** Null for a list that is not the relay's, or differs from what was seen. */
  async #keys(issuing: Issuing): Promise<VerifiedTokenKeys | null> {
    if (issuing.differs) return null;
    const response = await this.#ask({ type: 'GetTokenKeys' });
    if (response.type !== 'SignedTokenKeys') return null;
    try {
      return await issuing.learn(this.#link.address.identity, response, this.#link.relayTime(), { isAnswer: true });
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return null;
    }
  }

  /** 0 for a member, else ms until we may become one. */
  async #join(issuing: Issuing): Promise<number> {
    if (!issuing.secret.length) {
      issuing.secret = this.#around.random.bytes(32);
      await this.#around.save(issuing);
    }
    for (;;) {
      const [token] = this.#purse.join;
      const response = await this.#ask({ type: 'JoinRelay', memberSecret: issuing.secret, ...(token && { token }) });
      const isBad = response.type === 'Refused' && response.code === RefusalCode.token;
      issuing.joined = response.type === 'Done';
      if (isBad || issuing.joined) this.#purse.join = this.#purse.join.filter((one) => one !== token);
      await this.#around.save(issuing);
      if (issuing.joined) return 0;
      if (!token || !isBad) return waitOf(response);
    }
  }

  /** As `#fillUp`, of both kinds; who is given no tokens for use is not asked for others. */
  async #issueAll(issuing: Issuing, keys: VerifiedTokenKeys): Promise<number | null> {
    const wait = await this.#fillUp(issuing, keys, TokenKind.use, FULL);
    if (wait === null || this.#joinless) return wait;
    const other = await this.#fillUp(issuing, keys, TokenKind.join, JOIN_FULL);
    this.#joinless = other === Infinity;
    return other === null ? null : wait;
  }

  /** Until there are `full`: 0, else ms until there may be more. Null: keys or membership are to be asked for again. */
  async #fillUp(issuing: Issuing, keys: VerifiedTokenKeys, kind: TokenKind, full: number): Promise<number | null> {
    const key = newestKey(keys, kind);
    const { address } = this.#link;
    for (let most = TOKENS_ISSUED, drawn: Pending['tokens'] = []; ; ) {
      const count = Math.min(most, full - (kind === TokenKind.use ? this.#purse.use : this.#purse.join).length);
      if (count <= 0) return 0;
      // What was refused is asked for again in part: nobody has signed it.
      const tokens = drawn.slice(0, count);
      while (tokens.length < count) tokens.push(await beginToken(address.identity, key, this.#around.random));
      issuing.pending = { key, tokens };
      await this.#around.save(issuing);
      const response = await this.#issue(issuing, issuing.pending);
      if (response.type === 'TokensIssued') {
        drawn = [];
        continue;
      }
      const code = response.type === 'Refused' ? response.code : null;
      if (code === RefusalCode.tokenKey || code === RefusalCode.noMember) return null;
      const isMuch = code === RefusalCode.tooMany || code === RefusalCode.tooLarge;
      const isEnough = kind === TokenKind.use && this.#purse.use.length >= URGENT;
      if (!isMuch || count === 1 || isEnough) return code === RefusalCode.tooLarge ? Infinity : waitOf(response);
      drawn = tokens;
      most = count >> 1;
    }
  }

  /** Asks for signatures; with the answer, whichever it is, the request is over. @throws CryptoError for wrong signatures */
  async #issue(issuing: Issuing, { key, tokens }: Pending): Promise<Response> {
    const blinded = tokens.map(({ blinding }) => blinding.blinded);
    const request = { memberSecret: issuing.secret, kind: key.kind, keyId: keyId(key.spki), blinded };
    const response = await this.#ask({ type: 'IssueTokens', ...request });
    issuing.pending = null;
    if (response.type === 'Refused' && response.code === RefusalCode.noMember) issuing.joined = false;
    const signatures = response.type === 'TokensIssued' ? response.signatures : [];
    const made = await Promise.all(signatures.slice(0, tokens.length).map((one, i) => finishToken(key, tokens[i]!, one).catch(unsigned)));
    const good = made.filter((token) => token !== null);
    (key.kind === TokenKind.use ? this.#purse.use : this.#purse.join).push(...good);
    await this.#around.save(issuing);
    if (response.type === 'TokensIssued' && good.length < tokens.length) throw new CryptoError('the relay signed something else');
    return response;
  }

  /** The answer; one that says to come again in a moment is waited for. @throws CarrierError or WireError */
  async #ask(request: Request): Promise<Response> {
    while (!this.#link.closed) {
      const [response] = await this.#link.exchange(request);
      if (response.type !== 'Refused') return response;
      if (TRANSIENT.includes(response.code)) break;
      if (response.code !== RefusalCode.tooMany || waitOf(response) > MINUTE) return response;
      await sleep(waitOf(response));
    }
    throw new CarrierError('unreachable');
  }
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** ms that a refusal asks for. */
const waitOf = (response: Response): number => (response.type === 'Refused' ? response.retryAfter : undefined) ?? HOUR;

function unsigned(error: unknown): null {
  if (error instanceof WireError) return null;
  throw error;
}
