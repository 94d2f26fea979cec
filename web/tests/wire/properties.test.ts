import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/crypto/bytes.ts';
import { publicKey } from '../../src/crypto/signature.ts';
import { XWING } from '../../src/crypto/xwing.ts';
import { fromBase64url, same, toBase64url } from '../../src/wire/bytes.ts';
import * as cbor from '../../src/wire/cbor.ts';
import { signDeviceList } from '../../src/wire/credential.ts';
import { checkDeviceListFollows, verifyDeviceList } from '../../src/wire/devicelists.ts';
import { WireError } from '../../src/wire/errors.ts';
import { openRequest, sealRequest } from '../../src/wire/exchange.ts';
import { blobSize, sealedSize } from '../../src/wire/files.ts';
import { openFile, sealFile } from '../../src/wire/filestreams.ts';
import { sealKeyPackage } from '../../src/wire/keypackages.ts';
import { buildInviteLink } from '../../src/wire/linkbuilding.ts';
import { LinkError } from '../../src/wire/links.ts';
import * as messages from '../../src/wire/messages.ts';
import { pad, unpad } from '../../src/wire/padding.ts';
import { REQUEST_INLINE_MAX, sealContactRequest } from '../../src/wire/contactrequest.ts';
import { INLINE_MAX, openRecord, sealRecord } from '../../src/wire/record.ts';
import { openContactRequest } from '../../src/wire/requests.ts';
import { OVERHEAD } from '../../src/wire/sealing.ts';
import { type ClientSession, openHello, type RelaySession, startSession } from '../../src/wire/session.ts';
import { readLink } from '../support/links.ts';
import { SeededRandom } from '../support/seeded.ts';

const [KEY, PLACE] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const bytes = (most: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ maxLength: most }).map((data) => Uint8Array.from(data));

function flipped(data: Uint8Array, bit: number): Uint8Array {
  const changed = data.slice();
  const at = bit % (8 * data.length);
  changed[at >> 3]! ^= 1 << (at & 7);
  return changed;
}

async function ruleOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof WireError) return error.rule;
    throw error;
  }
  return 'accepted';
}

async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return concat(...all);
}

const value = fc.letrec<{ any: cbor.Value }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    fc.boolean(),
    fc.string({ unit: 'grapheme', maxLength: 12 }),
    bytes(30),
    fc.array(tie('any'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.nat(300), tie('any')), { maxLength: 4 })
      .map((pairs) => new Map([...new Map(pairs)].sort((a, b) => a[0] - b[0]))),
  ),
})).any;

describe('encoding', () => {
  it('round trips any value', () => {
    fc.assert(fc.property(value, (any) => void expect(cbor.decode(cbor.encode(any))).toEqual(any)));
  });

  it('refuses any bytes, or encodes them back', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(40), async (data) => {
        const rule = await ruleOf(() => expect(same(cbor.encode(cbor.decode(data)), data)).toBe(true));
        expect(rule === 'accepted' || rule.startsWith('cbor-')).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('has one encoding for one value', async () => {
    await fc.assert(
      fc.asyncProperty(value, fc.nat(), async (any, bit) => {
        const changed = flipped(cbor.encode(any), bit);
        const rule = await ruleOf(() => expect(same(cbor.encode(cbor.decode(changed)), changed)).toBe(true));
        expect(rule === 'accepted' || rule.startsWith('cbor-')).toBe(true);
      }),
    );
  });

  it('lets nothing but WireError out of any message decoder', async () => {
    const decoders = Object.entries(messages).filter(([name]) => name.startsWith('decode'));
    expect(decoders.length).toBeGreaterThan(60);
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...decoders), fc.oneof(bytes(60), value.map(cbor.encode)), async ([, f], data) => {
        const rule = await ruleOf(() => (f as (data: Uint8Array) => unknown)(data));
        expect(rule).toMatch(/^(accepted|message|cbor-.*)$/);
      }),
      { numRuns: 1000 },
    );
  });

  it('knows base64url strictly', () => {
    fc.assert(fc.property(bytes(40), (data) => void expect(fromBase64url(toBase64url(data))).toEqual(data)));
    for (const text of ['A', 'AB', 'AAB', 'AA==', 'A A', 'AA+/', 'é']) expect(fromBase64url(text)).toBeNull();
  });
});

describe('padding', () => {
  it('round trips, and any bytes unpad to what pads back', async () => {
    fc.assert(fc.property(bytes(3000), (data) => void expect(unpad(pad(data))).toEqual(data)));
    await fc.assert(
      fc.asyncProperty(bytes(300), async (data) => {
        await ruleOf(() => expect(pad(unpad(data, [8, 64, 256], 2), [8, 64, 256], 2)).toEqual(data));
      }),
    );
  });
});

