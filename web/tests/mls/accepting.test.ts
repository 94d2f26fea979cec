import { expect, test } from 'vitest';
import { utf8 } from '../../src/crypto/bytes.ts';
import { commitProposals, decodeGroup, encodeGroup, joinExternal, makeGroupInfo } from '../../src/mls/changes.ts';
import { checkOwnCapabilities, checkSupported } from '../../src/mls/checks.ts';
import { encode } from '../../src/mls/codec.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { REQUIRED_CAPABILITIES, makeExtension, requiredCapabilities } from '../../src/mls/extensions.ts';
import { Group, KeyPackageBundle, SUITE_X25519 } from '../../src/mls/group.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../../src/mls/keypackagechecks.ts';
import { isLastResort, keyPackage, signKeyPackage } from '../../src/mls/keypackage.ts';
import { ADD } from '../../src/mls/proposal.ts';
import { Club, LIFETIME, NOW, bundleFor, capabilities } from './club.ts';

/* What a receiver must not refuse (RFC 9420, sections 7.2, 10, 12.4.3, 12.4.3.1 and 13). */

/** Names rules that nothing may break, for the table of rules. */
function shows(...rules: readonly string[]): void {
  expect(rules.length).toBeGreaterThan(0);
}

const GREASE = [0x0a0a, 0x1a1a, 0xeaea];
const UNKNOWN = [0xf777, 0x7777];

test.each([[GREASE], [UNKNOWN]])('clients that know more than we do: %j', async (values) => {
  shows('7.2-unknown-capabilities', '10-unknown-extension', '13.5-grease');
  const club = await Club.of(['anna', 'boris'], 1);
  const extensions = values.map((type) => ({ type, data: utf8('?') }));
  const made = await bundleFor('clara', club.random, {
    leafExtensions: extensions,
    capabilities: {
      versions: [1, ...values],
      cipherSuites: [1, ...values],
      extensions: values,
      proposals: values,
      credentials: [1, ...values],
    },
  });
  const { signature: _, ...plain } = made.keyPackage;
  const strange = await signKeyPackage(SUITE_X25519, made.signaturePrivate, { ...plain, extensions });
  const bundle = new KeyPackageBundle({
    keyPackage: strange,
    initPrivate: made.initPrivate,
    encryptionPrivate: made.encryptionPrivate,
    signaturePrivate: made.signaturePrivate,
  });
  const verified = await verifyKeyPackage(decodeKeyPackage(encode(keyPackage, strange)), NOW);
  const pending = await commitProposals(club.get('anna'), [{ type: ADD, keyPackage: verified }], club.commitOptions());
  await club.accept('anna', pending, new Map([['clara', bundle]]));
  await club.commit('clara', []);
  await club.say('clara', 'here');
  for (const name of club.names) club.set(name, decodeGroup(encodeGroup(club.get(name))));
  club.agree();
});

test('a GroupInfo with extensions that nobody knows', async () => {
  shows('12.4.3-unknown-extension');
  const club = await Club.of(['anna', 'boris'], 2);
  const bundle = await club.bundle('clara');
  const groupInfoExtensions = [...GREASE, ...UNKNOWN].map((type) => ({ type, data: utf8('?') }));
  const add = { type: ADD, keyPackage: bundle.keyPackage } as const;
  const pending = await commitProposals(club.get('anna'), [add], club.commitOptions({ groupInfoExtensions }));
  const joined = await Group.join(pending.welcome!, [bundle], { now: NOW });
  expect(joined.groupInfoExtensions).toEqual(groupInfoExtensions);
  const info = await makeGroupInfo(joined.group, { extensions: groupInfoExtensions, externalPub: true });
  const { random } = club;
  const entered = await joinExternal(info, basicCredential(utf8('dmitri')), random.bytes(32), { random });
  expect(entered.group.epoch).toBe(joined.group.epoch + 1);
});

test('what every client knows without listing it, and nothing besides', async () => {
  const listed = capabilities([]);
  const required = (proposalTypes: number[]): { type: number; data: Uint8Array } =>
    makeExtension(REQUIRED_CAPABILITIES, requiredCapabilities, { extensionTypes: [], proposalTypes, credentialTypes: [1] });
  checkSupported([listed], [required([1, 2, 3, 4, 5, 6, 7])]);
  for (const type of [0, 8]) {
    const check = (): void => checkSupported([listed], [required([type])]);
    expect(check).toThrow(expect.objectContaining({ rule: '7.3-required-capabilities' }));
  }
  const credential = basicCredential(utf8('x'));
  const withExtension = (type: number): void =>
    checkOwnCapabilities(SUITE_X25519, { capabilities: listed, credential, extensions: [{ type, data: utf8('') }] });
  for (const type of [1, 2, 3, 4, 5]) withExtension(type);
  for (const type of [0, 6]) expect(() => withExtension(type)).toThrow(expect.objectContaining({ rule: '7.3-extensions' }));
});

test('key packages of MLS 1.0 only, and last-resort ones by their extension', async () => {
  const { random } = await Club.found('anna', 4);
  const made = await bundleFor('boris', random, { lastResort: true });
  expect([isLastResort(made.keyPackage), isLastResort((await bundleFor('clara', random)).keyPackage)]).toEqual([true, false]);
  const { signature: _, ...plain } = made.keyPackage;
  for (const version of [1, 2]) {
    const signed = await signKeyPackage(SUITE_X25519, made.signaturePrivate, { ...plain, version });
    const verified = verifyKeyPackage(decodeKeyPackage(encode(keyPackage, signed)), NOW);
    if (version === 1) await verified;
    else await expect(verified).rejects.toMatchObject({ rule: '10.1-version-or-suite' });
  }
});

test('members whose key package has run out since', async () => {
  shows('12.4.3.1-expired-leaves');
  const club = await Club.of(['anna', 'boris'], 3);
  const bundle = await club.bundle('clara');
  const add = { type: ADD, keyPackage: bundle.keyPackage } as const;
  const pending = await commitProposals(club.get('anna'), [add], club.commitOptions());
  const late = Number(LIFETIME.notAfter + 1n) * 1000;
  const joined = await Group.join(pending.welcome!, [bundle], { now: late });
  expect(joined.expired).toEqual([1, 2]);
});
