/** The sealed exchange, both sides (protocol.md section 2.2). */
import { concat } from '../crypto/bytes.ts';
import type { Context } from '../crypto/hpke.ts';
import type { Random } from '../crypto/random.ts';
import { XWING } from '../crypto/xwing.ts';
import {
  type Answer,
  decodeAnswer,
  decodeExchange,
  encodeAnswer,
  encodeExchange,
  type Exchange,
  type KeyConfig,
} from './_messages.ts';
import { same } from './bytes.ts';
import { WireError } from './errors.ts';
import * as ohttp from './ohttp.ts';
import { pad, unpad } from './padding.ts';
import { refuse } from './sealing.ts';

const REQUEST_LABEL = 'polynya request';
const RESPONSE_LABEL = 'polynya response';
const EMPTY = new Uint8Array(0);

/** What the client keeps until the response to its request comes. */
export interface ResponseOpener {
  /** @throws WireError `response-open`, a `padding-` or `cbor-` rule, or `message`. */
  open(data: Uint8Array): Promise<Answer>;
}

/** What the relay keeps until it answers; one response only. */
export interface ResponseSealer {
  /** @throws WireError `padding-fit` for an answer over the largest step, or `message`. */
  seal(answer: Answer, random: Random): Promise<Uint8Array>;
}

/**
 * A request for the holder of `config` (which the caller has verified), and the opener of its response.
 *
 * @throws WireError `exchange-key` for a key that is not a valid X-Wing key, `padding-fit`, or `message`.
 */
export async function sealRequest(
  config: KeyConfig,
  exchange: Exchange,
  random: Random,
): Promise<[Uint8Array, ResponseOpener]> {
  const plaintext = pad(encodeExchange(exchange));
  const [header, enc, context] = await refuse('exchange-key', () =>
    ohttp.setupRequest(XWING, config.id, config.publicKey, REQUEST_LABEL, random),
  );
  const secret = ohttp.responseSecret(context, RESPONSE_LABEL);
  const opener: ResponseOpener = {
    open: async (data) =>
      decodeAnswer(unpad(await refuse('response-open', () => ohttp.openResponse(secret, enc, data)))),
  };
  return [concat(header, enc, await context.seal(EMPTY, plaintext)), opener];
}

/**
 * [exchange, sealer of the response, enc] of a request; `keys` are the relay's X-Wing private keys by key id.
 *
 * The caller judges the exchange's time, and whether `enc` was seen before. To the sender all errors are the same.
 * @throws WireError `exchange-header`, `exchange-key` (an id that `keys` lacks), `exchange-open`, a `padding-` or `cbor-`
 * rule, or `message`.
 */
export async function openRequest(
  keys: ReadonlyMap<number, Uint8Array>,
  data: Uint8Array,
): Promise<[Exchange, ResponseSealer, Uint8Array]> {
  const [enc, padded, context] = await openSetup(keys, REQUEST_LABEL, data);
  const exchange = decodeExchange(unpad(padded));
  const secret = ohttp.responseSecret(context, RESPONSE_LABEL);
  const seal: ResponseSealer['seal'] = async (answer, random) =>
    ohttp.sealResponse(secret, enc, pad(encodeAnswer(answer)), random);
  return [exchange, { seal }, enc];
}

/** [enc, plaintext, context] of a request or a session's hello. @throws WireError as `openRequest` does. */
export async function openSetup(
  keys: ReadonlyMap<number, Uint8Array>,
  label: string,
  data: Uint8Array,
): Promise<[Uint8Array, Uint8Array, Context]> {
  const start = data.slice(0, ohttp.HEADER_SIZE);
  const id = data[0] ?? 0;
  if (data.length < ohttp.HEADER_SIZE + XWING.encapsulationSize || !same(start, ohttp.header(XWING, id))) {
    throw new WireError('exchange-header');
  }
  const privateKey = keys.get(id);
  if (!privateKey) throw new WireError('exchange-key');
  return refuse('exchange-open', async () => {
    const [enc, sealed, context] = await ohttp.openSetup(XWING, privateKey, label, data);
    return [enc, await context.open(EMPTY, sealed), context];
  });
}
