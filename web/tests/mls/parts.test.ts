import { describe, expect, test } from 'vitest';
import { concat, unhex, utf8 } from '../../src/crypto/bytes.ts';
import {
  applyCommit,
  commitProposals,
  decodeGroup,
  encodeGroup,
  forgetEpochsBefore,
  groupFromParts,
  mergeCommit,
  pastEpochs,
  proposeUpdate,
  receiveProposal,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { decode, encode, opaque, struct, u32, vector } from '../../src/mls/codec.ts';
import type { GroupState } from '../../src/mls/epoch.ts';
import { MlsError } from '../../src/mls/errors.ts';
import { Group, type PartChanges, type Parts } from '../../src/mls/group.ts';
import { stateOf } from '../../src/mls/handle.ts';
import type { LeafNode } from '../../src/mls/leaf.ts';
import { changedParts, secretNodes } from '../../src/mls/parts.ts';
import { pastFields } from '../../src/mls/pastepoch.ts';
import { SecretTree, placeOf } from '../../src/mls/secrettree.ts';
import { MAX_LEAVES, width } from '../../src/mls/treemath.ts';
import { Club, NOW } from './club.ts';

/* A group stored in parts: what changed leads from any state to any other, and only what was stored is read back. */

const U64 = 16;
const epochIn = (name: string): number => parseInt(name.slice(2, 2 + U64), 16);
const named = (kind: string, epoch: number, more = ''): string => kind + epoch.toString(16).padStart(U64, '0') + more;

function applied(parts: Parts, changes: PartChanges): Parts {
  const after = new Map(parts);
  for (const [name, part] of changes) {
    if (part === null) after.delete(name);
    else after.set(name, part);
  }
  return after;
}

/** Checks the changes from one state to the other, in every respect; gives their names. */
function follows(group: Group, since: Group): string[] {
  const [before, changes] = [since.parts(), group.changes(since)];
  const names = [...changes.keys()];
  expect(names).toEqual(names.toSorted());
  for (const [name, part] of changes) {
    expect(part !== null || before.has(name), name).toBe(true);
    expect(part, name).not.toEqual(before.get(name));
  }
  expect(applied(before, changes)).toEqual(group.parts());
  return names;
}

/** The same state, and no object of it. */
function restored(group: Group): Group {
  const again = groupFromParts(group.parts());
  expect([...again.changes(group).keys()]).toEqual([]);
  expect([...again.parts()]).toEqual([...group.parts()]);
  return again;
}

describe('what changed', () => {
  test.each([1, 2, 3])('leads from any state of a life to any other: %i', { timeout: 60_000 }, async (seed) => {
    const club = await Club.of(['m0', 'm1', 'm2', 'm3'], `parts ${seed}`);
    const { random } = club;
    const states: Group[] = [];
    const late: [name: string, message: Uint8Array][] = [];
    const done = new Set<number>();
    let count = 4;
    const propose = async (name: string): Promise<void> => {
      const [group, message] = await proposeUpdate(club.get(name), { random, private: random.below(2) === 0 });
      club.set(name, group);
      for (const other of club.names) {
        if (other !== name) club.set(other, (await receiveProposal(club.get(other), message))[0]);
      }
    };
    const speak = async (name: string): Promise<void> => {
      if (stateOf(club.get(name)).pending.length) return;
      const [group, message] = await club.get(name).encrypt(utf8('text'), { random });
      club.set(name, group);
      for (const other of club.names) if (other !== name && random.below(4) > 0) late.push([other, message]);
    };
    const listen = async (): Promise<void> => {
      const [name, message] = late.splice(random.below(late.length), 1)[0]!;
      if (!club.groups.has(name)) return;
      const opened = await club.get(name).decrypt(message).catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'wrong-epoch' });
        return null;
      });
      if (opened) club.set(name, opened[0]);
    };
    for (let step = 0; step < 70; step++) {
      const name = random.pick(club.names);
      const what = random.below(12);
      done.add(what);
      if (what === 0 && club.names.length < 9) await club.add(name, `m${count++}`);
      else if (what === 1 && club.names.length > 3) await club.remove(name, club.names.find((other) => other !== name)!);
      else if (what === 2) await propose(name);
      else if (what === 3) await club.commit(name, [], { private: random.below(2) === 0 });
      else if (what === 4) club.set(name, forgetEpochsBefore(club.get(name), club.get(name).epoch - random.below(3)));
      else if (what === 5) club.set(name, restored(club.get(name)));
      else if (what < 9) await speak(name);
      else if (late.length) await listen();
      const group = club.get(name);
      if (group) {
        for (const since of [...states.slice(-1), group, ...(states.length ? [random.pick(states)] : [])]) follows(group, since);
        states.push(group);
      }
    }
    expect(done.size).toBe(12);
  });

  test('is nothing where nothing did', async () => {
    const club = await Club.of(['anna', 'boris'], 1);
    const anna = club.get('anna');
    expect(follows(anna, anna)).toEqual([]);
    expect(follows(decodeGroup(encodeGroup(anna)), anna)).toEqual([]);
  });

  test('after a message is one ratchet, after a member’s first the secrets above it too', async () => {
    const club = await Club.of(['anna', 'boris', 'clara', 'dmitri'], 2);
    await club.commit('clara', []);
    await club.say('clara', 'of before');
    const of = (leaf: number, kind: number, epoch = 2): string => named('04', epoch, `${leaf.toString(16).padStart(8, '0')}0${kind}`);
    for (const first of [true, false]) {
      const [anna, boris] = [club.get('anna'), club.get('boris')];
      await club.say('boris', 'hello');
      const names = first ? [named('03', 2), of(1, 0), of(1, 1)] : [of(1, 1)];
      expect(follows(club.get('anna'), anna)).toEqual(names);
      expect(follows(club.get('boris'), boris)).toEqual(names);
    }
    const [, late] = await club.get('boris').encrypt(utf8('late'), { random: club.random });
    await club.commit('clara', []);
    const anna = club.get('anna');
    club.set('anna', (await anna.decrypt(late))[0]);
    expect(follows(club.get('anna'), anna)).toEqual([of(1, 1)]);
  });

  test('is all that is encoded', async () => {
    const club = await Club.of(['anna', 'boris', 'clara'], 3);
    for (const name of club.names) await club.say(name, 'spoke');
    const never = (): never => {
      throw new Error('encoded');
    };
    const state = stateOf(club.get('anna'));
    const { suite, size, nodes, ratchets } = state.secretTree;
    const own = placeOf(0, 'application');
    const guarded = [...ratchets].map(([place, ratchet]) => [place, place === own ? ratchet : { ...ratchet, get secret() { return never(); } }] as const);
    Object.defineProperty(state.tree, 'encode', { value: never });
    const secrets = { ...state.secrets, get initSecret() { return never(); } };
    const since = new Group({ ...state, secrets, secretTree: new SecretTree(suite, size, nodes, new Map(guarded)) });
    const [after] = await since.encrypt(utf8('text'), { random: club.random });
    expect([...after.changes(since).keys()]).toEqual([named('04', 1, '0000000001')]);
    expect(() => after.parts()).toThrow('encoded');
  });

  test('when an epoch ends leaves former epochs and the ratchets of others as they are', async () => {
    const club = await Club.of(['anna', 'boris', 'clara'], 4);
    await club.commit('boris', []);
    for (const name of club.names) await club.say(name, 'spoke');
    const before = club.get('anna').parts();
    const since = club.get('anna');
    await club.commit('clara', []);
    const changed = follows(club.get('anna'), since);
    const after = club.get('anna').parts();
    expect(changed.filter((name) => epochIn(name) < 2)).toEqual([]);
    expect(changed.filter((name) => name.startsWith('02'))).toEqual([named('02', 2)]);
    const ratchets = [...before.keys()].filter((name) => name.startsWith(named('04', 2)));
    const [kept, gone] = [ratchets.filter((name) => !changed.includes(name)), ratchets.filter((name) => changed.includes(name))];
    expect(kept).toEqual([named('04', 2, '0000000101'), named('04', 2, '0000000201')]);
    expect(gone.length).toBe(4);
    for (const name of gone) expect(after.has(name), name).toBe(false);
  });

  test('when epochs are not kept is that they are gone', async () => {
    const club = await Club.of(['anna', 'boris'], 5);
    await club.commit('boris', []);
    const [anna, boris] = [club.get('anna'), club.get('boris')];
    expect(pastEpochs(anna)).toEqual([0, 1]);
    const pending = await commitProposals(anna, [], club.commitOptions());
    const verified = await verifyCommit(boris, pending.message, { now: NOW });
    for (const [group, since] of [
      [mergeCommit(anna, pending, { keepPast: false }), anna],
      [await applyCommit(boris, verified, { keepPast: false }), boris],
    ] as const) {
      expect(pastEpochs(group)).toEqual([]);
      follows(group, since);
      expect([...group.parts().keys()].filter((name) => name.length > 2)).toEqual([named('03', 3)]);
      restored(group);
    }
  });
});

