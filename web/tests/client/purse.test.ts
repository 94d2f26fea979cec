/** Which requests are paid for, and with which token. */
import { describe, expect, it } from 'vitest';
import { payable, Purse } from '../../src/client/purse.ts';
import type { Request } from '../../src/wire/messages.ts';

const bytes = (value: number, size = 32): Uint8Array => new Uint8Array(size).fill(value);
const part = (offset: number, length: number): Request => ({
  type: 'PutBlob',
  id: bytes(4),
  total: 5 * 2 ** 20,
  offset,
  part: new Uint8Array(length),
});

describe('what is paid for', () => {
  it('is what may be new on the relay, each by its own name', () => {
    const requests: Request[] = [
      { type: 'CreateTopic', writeSecret: bytes(1), retentionDays: 30 },
      { type: 'CreateInbox', readSecret: bytes(2) },
      { type: 'PutKeyPackages', ownerSecret: bytes(3), packages: [] },
      part(0, 65_536),
      part(2 ** 20, 65_536),
    ];
    const names = requests.map(payable);
    expect(names.every((name) => name)).toBe(true);
    expect(new Set(names).size).toBe(names.length);
    for (const request of [
      { type: 'Ping' },
      { type: 'Drop', inbox: bytes(1), record: bytes(1) },
      { type: 'JoinRelay', memberSecret: bytes(1) },
      { type: 'GetBlob', id: bytes(1), offset: 0, length: 1 },
    ] as Request[]) {
      expect(payable(request)).toBeUndefined();
    }
  });

  it('is each MiB of a blob once, in the part in which it begins', () => {
    const sizes = [65_536, 65_537, 40_000];
    for (const size of sizes) {
      const paid: (string | undefined)[] = [];
      for (let at = 0; at < 5 * 2 ** 20; at += size) paid.push(payable(part(at, Math.min(size, 5 * 2 ** 20 - at))));
      expect(paid.filter((name) => name).length, `parts of ${size}`).toBe(5);
      expect(new Set(paid.filter((name) => name)).size).toBe(5);
    }
    expect([payable(part(0, 0)), payable(part(2 ** 20, 0)), payable(part(5, 100))]).toEqual([undefined, undefined, undefined]);
    expect(payable(part(2 ** 20 - 1, 1))).toBeUndefined();
    expect(payable(part(2 ** 20 - 1, 2))).toBe(payable(part(2 ** 20, 1)));
  });
});

describe('a purse', () => {
  const tokens = [bytes(1, 354), bytes(2, 354), bytes(3, 354)];

  it('gives a request the same token again, and no other request that one', () => {
    const purse = new Purse(null);
    purse.receive({ tokens });
    expect([purse.reserve('a'), purse.reserve('b'), purse.reserve('a')]).toEqual([tokens[0], tokens[1], tokens[0]]);
    purse.drop('a');
    expect([purse.reserve('a'), purse.reserve('c')]).toEqual([tokens[2], undefined]);
  });

  it('keeps on disk what is on its way, and not what was seen', () => {
    const purse = new Purse(null);
    const tokenKeys = { type: 'SignedTokenKeys', body: bytes(5), signature: bytes(6, 64) } as const;
    purse.receive({ tokens, join: bytes(9, 354), tokenKeys });
    purse.wanted = true;
    purse.reserve('a');
    purse.reserve('b');
    purse.drop('b');
    const again = new Purse(purse.encode());
    expect(again.use).toEqual([tokens[0], tokens[2]]);
    expect(again.join).toEqual([bytes(9, 354)]);
    expect(again.cards).toEqual([[[tokenKeys.body, tokenKeys.signature], tokens]]);
    expect(again.wanted).toBe(true);
  });
});
