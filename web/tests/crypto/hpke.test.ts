import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AES_128_GCM, AES_256_GCM } from '../../src/crypto/aead.ts';
import { concat, hex, unhex, utf8 } from '../../src/crypto/bytes.ts';
import { CryptoError } from '../../src/crypto/errors.ts';
import { openOnce, sealOnce, setupReceiver, setupSender } from '../../src/crypto/hpke.ts';
import { DHKEM_X25519, type Kem } from '../../src/crypto/kem.ts';
import type { Random } from '../../src/crypto/random.ts';
import { shakeSeed } from '../support/shake.ts';
import { SeededRandom } from '../support/seeded.ts';
import * as mlkem from '../../src/crypto/mlkem.ts';
import { XWING } from '../../src/crypto/xwing.ts';

/** Hands out what it was given. */
const fixed = (data: Uint8Array, encapsulation?: [Uint8Array, Uint8Array]): Random => ({
  bytes: (n) => {
    expect(n).toBe(data.length);
    return data;
  },
  encapsulate: () => (encapsulation ? Promise.resolve(encapsulation) : Promise.reject(new Error('not asked for'))),
});

const INFO = unhex('4f6465206f6e2061204772656369616e2055726e');
const IKM_E = unhex('7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234');
const IKM_R = unhex('6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037');
const PLAINTEXT = unhex('4265617574792069732074727574682c20747275746820626561757479');

test('base mode matches RFC 9180 A.1.1', async () => {
  const { privateKey, publicKey } = await DHKEM_X25519.deriveKeyPair(IKM_R);
  expect(hex(privateKey)).toBe('4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8');
  expect(hex(publicKey)).toBe('3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d');
  const [enc, sender] = await setupSender(DHKEM_X25519, AES_128_GCM, publicKey, INFO, fixed(IKM_E));
  expect(hex(enc)).toBe('37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431');
  expect(hex(await DHKEM_X25519.decapsulate(privateKey, enc))).toBe(
    'fe0e18c9f024ce43799ae393c7e8fe8fce9d218875e8227b0187c04e7d2ea1fc',
  );
  const first = await sender.seal(utf8('Count-0'), PLAINTEXT);
  const second = await sender.seal(utf8('Count-1'), PLAINTEXT);
  expect(hex(first)).toBe(
    'f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a96d8770ac83d07bea87e13c512a',
  );
  expect(hex(second)).toBe(
    'af2d7e9ac9ae7e270f46ba1f975be53c09f8d875bdc8535458c2494e8a6eab251c03d0c22a56b8ca42c2063b84',
  );
  const receiver = await setupReceiver(DHKEM_X25519, AES_128_GCM, privateKey, enc, INFO);
  await expect(receiver.open(utf8('Count-1'), second)).rejects.toThrow(CryptoError);
  expect(await receiver.open(utf8('Count-0'), first)).toEqual(PLAINTEXT);
  expect(await receiver.open(utf8('Count-1'), second)).toEqual(PLAINTEXT);
  for (const context of [sender, receiver]) {
    expect(hex(context.export(utf8(''), 32))).toBe('3853fe2b4035195a573ffc53856e77058e15d9ea064de3e59f4961d0095250ee');
    expect(hex(context.export(Uint8Array.of(0), 32))).toBe(
      '2e8f0b54673c7029649d4eb9d5e33bf1872cf76d623ff164ac185da9e88c21a5',
    );
    expect(hex(context.export(utf8('TestContext'), 32))).toBe(
      'e9e43065102c3836401bed8c3c3c75ae46be1639869391d62c61f1ec7af54931',
    );
  }
});

interface XwingVector { seed: string; eseed: string; ss: string; sk: string; pk: string; ct: string }
const vectors = JSON.parse(readFileSync(new URL('xwing.json', import.meta.url), 'utf8')) as XwingVector[];

test('the X-Wing vectors are there', () => expect(vectors.length).toBe(3));

test.each(vectors)('X-Wing matches the draft: $seed', async (vector) => {
  const { privateKey, publicKey } = await XWING.generate(fixed(unhex(vector.seed)));
  expect(hex(privateKey)).toBe(vector.sk);
  expect(hex(publicKey)).toBe(vector.pk);
  expect(hex(await XWING.decapsulate(privateKey, unhex(vector.ct)))).toBe(vector.ss);
  // WebCrypto cannot be told ML-KEM's randomness: take its half from the vector, make X25519's.
  const mlkemCiphertext = unhex(vector.ct).slice(0, 1088);
  const mlkemShared = await mlkem.decapsulate(shakeSeed(privateKey), mlkemCiphertext);
  const random = fixed(unhex(vector.eseed).slice(32), [mlkemShared, mlkemCiphertext]);
  const [shared, encapsulation] = await XWING.encapsulate(publicKey, random);
  expect(hex(shared)).toBe(vector.ss);
  expect(hex(encapsulation)).toBe(vector.ct);
});

describe.each<[string, Kem]>([['DHKEM', DHKEM_X25519], ['X-Wing', XWING]])('%s', (_name, kem) => {
  test('round trip and refusals', async () => {
    const random = new SeededRandom(7);
    const { privateKey, publicKey } = await kem.generate(random);
    expect([privateKey.length, publicKey.length]).toEqual([32, kem.publicKeySize]);
    expect(await kem.publicKey(privateKey)).toEqual(publicKey);
    const [info, aad, text] = [utf8('info'), utf8('aad'), utf8('text')];
    for (const aead of [AES_128_GCM, AES_256_GCM]) {
      const [enc, sealed] = await sealOnce(kem, aead, publicKey, info, aad, text, random);
      expect(enc.length).toBe(kem.encapsulationSize);
      expect(await openOnce(kem, aead, privateKey, enc, info, aad, sealed)).toEqual(text);
      const other = await kem.generate(random);
      for (const [sk, e, i, a, c] of [
        [other.privateKey, enc, info, aad, sealed],
        [privateKey, enc.slice(1), info, aad, sealed],
        [privateKey, concat(enc, Uint8Array.of(0)), info, aad, sealed],
        [privateKey, new Uint8Array(0), info, aad, sealed],
        [privateKey, enc, aad, aad, sealed],
        [privateKey, enc, info, info, sealed],
        [privateKey, enc, info, aad, sealed.slice(1)],
        [privateKey.slice(1), enc, info, aad, sealed],
      ] as const) {
        await expect(openOnce(kem, aead, sk, e, i, a, c)).rejects.toThrow(CryptoError);
      }
    }
    await expect(kem.encapsulate(publicKey.slice(1), random)).rejects.toThrow(CryptoError);
  });

  test('draws its randomness before the first await', async () => {
    const { publicKey } = await kem.generate(new SeededRandom(1));
    const order: number[] = [];
    const random = (index: number): Random => ({
      bytes: (n) => {
        order.push(index);
        return new SeededRandom(index).bytes(n);
      },
      encapsulate: (key) => {
        order.push(index);
        return mlkem.encapsulate(key);
      },
    });
    const made = [0, 1, 2].map((index) => kem.encapsulate(publicKey, random(index)));
    expect(order).toEqual([...order].sort());
    expect(new Set(order).size).toBe(3);
    await Promise.all(made);
  });
});

test('an all-zero X25519 secret is refused', async () => {
  const { privateKey } = await DHKEM_X25519.generate(new SeededRandom(2));
  await expect(DHKEM_X25519.decapsulate(privateKey, new Uint8Array(32))).rejects.toThrow(CryptoError);
});
