/** Integers (big-endian), order and base64url of byte strings. */
import { fromBase64Url } from '../crypto/bytes.ts';

/** Unsigned integer of `size` bytes; exact below 2^53. */
export function uint(value: number, size: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(size);
  for (let i = size - 1; i >= 0; i--) {
    data[i] = value % 256;
    value = Math.floor(value / 256);
  }
  return data;
}

export function readUint(data: Uint8Array): number {
  let value = 0;
  for (const b of data) value = value * 256 + b;
  return value;
}

/** Bytewise order, a shorter string before those it begins. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference) return difference;
  }
  return a.length - b.length;
}

/** Equality of public values; secrets are compared by crypto/compare. */
export function same(a: Uint8Array, b: Uint8Array): boolean {
  return compare(a, b) === 0;
}

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64url(data: Uint8Array): string {
  let text = '';
  for (const b of data) text += String.fromCharCode(b);
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** Strict: null for padding, other characters, impossible lengths and non-zero spare bits. */
export function fromBase64url(text: string): Uint8Array | null {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  const data = fromBase64Url(text);
  return toBase64url(data) === text ? data : null;
}
