/** A link pays by itself for what its relay wants to be paid for: over real exchanges, with a relay that checks tokens. */
import { expect, it } from 'vitest';
import { type Carrier, CarrierError } from '../../src/carriers/base.ts';
import { Link, type LinkSink } from '../../src/client/link.ts';
import { Purse } from '../../src/client/purse.ts';
import { XWING } from '../../src/crypto/xwing.ts';
import { openRequest } from '../../src/wire/exchange.ts';
import { signKeyConfigs } from '../../src/wire/keys.ts';
import { KEY_CONFIG_LIFETIME, type Refused, RefusalCode, type Request, type Response, TokenKind } from '../../src/wire/messages.ts';
import { SeededRandom } from '../support/seeded.ts';
import { NOW, TokenRelay } from './tokenrelay.ts';

const random = new SeededRandom('link');
const inbox = (n: number): Request => ({ type: 'CreateInbox', readSecret: new Uint8Array(32).fill(n) });

interface Paying {
  readonly relay: TokenRelay;
  readonly link: Link;
  readonly purse: Purse;
  /** What was told of the purse: `spent` with tokens left on disk, `needed` with the number refused. */
  readonly told: string[];
  /** What the relay answers instead, once each. */
  readonly instead: (Response | 'lost')[];
  /** Brings what is needed. */
  need: (refused: number) => Promise<Refused | null>;
}

async function pay(tokens: readonly Uint8Array[] = [], relay?: TokenRelay): Promise<Paying> {
  const found = relay ?? (await TokenRelay.make(random));
  const purse = new Purse(null);
  purse.use.push(...tokens);
  const { privateKey, publicKey } = await XWING.generate(random);
  const config = { id: 1, kem: XWING.id, publicKey, notBefore: NOW, notAfter: NOW + KEY_CONFIG_LIFETIME };
  const keys = await signKeyConfigs(found.seed, [config]);
  const instead: (Response | 'lost')[] = [];
  const carrier: Carrier = {
    name: 'test',
    properties: { maxFrame: 131_072, latency: 1, exchanges: true, streams: false, needsUdp: false, inBrowser: true, storeAndForward: false },
    keys: () => Promise.resolve(keys),
    exchange: async (body) => {
      const [{ request }, sealer] = await openRequest(new Map([[1, privateKey]]), body);
      const other = request.type === 'Ping' ? undefined : instead.shift();
      const response = typeof other === 'object' ? other : await found.answer(request);
      if (other === 'lost') throw new CarrierError('unreachable');
      return sealer.seal({ time: NOW, response }, random);
    },
    stream: () => Promise.reject(new CarrierError('cannot')),
  };
  const told: string[] = [];
  const made = { relay: found, purse, told, instead, need: () => Promise.resolve<Refused | null>(null) } as unknown as Paying;
  const sink: LinkSink = {
    connected: () => undefined,
    disconnected: () => undefined,
    pushed: () => undefined,
    linkChanged: () => undefined,
    spent: () => Promise.resolve(void told.push(`spent ${new Purse(purse.encode()).use.length}`)),
    needed: (_, refused) => {
      told.push(`needed ${refused}`);
      return made.need(refused);
    },
  };
  const address = { url: 'https://relay.example', identity: found.identity };
  const link = new Link(address, [carrier], sink, random, () => NOW, null, purse);
  link.start();
  Object.assign(made, { link });
  await expect.poll(() => link.state.kind, { timeout: 20_000 }).toBe('polling');
  return made;
}

const type = async (answer: Promise<[Response, number] | null>): Promise<string> => (await answer)?.[0].type ?? 'none';

it('nothing is shown to a relay that wants nothing', async () => {
  const relay = await TokenRelay.make(random);
  relay.required = false;
  const tokens = await relay.tokens(2, TokenKind.use, random);
  const { link, purse, told } = await pay(tokens, relay);
  expect(await type(link.ask(inbox(1)))).toBe('Done');
  expect([purse.use, purse.wanted, told]).toEqual([tokens, false, []]);
  link.close();
});

it('a relay that wants tokens is paid, and whoever asked is told of the answer when the purse is on disk', async () => {
  const relay = await TokenRelay.make(random);
  const { link, purse, told } = await pay(await relay.tokens(3, TokenKind.use, random), relay);
  expect(await type(link.ask(inbox(1)))).toBe('Done');
  expect([purse.wanted, told, relay.refused]).toEqual([true, ['spent 2'], 0]);
  expect(await type(link.ask({ type: 'Ping' }))).toBe('Done');
  expect(await type(link.ask({ type: 'PutKeyPackages', ownerSecret: new Uint8Array(32), packages: [] }))).toBe('Done');
  expect(told).toEqual(['spent 2', 'spent 1']);
  expect(relay.spent.size).toBe(2);
  link.close();
});

it('after a lost answer, and a refusal that passes, the same request goes with the same token', async () => {
  const relay = await TokenRelay.make(random);
  const { link, purse, told, instead } = await pay(await relay.tokens(3, TokenKind.use, random), relay);
  purse.wanted = true;
  instead.push('lost');
  expect(await type(link.ask(inbox(1)))).toBe('none');
  link.retryNow();
  await expect.poll(() => (link.retryNow(), link.state.kind), { timeout: 20_000 }).toBe('polling');
  expect(await type(link.ask(inbox(2)))).toBe('Done');
  instead.push({ type: 'Refused', code: RefusalCode.tooMany, retryAfter: 5 });
  expect(await type(link.ask(inbox(3)))).toBe('Refused');
  relay.made.clear();
  expect(await type(link.ask(inbox(1)))).toBe('Done');
  expect(await type(link.ask(inbox(3)))).toBe('Done');
  expect([relay.refused, purse.use, told]).toEqual([0, [], ['spent 2', 'spent 1', 'spent 0']]);
  link.close();
});

it('a token that is refused is another\'s turn; after three the purse is looked at, after one more it is over', async () => {
  const relay = await TokenRelay.make(random);
  const stolen = await relay.tokens(6, TokenKind.use, random);
  for (const [i, token] of stolen.entries()) await relay.answer({ ...inbox(100 + i), token } as Request);
  const paying = await pay([...stolen.slice(0, 2), ...(await relay.tokens(1, TokenKind.use, random))], relay);
  expect(await type(paying.link.ask(inbox(1)))).toBe('Done');
  expect([relay.refused, paying.told]).toEqual([2, ['spent 2', 'spent 1', 'spent 0']]);
  paying.purse.use.push(...stolen);
  paying.told.length = 0;
  const over: Refused = { type: 'Refused', code: RefusalCode.tooMany, retryAfter: 7 };
  paying.need = (refused) => Promise.resolve(refused > 3 ? over : null);
  expect((await paying.link.ask(inbox(2)))?.[0]).toEqual(over);
  expect(paying.told.filter((one) => one.startsWith('needed'))).toEqual(['needed 3', 'needed 4']);
  expect(relay.refused).toBe(6);
  paying.link.close();
});

it('a request waits for tokens where there are none, and goes without one where the relay needs none', async () => {
  const relay = await TokenRelay.make(random);
  const paying = await pay([], relay);
  paying.need = async () => {
    paying.purse.use.push(...(await relay.tokens(1, TokenKind.use, random)));
    return null;
  };
  expect(await type(paying.link.ask(inbox(1)))).toBe('Done');
  expect(paying.told).toEqual(['needed 0', 'spent 0']);
  relay.required = false;
  expect(await type(paying.link.ask(inbox(2)))).toBe('Done');
  expect(paying.told).toEqual(['needed 0', 'spent 0']);
  paying.link.close();
});
