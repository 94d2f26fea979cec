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
  readonly #view: DataView;
  #offset: number;

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
    this.#offset = 0;
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

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** A copy of the next `n` bytes. */
  bytes(n: number): Uint8Array {
    const start = this.#take(n);
    return this.#data.slice(start, start + n);
  }

  /** A vector's length: 1, 2 or 4 bytes by the two highest bits, in the fewest that hold it (section 2.1.2). */
  length(): number {
    const first = this.u8();
    const prefix = first >> 6;
    if (prefix === 3) throw malformed('2.1.2-prefix');
    let value = first & 0x3f;
    for (let more = (1 << prefix) - 1; more > 0; more--) value = value * 256 + this.u8();
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
  #view = new DataView(this.#data.buffer);
  #size = 0;

  #grow(n: number): number {
    const start = this.#size;
    this.#size += n;
    if (this.#size > this.#data.length) {
      const larger = new Uint8Array(Math.max(this.#size, this.#data.length * 2));
      larger.set(this.#data.subarray(0, start));
      this.#data = larger;
      this.#view = new DataView(larger.buffer);
    }
    return start;
  }

  u8(value: number): void {
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }

  u64(value: bigint): void {
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value);
  }

  bytes(data: Uint8Array): void {
    const start = this.#grow(data.length);
    this.#data.set(data, start);
  }

  length(value: number): void {
    if (value < 64) this.u8(value);
    else if (value < 16384) this.u16(0x4000 | value);
    else if (value < 2 ** 30) this.u32((0x80000000 | value) >>> 0);
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

export const u8: Codec<number> = { write: (w, v) => w.u8(v), read: (r) => r.u8() };
export const u16: Codec<number> = { write: (w, v) => w.u16(v), read: (r) => r.u16() };
export const u32: Codec<number> = { write: (w, v) => w.u32(v), read: (r) => r.u32() };
export const u64: Codec<bigint> = { write: (w, v) => w.u64(v), read: (r) => r.u64() };

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
      writer.u8(value === null ? 0 : 1);
      if (value !== null) item.write(writer, value);
    },
    read(reader) {
      const presence = reader.u8();
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

/** A value that only one number may stand for, such as `ProtocolVersion version = mls10`. */
export function constant<N extends number>(codec: Codec<number>, only: N, rule: string): Codec<N> {
  return {
    write: (writer) => codec.write(writer, only),
    read(reader) {
      const found = codec.read(reader);
      if (found !== only) throw malformed(rule, `${found}`);
      return only;
    },
  };
}

/** A number that only some values may have. */
export function oneOf<N extends number>(codec: Codec<number>, rule: string, ...allowed: readonly N[]): Codec<N> {
  return {
    write: codec.write,
    read(reader) {
      const found = codec.read(reader) as N;
      if (!allowed.includes(found)) throw malformed(rule, `${found}`);
      return found;
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

export const empty: Codec<object> = struct<object>({});

/** The encoding of `opaque x<V>` of a label. */
export function labelled(label: string): Uint8Array {
  return encode(opaque, utf8(label));
}