describe('sealing', () => {
  it('opens records, and no bit can change', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(INLINE_MAX), fc.nat(), fc.nat(), async (body, seed, bit) => {
        const sealed = await sealRecord(KEY, PLACE, { type: 'Inline', body }, new SeededRandom(seed));
        expect(await openRecord(KEY, PLACE, sealed)).toEqual({ type: 'Inline', body });
        expect(await ruleOf(() => openRecord(KEY, PLACE, flipped(sealed, bit)))).toBe('record-open');
      }),
      { numRuns: 50 },
    );
  });

  it('refuses bodies over the limits', async () => {
    const random = new SeededRandom(1);
    const body = { type: 'Inline', body: new Uint8Array(INLINE_MAX + 1) } as const;
    expect(await ruleOf(() => sealRecord(KEY, PLACE, body, random))).toBe('padding-fit');
    const { publicKey } = await XWING.generate(random);
    const welcome = { type: 'WelcomeMessage', welcome: new Uint8Array(REQUEST_INLINE_MAX), roster: [] } as const;
    expect(await ruleOf(() => sealContactRequest(publicKey, KEY, PLACE, welcome, random))).toBe('padding-fit');
    const small = { ...welcome, welcome: new Uint8Array(3) };
    expect(await ruleOf(() => sealContactRequest(new Uint8Array(1216), KEY, PLACE, small, random))).toBe(
      'contact-request-key',
    );
  });

  it('refuses key packages that the relay would not store', async () => {
    const largest = new Uint8Array(messages.KEY_PACKAGE_MAX - OVERHEAD);
    const random = new SeededRandom(1);
    expect((await sealKeyPackage(KEY, PLACE, largest, random)).length).toBe(messages.KEY_PACKAGE_MAX);
    const larger = concat(largest, Uint8Array.of(1));
    expect(await ruleOf(() => sealKeyPackage(KEY, PLACE, larger, random))).toBe('key-package-size');
  });

  it('follows device lists of the same person only', async () => {
    const [one, other] = await Promise.all(
      [KEY, PLACE].map(async (seed) =>
        verifyDeviceList(await publicKey(seed), await signDeviceList(seed, { number: 1, devices: [] })),
      ),
    );
    expect(await ruleOf(() => checkDeviceListFollows(one!, other!))).toBe('device-list-identity');
  });

  it('opens contact requests, and no bit can change', async () => {
    const random = new SeededRandom(3);
    const { privateKey, publicKey } = await XWING.generate(random);
    const message = { type: 'WelcomeMessage', welcome: Uint8Array.of(7), roster: [] } as const;
    const sealed = await sealContactRequest(publicKey, KEY, PLACE, message, random);
    expect(await openContactRequest(privateKey, KEY, PLACE, sealed)).toEqual(message);
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (bit) => {
        const open = (): Promise<unknown> => openContactRequest(privateKey, KEY, PLACE, flipped(sealed, bit));
        expect(await ruleOf(open)).toBe('contact-request-open');
      }),
      { numRuns: 30 },
    );
  });

  it('takes files in any pieces', async () => {
    const cut = (data: Uint8Array, lengths: readonly number[]): Uint8Array[] => {
      const pieces = lengths.map((n, i) => {
        const at = lengths.slice(0, i).reduce((a, b) => a + b, 0);
        return data.subarray(at, at + n);
      });
      return [...pieces, data.subarray(lengths.reduce((a, b) => a + b, 0))];
    };
    const lengths = fc.array(fc.integer({ min: 1, max: 80_000 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.nat(200_000), lengths, fc.nat(), async (size, cuts, bit) => {
        const content = new Uint8Array(size).map((_, i) => i % 251);
        const blob = await collect(sealFile(KEY, size, cut(content, cuts)));
        expect(blob.length).toBe(blobSize(size));
        expect(same(await collect(openFile(KEY, size, cut(blob, [...cuts].reverse()))), content)).toBe(true);
        const wrong = cut(flipped(blob, bit), cuts);
        expect(await ruleOf(() => collect(openFile(KEY, size, wrong)))).toMatch(/^file-(open|padding)$/);
      }),
      { numRuns: 25 },
    );
    for (const pieces of [[], [Uint8Array.of(1, 2)], [Uint8Array.of(1, 2, 3, 4)]]) {
      expect(await ruleOf(() => collect(sealFile(KEY, 3, pieces)))).toBe('file-size');
    }
  });

  it('shows sizes of files in steps', () => {
    fc.assert(
      fc.property(fc.nat(messages.FILE_MAX), (size) => {
        const [sealed, blob] = [sealedSize(size), blobSize(size)];
        expect(blob).toBeGreaterThanOrEqual(sealed);
        expect(blob).toBeLessThanOrEqual(messages.BLOB_MAX);
        expect(blob - sealed).toBeLessThan(Math.max(1024, sealed / 16));
      }),
    );
  });
});

