import { createHash, createHmac } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, test } from 'vitest';
import { AES_128_GCM, AES_256_GCM, type Aead } from '../../src/crypto/aead.ts';
import { concat, hex, unhex, utf8 } from '../../src/crypto/bytes.ts';
import { equal } from '../../src/crypto/compare.ts';
import { CryptoError } from '../../src/crypto/errors.ts';
import * as fallback from '../../src/crypto/fallback.ts';
import { hkdfExpand, hkdfExtract, hmacSha256, sha256 } from '../../src/crypto/hashes.ts';
import { HashStream } from '../../src/crypto/hashstream.ts';
import { sha3256, shake256 } from '../../src/crypto/keccak.ts';
import * as mlkem from '../../src/crypto/mlkem.ts';
import { sha512 } from '../../src/crypto/sha512.ts';
import * as signature from '../../src/crypto/signature.ts';
import { view } from '../../src/crypto/subtle.ts';
import * as x25519 from '../../src/crypto/x25519.ts';
import { SeededRandom } from '../support/seeded.ts';

test('equal compares whole byte strings', () => {
  expect(equal(utf8('abc'), utf8('abc'))).toBe(true);
  expect(equal(utf8('abc'), utf8('abd'))).toBe(false);
  expect(equal(utf8('xbc'), utf8('abc'))).toBe(false);
  expect(equal(utf8('ab'), utf8('abc'))).toBe(false);
  expect(equal(utf8(''), utf8(''))).toBe(true);
});

test('SHA-256, SHA-512, HMAC, SHA3-256 and SHAKE256 agree with the system for every length around their blocks', () => {
  const random = new SeededRandom(11);
  for (let size = 0; size <= 300; size++) {
    const [data, key] = [random.bytes(size), random.bytes(size % 70)];
    expect(hex(sha256(data))).toBe(createHash('sha256').update(data).digest('hex'));
    expect(hex(sha256(data.slice(0, 10), data.slice(10)))).toBe(hex(sha256(data)));
    expect(hex(hmacSha256(key, data))).toBe(createHmac('sha256', key).update(data).digest('hex'));
    expect(hex(sha512(data))).toBe(createHash('sha512').update(data).digest('hex'));
    expect(hex(sha3256(data))).toBe(createHash('sha3-256').update(data).digest('hex'));
    expect(hex(shake256(data, 96))).toBe(createHash('shake256', { outputLength: 96 }).update(data).digest('hex'));
  }
  const large = random.bytes(100_000);
  expect(hex(sha256(large))).toBe(createHash('sha256').update(large).digest('hex'));
  expect(() => hkdfExpand(large, large, 255 * 32 + 1)).toThrow(RangeError);
});

