/** How a purse is filled, and what is left of it after every crash and every relay. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CarrierError } from '../../src/carriers/base.ts';
import { Issuing } from '../../src/client/issuing.ts';
import { Purse } from '../../src/client/purse.ts';
import { Refill } from '../../src/client/refill.ts';
import { hex } from '../../src/crypto/bytes.ts';
import { type Refused, type Request, type Response, TOKEN_KEY_PERIOD, TokenKind } from '../../src/wire/messages.ts';
import { memberId } from '../../src/wire/tokens.ts';
import { SeededRandom } from '../support/seeded.ts';
import { NOW, TokenRelay } from './tokenrelay.ts';

// Whole purses are signed and verified: seconds where the machine is busy.
vi.setConfig({ testTimeout: 60_000 });

const DAY = 86_400_000;

class Crash extends Error {}

/** One device: what is on its disk, and what runs. */
class Device {
  readonly relay: TokenRelay;
  readonly random = new SeededRandom('device');
  readonly problems: ([string, number] | null)[] = [];
  /** Of the purse, and of what is beside it. */
  rows: [Uint8Array, Uint8Array] | null = null;
  purse!: Purse;
  refill!: Refill;
  closed = false;
  /** After so many durable writes and answers the device is gone. */
  life = Infinity;
  unreachable = 0;

  constructor(relay: TokenRelay) {
    this.relay = relay;
    this.start();
  }

  start(): void {
    this.life = Infinity;
    this.purse = new Purse(this.rows?.[0] ?? null);
    this.purse.wanted = true;
    const link = {
      address: { url: 'https://relay.example', identity: this.relay.identity },
      purse: this.purse,
      closed: false,
      exchange: (request: Request) => this.#exchange(request),
      relayTime: () => this.relay.now,
    };
    this.refill = new Refill(link, {
      random: this.random,
      clock: () => this.relay.now,
      load: () => Promise.resolve(new Issuing(this.rows?.[1] ?? null)),
      save: (issuing) => this.#save(issuing),
      shortage: (found) => void this.problems.push(found && [found.code, found.hours]),
      failed: (error) => {
        throw error;
      },
    });
  }

  #live(): void {
    if (this.life-- <= 0) throw new Crash();
  }

  async #exchange(request: Request): Promise<[Response, number]> {
    this.#live();
    if (this.unreachable-- > 0) throw new CarrierError('unreachable');
    const answer = await this.relay.answer(request);
    this.#live();
    return [answer, this.relay.now];
  }

  #save(issuing: Issuing): Promise<void> {
    this.#live();
    this.rows = [this.purse.encode(), issuing.encode()];
    return Promise.resolve();
  }

  get issuing(): Issuing {
    return new Issuing(this.rows?.[1] ?? null);
  }

  /** Spends all that is free, as a client would; how many were refused. */
  async spendAll(): Promise<number> {
    const before = this.relay.refused;
    for (const token of this.purse.use.splice(0)) {
      await this.relay.answer({ type: 'CreateInbox', readSecret: this.random.bytes(32), token });
    }
    return this.relay.refused - before;
  }
}

const random = new SeededRandom('others');
const made = async (): Promise<Device> => new Device(await TokenRelay.make(random));

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

it('a newcomer by the link alone gets what the relay gives strangers, and is good for all of it', async () => {
  const device = await made();
  expect(await device.refill.needed(0)).toBeNull();
  expect(device.purse.use).toHaveLength(32);
  expect(device.purse.join).toHaveLength(0);
  expect(device.relay.issued).toBe(32);
  expect(device.relay.members.has(hex(device.issuing.secret))).toBe(true);
  expect(memberId(device.issuing.secret)).toHaveLength(32);
  expect(await device.spendAll()).toBe(0);
  expect(device.problems).toEqual([]);
});

it('an invited person becomes a member with the token of the card, and can invite others', async () => {
  const device = await made();
  device.purse.receive(await device.relay.card(random));
  await device.refill.fill();
  expect([device.purse.use.length, device.purse.join.length]).toEqual([96, 4]);
  expect([...device.relay.members.values()][0]?.invited).toBe(true);
  const own = new Set(device.issuing.own(device.purse).map(hex));
  expect(own.size).toBe(80);
  const gift = await device.refill.forInvite(1_000);
  expect(gift.tokens).toHaveLength(16);
  expect(gift.tokens?.every((token) => own.has(hex(token)))).toBe(true);
  expect(gift.join).toBeDefined();
  expect(gift.tokenKeys?.body).toEqual((await device.relay.signedKeys()).body);
  expect([device.purse.use.length, device.purse.join.length]).toEqual([80, 3]);
  // What was given is on no disk of ours any more.
  const kept = new Purse(device.rows![0]);
  expect([kept.use.length, kept.join.length]).toEqual([80, 3]);
  expect(await device.spendAll()).toBe(0);
});

