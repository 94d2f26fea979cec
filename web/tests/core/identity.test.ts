/** Whose leaves, key packages and device lists are believed, and which names. */
import { describe, expect, it } from 'vitest';
import { acceptedKeyPackage, newerDeviceList } from '../../src/core/devices.ts';
import { acceptedLeaf, checkName } from '../../src/core/identity.ts';
import { DAY, PACKAGE_LIFETIME, readInfo } from '../../src/core/mlsgroup.ts';
import { publicKey } from '../../src/crypto/signature.ts';
import { basicCredential, X509 } from '../../src/mls/credential.ts';
import { encodeKeyPackage, makeKeyPackage, SUITE_X25519, SUITE_XWING } from '../../src/mls/group.ts';
import type { Suite } from '../../src/mls/suite.ts';
import { makeDeviceCredential, signDeviceList } from '../../src/wire/credential.ts';
import { verifyDeviceList, type VerifiedDeviceList } from '../../src/wire/devicelists.ts';
import { EXTENSION_CONVERSATION } from '../../src/wire/messages.ts';
import { encodeConversationInfo } from '../../src/wire/messages_rest.ts';
import { SeededRandom } from '../support/seeded.ts';

const NOW = 1_790_000_000_000;
const [PERSON, OTHER, DEVICE, STRANGER] = [1, 2, 3, 4].map((n) => new Uint8Array(32).fill(n)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const identity = await publicKey(PERSON);
const deviceKey = await publicKey(DEVICE);

async function listOf(number: number, ...keys: Uint8Array[]): Promise<VerifiedDeviceList> {
  const devices = keys.map((signatureKey) => ({ signatureKey, added: 1 }));
  return verifyDeviceList(identity, await signDeviceList(PERSON, { number, devices }));
}

async function packageOf(person: Uint8Array, suite: Suite = SUITE_X25519): Promise<Uint8Array> {
  const credential = basicCredential(await makeDeviceCredential(person, deviceKey, 1));
  const made = await makeKeyPackage(suite, credential, DEVICE, {
    lifetime: { notBefore: BigInt(NOW / 1000 - 86_400), notAfter: BigInt((NOW + PACKAGE_LIFETIME) / 1000) },
    random: new SeededRandom(1),
  });
  return encodeKeyPackage(made.keyPackage);
}

describe('a key package', () => {
  it('is used where all is in order', async () => {
    const data = await packageOf(PERSON);
    for (const devices of [null, await listOf(1, deviceKey)]) {
      expect(await acceptedKeyPackage(data, SUITE_X25519.id, identity, devices, NOW)).not.toBeNull();
    }
  });

  it('is not used for somebody else', async () => {
    expect(await acceptedKeyPackage(await packageOf(OTHER), SUITE_X25519.id, identity, null, NOW)).toBeNull();
  });

  it('is not used of a device that is not in the list', async () => {
    const devices = await listOf(1, await publicKey(STRANGER));
    expect(await acceptedKeyPackage(await packageOf(PERSON), SUITE_X25519.id, identity, devices, NOW)).toBeNull();
  });

  it('is not used before or after its time', async () => {
    const data = await packageOf(PERSON);
    for (const now of [NOW - 2 * DAY, NOW + PACKAGE_LIFETIME + DAY]) {
      expect(await acceptedKeyPackage(data, SUITE_X25519.id, identity, null, now)).toBeNull();
    }
  });

  it('is not used of another suite, or where it is none', async () => {
    const other = await packageOf(PERSON, SUITE_XWING);
    expect(await acceptedKeyPackage(other, SUITE_X25519.id, identity, null, NOW)).toBeNull();
    expect(await acceptedKeyPackage(other, SUITE_XWING.id, identity, null, NOW)).not.toBeNull();
    const data = await packageOf(PERSON);
    expect(await acceptedKeyPackage(data.slice(1), SUITE_X25519.id, identity, null, NOW)).toBeNull();
    data[data.length - 1] = (data[data.length - 1] as number) ^ 1;
    expect(await acceptedKeyPackage(data, SUITE_X25519.id, identity, null, NOW)).toBeNull();
  });
});

describe('a leaf', () => {
  it('is accepted where its person has signed its key', async () => {
    const credential = basicCredential(await makeDeviceCredential(PERSON, deviceKey, 1));
    expect((await acceptedLeaf(credential, deviceKey))?.identity).toEqual(identity);
    expect(await acceptedLeaf(credential, await publicKey(STRANGER))).toBeNull();
  });

  it('is not accepted with any other credential', async () => {
    expect(await acceptedLeaf({ type: X509, certificates: [] }, deviceKey)).toBeNull();
    expect(await acceptedLeaf(basicCredential(new Uint8Array(9)), deviceKey)).toBeNull();
  });
});

it('takes no older device list, and no other of the same number', async () => {
  const [first, second] = [await listOf(1, deviceKey), await listOf(2, deviceKey)];
  const other = await listOf(2, await publicKey(STRANGER));
  expect(await newerDeviceList(null, first)).toBe(true);
  expect(await newerDeviceList(first, second)).toBe(true);
  expect(await newerDeviceList(second, second)).toBe(true);
  expect(await newerDeviceList(second, first)).toBe(false);
  expect(await newerDeviceList(second, other)).toBe(false);
});

it('takes names that people have, and none that hides something', () => {
  for (const name of ['Anna', 'می\u200cخواهم', '👨\u200d👩\u200d👧', 'O’Neill', 'ъ'.repeat(64)]) expect(checkName(name)).toBe(name);
  expect(checkName('  Anna ')).toBe('Anna');
  for (const name of ['', '   ', 'a\nb', 'a\u202eb', 'a\u200bb', 'a\u00a0b', '\u200c', '\u200d\u200c', '\ud800', 'ъ'.repeat(65)]) {
    expect(() => checkName(name), JSON.stringify(name)).toThrow(expect.objectContaining({ code: 'bad-name' }));
  }
});

it('reads a ConversationInfo that is alone and in order', async () => {
  const info = { kind: 2, name: 'sea', admins: [], relays: [], retentionDays: 30, membersAdd: false } as const;
  const extension = { type: EXTENSION_CONVERSATION, data: encodeConversationInfo(info) };
  expect(await readInfo([extension])).toEqual(info);
  for (const extensions of [
    [],
    [extension, { type: 0xf0ff, data: new Uint8Array(0) }],
    [{ ...extension, type: 0xf0ff }],
    [{ ...extension, data: extension.data.slice(1) }],
  ]) {
    expect(await readInfo(extensions)).toBeNull();
  }
});
