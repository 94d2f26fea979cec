/** One HTTP request per exchange: `POST <address>/x`, keys by `GET <address>/keys`. */
import { view } from '../crypto/subtle.ts';
import { type Carrier, CarrierError, type CarrierProperties, MAX_FRAME, MAX_KEYS } from './base.ts';

/** ms for one exchange: 100 KB at 24 kbit/s is 33 s. */
const TIMEOUT = 45000;

const properties: CarrierProperties = {
  maxFrame: MAX_FRAME,
  latency: 200,
  exchanges: true,
  streams: false,
  needsUdp: false,
  inBrowser: true,
  storeAndForward: false,
};

/** The body. @throws CarrierError `too-large` beyond `limit` bytes without holding more than that. */
async function readLimited(response: Response, limit: number): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  const data = new Uint8Array(limit);
  let size = 0;
  for (;;) {
    const piece = await reader?.read();
    if (!piece || piece.done) return data.slice(0, size);
    if (size + piece.value.length > limit) {
      await reader?.cancel();
      throw new CarrierError('too-large', `more than ${limit} bytes`);
    }
    data.set(piece.value, size);
    size += piece.value.length;
  }
}

async function request(url: string, limit: number, body?: Uint8Array): Promise<Uint8Array> {
  try {
    const response = await fetch(url, {
      ...(body && { method: 'POST', body: new Blob([view(body)], { type: 'text/plain' }) }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(TIMEOUT),
    });
    if (body && response.status === 400) throw new CarrierError('not-opened');
    if (response.status !== 200) throw new CarrierError('not-a-relay', `HTTP ${response.status}`);
    return await readLimited(response, limit);
  } catch (error) {
    throw error instanceof CarrierError ? error : new CarrierError('unreachable', String(error));
  }
}

/** Exchanges with the relay at `url` (no slash at the end). A plain-text Blob needs no preflight connection. */
export function httpsCarrier(url: string): Carrier {
  return {
    name: 'https',
    properties,
    keys: () => request(`${url}/keys`, MAX_KEYS),
    async exchange(body) {
      if (body.length > MAX_FRAME) throw new CarrierError('too-large', `${body.length} bytes`);
      return request(`${url}/x`, MAX_FRAME, body);
    },
    stream: () => Promise.reject(new CarrierError('cannot')),
  };
}
