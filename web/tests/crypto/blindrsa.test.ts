import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as blindrsa from '../../src/crypto/blindrsa.ts';
import { hex, unhex, utf8 } from '../../src/crypto/bytes.ts';
import { CryptoError } from '../../src/crypto/errors.ts';
import type { Random } from '../../src/crypto/random.ts';
import { SeededRandom } from '../support/seeded.ts';

interface Vector {
  readonly name: string;
  readonly n: string;
  readonly e: string;
  readonly d: string;
  readonly prepared: string;
  readonly salt: string;
  readonly inverse: string;
  readonly blinded: string;
  readonly blind_signature: string;
  readonly signature: string;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../tests/crypto/${name}.json`, import.meta.url), 'ascii'));
const vectors = (read('rfc9474') as { cases: readonly Vector[] }).cases;
const number = (text: string): bigint => BigInt(`0x${text}`);

function power(base: bigint, exponent: bigint, n: bigint): bigint {
  let result = 1n;
  for (; exponent; exponent >>= 1n, base = (base * base) % n) if (exponent & 1n) result = (result * base) % n;
  return result;
}

/** r from its inverse; n is a product of two primes that the vector names. */
function inverseOf(a: bigint, n: bigint): bigint {
  let [r, next, s, nextS] = [n, a, 0n, 1n];
  while (next) [r, next, s, nextS] = [next, r % next, nextS, s - (r / next) * nextS];
  return ((s % n) + n) % n;
}

test('all variants are there', () => {
  expect(vectors.map(({ name }) => name.replace('RSABSSA-SHA384-', ''))).toEqual([
    'PSS-Randomized',
    'PSSZERO-Randomized',
    'PSS-Deterministic',
    'PSSZERO-Deterministic',
  ]);
});

describe('RFC 9474, Appendix A', () => {
  test.each(vectors)('$name', async (vector) => {
    const key = { n: number(vector.n), e: number(vector.e) };
    const [message, salt] = [unhex(vector.prepared), unhex(vector.salt)];
    const blinding = await blindrsa.blindWith(key, message, salt, inverseOf(number(vector.inverse), key.n));
    expect(hex(blinding.blinded)).toBe(vector.blinded);
    expect(blinding.inverse).toBe(number(vector.inverse));
    const signature = await blindrsa.finalize(key, message, blinding, unhex(vector.blind_signature), salt.length);
    expect(hex(signature)).toBe(vector.signature);
    expect(await blindrsa.verify(key, message, signature, salt.length)).toBe(true);
    expect(await blindrsa.verify(key, message, signature, 48 - salt.length)).toBe(false);
    expect(await blindrsa.verify(key, utf8('another'), signature, salt.length)).toBe(false);
  });
});

const vector = vectors[2] as Vector;
const key = { n: number(vector.n), e: number(vector.e) };
const size = vector.n.length / 2;
/** What an honest signer answers. */
const answer = (blinded: Uint8Array): Uint8Array =>
  blindrsa.toBytes(power(blindrsa.toBigint(blinded), number(vector.d), key.n), size);

test('a signature of a blinded message is one of the message, and no two are alike', async () => {
  const random = new SeededRandom('blind');
  const message = utf8('message');
  const [one, two] = [await blindrsa.blind(key, message, random), await blindrsa.blind(key, message, random)];
  expect(one.blinded).not.toEqual(two.blinded);
  const signature = await blindrsa.finalize(key, message, one, answer(one.blinded));
  expect(await blindrsa.verify(key, message, signature)).toBe(true);
  expect(await blindrsa.finalize(key, message, two, answer(two.blinded))).not.toEqual(signature);
});

test('a signer who signs something else is found out', async () => {
  const random = new SeededRandom('wrong');
  const message = utf8('message');
  const blinding = await blindrsa.blind(key, message, random);
  const right = answer(blinding.blinded);
  const bent = right.slice();
  bent[bent.length - 1]! ^= 1;
  const wrong = [
    new Uint8Array(0),
    right.slice(1),
    Uint8Array.of(0, ...right),
    new Uint8Array(size),
    new Uint8Array(size).fill(255),
    blindrsa.toBytes(key.n, size),
    bent,
    answer((await blindrsa.blind(key, message, random)).blinded),
  ];
  for (const one of wrong) {
    await expect(blindrsa.finalize(key, message, blinding, one)).rejects.toThrow(CryptoError);
  }
  await expect(blindrsa.finalize(key, utf8('another'), blinding, right)).rejects.toThrow(CryptoError);
});

test('nothing of a wrong size verifies', async () => {
  const signature = unhex(vector.signature);
  const message = unhex(vector.prepared);
  for (const wrong of [new Uint8Array(0), signature.slice(1), Uint8Array.of(...signature, 0), Uint8Array.of(0, ...signature)]) {
    expect(await blindrsa.verify(key, message, wrong)).toBe(false);
  }
});

test('units are drawn by rejection', () => {
  const parts = [15, 0, 3, 10, 7, 1].map((value) => Uint8Array.of((value << 4) | 9));
  const random: Random = { bytes: () => parts.shift() as Uint8Array, encapsulate: () => Promise.reject(new Error()) };
  // n = 15 has 4 bits: of what is drawn, 15 is too large, 0, 3 and 10 are no units, 7 is.
  expect(blindrsa.drawUnit(15n, random)).toBe(7n);
  expect(parts.length).toBe(1);
});

test('what cannot be undone is not blinded', async () => {
  await expect(blindrsa.blindWith(key, utf8('message'), new Uint8Array(48), 0n)).rejects.toThrow(CryptoError);
  const odd = { n: 3n * (2n ** 2203n - 1n), e: 65_537n };
  const shares = async (salt: Uint8Array): Promise<boolean> =>
    blindrsa.toBigint(await blindrsa.encodePss(utf8('message'), odd.n.toString(2).length - 1, salt)) % 3n === 0n;
  const salts = Array.from({ length: 20 }, (_, i) => new Uint8Array(48).fill(i));
  const shared = await Promise.all(salts.map(shares));
  for (const [i, salt] of salts.entries()) {
    const blinding = blindrsa.blindWith(odd, utf8('message'), salt, 2n);
    if (shared[i]) await expect(blinding).rejects.toThrow(CryptoError);
    else await blinding;
  }
  expect(new Set(shared).size).toBe(2);
  await expect(blindrsa.encodePss(utf8('message'), 8 * 97, new Uint8Array(48))).rejects.toThrow(CryptoError);
  expect((await blindrsa.encodePss(utf8('message'), 8 * 98, new Uint8Array(48))).length).toBe(98);
});
