/** What every carrier is: declared properties, one exchange of bytes, and a stream of frames where it can. */
import { PolynyaError } from '../errors.ts';

/** Bytes of one body or frame: twice a 64 KiB blob part is more than any valid frame needs, and bounds a hostile peer. */
export const MAX_FRAME = 131072;
/** Bytes of the answer to `keys`: four X-Wing keys (1,216 B each) with times and signature are ~5 KB. */
export const MAX_KEYS = 16384;

/**
 * Why bytes did not get through; `paths` judges by it, never by text.
 *
 * unreachable: no connection; not-a-relay: something answered, but not as a relay does; not-opened: the relay could not
 * open the request; closed: the stream has ended; too-large: over the largest frame; cannot: no such ability here.
 */
export type CarrierProblem = 'unreachable' | 'not-a-relay' | 'not-opened' | 'closed' | 'too-large' | 'cannot';

/** Bytes did not get through. `closeCode` is WebSocket's where there is one. */
export class CarrierError extends PolynyaError {
  readonly problem: CarrierProblem;
  readonly closeCode: number | null;

  constructor(problem: CarrierProblem, detail = '', closeCode: number | null = null) {
    super(detail ? `${problem}: ${detail}` : problem, `carrier-${problem}`);
    this.problem = problem;
    this.closeCode = closeCode;
  }
}

/** What a carrier is good for, as data: `paths` chooses by these. */
export interface CarrierProperties {
  /** Bytes of the largest body or frame. */
  readonly maxFrame: number;
  /** ms, typical time of one exchange on a healthy network. */
  readonly latency: number;
  readonly exchanges: boolean;
  readonly streams: boolean;
  readonly needsUdp: boolean;
  readonly inBrowser: boolean;
  /** Delivers while the relay is away, in its own time. */
  readonly storeAndForward: boolean;
}

/** Frames both ways, in order. Methods reject with CarrierError; after one has, the stream is dead. */
export interface Stream {
  send(frame: Uint8Array): void;
  receive(): Promise<Uint8Array>;
  close(): void;
}

/** One way to one relay. Methods reject with CarrierError and nothing else of the network's. */
export interface Carrier {
  readonly name: string;
  readonly properties: CarrierProperties;
  /** The relay's encoded SignedKeyConfigs, unverified. */
  keys(): Promise<Uint8Array>;
  /** One sealed request, its sealed response. */
  exchange(body: Uint8Array): Promise<Uint8Array>;
  /** Opens a stream for one sealed session. */
  stream(): Promise<Stream>;
}
