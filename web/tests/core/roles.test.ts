/** Each rule of protocol.md section 5.3, allowed and not. */
import { describe, expect, it } from 'vitest';
import type { MemberLeaf, Membership } from '../../src/core/_state.ts';
import { brokenRule, type Change, effectiveAdmins, isAdmin, type Successor } from '../../src/core/roles.ts';
import { publicKey } from '../../src/crypto/signature.ts';
import { compare, same } from '../../src/wire/bytes.ts';
import { ConversationKind, SUITE_X25519, SUITE_XWING } from '../../src/wire/messages.ts';

const SEEDS = [1, 2, 3, 4, 5].map((n) => new Uint8Array(32).fill(n));
type Key = Uint8Array;
const [ANNA, BORIS, CLARA, DAVID, ELENA] = (await Promise.all(SEEDS.map(publicKey))) as [Key, Key, Key, Key, Key];

function membership(
  members: readonly Key[],
  { admins = [ANNA], direct = false, open = false }: { admins?: Key[]; direct?: boolean; open?: boolean } = {},
): Membership {
  return {
    info: {
      kind: direct ? ConversationKind.direct : ConversationKind.group,
      name: '',
      admins: [...admins].sort(compare),
      relays: [{ url: 'https://relay.example/x', identity: new Uint8Array(32) }],
      retentionDays: 30,
      membersAdd: open,
    },
    ownLeaf: 0,
    suite: SUITE_XWING,
    members: members.map((identity, n) => ({ leaf: 2 * n, identity, signatureKey: new Uint8Array(32) })),
    group: new Uint8Array(16).fill(9),
  };
}

function change(before: Membership, committer: Key, fields: Partial<Change> = {}): Change {
  return {
    epoch: 5,
    before,
    committer,
    committerAfter: committer,
    adds: [],
    removes: [],
    wished: new Set(),
    info: null,
    infoCount: 0,
    infoValid: true,
    successor: null,
    others: 0,
    ...fields,
  };
}

const leaf = (before: Membership, identity: Key): MemberLeaf =>
  before.members.find((member) => same(member.identity, identity)) as MemberLeaf;

const THREE = membership([ANNA, BORIS, CLARA]);
const DIRECT = membership([ANNA, BORIS], { admins: [], direct: true });
const ALONE = membership([ANNA], { admins: [], direct: true });
const { info } = THREE;

const reinit = (before: Membership, committer: Key, fields: Partial<Successor> = {}): Change => {
  const successor = { group: new Uint8Array(16), version: 1, suite: SUITE_X25519, infoStays: true, ...fields };
  return change(before, committer, { successor });
};
const removes = [leaf(THREE, CLARA)];

