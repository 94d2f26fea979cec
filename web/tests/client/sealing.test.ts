/** What a relay says of the time, and how far it is believed. */
import { expect, it } from 'vitest';
import type { Carrier } from '../../src/carriers/base.ts';
import { Sealing } from '../../src/client/sealing.ts';
import { publicKey } from '../../src/crypto/signature.ts';
import { XWING } from '../../src/crypto/xwing.ts';
import { signKeyConfigs } from '../../src/wire/keys.ts';
import { KEY_CONFIG_LIFETIME } from '../../src/wire/messages.ts';
import { SeededRandom } from '../support/seeded.ts';

const NOW = 1_790_000_000_000;

it('a clock that was wrong for a moment shuts nobody out', async () => {
  const random = new SeededRandom('sealing');
  const seed = random.bytes(32);
  const { publicKey: key } = await XWING.generate(random);
  const config = { id: 1, kem: XWING.id, publicKey: key, notBefore: NOW, notAfter: NOW + KEY_CONFIG_LIFETIME };
  const signed = await signKeyConfigs(seed, [config]);
  const carrier = { keys: () => Promise.resolve(signed) } as unknown as Carrier;
  const sealing = new Sealing(await publicKey(seed), random, () => NOW);
  await sealing.key(carrier);
  sealing.learn(NOW + 1_000);
  expect(sealing.told).toBe(NOW + 1_000);
  sealing.learn(NOW + 500 * KEY_CONFIG_LIFETIME);
  expect([sealing.told, sealing.difference]).toEqual([config.notAfter, 500 * KEY_CONFIG_LIFETIME]);
  sealing.learn(NOW + 2_000);
  sealing.forgetKeys();
  expect(await sealing.key(carrier)).toEqual(config);
});