async function relay(random: SeededRandom): Promise<[messages.KeyConfig, Map<number, Uint8Array>]> {
  const { privateKey, publicKey } = await XWING.generate(random);
  return [{ id: 5, kem: XWING.id, publicKey, notBefore: 0, notAfter: 1 }, new Map([[5, privateKey]])];
}

async function sessions(seed: number): Promise<[ClientSession, RelaySession]> {
  const random = new SeededRandom(seed);
  const [config, keys] = await relay(random);
  const [hello, handshake] = await startSession(config, 7, random);
  const [accept, relaySide] = await (await openHello(keys, hello)).accept(random);
  return [await handshake.finish(accept), relaySide];
}

const call = (id: number): messages.ClientFrame => ({ type: 'Call', id, request: { type: 'Ping' } });
const reply: messages.RelayFrame = { type: 'Reply', id: 0, time: 1, response: { type: 'Done' } };

describe('exchanges and sessions', () => {
  it('let no bit of an exchange change', async () => {
    const random = new SeededRandom(9);
    const [config, keys] = await relay(random);
    const wanted: messages.Exchange = { version: 1, time: 2, request: { type: 'Ping' } };
    const [request, opener] = await sealRequest(config, wanted, random);
    const [opened, sealer] = await openRequest(keys, request);
    const response = await sealer.seal({ time: 3, response: { type: 'Done' } }, random);
    expect(opened).toEqual(wanted);
    expect(await opener.open(response)).toEqual({ time: 3, response: { type: 'Done' } });
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (bit) => {
        expect(await ruleOf(() => openRequest(keys, flipped(request, bit)))).toMatch(/^exchange-/);
        expect(await ruleOf(() => opener.open(flipped(response, bit)))).toBe('response-open');
      }),
      { numRuns: 25 },
    );
  });

  it('end at a wrong frame', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), async (seed, bit) => {
        const [client, relaySide] = await sessions(seed);
        expect(await relaySide.open(await client.seal(call(1)))).toEqual(call(1));
        expect(await ruleOf(async () => client.open(flipped(await relaySide.seal(reply), bit)))).toBe('session-frame');
        expect(await ruleOf(() => client.seal(call(2)))).toBe('session-ended');
        expect(await ruleOf(async () => client.open(await relaySide.seal(reply)))).toBe('session-ended');
      }),
      { numRuns: 10 },
    );
  });

  it('seal and open in the order of calls, also when nobody waits between', async () => {
    const [client, relaySide] = await sessions(4);
    const finished: number[] = [];
    const sealed = await Promise.all(
      Array.from({ length: 20 }, (_, id) =>
        client.seal(call(id)).then((data) => {
          finished.push(id);
          return data;
        }),
      ),
    );
    expect(finished).toEqual(Array.from({ length: 20 }, (_, id) => id));
    const opened = await Promise.all(sealed.map((data) => relaySide.open(data)));
    expect(opened).toEqual(sealed.map((_, id) => call(id)));
  });

  it('do not open after a wrong frame what was waiting behind it', async () => {
    const [client, relaySide] = await sessions(5);
    const [first, second] = [await client.seal(call(1)), await client.seal(call(2))];
    const rules = await Promise.all([flipped(first, 3), first, second].map((f) => ruleOf(() => relaySide.open(f))));
    expect(rules).toEqual(['session-frame', 'session-ended', 'session-ended']);
  });
});

describe('links', () => {
  const address = 'https://relay.example/secret-path';
  const identity = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((data) => Uint8Array.from(data));

  it('survive pasting, and show when they were changed or cut', async () => {
    await fc.assert(
      fc.asyncProperty(identity, fc.nat(), fc.constantFrom(...'abcXYZ019-_'), async (relayId, at, letter) => {
        const link: messages.InviteLink = { version: 1, relay: relayId, card: KEY, secret: KEY.slice(0, 16) };
        const text = buildInviteLink(address, link);
        const opened = readLink(`Join: <${text}>.\n`);
        expect(opened).toEqual({ kind: 'invite', address: { url: address, identity: relayId }, link });
        const start = text.indexOf('=') + 1;
        const place = start + (at % (text.length - start));
        const changed = text.slice(0, place) + letter + text.slice(place + 1);
        if (changed !== text) expect(await ruleOf(() => readLink(changed))).toMatch(/^link-(damaged|truncated)$/);
        expect(await ruleOf(() => readLink(text.slice(0, place)))).toBe('link-truncated');
      }),
    );
  });

  it('give an error that the text catalogue knows for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        try {
          readLink(text);
          expect.unreachable();
        } catch (error) {
          if (!(error instanceof LinkError)) throw error;
          expect(error.code).toBe(error.rule);
          expect(error.code).toMatch(/^link-(foreign|truncated|damaged|version|address)$/);
        }
      }),
    );
  });
});