it('an invite leaves its maker eight, and carries nothing where the relay wants nothing', async () => {
  const device = await made();
  await device.refill.fill();
  expect((await device.refill.forInvite(0)).tokens).toHaveLength(16);
  expect((await device.refill.forInvite(0)).tokens).toHaveLength(8);
  expect((await device.refill.forInvite(0)).tokens).toBeUndefined();
  expect(device.purse.use).toHaveLength(8);
  device.purse.wanted = false;
  expect(await device.refill.forInvite(0)).toEqual({});
});

it('nothing is lost or counted twice by a crash at any point of a refill', async () => {
  vi.useRealTimers();
  const same = (): Promise<TokenRelay> => TokenRelay.make(new SeededRandom('one relay'));
  const first = await same();
  const tokens = await first.tokens(92, TokenKind.use, random);
  const [join] = await first.tokens(1, TokenKind.join, random);
  let ended = false;
  let life = 0;
  for (; !ended; life++) {
    const device = new Device(await same());
    device.purse.receive({ join, tokenKeys: await first.signedKeys() });
    device.purse.use.push(...tokens);
    device.rows = [device.purse.encode(), new Issuing(null).encode()];
    device.start();
    device.life = life;
    await device.refill.fill().then(
      () => (ended = true),
      (error: unknown) => expect(error).toBeInstanceOf(Crash),
    );
    device.start();
    await device.refill.fill();
    expect(device.relay.members.size, `after ${life}`).toBe(1);
    expect(device.purse.use.length + device.purse.join.length, `after ${life}`).toBe(92 + device.relay.issued);
    expect([device.purse.use.length, device.purse.join.length], `after ${life}`).toEqual([96, 4]);
    expect(device.issuing.pending).toBeNull();
    expect(await device.spendAll(), `after ${life}`).toBe(0);
  }
  expect(life).toBeGreaterThan(12);
}, 120_000);

it('waits for a relay that is out of reach, and asks again', async () => {
  const device = await made();
  device.unreachable = 3;
  const needed = device.refill.needed(0);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await needed).toBeNull();
  expect(device.purse.use).toHaveLength(32);
});

it('a relay that shows other keys is asked for nothing any more, also after a restart; what is here is still spent', async () => {
  const device = await made();
  await device.refill.fill();
  device.relay.cheat();
  device.relay.sleep();
  device.purse.use.splice(0, 30);
  device.relay.asked.length = 0;
  await device.refill.fill();
  expect(device.problems).toEqual([['token-keys-differ', 24]]);
  expect(device.relay.asked).toEqual(['GetTokenKeys']);
  expect(device.purse.use).toHaveLength(2);
  device.start();
  expect(await device.refill.needed(0)).toBeNull();
  device.purse.use.splice(0);
  expect(await device.refill.needed(0)).toMatchObject({ type: 'Refused' });
  expect(device.relay.asked).toEqual(['GetTokenKeys']);
  expect(device.problems.at(-1)?.[0]).toBe('token-keys-differ');
});

it('a relay cannot give somebody a period of its own, which nobody else would have a key of to compare with', async () => {
  const device = await made();
  const begin = NOW - (NOW % TOKEN_KEY_PERIOD);
  const end = begin + TOKEN_KEY_PERIOD;
  const learn = async (issuing: Issuing, time: number): Promise<unknown> =>
    issuing.learn(device.relay.identity, await device.relay.signedKeys(), time, { isAnswer: true });
  for (const time of [begin - DAY - 1, end + DAY, begin - 5 * TOKEN_KEY_PERIOD, begin + 5 * TOKEN_KEY_PERIOD]) {
    const issuing = new Issuing(null);
    await expect(learn(issuing, time)).rejects.toMatchObject({ rule: 'token-keys-period' });
    expect([issuing.seen, issuing.newest, issuing.differs]).toEqual([[], null, false]);
  }
  for (const time of [begin - DAY, begin, end, end + DAY - 1]) await learn(new Issuing(null), time);
  device.relay.now = end + DAY;
  await device.refill.fill();
  expect(device.relay.asked).toEqual(['GetTokenKeys']);
  expect(device.purse.use).toEqual([]);
});

