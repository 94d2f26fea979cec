/** One sealed session over a stream: handshake, frames both ways, and noticing that the other side is gone. */
import { type Carrier, CarrierError, type Stream } from '../carriers/base.ts';
import type { Random } from '../crypto/random.ts';
import { WireError } from '../wire/errors.ts';
import type { EphemeralPush, Push, Request, Response } from '../wire/messages.ts';
import { type ClientSession, startSession } from '../wire/session.ts';
import type { Sealing } from './sealing.ts';

/** ms for each of the relay's first two frames: keys and hello are 4 KB, on 24 kbit/s under two seconds. */
const HANDSHAKE_TIMEOUT = 15000;
/** ms without a frame until we ask for a sign of life: mobile networks forget silent connections after 30 s. */
const SILENCE = 25000;
/** ms for that sign. */
const LAST_WAIT = 20000;
/** ms for one answer of a relay that answers others; then a new session asks again. */
const ANSWER_WAIT = 120_000;
/** ms more for each call before it: 100 KB at 24 kbit/s. */
const PART_WAIT = 35_000;
const POLICY_VIOLATION = 1008;

/** Where a session brings what it receives. */
export interface SessionSink<Token> {
  onReply(token: Token, response: Response, time: number): void;
  onPush(push: Push | EphemeralPush): void;
}

/** `promise`, or a CarrierError after `ms`. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CarrierError('unreachable')), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * A session whose relay has answered once, so that its clock is known. `exchanger` fetches keys, and learns the time where a
 * hello was refused.
 *
 * @throws CarrierError or WireError
 */
export async function openSession<Token>(
  carrier: Carrier,
  exchanger: Carrier,
  sealing: Sealing,
  random: Random,
): Promise<OpenSession<Token>> {
  try {
    return await openOnce(carrier, exchanger, sealing, random);
  } catch (error) {
    if (!(error instanceof CarrierError) || error.closeCode !== POLICY_VIOLATION) throw error;
    // Our time, or a key that is gone: an exchange tells the one and renews the other.
    sealing.forgetKeys();
    await sealing.exchange(exchanger, { type: 'Ping' });
    return openOnce(carrier, exchanger, sealing, random);
  }
}

async function openOnce<Token>(
  carrier: Carrier,
  exchanger: Carrier,
  sealing: Sealing,
  random: Random,
): Promise<OpenSession<Token>> {
  const config = await sealing.key(exchanger);
  const stream = await carrier.stream();
  try {
    const [hello, handshake] = await startSession(config, sealing.relayTime(), random);
    stream.send(hello);
    const accepted = await handshake.finish(await within(stream.receive(), HANDSHAKE_TIMEOUT));
    const session = new OpenSession<Token>(stream, accepted, sealing);
    await session.firstPing();
    return session;
  } catch (error) {
    stream.close();
    throw error;
  }
}

/** A session after its handshake. `serve` runs it until it ends. */
export class OpenSession<Token> {
  readonly #stream: Stream;
  readonly #session: ClientSession;
  readonly #sealing: Sealing;
  /** With until when they may take, oldest first. */
  readonly #tokens = new Map<number, readonly [Token, number]>();
  #nextId = 1;
  #sending: Promise<void> = Promise.resolve();
  #failed: (error: unknown) => void = () => {};

  constructor(stream: Stream, session: ClientSession, sealing: Sealing) {
    this.#stream = stream;
    this.#session = session;
    this.#sealing = sealing;
  }

  /** The first call: its reply proves that the relay has the session's keys, and tells its time. */
  async firstPing(): Promise<void> {
    await this.#send({ type: 'Ping' }, 0);
    const frame = await this.#session.open(await within(this.#stream.receive(), HANDSHAKE_TIMEOUT));
    if (frame.type !== 'Reply' || frame.id !== 0) throw new WireError('session-frame');
    this.#sealing.learn(frame.time);
  }

  /** Frames leave in the order of their counters, so each waits for the one before. */
  #send(request: Request, id: number): Promise<void> {
    const sent = this.#sending.then(async () =>
      this.#stream.send(await this.#session.seal({ type: 'Call', id, request })),
    );
    this.#sending = sent;
    return sent;
  }

  /** Sends a request; the sink gets its reply, or `unanswered` gives the token back. */
  call(request: Request, token: Token): void {
    const id = this.#nextId++;
    // Those before it leave first.
    this.#tokens.set(id, [token, performance.now() + ANSWER_WAIT + PART_WAIT * this.#tokens.size]);
    this.#send(request, id).catch((error: unknown) => this.#failed(error));
  }

  /** Brings what comes to `sink`; never resolves. @throws CarrierError or WireError when the session ends. */
  async serve(sink: SessionSink<Token>): Promise<never> {
    const broken = new Promise<never>((_, reject) => (this.#failed = reject));
    return Promise.race([broken, this.#read(sink)]);
  }

  async #read(sink: SessionSink<Token>): Promise<never> {
    for (;;) {
      const frame = await this.#session.open(await this.#receive());
      if (frame.type === 'Reply') {
        this.#sealing.learn(frame.time);
        const asked = this.#tokens.get(frame.id);
        this.#tokens.delete(frame.id);
        if (asked) sink.onReply(asked[0], frame.response, frame.time);
      } else sink.onPush(frame);
      if (this.#isLeftWaiting()) throw new CarrierError('unreachable');
    }
  }

  /** Whether the relay keeps back one answer, and gives others: signs of life at the least. */
  #isLeftWaiting(): boolean {
    const [oldest] = this.#tokens.values();
    return oldest !== undefined && performance.now() > oldest[1];
  }

  /** The next frame; after a silence asks for a sign of life, and gives up without one. */
  async #receive(): Promise<Uint8Array> {
    const frame = this.#stream.receive();
    const ask = setTimeout(() => this.#send({ type: 'Ping' }, 0).catch((error: unknown) => this.#failed(error)), SILENCE);
    try {
      return await within(frame, SILENCE + LAST_WAIT);
    } finally {
      clearTimeout(ask);
    }
  }

  /** Tokens of calls without an answer, oldest first. */
  unanswered(): Token[] {
    const tokens = [...this.#tokens.values()].map(([token]) => token);
    this.#tokens.clear();
    return tokens;
  }

  close(): void {
    this.#session.end();
    this.#stream.close();
  }
}
