import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, hex, unhex, utf8 } from '../../src/crypto/bytes.ts';
import {
  PendingCommit,
  commitProposals,
  decodeGroup,
  encodeGroup,
  makeGroupInfo,
  proposeUpdate,
  receiveProposal,
  verifyCommit,
} from '../../src/mls/changes.ts';
import {
  type Codec,
  Reader,
  Writer,
  constant,
  decode,
  encode,
  oneOf,
  opaque,
  optional,
  struct,
  u16,
  u32,
  u64,
  u8,
  variant,
  vector,
} from '../../src/mls/codec.ts';
import { MlsError } from '../../src/mls/errors.ts';
import { mlsMessage } from '../../src/mls/framing.ts';
import { groupInfo } from '../../src/mls/groupinfo.ts';
import { KeyPackageBundle, keyPackage } from '../../src/mls/keypackage.ts';
import { ratchetTree } from '../../src/mls/node.ts';
import { ADD, PSK } from '../../src/mls/proposal.ts';
import { RatchetTree } from '../../src/mls/tree.ts';
import { groupSecrets } from '../../src/mls/welcome.ts';
import { SeededRandom } from '../support/seeded.ts';
import { Club } from './club.ts';

const rule = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(MlsError);
    return (error as MlsError).rule;
  }
  return '';
};

describe('lengths', () => {
  test('take the fewest bytes that hold them, and no others', () => {
    for (const [value, bytes] of [
      [0, '00'], [63, '3f'], [64, '4040'], [16383, '7fff'], [16384, '80004000'], [2 ** 30 - 1, 'bfffffff'],
    ] as const) {
      const writer = new Writer();
      writer.length(value);
      expect(hex(writer.finish())).toBe(bytes);
      expect(new Reader(unhex(bytes)).length()).toBe(value);
    }
    for (const bytes of ['4000', '403f', '80000000', '80003fff']) {
      expect(rule(() => new Reader(unhex(bytes)).length())).toBe('2.1.2-overlong');
    }
    for (const bytes of ['c0', 'ff', 'c000000000000001']) {
      expect(rule(() => new Reader(unhex(bytes)).length())).toBe('2.1.2-prefix');
    }
    for (const bytes of ['', '40', '800000']) expect(rule(() => new Reader(unhex(bytes)).length())).toBe('2.1-truncated');
    expect(rule(() => new Writer().length(2 ** 30))).toBe('2.1.2-range');
  });
});

describe('values', () => {
  test('go round, whatever they are', () => {
    interface Value { a: number; b: number; c: number; d: bigint; e: Uint8Array; f: readonly Uint8Array[]; g: number | null }
    const codec = struct<Value>({ a: u8, b: u16, c: u32, d: u64, e: opaque, f: vector(opaque), g: optional(u16) });
    const bytes = fc.uint8Array({ maxLength: 300 });
    const value = fc.record<Value>({
      a: fc.nat(255), b: fc.nat(65535), c: fc.nat(2 ** 31 - 1), d: fc.bigInt(0n, 2n ** 64n - 1n),
      e: bytes, f: fc.array(bytes, { maxLength: 5 }), g: fc.option(fc.nat(65535)),
    });
    fc.assert(fc.property(value, (given) => {
      const encoded = encode(codec, given);
      expect(decode(codec, encoded)).toEqual(given);
      expect(rule(() => decode(codec, encoded.slice(0, -1)))).toMatch(/^2\.1-truncated$/);
      expect(rule(() => decode(codec, Uint8Array.of(...encoded, 0)))).toBe('2.1-trailing');
    }), { numRuns: 60, seed: 1 });
  });

  test('have one encoding', () => {
    expect(rule(() => decode(optional(u8), unhex('02')))).toBe('2.1.1-presence');
    expect(rule(() => decode(optional(u8), unhex('ff01')))).toBe('2.1.1-presence');
    expect(rule(() => decode(vector(u16), unhex('03000102')))).toBe('2.1-truncated');
    expect(rule(() => decode(constant(u16, 1, 'rule'), unhex('0002')))).toBe('rule');
    expect(rule(() => decode(oneOf<number>(u8, 'rule', 1, 2), unhex('03')))).toBe('rule');
    type Either = { kind: 1; value: number } | { kind: 2 };
    const either = variant<Either, 'kind'>('kind', u8, 'rule', { 1: struct<{ value: number }>({ value: u8 }), 2: struct<object>({}) });
    expect(decode(either, unhex('0105'))).toEqual({ kind: 1, value: 5 });
    expect(decode(either, unhex('02'))).toEqual({ kind: 2 });
    expect(rule(() => decode(either, unhex('03')))).toBe('rule');
    expect(rule(() => decode(either, unhex('0200')))).toBe('2.1-trailing');
  });
});

