/** A record's body on its way out and in. */
import type { RecordBody } from '../wire/messages.ts';

/** To be sent: the blob that it lies in where it is too large for a record. */
export interface Prepared {
  readonly body: RecordBody;
  readonly blob?: Uint8Array;
  readonly data?: Uint8Array;
}

/** Received. `waiting`: a download is on its way; `gone`: the relay does not have it; `bad`: not a body. */
export type Body = { readonly state: 'ready'; readonly data: Uint8Array } | { readonly state: 'waiting' | 'gone' | 'bad' };

/** A blob that a record's body lies in. */
export interface Download {
  readonly relay: Uint8Array;
  /** Work item that waits for it. */
  readonly user: string;
  readonly data: readonly Uint8Array[];
  readonly received: number;
  readonly whole: boolean;
  /** The relay does not have it, or it is not what its id says. */
  readonly gone: boolean;
}
