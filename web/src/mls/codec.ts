import { utf8 } from '../crypto/bytes.ts';
import { MlsError } from './errors.ts';

/*
 * The TLS presentation language as RFC 9420, section 2, uses it. Decoding is canonical: a value has one encoding,
 * and whatever is not it fails in one way (`MlsError` with code `malformed`).
 */

function malformed(rule: string, detail = ''): MlsError {
  return new MlsError(rule, detail, 'malformed');
}

/** A cursor over bytes that refuses to run past their end. */
export class Reader {
  readonly #data: Uint8Array;
  #offset = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  get remaining(): number {
    return this.#data.length - this.#offset;
  }

  /** Moves `n` bytes on; gives where they start. */
  #take(n: number): number {
    if (n > this.remaining) throw malformed('2.1-truncated');
    const start = this.#offset;
    this.#offset += n;
    return start;
  }

  /** Big-endian, of at most 6 bytes: a number holds no more. */
  uint(size: number): number {
    let value = 0;
    for (let at = this.#take(size), end = at + size; at < end; at++) value = value * 256 + this.#data[at]!;
    return value;
  }

  /** A copy of the next `n` bytes. */
  bytes(n: number): Uint8Array {
    const start = this.#take(n);
    return this.#data.slice(start, start + n);
  }

  /** A vector's length: 1, 2 or 4 bytes by the two highest bits, in the fewest that hold it (section 2.1.2). */
  length(): number {
    const first = this.uint(1);
    const prefix = first >> 6;
    if (prefix === 3) throw malformed('2.1.2-prefix');
    const more = (1 << prefix) - 1;
    const value = (first & 0x3f) * 256 ** more + this.uint(more);
    if ((prefix === 1 && value < 64) || (prefix === 2 && value < 16384)) throw malformed('2.1.2-overlong');
    return value;
  }

  /** A reader over the next vector's content alone. */
  inner(): Reader {
    const n = this.length();
    const start = this.#take(n);
    return new Reader(this.#data.subarray(start, start + n));
  }

  end(): void {
    if (this.remaining !== 0) throw malformed('2.1-trailing');
  }
}

/** Grows as values are written. */
export class Writer {
  #data = new Uint8Array(128);
  #size = 0;

  #grow(n: number): number {
    const start = this.#size;
    this.#size += n;
    if (this.#size > this.#data.length) {
      const larger = new Uint8Array(Math.max(this.#size, this.#data.length * 2));
      larger.set(this.#data.subarray(0, start));
      this.#data = larger;
    }
    return start;
  }

  /** Big-endian, of at most 6 bytes: a number holds no more. */
  uint(value: number, size: number): void {
    for (let start = this.#grow(size), at = size - 1; at >= 0; at--) {
      this.#data[start + at] = value;
      value = Math.floor(value / 256);
    }
  }

  bytes(data: Uint8Array): void {
    const start = this.#grow(data.length);
    this.#data.set(data, start);
  }

  length(value: number): void {
    if (value < 64) this.uint(value, 1);
    else if (value < 2 ** 14) this.uint(value + 2 ** 14, 2);
    else if (value < 2 ** 30) this.uint(value + 2 ** 31, 4);
    else throw malformed('2.1.2-range');
  }

  vector(data: Uint8Array): void {
    this.length(data.length);
    this.bytes(data);
  }

  finish(): Uint8Array {
    return this.#data.slice(0, this.#size);
  }
}

export interface Codec<T> {
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new Writer();
  codec.write(writer, value);
  return writer.finish();
}

/** The one value that these bytes are. @throws MlsError code `malformed` */
export function decode<T>(codec: Pick<Codec<T>, 'read'>, data: Uint8Array): T {
  const reader = new Reader(data);
  const value = codec.read(reader);
  reader.end();
  return value;
}

/** Big-endian, of `size` bytes, at most 6. */
export function uint(size: number): Codec<number> {
  return { write: (w, v) => w.uint(v, size), read: (r) => r.uint(size) };
}

export const u8 = uint(1);
export const u16 = uint(2);
export const u32 = uint(4);
export const u64: Codec<bigint> = {
  write(w, v) {
    w.uint(Number(v >> 32n), 4);
    w.uint(Number(v & 0xffffffffn), 4);
  },
  read: (r) => (BigInt(r.uint(4)) << 32n) | BigInt(r.uint(4)),
};

/** `opaque x<V>`. */
export const opaque: Codec<Uint8Array> = { write: (w, v) => w.vector(v), read: (r) => r.bytes(r.length()) };

/** `opaque x[size]`. */
export function fixed(size: number): Codec<Uint8Array> {
  return { write: (w, v) => w.bytes(v), read: (r) => r.bytes(size) };
}

/** `T x<V>`. */
export function vector<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    write(writer, values) {
      const inner = new Writer();
      for (const value of values) item.write(inner, value);
      writer.vector(inner.finish());
    },
    read(reader) {
      const inner = reader.inner();
      const values: T[] = [];
      while (inner.remaining > 0) values.push(item.read(inner));
      return values;
    },
  };
}

/** `optional<T> x`: the presence octet is 0 or 1. */
export function optional<T>(item: Codec<T>): Codec<T | null> {
  return {
    write(writer, value) {
      writer.uint(value === null ? 0 : 1, 1);
      if (value !== null) item.write(writer, value);
    },
    read(reader) {
      const presence = reader.uint(1);
      if (presence > 1) throw malformed('2.1.1-presence');
      return presence === 1 ? item.read(reader) : null;
    },
  };
}

/** `struct { ... } x`: the fields in the order given. */
export function struct<T extends object>(fields: { readonly [K in keyof T]: Codec<T[K]> }): Codec<T> {
  const names = Object.keys(fields) as (keyof T)[];
  return {
    write(writer, value) {
      for (const name of names) fields[name].write(writer, value[name]);
    },
    read(reader) {
      const value = {} as T;
      for (const name of names) value[name] = fields[name].read(reader);
      return value;
    },
  };
}

/** A vector of keys and values, ascending by key, as stored state has them. */
export function mapping<T>(value: Codec<T>): Codec<ReadonlyMap<number, T>> {
  const items = vector(struct<{ key: number; value: T }>({ key: u32, value }));
  return {
    write(writer, map) {
      items.write(writer, [...map].map(([key, value]) => ({ key, value })).sort((a, b) => a.key - b.key));
    },
    read: (reader) => new Map(items.read(reader).map(({ key, value }) => [key, value])),
  };
}

type Case<T, Tag extends PropertyKey, V> = Omit<Extract<T, { readonly [K in Tag]: V }>, Tag>;

/** A tag and a `select` on it; an unknown tag is malformed by `rule`. */
export function variant<T extends object, Tag extends keyof T>(
  tag: Tag,
  tagCodec: Codec<number>,
  rule: string,
  cases: { readonly [V in T[Tag] & number]: Codec<Case<T, Tag, V>> },
): Codec<T> {
  const table = cases as unknown as Readonly<Record<number, Codec<object>>>;
  return {
    write(writer, value) {
      const which = value[tag] as number;
      tagCodec.write(writer, which);
      table[which]!.write(writer, value);
    },
    read(reader) {
      const which = tagCodec.read(reader);
      const codec = Object.hasOwn(table, which) ? table[which] : undefined;
      if (codec === undefined) throw malformed(rule, `${which}`);
      return { [tag]: which, ...codec.read(reader) } as T;
    },
  };
}

/** A codec whose values pass a check when read; what fails it is malformed. */
export function checked<T>(codec: Codec<T>, rule: string, holds: (value: T) => boolean): Codec<T> {
  return {
    write: codec.write,
    read(reader) {
      const value = codec.read(reader);
      if (!holds(value)) throw malformed(rule);
      return value;
    },
  };
}

/** A number that only some values may have. */
export function oneOf<N extends number>(codec: Codec<number>, rule: string, ...allowed: readonly N[]): Codec<N> {
  return checked(codec as Codec<N>, rule, (found) => allowed.includes(found));
}

/** A number that has one value only, such as `ProtocolVersion version = mls10`. */
export function constant<N extends number>(codec: Codec<number>, only: N, rule: string): Codec<N> {
  return oneOf(codec, rule, only);
}

export const empty: Codec<object> = struct<object>({});

/** The encoding of `opaque x<V>` of a label. */
export function labelled(label: string): Uint8Array {
  return encode(opaque, utf8(label));
}
