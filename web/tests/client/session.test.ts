/** A sealed session whose relay keeps one answer back. */
import { afterEach, expect, it, vi } from 'vitest';
import { CarrierError, type Stream } from '../../src/carriers/base.ts';
import { Sealing } from '../../src/client/sealing.ts';
import { OpenSession } from '../../src/client/session.ts';
import { XWING } from '../../src/crypto/xwing.ts';
import { openHello, type RelaySession, startSession } from '../../src/wire/session.ts';
import { SeededRandom } from '../support/seeded.ts';

afterEach(() => vi.restoreAllMocks());

it('is given up after two minutes, though the relay answers everything else', async () => {
  const random = new SeededRandom('session');
  const { privateKey, publicKey } = await XWING.generate(random);
  const config = { id: 1, kem: XWING.id, publicKey, notBefore: 0, notAfter: 1 };
  const [hello, handshake] = await startSession(config, 7, random);
  const [accept, relay] = await (await openHello(new Map([[1, privateKey]]), hello)).accept(random);

  const [arrived, wanted]: [Uint8Array[], ((frame: Uint8Array) => void)[]] = [[], []];
  const give = (frame: Uint8Array): void => (wanted.shift() ?? ((each) => void arrived.push(each)))(frame);
  const stream: Stream = {
    send: (frame) => void answer(relay, frame).then((reply) => reply && give(reply)),
    receive: () => {
      const next = arrived.shift();
      return next ? Promise.resolve(next) : new Promise((resolve) => wanted.push(resolve));
    },
    close: () => undefined,
  };
  const sealing = new Sealing(new Uint8Array(32), random, () => 7);
  const session = new OpenSession<string>(stream, await handshake.finish(accept), sealing);
  await session.firstPing();

  const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000);
  const answered: string[] = [];
  const served = session.serve({ onReply: (token) => void answered.push(token), onPush: () => undefined });
  const ended = served.catch((error: unknown) => error);
  session.call({ type: 'GetBlob', id: new Uint8Array(32), offset: 0, length: 1 }, 'kept back');
  session.call({ type: 'Ping' }, 'soon');
  await vi.waitFor(() => expect(answered).toEqual(['soon']));
  clock.mockReturnValue(1_000 + 119_000);
  session.call({ type: 'Ping' }, 'in time');
  await vi.waitFor(() => expect(answered).toEqual(['soon', 'in time']));
  clock.mockReturnValue(1_000 + 121_000);
  session.call({ type: 'Ping' }, 'too late');
  const error = await ended;
  expect(error).toBeInstanceOf(CarrierError);
  expect((error as CarrierError).problem).toBe('unreachable');
  expect(session.unanswered()).toEqual(['kept back']);
});

/** What a relay says to a frame: nothing where a blob is asked for. */
async function answer(relay: RelaySession, frame: Uint8Array): Promise<Uint8Array | null> {
  const { id, request } = await relay.open(frame);
  if (request.type === 'GetBlob') return null;
  return relay.seal({ type: 'Reply', id, time: 7, response: { type: 'Done' } });
}