test('hashes agree with WebCrypto and with RFC 5869 A.1', async () => {
  for (const size of [0, 1, 63, 64, 111, 112, 127, 128, 1000]) {
    const data = new SeededRandom(size).bytes(size);
    expect(sha256(data)).toEqual(new Uint8Array(await crypto.subtle.digest('SHA-256', view(data))));
    expect(sha512(data)).toEqual(new Uint8Array(await crypto.subtle.digest('SHA-512', view(data))));
    const key = await crypto.subtle.importKey('raw', view(utf8('key')), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    expect(hmacSha256(utf8('key'), data)).toEqual(new Uint8Array(await crypto.subtle.sign('HMAC', key, view(data))));
  }
  const prk = hkdfExtract(unhex('000102030405060708090a0b0c'), new Uint8Array(22).fill(11));
  expect(hex(hkdfExpand(prk, unhex('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  );
});

test('a hash of pieces is that of the whole, wherever they are cut', () => {
  const random = new SeededRandom('pieces');
  for (let size = 0; size < 300; size++) {
    const data = random.bytes(size);
    const stream = new HashStream();
    for (let from = 0; from < size; ) {
      const to = from + random.below(100);
      stream.update(data.subarray(from, to));
      from = to;
    }
    expect(stream.digest(), String(size)).toEqual(sha256(data));
  }
});

describe('AEADs', () => {
  async function check(aead: Aead): Promise<void> {
    const random = new SeededRandom(aead.id);
    const [key, nonce, aad, text] = [random.bytes(aead.keySize), random.bytes(12), random.bytes(5), random.bytes(70)];
    const sealed = await aead.seal(key, nonce, aad, text);
    expect(sealed.length).toBe(86);
    expect(await aead.open(key, nonce, aad, sealed)).toEqual(text);
    for (const place of [0, 40, 85]) {
      const changed = sealed.slice();
      changed[place]! ^= 1;
      await expect(aead.open(key, nonce, aad, changed)).rejects.toThrow(CryptoError);
    }
    await expect(aead.open(key, nonce, concat(aad, aad), sealed)).rejects.toThrow(CryptoError);
    await expect(aead.open(key, nonce, aad, sealed.slice(0, 15))).rejects.toThrow(CryptoError);
    await expect(aead.seal(key.slice(1), nonce, aad, text)).rejects.toThrow(CryptoError);
    await expect(aead.seal(key, nonce.slice(1), aad, text)).rejects.toThrow(CryptoError);
  }

  test('AES-GCM', async () => {
    await check(AES_128_GCM);
    await check(AES_256_GCM);
  });
});

describe('Ed25519', () => {
  const seed = unhex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');

  test('matches RFC 8032, 7.1', async () => {
    expect(hex(await signature.publicKey(seed))).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(hex(await signature.sign(seed, utf8('')))).toBe(
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
  });

  test('an empty, short, long, changed or foreign signature is never valid', async () => {
    const key = await signature.publicKey(seed);
    const good = await signature.sign(seed, utf8('message'));
    expect(await signature.verify(key, utf8('message'), good)).toBe(true);
    const changed = good.slice();
    changed[63]! ^= 1;
    const other = await signature.publicKey(new SeededRandom(1).bytes(32));
    for (const [k, m, s] of [
      [key, 'message', new Uint8Array(0)],
      [key, 'message', good.slice(1)],
      [key, 'message', concat(good, Uint8Array.of(0))],
      [key, 'message', new Uint8Array(64)],
      [key, 'message', changed],
      [key, 'massage', good],
      [other, 'message', good],
      [new Uint8Array(0), 'message', good],
      [concat(key, Uint8Array.of(0)), 'message', good],
    ] as const) {
      expect(await signature.verify(k, utf8(m), s)).toBe(false);
    }
  });
});

test('the fallback agrees with WebCrypto', async () => {
  const random = new SeededRandom(3);
  const [a, b, message] = [random.bytes(32), random.bytes(32), random.bytes(100)];
  const bPublic = await x25519.publicKey(b);
  expect(await x25519.native()).toBe(true);
  expect(fallback.x25519Public(b)).toEqual(bPublic);
  expect(fallback.agree(a, bPublic)).toEqual(await x25519.agree(a, bPublic));
  expect(() => fallback.agree(a, new Uint8Array(32))).toThrow();

  expect(await signature.native()).toBe(true);
  const signed = await signature.sign(a, message);
  expect(fallback.ed25519Public(a)).toEqual(await signature.publicKey(a));
  expect(fallback.ed25519Sign(a, message)).toEqual(signed);
  expect(fallback.ed25519Verify(fallback.ed25519Public(a), message, signed)).toBe(true);
  expect(fallback.ed25519Verify(fallback.ed25519Public(a), message, new Uint8Array(64))).toBe(false);

  const seed = random.bytes(64);
  const publicKey = await mlkem.publicKey(seed);
  expect(fallback.mlkemPublic(seed)).toEqual(publicKey);
  const [shared, ciphertext] = fallback.mlkemEncapsulate(publicKey);
  expect(await mlkem.decapsulate(seed, ciphertext)).toEqual(shared);
  const [shared2, ciphertext2] = await mlkem.encapsulate(publicKey);
  expect(fallback.mlkemDecapsulate(seed, ciphertext2)).toEqual(shared2);
  await expect(mlkem.encapsulate(publicKey.slice(1))).rejects.toThrow(CryptoError);
  await expect(mlkem.decapsulate(seed, ciphertext.slice(1))).rejects.toThrow(CryptoError);
});

test('both verify the signatures that native implementations disagree with others about alike', async () => {
  // A key with a torsion component: S*B = R + h*A holds up to the cofactor for every challenge, and
  // without it for one in eight.
  const { Point } = ed25519;
  const torsion = Point.fromBytes(unhex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'));
  const a = 12345n;
  const mixed = Point.BASE.multiply(a).add(torsion).toBytes();
  const R = Point.BASE.multiply(7n).toBytes();
  const verdicts = new Set<boolean>();
  for (let i = 0; i < 64; i++) {
    const message = Uint8Array.of(i);
    const challenge = Point.Fn.create(fromLittleEndian(sha512(concat(R, mixed, message))));
    const crafted = concat(R, littleEndian(Point.Fn.create(7n + challenge * a)));
    const verdict = await signature.verify(mixed, message, crafted);
    expect(fallback.ed25519Verify(mixed, message, crafted)).toBe(verdict);
    verdicts.add(verdict);
  }
  expect(verdicts).toEqual(new Set([true, false]));
  const order = unhex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010');
  const seed = new SeededRandom(5).bytes(32);
  const [key, good] = [await signature.publicKey(seed), await signature.sign(seed, utf8('m'))];
  const grown = good.slice();
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    carry += good[32 + i]! + order[i]!;
    grown[32 + i] = carry;
    carry >>= 8;
  }
  expect(await signature.verify(key, utf8('m'), grown)).toBe(false);
  expect(fallback.ed25519Verify(key, utf8('m'), grown)).toBe(false);
  expect(fallback.ed25519Verify(key, utf8('m'), good)).toBe(true);
});

test('a key or signature with a point of small order is never valid', async () => {
  const base = unhex('5866666666666666666666666666666666666666666666666666666666666666');
  const small = ed25519.Point.fromBytes(unhex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'));
  let point = ed25519.Point.ZERO;
  for (let i = 0; i < 8; i++, point = point.add(small)) {
    expect(signature.isSmallOrder(point.toBytes())).toBe(true);
    for (let text = 0; text < 32; text++) {
      // S = 1, R = B: for such a key the equation holds whenever the challenge is a multiple of its order.
      const crafted = concat(base, littleEndian(1n));
      expect(await signature.verify(point.toBytes(), Uint8Array.of(text), crafted)).toBe(false);
    }
  }
  for (const above of [0n, 1n]) expect(signature.isSmallOrder(littleEndian(2n ** 255n - 19n + above))).toBe(true);
  expect(signature.isSmallOrder(base)).toBe(false);
});

test('keys of low order are refused, and no others', async () => {
  const secret = new SeededRandom(6).bytes(32);
  const numbers = [0n, 1n, 2n, 9n, 2n ** 255n - 21n, 2n ** 255n - 20n, 2n ** 255n - 19n, 2n ** 255n - 18n, 2n ** 255n - 17n];
  const order8 = [
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  ];
  const keys = [...numbers.map(littleEndian), ...order8.map(unhex)];
  for (const key of keys) {
    for (const top of [0, 0x80]) {
      key[31] = (key[31]! & 0x7f) | top;
      const agreed = await x25519.agree(secret, key).then(() => true, () => false);
      expect(refusal(() => x25519.checkPublicKey(key))).toBe(!agreed);
    }
  }
  expect(refusal(() => x25519.checkPublicKey(secret.slice(1)))).toBe(true);
});

test('ML-KEM keys with a coefficient of q or more are refused', async () => {
  const key = await mlkem.publicKey(new SeededRandom(8).bytes(64));
  expect(refusal(() => mlkem.checkPublicKey(key))).toBe(false);
  expect(refusal(() => mlkem.checkPublicKey(key.slice(1)))).toBe(true);
  for (const [place, low, high] of [[0, 0x01, 0x0d], [1151, 0x1d, 0xd0]] as const) {
    const wrong = key.slice();
    if (place === 0) wrong.set([low, (wrong[1]! & 0xf0) | high], 0);
    else wrong.set([(wrong[1150]! & 0x0f) | 0x10, high], 1150);
    expect(refusal(() => mlkem.checkPublicKey(wrong))).toBe(true);
    await expect(mlkem.encapsulate(wrong)).rejects.toThrow(CryptoError);
  }
});

function refusal(check: () => void): boolean {
  try {
    check();
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(CryptoError);
    return true;
  }
}

function fromLittleEndian(data: Uint8Array): bigint {
  return data.reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
}

test('an all-zero shared secret is refused', () => {
  expect(() => x25519.checkSharedSecret(new Uint8Array(32))).toThrow(CryptoError);
  expect(x25519.checkSharedSecret(Uint8Array.of(0, 1))).toEqual(Uint8Array.of(0, 1));
});
