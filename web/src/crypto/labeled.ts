import { concat, u16, utf8 } from './bytes.ts';
import { hkdfExpand, hkdfExtract } from './hashes.ts';

const VERSION = utf8('HPKE-v1');

/** LabeledExtract of RFC 9180, section 4, over HKDF-SHA256. */
export function labeledExtract(suiteId: Uint8Array, salt: Uint8Array, label: string, ikm: Uint8Array): Uint8Array {
  return hkdfExtract(salt, concat(VERSION, suiteId, utf8(label), ikm));
}

/** LabeledExpand of RFC 9180, section 4, over HKDF-SHA256. */
export function labeledExpand(
  suiteId: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  return hkdfExpand(prk, concat(u16(length), VERSION, suiteId, utf8(label), info), length);
}
