/** What the wire layer refuses although the vectors cannot show it: own values out of bounds, and endless input. */
import { expect, it } from 'vitest';
import * as cbor from '../../src/wire/cbor.ts';
import { CHUNK, blobSize, chunkCount } from '../../src/wire/files.ts';
import { sealFile } from '../../src/wire/filestreams.ts';
import { buildRelayLink } from '../../src/wire/linkbuilding.ts';
import { isAddress } from '../../src/wire/links.ts';
import { readLink } from '../support/links.ts';
import { FILE_MAX, PROTOCOL_VERSION } from '../../src/wire/messages.ts';

/** Characters of an address at most. */
const ADDRESS_MAX = 256;

type Value = Parameters<typeof cbor.encode>[0];

const nested = (depth: number): Value => (depth === 0 ? 0 : [nested(depth - 1)]);
const broken = (rule: string): unknown => expect.objectContaining({ rule });

it.each([
  [-1, 'cbor-integer'],
  [2 ** 53, 'cbor-integer'],
  [1.5, 'cbor-integer'],
  [nested(17), 'cbor-depth'],
  [new Map([[-1, 0]]), 'cbor-keys'],
  [new Map([[2 ** 53, 0]]), 'cbor-keys'],
  [null as unknown as Value, 'cbor-type'],
] as const)('encodes values of the subset only: %j', (value, rule) => {
  expect(() => cbor.encode(value)).toThrow(broken(rule));
});

it('encodes up to the bounds of the subset', () => {
  for (const value of [0, 2 ** 53 - 1, nested(16), new Map([[0, 0], [2 ** 53 - 1, 1]])]) {
    expect(cbor.decode(cbor.encode(value))).toEqual(value);
  }
});

it('knows no files of less than nothing or more than is allowed', () => {
  for (const size of [-1, FILE_MAX + 1, Number.NaN]) expect(() => chunkCount(size)).toThrow(broken('file-size'));
  expect(chunkCount(0)).toBe(1);
});

it('gives up a file that does not end', async () => {
  let read = 0;
  function* endless(): Generator<Uint8Array> {
    while (read < 1000) {
      read++;
      yield new Uint8Array(CHUNK);
    }
  }
  const seal = async (size: number): Promise<number> => {
    let sealed = 0;
    for await (const piece of sealFile(new Uint8Array(32), size, endless())) sealed += piece.length;
    return sealed;
  };
  await expect(seal(2 * CHUNK)).rejects.toThrow(broken('file-size'));
  expect(read).toBe(3);
  read = 999;
  expect(await seal(CHUNK)).toBe(blobSize(CHUNK));
});

it('builds links for addresses only, and knows later versions', () => {
  const link = { version: PROTOCOL_VERSION, relay: new Uint8Array(32) };
  const long = `https://example.org/${'x'.repeat(ADDRESS_MAX)}`;
  expect([isAddress(long), isAddress(long.slice(0, ADDRESS_MAX))]).toEqual([false, true]);
  for (const address of ['ftp://example.org/x', 'https://example.org/x/', long]) {
    expect(() => buildRelayLink(address, link)).toThrow(broken('link-address'));
  }
  for (const version of [PROTOCOL_VERSION + 1, 65535]) {
    const text = buildRelayLink('https://example.org/x', { ...link, version });
    expect(() => readLink(text)).toThrow(broken('link-version'));
  }
});
