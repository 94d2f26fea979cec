/** Padding to a few sizes, so that lengths tell little (protocol.md sections 2.2 and 3). */
import { RESPONSE_STEPS } from './_messages.ts';
import { readUint, uint } from './bytes.ts';
import { WireError } from './errors.ts';

/**
 * Length (big-endian) || `data` || zeros, in all the smallest fitting of `sizes` (ascending).
 *
 * @throws WireError `padding-fit` if none fits.
 */
export function pad(data: Uint8Array, sizes: readonly number[] = RESPONSE_STEPS, lengthSize = 4): Uint8Array {
  const size = sizes.find((step) => step >= lengthSize + data.length);
  if (size === undefined) throw new WireError('padding-fit', `${data.length} bytes`);
  const padded = new Uint8Array(size);
  padded.set(uint(data.length, lengthSize));
  padded.set(data, lengthSize);
  return padded;
}

/** What `pad` got. @throws WireError `padding-length`, `padding-step` (not the smallest fitting) or `padding-zeros`. */
export function unpad(padded: Uint8Array, sizes: readonly number[] = RESPONSE_STEPS, lengthSize = 4): Uint8Array {
  const end = lengthSize + readUint(padded.subarray(0, lengthSize));
  if (end > padded.length) throw new WireError('padding-length');
  if (sizes.find((step) => step >= end) !== padded.length) throw new WireError('padding-step');
  if (padded.subarray(end).some((b) => b !== 0)) throw new WireError('padding-zeros');
  return padded.slice(lengthSize, end);
}
