/** The protocol's CBOR subset: RFC 8949 section 4.2.1, restricted as in protocol.md section 1. */
import { concat, utf8 } from '../crypto/bytes.ts';
import { uint } from './bytes.ts';
import { WireError } from './errors.ts';

export type Value = number | boolean | string | Uint8Array | readonly Value[] | ReadonlyMap<number, Value>;

/** Most arrays and maps inside each other; the deepest message has 8. */
const MAX_DEPTH = 16;

const isUint = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** First bytes of an item: major type and argument, in the shortest form. */
function head(major: number, n: number): Uint8Array {
  if (n < 24) return Uint8Array.of((major << 5) | n);
  const size = n < 0x100 ? 0 : n < 0x10000 ? 1 : n < 0x100000000 ? 2 : 3;
  return concat(Uint8Array.of((major << 5) | (24 + size)), uint(n, 1 << size));
}

/** UTF-8; throws WireError for a lone surrogate, which has none. */
export function textBytes(text: string): Uint8Array {
  if (/\p{Surrogate}/u.test(text)) throw new WireError('message', 'text with a lone surrogate');
  return utf8(text);
}

function write(value: Value, depth: number, out: Uint8Array[]): void {
  if (typeof value === 'boolean') out.push(Uint8Array.of(value ? 0xf5 : 0xf4));
  else if (typeof value === 'number') {
    if (!isUint(value)) throw new WireError('cbor-integer');
    out.push(head(0, value));
  } else if (value instanceof Uint8Array) out.push(head(2, value.length), value);
  else if (typeof value === 'string') {
    const data = textBytes(value);
    out.push(head(3, data.length), data);
  } else if (depth > MAX_DEPTH) throw new WireError('cbor-depth');
  else if (value instanceof Map) {
    const pairs = [...(value as ReadonlyMap<number, Value>)].sort((a, b) => a[0] - b[0]);
    out.push(head(5, pairs.length));
    for (const [key, item] of pairs) {
      if (!isUint(key)) throw new WireError('cbor-keys');
      out.push(head(0, key));
      write(item, depth + 1, out);
    }
  } else if (Array.isArray(value)) {
    out.push(head(4, value.length));
    for (const item of value as readonly Value[]) write(item, depth + 1, out);
  } else throw new WireError('cbor-type');
}

/** Deterministic encoding; throws WireError for a value outside the subset. */
export function encode(value: Value): Uint8Array {
  const out: Uint8Array[] = [];
  write(value, 1, out);
  return concat(...out);
}

/**
 * The value that `data` holds, from the first byte to the last. Byte strings are copies.
 *
 * Throws WireError with rule cbor-truncated, cbor-trailing, cbor-length (a longer form than needed), cbor-indefinite,
 * cbor-type, cbor-integer, cbor-keys, cbor-utf8 or cbor-depth.
 */
export function decode(data: Uint8Array): Value {
  let pos = 0;

  const argument = (info: number): number => {
    if (info < 24) return info;
    if (info === 31) throw new WireError('cbor-indefinite');
    if (info > 27) throw new WireError('cbor-type');
    const size = 1 << (info - 24);
    if (pos + size > data.length) throw new WireError('cbor-truncated');
    let n = 0;
    for (const end = pos + size; pos < end; pos++) n = n * 256 + (data[pos] as number);
    if (n < (size === 1 ? 24 : 2 ** (size * 4))) throw new WireError('cbor-length');
    if (n > Number.MAX_SAFE_INTEGER) throw new WireError('cbor-integer');
    return n;
  };

  const next = (): number => {
    const b = data[pos++];
    if (b === undefined) throw new WireError('cbor-truncated');
    return b;
  };

  const take = (n: number): Uint8Array => {
    if (n > data.length - pos) throw new WireError('cbor-truncated');
    return data.slice(pos, (pos += n));
  };

  const item = (depth: number): Value => {
    const first = next();
    const major = first >> 5;
    if (first === 0xf4 || first === 0xf5) return first === 0xf5;
    if (major === 7 || major === 1 || major === 6) throw new WireError('cbor-type');
    const n = argument(first & 31);
    if (major === 0) return n;
    if (major === 2) return take(n);
    if (major === 3) {
      const text = take(n);
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
      } catch {
        throw new WireError('cbor-utf8');
      }
    }
    if (depth > MAX_DEPTH) throw new WireError('cbor-depth');
    if (major === 4) {
      const items: Value[] = [];
      for (let i = 0; i < n; i++) items.push(item(depth + 1));
      return items;
    }
    const pairs = new Map<number, Value>();
    let last = -1;
    for (let i = 0; i < n; i++) {
      const start = next();
      if (start >> 5) throw new WireError('cbor-keys');
      const key = argument(start);
      if (key <= last) throw new WireError('cbor-keys');
      last = key;
      pairs.set(key, item(depth + 1));
    }
    return pairs;
  };

  const value = item(1);
  if (pos !== data.length) throw new WireError('cbor-trailing');
  return value;
}
