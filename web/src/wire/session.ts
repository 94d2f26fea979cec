/** The sealed session, both sides, without I/O (protocol.md section 2.3). */
import { AES_128_GCM } from '../crypto/aead.ts';
import { concat, utf8 } from '../crypto/bytes.ts';
import { hkdfExtract, sha256 } from '../crypto/hashes.ts';
import type { Random } from '../crypto/random.ts';
import { XWING } from '../crypto/xwing.ts';
import {
  type ClientFrame,
  decodeClientFrame,
  decodeRelayFrame,
  decodeSessionAccept,
  decodeSessionHello,
  encodeClientFrame,
  encodeRelayFrame,
  encodeSessionAccept,
  encodeSessionHello,
  type KeyConfig,
  PROTOCOL_VERSION,
  type RelayFrame,
  type SessionHello,
} from './_messages.ts';
import { uint } from './bytes.ts';
import { WireError } from './errors.ts';
import { openSetup } from './exchange.ts';
import { expand } from './labels.ts';
import * as ohttp from './ohttp.ts';
import { pad, unpad } from './padding.ts';
import { refuse } from './sealing.ts';

const SESSION_LABEL = 'polynya session';
/** Frames in one direction; AES-GCM's bounds under one key are far above. */
const COUNTER_END = 2 ** 32;
const EMPTY = new Uint8Array(0);

type Transform = (key: Uint8Array, nonce: Uint8Array, data: Uint8Array) => Promise<Uint8Array>;

/** AEAD frames under one key with a counter. Calls are run one after another: results come in the order of calls. */
class Direction {
  readonly #key: Uint8Array;
  readonly #iv: Uint8Array;
  readonly #transform: Transform;
  #counter = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(prk: Uint8Array, name: string, transform: Transform) {
    this.#key = expand(prk, name, 16);
    this.#iv = expand(prk, `${name} iv`, 12);
    this.#transform = transform;
  }

  run(data: Uint8Array): Promise<Uint8Array> {
    const result = this.#last.then(async () => {
      if (this.#counter >= COUNTER_END) throw new WireError('session-ended');
      const nonce = this.#iv.slice();
      uint(this.#counter, 4).forEach((b, i) => (nonce[8 + i]! ^= b));
      const done = await this.#transform(this.#key, nonce, data);
      this.#counter++;
      return done;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  end(): void {
    this.#counter = COUNTER_END;
  }
}

/** One side of a session: seals frames of type `Out`, opens frames of type `In`. */
export class Session<Out, In> {
  readonly #out: Direction;
  readonly #in: Direction;
  readonly #encode: (frame: Out) => Uint8Array;
  readonly #decode: (data: Uint8Array) => In;

  constructor(
    prk: Uint8Array,
    [outgoing, incoming]: readonly [string, string],
    encode: (frame: Out) => Uint8Array,
    decode: (data: Uint8Array) => In,
  ) {
    this.#out = new Direction(prk, outgoing, (key, nonce, data) => AES_128_GCM.seal(key, nonce, EMPTY, data));
    this.#in = new Direction(prk, incoming, (key, nonce, data) =>
      refuse('session-frame', () => AES_128_GCM.open(key, nonce, EMPTY, data)),
    );
    this.#encode = encode;
    this.#decode = decode;
  }

  /** @throws WireError `session-ended`, `padding-fit` or `message`. */
  async seal(frame: Out): Promise<Uint8Array> {
    return this.#out.run(pad(this.#encode(frame)));
  }

  /**
   * @throws WireError `session-frame`, `session-ended`, a `padding-` or `cbor-` rule, or `message`; all end the session.
   */
  async open(sealed: Uint8Array): Promise<In> {
    try {
      return this.#decode(unpad(await this.#in.run(sealed)));
    } catch (error) {
      this.end();
      throw error;
    }
  }

  /** From now on nothing is sealed or opened. */
  end(): void {
    this.#out.end();
    this.#in.end();
  }
}

export type ClientSession = Session<ClientFrame, RelayFrame>;
export type RelaySession = Session<RelayFrame, ClientFrame>;

function sessionPrk(hello: Uint8Array, accept: Uint8Array, exported: Uint8Array, shared: Uint8Array): Uint8Array {
  return hkdfExtract(sha256(concat(hello, accept)), concat(exported, shared));
}

/** Between the client's first frame and the relay's. */
export interface ClientHandshake {
  /** The session that the relay's first frame opens. @throws WireError `session-accept`, a `cbor-` rule or `message`. */
  finish(frame: Uint8Array): Promise<ClientSession>;
}

/**
 * The first frame to the holder of `config` (verified), and what waits for the answer; `time` is the client's estimate
 * of the relay's clock in milliseconds.
 *
 * @throws WireError `exchange-key` for an invalid key.
 */
export async function startSession(
  config: KeyConfig,
  time: number,
  random: Random,
): Promise<[Uint8Array, ClientHandshake]> {
  const { privateKey, publicKey } = await XWING.generate(random);
  const plaintext = pad(encodeSessionHello({ version: PROTOCOL_VERSION, time, publicKey }));
  const [header, enc, context] = await refuse('exchange-key', () =>
    ohttp.setupRequest(XWING, config.id, config.publicKey, SESSION_LABEL, random),
  );
  const frame = concat(header, enc, await context.seal(EMPTY, plaintext));
  const exported = context.export(utf8(SESSION_LABEL), 32);
  const finish: ClientHandshake['finish'] = async (answer) => {
    const accept = decodeSessionAccept(answer);
    const shared = await refuse('session-accept', () => XWING.decapsulate(privateKey, accept.enc));
    const prk = sessionPrk(frame, answer, exported, shared);
    return new Session(prk, ['client', 'relay'], encodeClientFrame, decodeRelayFrame);
  };
  return [frame, { finish }];
}

/** A hello that was opened, and not yet accepted: the relay first judges its time, and whether `enc` was seen before. */
export interface RelayHandshake {
  readonly hello: SessionHello;
  readonly enc: Uint8Array;
  /** The relay's first frame and the session. @throws WireError `session-hello` for an invalid ephemeral key. */
  accept(random: Random): Promise<[Uint8Array, RelaySession]>;
}

/** Opens a session's first frame. @throws WireError as `openRequest` of exchange.ts does. */
export async function openHello(keys: ReadonlyMap<number, Uint8Array>, frame: Uint8Array): Promise<RelayHandshake> {
  const [enc, padded, context] = await openSetup(keys, SESSION_LABEL, frame);
  const hello = decodeSessionHello(unpad(padded));
  const exported = context.export(utf8(SESSION_LABEL), 32);
  const accept: RelayHandshake['accept'] = async (random) => {
    const [shared, encapsulation] = await refuse('session-hello', () => XWING.encapsulate(hello.publicKey, random));
    const answer = encodeSessionAccept({ enc: encapsulation });
    const prk = sessionPrk(frame, answer, exported, shared);
    return [answer, new Session(prk, ['relay', 'client'], encodeRelayFrame, decodeClientFrame)];
  };
  return { hello, enc, accept };
}
