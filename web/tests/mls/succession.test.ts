import { expect, test } from 'vitest';
import { utf8 } from '../../src/crypto/bytes.ts';
import { type SameClient, commitProposals, createGroup, following, mergeCommit } from '../../src/mls/changes.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { Group, type KeyPackageBundle, SUITE_X25519, SUITE_XWING } from '../../src/mls/group.ts';
import { ADD, PSK, REINIT } from '../../src/mls/proposal.ts';
import { FOR_BRANCH, FOR_REINIT, RESUMPTION_PSK, pskName } from '../../src/mls/psk.ts';
import type { Suite } from '../../src/mls/suite.ts';
import { Club, LIFETIME, NOW, bundleFor } from './club.ts';
import { stateOf } from './forge.ts';

/* Groups that follow others: their inviter knows the former group's secret, and cannot make of it what it likes. */

const NEXT = utf8('next');

interface Follow {
  readonly usage: number;
  readonly suite?: Suite;
  readonly groupId?: Uint8Array;
  readonly names?: readonly string[];
}

interface Invited {
  readonly welcome: Uint8Array;
  readonly bundles: readonly [KeyPackageBundle];
  readonly psks: ReadonlyMap<string, Uint8Array>;
}

/** The first commit of a group that follows `old`, with anna as its founder. */
async function follow(club: Club, old: Group, { usage, suite = SUITE_X25519, groupId = NEXT, names = ['boris'] }: Follow): Promise<Invited> {
  const { random } = club;
  const options = { lifetime: LIFETIME, random };
  const founded = await createGroup(suite, groupId, basicCredential(utf8('anna')), random.bytes(32), options);
  const bundles = await Promise.all(names.map((name) => bundleFor(name, random, { suite })));
  const link = { type: RESUMPTION_PSK, usage, groupId: old.groupId, epoch: BigInt(old.epoch), nonce: random.bytes(32) } as const;
  const psks = new Map([[pskName(link), stateOf(old).secrets.resumptionPsk]]);
  const adds = bundles.map(({ keyPackage }) => ({ type: ADD, keyPackage }) as const);
  const pending = await commitProposals(founded, [...adds, { type: PSK, psk: link }], { now: NOW, random, psks });
  return { welcome: pending.welcome!, bundles: [bundles[0]!], psks };
}

async function joins(invited: Invited, former: Group | null, same?: SameClient): Promise<Group> {
  const { welcome, bundles, psks } = invited;
  const options = { psks, now: NOW, ...(former && { former: following(former, same) }) };
  return (await Group.join(welcome, bundles, options)).group;
}

test('a re-initialised group is what the ReInit said, with all members', async () => {
  const club = await Club.of(['anna', 'boris'], 1);
  const before = club.get('boris');
  const reInit = { type: REINIT, groupId: NEXT, version: 1, cipherSuite: SUITE_XWING.id, extensions: [] } as const;
  await club.commit('anna', [reInit]);
  const [anna, boris] = [club.get('anna'), club.get('boris')];
  const invite = (more: Partial<Follow> = {}): Promise<Invited> =>
    follow(club, anna, { usage: FOR_REINIT, suite: SUITE_XWING, ...more });

  expect((await joins(await invite(), boris)).epoch).toBe(1);
  expect((await joins(await invite({ names: ['boris', 'clara'] }), boris)).members()).toHaveLength(3);
  const elsewhere = await Club.of(['anna', 'boris'], 2);
  const other = await createGroup(SUITE_X25519, utf8('other'), basicCredential(utf8('boris')), club.random.bytes(32), {
    lifetime: LIFETIME,
    random: elsewhere.random,
  });
  for (const former of [null, before, other]) {
    await expect(joins(await invite(), former)).rejects.toMatchObject({ rule: '12.4.3.1-former-group' });
  }
  await expect(joins(await invite({ groupId: utf8('another') }), boris)).rejects.toMatchObject({ rule: '12.4.3.1-reinit' });
  await expect(joins(await invite({ suite: SUITE_X25519 }), boris)).rejects.toMatchObject({ rule: '12.4.3.1-reinit' });
  await expect(joins(await invite({ names: ['clara'] }), boris)).rejects.toMatchObject({ rule: '12.4.3.1-reinit-members' });
});

test('12.4.3.1-reinit: extensions that the ReInit did not name, and a group that was never re-initialised', async () => {
  const club = await Club.of(['anna', 'boris'], 3);
  const old = club.get('anna');
  const invited = await follow(club, old, { usage: FOR_REINIT });
  await expect(joins(invited, club.get('boris'))).rejects.toMatchObject({ rule: '12.4.3.1-reinit' });
  const extensions = [{ type: 5, data: Uint8Array.of(0) }];
  const reInit = { type: REINIT, groupId: NEXT, version: 1, cipherSuite: SUITE_X25519.id, extensions } as const;
  await club.commit('anna', [reInit]);
  const plain = await follow(club, club.get('anna'), { usage: FOR_REINIT });
  await expect(joins(plain, club.get('boris'))).rejects.toMatchObject({ rule: '12.4.3.1-reinit' });
});

test('a branch has the suite of the group it comes from, and members of it only', async () => {
  const club = await Club.of(['anna', 'boris', 'clara'], 4);
  const [anna, boris] = [club.get('anna'), club.get('boris')];
  const invite = (more: Partial<Follow> = {}): Promise<Invited> => follow(club, anna, { usage: FOR_BRANCH, ...more });
  expect((await joins(await invite(), boris)).epoch).toBe(1);

  const pending = await commitProposals(anna, [], club.commitOptions());
  await club.accept('anna', pending);
  expect((await joins(await invite({ names: ['boris', 'clara'] }), club.get('boris'))).members()).toHaveLength(3);
  const later = await follow(club, mergeCommit(anna, pending), { usage: FOR_BRANCH });
  await expect(joins(later, boris)).rejects.toMatchObject({ rule: '12.4.3.1-former-group' });

  const stranger = await invite({ names: ['boris', 'dmitri'] });
  await expect(joins(stranger, boris)).rejects.toMatchObject({ rule: '12.4.3.1-branch-members' });
  expect((await joins(stranger, boris, () => true)).members()).toHaveLength(3);
  await expect(joins(await invite({ suite: SUITE_XWING }), boris)).rejects.toMatchObject({ rule: '12.4.3.1-branch' });
});
