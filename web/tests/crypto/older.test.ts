import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { utf8 } from '../../src/crypto/bytes.ts';
import { SeededRandom } from '../support/seeded.ts';

/* A browser whose WebCrypto has AES-GCM and hashes, and neither curves nor ML-KEM. */

const LACKING = ['X25519', 'Ed25519', 'ML-KEM-768'];

function nameOf(algorithm: unknown): string {
  return typeof algorithm === 'string' ? algorithm : (algorithm as { name: string }).name;
}

beforeEach(() => {
  vi.resetModules();
  const { subtle } = globalThis.crypto;
  const refuse = (algorithm: unknown): void => {
    if (LACKING.includes(nameOf(algorithm))) throw new DOMException('Unrecognized name.', 'NotSupportedError');
  };
  vi.spyOn(subtle, 'generateKey').mockImplementation((async (algorithm: unknown) => refuse(algorithm)) as never);
  const importKey = subtle.importKey.bind(subtle) as (...given: unknown[]) => Promise<CryptoKey>;
  vi.spyOn(subtle, 'importKey').mockImplementation((async (...given: unknown[]) => {
    refuse(given[2]);
    return importKey(...given);
  }) as never);
});

afterEach(() => {
  vi.restoreAllMocks();
});

test('an older browser signs, agrees and encapsulates by the fallback, with the same results', async () => {
  const x25519 = await import('../../src/crypto/x25519.ts');
  const signature = await import('../../src/crypto/signature.ts');
  const mlkem = await import('../../src/crypto/mlkem.ts');
  const { XWING } = await import('../../src/crypto/xwing.ts');
  const { CryptoError } = await import('../../src/crypto/errors.ts');
  expect(await Promise.all([x25519.native(), signature.native(), mlkem.native()])).toEqual([false, false, false]);
  const random = new SeededRandom(1);
  const [a, b, seed] = [random.bytes(32), random.bytes(32), random.bytes(64)];
  const older = {
    agreed: await x25519.agree(a, await x25519.publicKey(b)),
    key: await signature.publicKey(a),
    signed: await signature.sign(a, utf8('text')),
    mlkem: await mlkem.publicKey(seed),
  };
  expect(await signature.verify(older.key, utf8('text'), older.signed)).toBe(true);
  expect(await signature.verify(older.key, utf8('test'), older.signed)).toBe(false);
  expect(await signature.verify(new Uint8Array(32).fill(255), utf8('text'), older.signed)).toBe(false);
  await expect(x25519.agree(a, new Uint8Array(32))).rejects.toBeInstanceOf(CryptoError);
  await expect(mlkem.encapsulate(older.mlkem.slice(1))).rejects.toBeInstanceOf(CryptoError);
  const pair = await XWING.generate(random);
  const [shared, sent] = await XWING.encapsulate(pair.publicKey, { bytes: (n) => random.bytes(n), encapsulate: mlkem.encapsulate });
  expect(await XWING.decapsulate(pair.privateKey, sent)).toEqual(shared);

  vi.restoreAllMocks();
  vi.resetModules();
  const today = await import('../../src/crypto/x25519.ts');
  const signing = await import('../../src/crypto/signature.ts');
  expect(await today.native()).toBe(true);
  expect(await today.agree(a, await today.publicKey(b))).toEqual(older.agreed);
  expect(await signing.publicKey(a)).toEqual(older.key);
  expect(await signing.sign(a, utf8('text'))).toEqual(older.signed);
  expect(await (await import('../../src/crypto/mlkem.ts')).publicKey(seed)).toEqual(older.mlkem);
});

test('a page without WebCrypto is told so', async () => {
  const { subtle } = await import('../../src/crypto/subtle.ts');
  vi.stubGlobal('crypto', {});
  expect(() => subtle()).toThrow('HTTPS');
  vi.unstubAllGlobals();
});
