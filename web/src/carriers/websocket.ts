/** One WebSocket per sealed session: each binary message of `<address>/s` is one frame. */
import { view } from '../crypto/subtle.ts';
import { type Carrier, CarrierError, type CarrierProperties, MAX_FRAME, type Stream } from './base.ts';

/** ms until a connection must stand: a satellite link needs ~2 s, a blocked address never answers. */
const CONNECT_TIMEOUT = 10000;

const properties: CarrierProperties = {
  maxFrame: MAX_FRAME,
  latency: 60,
  exchanges: false,
  streams: true,
  needsUdp: false,
  inBrowser: true,
  storeAndForward: false,
};

class WebSocketStream implements Stream {
  readonly #socket: WebSocket;
  readonly #frames: Uint8Array[] = [];
  #error: CarrierError | null = null;
  #wake: () => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = (event: MessageEvent<unknown>) => {
      const { data } = event;
      if (!(data instanceof ArrayBuffer)) return this.#end(new CarrierError('not-a-relay'));
      if (data.byteLength > MAX_FRAME) return this.#end(new CarrierError('too-large', `${data.byteLength} bytes`));
      this.#frames.push(new Uint8Array(data));
      this.#wake();
    };
    socket.onclose = (event) => this.#end(new CarrierError('closed', `WebSocket code ${event.code}`, event.code));
  }

  #end(error: CarrierError): void {
    this.#error ??= error;
    this.#socket.close();
    this.#wake();
  }

  send(frame: Uint8Array): void {
    if (this.#error) throw this.#error;
    if (frame.length > MAX_FRAME) throw new CarrierError('too-large', `${frame.length} bytes`);
    if (this.#socket.readyState !== WebSocket.OPEN) throw new CarrierError('closed');
    this.#socket.send(view(frame));
  }

  async receive(): Promise<Uint8Array> {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame) return frame;
      if (this.#error) throw this.#error;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    this.#end(new CarrierError('closed'));
  }
}

/** Streams to the relay at `url` (no slash at the end). */
export function webSocketCarrier(url: string): Carrier {
  const cannot = (): Promise<never> => Promise.reject(new CarrierError('cannot'));
  return {
    name: 'websocket',
    properties,
    keys: cannot,
    exchange: cannot,
    stream: () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/s`);
        socket.binaryType = 'arraybuffer';
        const timer = setTimeout(() => {
          socket.close();
          reject(new CarrierError('unreachable'));
        }, CONNECT_TIMEOUT);
        socket.onopen = () => {
          clearTimeout(timer);
          resolve(new WebSocketStream(socket));
        };
        socket.onclose = (event) => {
          clearTimeout(timer);
          reject(new CarrierError('unreachable', `WebSocket code ${event.code}`));
        };
      }),
  };
}
