/** Files on their way out: shown at the end of their chat until the client has the message. */
import { signal } from '../signals.ts';
import type { Hex } from '../../client/types.ts';

export interface Outgoing {
  file: File;
  caption: string;
  replyTo: Hex | null;
  width: number | null;
  height: number | null;
  preview: Uint8Array | null;
}

export interface Upload extends Outgoing {
  id: number;
  conversation: Hex;
  done: number;
  /** What went wrong, in words. */
  problem: string | null;
  abort: AbortController;
}

export const uploads = signal<readonly Upload[]>([]);