describe('what was not stored so', () => {
  type Stored = Map<string, Uint8Array>;
  const [HEAD, TREE] = ['00', '01'];
  const [BORIS, CLARA] = ['0000000101', '0000000201'];

  /** Of boris in epoch 3, after messages of clara in each; epochs 1 and 2 are kept. */
  async function stored(): Promise<{ parts: Stored; state: GroupState; former: GroupState }> {
    const club = await Club.of(['anna', 'boris', 'clara'], 6);
    await club.say('clara', 'in 1');
    await club.commit('clara', []);
    await club.say('clara', 'in 2');
    const former = stateOf(club.get('boris'));
    await club.commit('anna', []);
    await club.say('clara', 'in 3');
    await club.say('boris', 'in 3');
    const group = club.get('boris');
    return { parts: new Map(group.parts()), state: stateOf(group), former };
  }

  function bend(parts: Stored, name: string, change: (part: Uint8Array) => Uint8Array): void {
    parts.set(name, change(parts.get(name)!));
  }

  function move(parts: Stored, name: string, other: string): void {
    parts.set(other, parts.get(name)!).delete(name);
  }

  function bendNodes(parts: Stored, change: (nodes: Map<number, Uint8Array>) => void): void {
    bend(parts, named('03', 3), (part) => {
      const { size, nodes } = decode(secretNodes, part);
      const all = new Map(nodes);
      change(all);
      return encode(secretNodes, { size, nodes: all });
    });
  }

  function bendLeaves(parts: Stored, index: number, leaf: LeafNode | null): void {
    bend(parts, named('02', 2), (part) => {
      const { changes, ...rest } = decode(pastFields, part);
      return encode(pastFields, { ...rest, changes: new Map([...changes, [index, leaf]]) });
    });
  }

  function resize(parts: Stored, size: number, also: boolean): void {
    bend(parts, named('02', 2), (part) => encode(pastFields, { ...decode(pastFields, part), size }));
    if (!also) return;
    bend(parts, named('03', 2), (part) => {
      const nodes = new Map([...decode(secretNodes, part).nodes].filter(([node]) => node < width(size)));
      return encode(secretNodes, { size, nodes });
    });
  }

  /** In the order given, which may be any. */
  function rawNodes(size: number, nodes: readonly [number, Uint8Array][]): Uint8Array {
    const items = vector(struct<{ key: number; value: Uint8Array }>({ key: u32, value: opaque }));
    return concat(encode(u32, size), encode(items, nodes.map(([key, value]) => ({ key, value }))));
  }

  const BENT: readonly (readonly [why: string, bend: (parts: Stored, state: GroupState, former: GroupState) => void])[] = [
    ['nothing at all', (parts) => parts.clear()],
    ['no head', (parts) => parts.delete(HEAD)],
    ['no tree', (parts) => parts.delete(TREE)],
    ['no secret tree of the epoch', (parts) => parts.delete(named('03', 3))],
    ['no secret tree of a past epoch', (parts) => parts.delete(named('03', 1))],
    ['a part of no known kind', (parts) => parts.set('05', new Uint8Array(0))],
    ['a part without a name', (parts) => parts.set('', new Uint8Array(0))],
    ['a name that is too long', (parts) => move(parts, named('04', 3, CLARA), named('04', 3, `${CLARA}00`))],
    ['a name that is too short', (parts) => move(parts, named('04', 3, BORIS), named('04', 3, BORIS.slice(2)))],
    ['a gap between epochs', (parts) => [...parts.keys()].filter((name) => epochIn(name) === 2).forEach((name) => parts.delete(name))],
    ['a past epoch that is to come', (parts) => move(parts, named('02', 1), named('02', 4))],
    ['a past epoch under the number of another', (parts) => parts.set(named('02', 1), parts.get(named('02', 2))!)],
    ['the epoch itself as a past one', (parts) => parts.set(named('02', 3), parts.get(named('02', 2))!)],
    ['secrets of an epoch that is not kept', (parts) => parts.set(named('03', 0), parts.get(named('03', 1))!)],
    ['a ratchet of an epoch that is not kept', (parts) => move(parts, named('04', 3, CLARA), named('04', 0, CLARA))],
    ['a ratchet of a third kind', (parts) => move(parts, named('04', 3, CLARA), named('04', 3, '0000000202'))],
    ['a ratchet of a leaf outside of the tree', (parts) => move(parts, named('04', 3, CLARA), named('04', 3, '0000000401'))],
    ['a secret of a node outside of the tree', (parts) => bendNodes(parts, (nodes) => nodes.set(7, new Uint8Array(32)))],
    ['secrets of another tree', (parts) => bend(parts, named('03', 3), (part) => encode(secretNodes, { ...decode(secretNodes, part), size: 8 }))],
    ['a tree that is not full', (parts) => resize(parts, 3, true)],
    ['a tree larger than all', (parts) => resize(parts, 2 * MAX_LEAVES, true)],
    ['a past tree of another size than its secrets', (parts) => resize(parts, 8, false)],
    ['a leaf that is as in the epoch after', (parts, { tree }) => bendLeaves(parts, 1, tree.leaf(1))],
    ['a leaf that is gone and was not there', (parts) => bendLeaves(parts, 3, null)],
    ['a leaf outside of its tree', (parts, { tree }) => bendLeaves(parts, 5, tree.leaf(1))],
    ['secrets in another order', (parts, { secretTree: { size, nodes } }) => parts.set(named('03', 3), rawNodes(size, [...nodes].sort(([a], [b]) => b - a)))],
    ['a secret twice', (parts, { secretTree: { size, nodes } }) => parts.set(named('03', 3), rawNodes(size, [...nodes, [...nodes][0]!]))],
    ['the tree of another epoch', (parts, _, { tree }) => parts.set(TREE, tree.encode())],
    ['the head of another epoch', (parts, _, former) => parts.set(HEAD, changedParts(former).get(HEAD)!)],
    ['a leaf of ours that is nobody’s', (parts, state) => parts.set(HEAD, changedParts({ ...state, own: 3 }).get(HEAD)!)],
  ];

  test.each(BENT)('state-damaged: %s', async (_, change) => {
    const { parts, state, former } = await stored();
    expect([...groupFromParts(new Map([...parts].reverse())).parts()]).toEqual([...parts]);
    change(parts, state, former);
    expect(() => groupFromParts(parts)).toThrow(expect.objectContaining({ rule: 'state-damaged', code: 'malformed' }));
  });

  test('more or fewer bytes than a part has', async () => {
    const { parts } = await stored();
    for (const [name, part] of parts) {
      for (const other of [new Uint8Array(0), part.subarray(1), part.subarray(0, -1), concat(part, Uint8Array.of(0))]) {
        expect(() => groupFromParts(new Map([...parts, [name, other]])), name).toThrow(MlsError);
      }
    }
  });

  test('state-version: another version of the format', async () => {
    const { parts } = await stored();
    for (const version of [0, 1, 3, 255]) {
      bend(parts, HEAD, (part) => concat(Uint8Array.of(version), part.subarray(1)));
      expect(() => groupFromParts(parts)).toThrow(expect.objectContaining({ rule: 'state-version', code: 'malformed' }));
    }
  });

  test('state-damaged: parts that a blob has in another order, or twice', async () => {
    const { parts } = await stored();
    const blob = (...names: readonly string[]): Uint8Array => {
      const part = struct<{ name: Uint8Array; value: Uint8Array }>({ name: opaque, value: opaque });
      return encode(vector(part), names.map((name) => ({ name: unhex(name), value: parts.get(name)! })));
    };
    const [first, second, ...rest] = [...parts.keys()] as [string, string, ...string[]];
    expect(encodeGroup(groupFromParts(parts))).toEqual(blob(first, second, ...rest));
    for (const wrong of [blob(second, first, ...rest), blob(first, first, second, ...rest)]) {
      expect(() => decodeGroup(wrong)).toThrow(expect.objectContaining({ rule: 'state-damaged', code: 'malformed' }));
    }
  });
});
