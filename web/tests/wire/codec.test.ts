import { describe, expect, it } from 'vitest';
import { decode, encode, type Value } from '../../src/wire/cbor.ts';
import { WireError } from '../../src/wire/errors.ts';
import {
  decodeContent,
  decodeEntry,
  decodeExchange,
  decodeHead,
  decodeText,
  encodeContent,
  encodeEntry,
  encodeExchange,
  encodePublish,
  encodeRequest,
  encodeText,
  type Exchange,
  type Publish,
  type Request,
} from '../../src/wire/_messages.ts';
import { encodeConversationInfo } from '../../src/wire/_messages_rest.ts';

const fill = (n: number, value: number): Uint8Array => new Uint8Array(n).fill(value);
const publish: Publish = { type: 'Publish', writeSecret: fill(32, 1), record: fill(512, 2), slot: fill(16, 3) };

function ruleOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof WireError) return error.rule;
    throw error;
  }
  return 'accepted';
}

describe('the messages by table', () => {
  it('round trips an exchange with its union', () => {
    const exchange: Exchange = { version: 1, time: 1_700_000_000_000, request: publish };
    expect(decodeExchange(encodeExchange(exchange))).toEqual(exchange);
  });

  it('refuses unknown keys in a closed struct and drops them in an open one', () => {
    expect(ruleOf(() => decodeHead(encode(new Map<number, Value>([[1, true], [2, 5], [3, 0]]))))).toBe('message');
    const text = encode(new Map<number, Value>([[1, 'hello'], [99, [new Map([[7, fill(3, 3)]])]]]));
    expect(decodeText(text)).toEqual({ type: 'Text', text: 'hello' });
  });

  it('names an unknown member of an open union, and cannot send it on', () => {
    const value = decodeContent(encode([77, new Map()]));
    expect(value).toEqual({ type: 'Unknown', tag: 77 });
    expect(ruleOf(() => encodeContent(value))).toBe('message');
    expect(ruleOf(() => decodeContent(encode([77, 'not a struct'])))).toBe('message');
  });

  it('enforces limits when encoding', () => {
    expect(ruleOf(() => encodePublish({ ...publish, record: fill(28, 0) }))).toBe('message');
    expect(ruleOf(() => encodePublish({ ...publish, record: fill(4097, 0) }))).toBe('message');
    expect(ruleOf(() => encodePublish({ ...publish, writeSecret: fill(31, 0) }))).toBe('message');
    expect(ruleOf(() => encodeRequest({ type: 'Fetch', topic: fill(32, 0), after: -1, limit: 1 }))).toBe('message');
    expect(ruleOf(() => encodeRequest({ type: 'Fetch', topic: fill(32, 0), after: 0.5, limit: 1 }))).toBe('message');
    expect(ruleOf(() => encodeRequest({ type: 'Nothing' } as unknown as Request))).toBe('message');
    expect(ruleOf(() => encodeText({ type: 'Text', text: '\ud800' }))).toBe('message');
    expect(ruleOf(() => encodeText({ type: 'Text', text: 'é'.repeat(8193) }))).toBe('message');
  });

  it('wants exactly one of record and record hash', () => {
    const entry = { seq: 1, time: 2 };
    expect(ruleOf(() => encodeEntry(entry))).toBe('message');
    expect(ruleOf(() => encodeEntry({ ...entry, record: fill(29, 0), recordHash: fill(32, 0) }))).toBe('message');
    expect(decodeEntry(encodeEntry({ ...entry, recordHash: fill(32, 9) }))).toEqual({ ...entry, recordHash: fill(32, 9) });
  });

  it('wants ascending admins', () => {
    const info = { kind: 2, name: '', relays: [], retentionDays: 30, membersAdd: false } as const;
    expect(ruleOf(() => encodeConversationInfo({ ...info, admins: [fill(32, 2), fill(32, 1)] }))).toBe('message');
    expect(ruleOf(() => encodeConversationInfo({ ...info, admins: [fill(32, 1), fill(32, 1)] }))).toBe('message');
    expect(ruleOf(() => encodeConversationInfo({ ...info, admins: [fill(32, 1), fill(32, 2)] }))).toBe('accepted');
  });

  it('says what is wrong with the bytes before what is wrong with the message', () => {
    const data = encodeExchange({ version: 1, time: 2, request: publish });
    expect(ruleOf(() => decodeExchange(data.slice(0, -1)))).toBe('cbor-truncated');
    expect(ruleOf(() => decodeExchange(Uint8Array.of(...data, 0)))).toBe('cbor-trailing');
    expect(ruleOf(() => decodeExchange(encode([])))).toBe('message');
  });
});

describe('cbor', () => {
  it('writes the shortest form', () => {
    const hex = (value: Value): string => [...encode(value)].map((b) => b.toString(16).padStart(2, '0')).join('');
    expect(hex(23)).toBe('17');
    expect(hex(24)).toBe('1818');
    expect(hex(256)).toBe('190100');
    expect(hex(65536)).toBe('1a00010000');
    expect(hex(2 ** 32)).toBe('1b0000000100000000');
    expect(hex(Number.MAX_SAFE_INTEGER)).toBe('1b001fffffffffffff');
    expect(hex(new Map<number, Value>([[24, 'é'], [1, true]]))).toBe('a201f5181862c3a9');
  });

  it('copies byte strings out of the input', () => {
    const data = encode(fill(3, 7));
    expect((decode(data) as Uint8Array).buffer.byteLength).toBe(3);
  });
});
