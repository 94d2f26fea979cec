/**
 * Messages by table. The generated table has one line for each type, `Name description`, where a description is
 *
 * - `=A,B` or `~=A,B`: a union's structs, tagged from 1 (`~`: open);
 * - else a struct's fields, with keys from 1: `name type` each, `?` at the end of optional ones; `~` before the first for
 *   an open struct; then, after `|`, those optional fields of which exactly one is there. `!` in front of all: the value
 *   carries the struct's name as `type`, as it is a member of a union.
 *
 * Types: `u` or `u<limits>` (an enum too), `f` (bool), `b<limits>` and `t<limits>` (by bytes), `[<type>]<max>` (`^` after
 * it: strictly ascending), or a type's name. Limits are `<size>`, `<min>:<max>` or `:<max>`.
 */
import { compare } from './bytes.ts';
import { decode, encode, textBytes, type Value } from './cbor.ts';
import { WireError } from './errors.ts';

/** Turns a value into CBOR's, or the other way; throws WireError (`message`). */
type Kind = (value: unknown, where: string, writing: boolean) => unknown;
type Members = Record<string, unknown>;

/** A member of an open union that this version does not know; it cannot be encoded. */
export interface Unknown {
  readonly type: 'Unknown';
  readonly tag: number;
}

function bad(where: string): never {
  throw new WireError('message', where);
}

/** A type whose values are the same on both sides. */
function plain(valid: (value: unknown) => boolean): Kind {
  return (value, where) => (valid(value) ? value : bad(where));
}

function within(limits: string): (n: number) => boolean {
  const [least, most = least] = limits.split(':').map(Number);
  return (n) => n >= (least as number) && n <= (most as number);
}

export function codec(table: string): {
  encoder: <T>(name: string) => (value: T) => Uint8Array;
  decoder: <T>(name: string) => (data: Uint8Array) => T;
} {
  const lines = new Map(table.split('\n').map((line) => line.split(/ (.*)/s) as [string, string]));
  const kinds = new Map<string, Kind>();

  function list(description: string): Kind {
    const [, of, limit, ascending] = /^\[(.*)\](\d+)(\^?)$/.exec(description) as unknown as string[];
    const kind = named(of as string);
    return (value, where, writing) => {
      if (!Array.isArray(value) || value.length > Number(limit)) bad(where);
      const items = (value as readonly unknown[]).map((x) => kind(x, where, writing));
      if (ascending && items.some((x, i) => i && compare(items[i - 1] as Uint8Array, x as Uint8Array) >= 0)) bad(where);
      return items;
    };
  }

  function union(names: readonly string[], open: boolean): Kind {
    return (value, where, writing) => {
      if (writing) {
        const type = String((value as Members | null)?.['type']);
        const tag = names.indexOf(type) + 1;
        return tag ? [tag, named(type)(value, where, writing)] : bad(where);
      }
      if (!Array.isArray(value) || value.length !== 2) bad(where);
      const [tag, struct] = value as [Value, Value];
      if (typeof tag !== 'number') return bad(where);
      const name = names[tag - 1];
      if (name) return named(name)(struct, name, writing);
      return open && struct instanceof Map ? { type: 'Unknown', tag } : bad(where);
    };
  }

  function struct(name: string, description: string, open: boolean, tagged: boolean): Kind {
    const [all = '', ...oneOf] = description.split('|');
    const fields = (all ? all.split(',') : []).map((text) => {
      const [field = '', type = ''] = text.split(' ');
      return { field, optional: type.endsWith('?'), kind: named(type.replace('?', '')) };
    });
    return (value, where, writing) => {
      if (writing ? typeof value !== 'object' || value === null : !(value instanceof Map)) bad(where);
      const members: Members = writing ? (value as Members) : tagged ? { type: name } : {};
      const map = writing ? new Map<number, unknown>() : (value as Map<number, unknown>);
      let known = 0;
      fields.forEach(({ field, optional, kind }, i) => {
        const given = writing ? members[field] : map.get(i + 1);
        if (given === undefined && optional) return;
        known++;
        // One that is missing is of no kind.
        const member = kind(given, `${name}.${field}`, writing);
        if (writing) map.set(i + 1, member);
        else members[field] = member;
      });
      const chosen = oneOf.filter((field) => members[field] !== undefined);
      if ((!open && known !== map.size) || (oneOf.length && chosen.length !== 1)) bad(name);
      return writing ? map : members;
    };
  }

  function make(text: string): Kind {
    const limits = text.slice(1);
    const fits = within(limits);
    if (/^[A-Z]/.test(text)) {
      const line = lines.get(text) as string;
      const [, tagged, open, description = ''] = /^(!?)(~?)(.*)$/.exec(line) as string[];
      return description[0] === '=' ? union(description.slice(1).split(','), !!open) : struct(text, description, !!open, !!tagged);
    }
    switch (text[0]) {
      case 'u':
        return plain((v) => Number.isSafeInteger(v) && (limits ? fits(v as number) : (v as number) >= 0));
      case 'b':
        return plain((v) => v instanceof Uint8Array && fits(v.length));
      case 't':
        return plain((v) => typeof v === 'string' && fits(textBytes(v).length));
      case 'f':
        return plain((v) => typeof v === 'boolean');
      default:
        return list(text);
    }
  }

  function named(text: string): Kind {
    let kind = kinds.get(text);
    if (!kind) kinds.set(text, (kind = make(text)));
    return kind;
  }

  return {
    encoder: (name) => (value) => encode(named(name)(value, name, true) as Value),
    decoder:
      <T>(name: string) =>
      (data: Uint8Array) =>
        named(name)(decode(data), name, false) as T,
  };
}