const cases: [string, Change, string | null][] = [
  ['an admin adds', change(THREE, ANNA, { adds: [DAVID] }), null],
  ['a member adds', change(THREE, BORIS, { adds: [DAVID] }), 'role-add'],
  ['a member adds where members may', change(membership([ANNA, BORIS], { open: true }), BORIS, { adds: [DAVID] }), null],
  ['a member re-adds', change(THREE, BORIS, { adds: [CLARA], removes }), null],
  ['a member re-adds and slips one in', change(THREE, BORIS, { adds: [CLARA, CLARA], removes }), 'role-add'],
  ['a member swaps one', change(THREE, BORIS, { adds: [DAVID], removes }), 'role-add'],
  ['the founding commit of two', change(ALONE, ANNA, { adds: [BORIS], epoch: 0 }), null],
  ['a founding commit of three', change(ALONE, ANNA, { adds: [BORIS, CLARA], epoch: 0 }), 'role-add'],
  ['a third in a direct conversation', change(DIRECT, ANNA, { adds: [CLARA] }), 'role-add'],
  ['a re-add in a direct one', change(DIRECT, BORIS, { adds: [ANNA], removes: [leaf(DIRECT, ANNA)] }), null],
  ['an admin removes', change(THREE, ANNA, { removes }), null],
  ['a member removes', change(THREE, BORIS, { removes }), 'role-remove'],
  ["a leaf of one's own identity", change(THREE, BORIS, { removes: [leaf(THREE, BORIS)] }), null],
  ['by their wish', change(THREE, BORIS, { removes, wished: new Set([4]) }), null],
  [
    'one by wish, one without',
    change(THREE, BORIS, { removes: [...removes, leaf(THREE, ANNA)], wished: new Set([4]) }),
    'role-remove',
  ],
  ['removing the other of two', change(DIRECT, ANNA, { removes: [leaf(DIRECT, BORIS)] }), 'role-remove'],
  [
    'the other of two, by wish',
    change(DIRECT, ANNA, { removes: [leaf(DIRECT, BORIS)], wished: new Set([2]) }),
    'role-remove',
  ],
  ['an admin renames', change(THREE, ANNA, { info: { ...info, name: 'x' }, infoCount: 1 }), null],
  ['a member renames', change(THREE, BORIS, { info: { ...info, name: 'x' }, infoCount: 1 }), 'role-info'],
  ['a member changes nothing', change(THREE, BORIS, { info, infoCount: 1 }), 'role-info'],
  ['two at once', change(THREE, ANNA, { info, infoCount: 2 }), 'role-info'],
  ['malformed', change(THREE, ANNA, { info: null, infoCount: 1, infoValid: false }), 'role-info'],
  ['one of two malformed', change(THREE, ANNA, { info, infoCount: 1, infoValid: false }), 'role-info'],
  [
    'another kind',
    change(THREE, ANNA, { info: { ...info, kind: ConversationKind.direct }, infoCount: 1 }),
    'role-info',
  ],
  ['in a direct one', change(DIRECT, ANNA, { info: DIRECT.info, infoCount: 1 }), 'role-info'],
  ['an update', change(THREE, CLARA), null],
  ['an update to another identity', change(THREE, CLARA, { committerAfter: DAVID }), 'role-update'],
  ['an update that is not accepted', change(THREE, CLARA, { committerAfter: null }), 'role-update'],
  ['an admin moves the group', reinit(THREE, ANNA), null],
  ['a member moves the group', reinit(THREE, BORIS), 'role-reinit'],
  ['a direct one moves', reinit(DIRECT, ANNA), 'role-reinit'],
  ['to the same suite', reinit(THREE, ANNA, { suite: SUITE_XWING }), 'role-reinit'],
  ['to an unknown suite', reinit(THREE, ANNA, { suite: 2 }), 'role-reinit'],
  ['to another version', reinit(THREE, ANNA, { version: 2 }), 'role-reinit'],
  ['with other rights', reinit(THREE, ANNA, { infoStays: false }), 'role-reinit'],
  ['to a short id', reinit(THREE, ANNA, { group: new Uint8Array(15) }), 'role-reinit'],
  ['to the present id', reinit(THREE, ANNA, { group: THREE.group }), 'role-reinit'],
  ['anything else', change(THREE, ANNA, { others: 1 }), 'role-other'],
];

describe('rules', () => {
  it.each(cases)('%s', (_, asked, rule) => {
    expect(brokenRule(asked)).toBe(rule);
  });
});

it('takes the lowest leaf for the admin where no admin is left', () => {
  expect(effectiveAdmins(THREE)).toEqual([ANNA]);
  expect(effectiveAdmins(membership([BORIS, CLARA]))).toEqual([BORIS]);
  expect(effectiveAdmins(membership([ANNA, BORIS], { admins: [BORIS, ELENA] }))).toEqual([BORIS]);
  expect(effectiveAdmins(membership([CLARA, ANNA, BORIS], { admins: [ANNA, BORIS] }))).toEqual(
    [ANNA, BORIS].sort(compare),
  );
  expect(effectiveAdmins(membership([]))).toEqual([]);
  expect(isAdmin(THREE, DAVID)).toBe(false);
});