test('decoders of changed bytes fail with typed errors or give what encodes to those bytes', async () => {
  const club = await Club.of(['anna', 'boris', 'clara'], 1);
  const { random } = club;
  const bundle = await club.bundle('dmitri');
  const psks = new Map([['6964', utf8('key')]]);
  const proposals = [
    { type: ADD, keyPackage: bundle.keyPackage },
    { type: PSK, psk: { type: 1, id: utf8('id'), nonce: random.bytes(32) } },
  ] as const;
  const [boris, update] = await proposeUpdate(club.get('boris'), { random });
  const pending = await commitProposals(club.get('anna'), proposals, club.commitOptions({ psks }));
  const [, message] = await club.get('anna').encrypt(utf8('text'), { random });
  const info = await makeGroupInfo(club.get('anna'), { externalPub: true });
  const same = <T>(codec: Codec<T>) => (data: Uint8Array): Uint8Array => encode(codec, decode(codec, data));
  const cases: [string, Uint8Array, (data: Uint8Array) => Uint8Array][] = [
    ['commit', pending.message, same(mlsMessage)],
    ['welcome', pending.welcome!, same(mlsMessage)],
    ['update', update, same(mlsMessage)],
    ['message', message, same(mlsMessage)],
    ['group info', info, same(mlsMessage)],
    ['key package', encode(keyPackage, bundle.keyPackage), same(keyPackage)],
    ['tree', pending.tree, (data) => RatchetTree.decode(data).encode()],
    ['tree extension', pending.tree, same(ratchetTree)],
    ['group', encodeGroup(boris), (data) => encodeGroup(decodeGroup(data))],
    ['pending commit', pending.encode(), (data) => PendingCommit.decode(data).encode()],
    ['bundle', bundle.encode(), (data) => KeyPackageBundle.decode(data).encode()],
    ['group secrets', encode(groupSecrets, { joinerSecret: random.bytes(32), pathSecret: { pathSecret: random.bytes(32) }, psks: [] }), same(groupSecrets)],
    ['bare group info', info.slice(4), same(groupInfo)],
  ];
  for (const [name, read] of [['pending commit', PendingCommit], ['bundle', KeyPackageBundle]] as const) {
    const [, good] = cases.find(([one]) => one === name)!;
    expect(good[0], name).toBe(1);
    for (const version of [0, 2, 255]) {
      const other = concat(Uint8Array.of(version), good.subarray(1));
      expect(() => read.decode(other), name).toThrow(expect.objectContaining({ rule: 'state-version' }));
    }
  }
  const chance = new SeededRandom('mutations');
  let refused = 0;
  for (const [name, good, again] of cases) {
    expect(again(good), name).toEqual(good);
    for (let round = 0; round < 250; round++) {
      const changed = mutate(good, chance);
      try {
        expect(again(changed), name).toEqual(changed);
      } catch (error) {
        if (!(error instanceof MlsError)) throw error;
        refused++;
      }
    }
  }
  expect(refused).toBeGreaterThan(1000);
});

/** Changes, drops, doubles or adds a few bytes. */
function mutate(data: Uint8Array, random: SeededRandom): Uint8Array {
  const place = random.below(data.length);
  const size = 1 + random.below(4);
  switch (random.below(5)) {
    case 0:
      return data.slice(0, place);
    case 1:
      return Uint8Array.of(...data.slice(0, place), ...data.slice(place + size));
    case 2:
      return Uint8Array.of(...data.slice(0, place), ...random.bytes(size), ...data.slice(place));
    default: {
      const changed = data.slice();
      changed.set(random.bytes(Math.min(size, data.length - place)), place);
      return changed;
    }
  }
}

test('members survive changed messages: typed errors, nothing changed', async () => {
  const club = await Club.of(['anna', 'boris', 'clara'], 2);
  const pending = await commitProposals(club.get('anna'), [], club.commitOptions());
  const [, message] = await club.get('anna').encrypt(utf8('text'), { random: club.random });
  const [, proposal] = await proposeUpdate(club.get('anna'), { random: club.random });
  const boris = club.get('boris');
  const before = encodeGroup(boris);
  const chance = new SeededRandom('messages');
  for (let round = 0; round < 60; round++) {
    for (const [good, receive] of [
      [pending.message, (data: Uint8Array) => verifyCommit(boris, data, { now: 1_800_000_000_000 })],
      [message, (data: Uint8Array) => boris.decrypt(data)],
      [proposal, (data: Uint8Array) => receiveProposal(boris, data)],
    ] as const) {
      const changed = mutate(good, chance);
      if (hex(changed) === hex(good)) continue;
      await expect(receive(changed)).rejects.toBeInstanceOf(MlsError);
    }
  }
  expect(encodeGroup(boris)).toEqual(before);
});