it('keys of a card are compared with those of the relay', async () => {
  const device = await made();
  const card = await device.relay.card(random);
  await device.refill.fill();
  const other = await TokenRelay.make(random);
  device.purse.receive(await other.card(random));
  await device.refill.fill();
  expect(device.issuing.differs).toBe(false);
  device.relay.cheat();
  device.relay.sleep();
  device.purse.receive({ ...card, tokenKeys: await device.relay.signedKeys() });
  await device.refill.fill();
  expect(device.issuing.differs).toBe(true);
});

it('tokens of another relay, of another kind, and twice the same are thrown away', async () => {
  const device = await made();
  const other = await TokenRelay.make(random);
  const [good] = (await device.relay.tokens(1, TokenKind.use, random)) as [Uint8Array];
  const bent = good.slice();
  bent[200]! ^= 1;
  const bad = [...(await other.tokens(2, TokenKind.use, random)), ...(await device.relay.tokens(2, TokenKind.join, random)), bent];
  device.purse.receive({ tokens: [...bad, good, good.slice(), new Uint8Array(354)], join: good.slice(), tokenKeys: await device.relay.signedKeys() });
  await device.refill.fill();
  const here = new Set(device.purse.use.map(hex));
  expect(here.has(hex(good))).toBe(true);
  for (const one of bad) expect(here.has(hex(one))).toBe(false);
  expect(device.purse.use).toHaveLength(33);
  expect(await device.spendAll()).toBe(0);
});

it('whose tokens were spent by the inviter recovers by becoming a member', async () => {
  const device = await made();
  const card = await device.relay.card(random);
  for (const token of card.tokens!) await device.relay.answer({ type: 'CreateInbox', readSecret: random.bytes(32), token });
  device.purse.receive(card);
  device.purse.use.splice(0, 3);
  expect(await device.refill.needed(3)).toBeNull();
  expect(device.purse.use).toHaveLength(96);
  expect(await device.spendAll()).toBe(0);
});

it('says that there is no more for today, and when there is, and goes on the next day', async () => {
  const device = await made();
  await device.refill.fill();
  await device.spendAll();
  const refused = (await device.refill.needed(0)) as Refused;
  expect(refused.retryAfter).toBe(3_600_000);
  expect(device.problems).toEqual([['no-tokens', 24]]);
  const asked = device.relay.asked.length;
  await device.refill.needed(0);
  expect([device.relay.asked.length, device.problems.length]).toEqual([asked, 1]);
  device.relay.sleep();
  expect(await device.refill.needed(0)).toBeNull();
  expect(device.purse.use).toHaveLength(16);
  expect(device.problems).toEqual([['no-tokens', 24], null]);
});

it('a relay that takes nobody today is told; a card with a token for it helps at once', async () => {
  const device = await made();
  device.relay.open = 0;
  expect(await device.refill.needed(0)).toMatchObject({ type: 'Refused' });
  expect(device.problems).toEqual([['no-tokens', 24]]);
  const card = await device.relay.card(random);
  device.purse.receive({ ...card, tokens: [] });
  expect(await device.refill.needed(0)).toBeNull();
  expect(device.purse.use).toHaveLength(96);
  expect(device.problems.at(-1)).toBeNull();
});

it('a member that the relay has forgotten becomes one again', async () => {
  const device = await made();
  await device.refill.fill();
  device.relay.members.clear();
  await device.spendAll();
  device.relay.sleep();
  expect(await device.refill.needed(0)).toBeNull();
  expect(device.purse.use).toHaveLength(32);
});

it('token after token refused: the request is given up for an hour', async () => {
  const device = await made();
  expect(await device.refill.needed(4)).toEqual({ type: 'Refused', code: 7, retryAfter: 3_600_000 });
  expect(device.problems).toEqual([['no-tokens', 1]]);
  expect(device.relay.asked).toEqual([]);
});

it('what runs low is filled at some moment of the next ten minutes, what is nearly empty at once', async () => {
  const device = await made();
  device.purse.receive(await device.relay.card(random));
  device.refill.consider();
  expect(vi.getTimerCount()).toBe(1);
  expect(device.relay.asked).toEqual([]);
  await vi.advanceTimersByTimeAsync(600_000);
  await vi.waitFor(() => expect(device.purse.use).toHaveLength(96), 15_000);
  device.refill.consider();
  expect(vi.getTimerCount()).toBe(0);
  device.purse.use.splice(0, 93);
  device.refill.consider();
  await vi.advanceTimersByTimeAsync(0);
  await vi.waitFor(() => expect(device.purse.use).toHaveLength(96), 15_000);
  expect(device.relay.now).toBe(NOW);
});
