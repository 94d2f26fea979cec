import { describe, expect, test, vi } from 'vitest';
import { concat, hex, utf8 } from '../../src/crypto/bytes.ts';
import {
  PendingCommit,
  applyCommit,
  commitProposals,
  decodeGroup,
  encodeGroup,
  forgetEpochsBefore,
  joinExternal,
  makeGroupInfo,
  mergeCommit,
  pastEpochs,
  propose,
  proposeUpdate,
  receiveProposal,
  verifyCommit,
} from '../../src/mls/changes.ts';
import { decode } from '../../src/mls/codec.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { encodedContext } from '../../src/mls/epoch.ts';
import { Group } from '../../src/mls/group.ts';
import { stateOf } from '../../src/mls/handle.ts';
import { ADD, REMOVE } from '../../src/mls/proposal.ts';
import { MAX_SKIPPED, take } from '../../src/mls/ratchets.ts';
import { welcomeSecret } from '../../src/mls/schedule.ts';
import { type RatchetName, placeOf } from '../../src/mls/secrettree.ts';
import { EMPTY, decryptWithLabel, deriveSecret, deriveTreeSecret, expandWithLabel } from '../../src/mls/suite.ts';
import * as math from '../../src/mls/treemath.ts';
import { decodeWelcome, groupSecrets, openGroupInfo } from '../../src/mls/welcome.ts';
import { Club, NOW } from './club.ts';

/*
 * Forward secrecy, shown on what is stored: after each step everything in it opens nothing from before the step. Each
 * test first shows that the same attempt succeeds on what was stored before the step.
 */

vi.setConfig({ testTimeout: 60_000 });

const SIZE = 32;
const zeros = new Uint8Array(SIZE);

/** All that is stored of a group: what is decoded from it is stored as the same bytes. */
function stored(group: Group): Uint8Array {
  const blob = encodeGroup(group);
  expect(encodeGroup(decodeGroup(blob))).toEqual(blob);
  return blob;
}

/** Rows that follow a group by what changed in it. */
class Rows {
  readonly #rows: Map<string, Uint8Array>;
  #group: Group;

  constructor(group: Group) {
    this.#group = group;
    this.#rows = new Map(group.parts());
  }

  /** All that is in them. */
  get all(): Uint8Array {
    return concat(...this.#rows.values());
  }

  follow(group: Group): Uint8Array {
    for (const [name, part] of group.changes(this.#group)) {
      if (part) this.#rows.set(name, part);
      else this.#rows.delete(name);
    }
    this.#group = group;
    return this.all;
  }
}

/** Every 32 bytes: each secret is one of them, wherever and however it is stored. */
function windows(blob: Uint8Array): Uint8Array[] {
  const found = new Map<string, Uint8Array>();
  for (let i = 0; i + SIZE <= blob.length; i++) found.set(hex(blob.subarray(i, i + SIZE)), blob.slice(i, i + SIZE));
  return [...found.values()];
}

/** Those that a length of 32 precedes, as it does all secrets that are stored as they are. */
function counted(blob: Uint8Array): Uint8Array[] {
  const starts = [...blob.keys()].filter((i) => i > 0 && blob[i - 1] === SIZE && i + SIZE <= blob.length);
  return starts.map((i) => blob.slice(i, i + SIZE));
}

const holds = (blob: Uint8Array, secret: Uint8Array): boolean => hex(blob).includes(hex(secret));

/** Whether anything stored leads to the key of a message that was sent from `sender`, as it was before. */
function target(sender: Group, name: RatchetName, generation: number): (blob: Uint8Array) => boolean {
  const { suite, own, tree, secretTree, context } = stateOf(sender);
  const wanted = hex(take(secretTree, own, name, generation)[0].key);
  const path = [math.leafNode(own), ...math.directPath(math.leafNode(own), tree.size)];
  const sides = path.slice(1).map((above, i) => utf8(math.left(above) === path[i] ? 'left' : 'right')).reverse();
  const under = encodedContext(context);
  const expand = (secret: Uint8Array, label: string, from: Uint8Array): Uint8Array =>
    expandWithLabel(suite, secret, label, from, SIZE);
  const ratchet = (start: Uint8Array, first: number): string => {
    let secret = start;
    for (let step = first; step < generation; step++) secret = deriveTreeSecret(suite, secret, 'secret', step, SIZE);
    return hex(deriveTreeSecret(suite, secret, 'key', generation, suite.aead.keySize));
  };
  const below = (depth: number, start: Uint8Array): string => {
    const leaf = sides.slice(depth).reduce((secret, side) => expand(secret, 'tree', side), start);
    return ratchet(expand(leaf, name, EMPTY), 0);
  };
  const epoch = (secret: Uint8Array): string => below(0, deriveSecret(suite, secret, 'encryption'));
  const joiner = (secret: Uint8Array): string => epoch(expand(suite.hash.extract(secret, zeros), 'epoch', under));
  const near = function* (secret: Uint8Array): Generator<string> {
    for (let first = 0; first <= generation; first++) yield ratchet(secret, first);
    for (let depth = 0; depth <= sides.length; depth++) yield below(depth, secret);
  };
  const far = (secret: Uint8Array): string[] => [
    epoch(secret),
    joiner(secret),
    joiner(expand(suite.hash.extract(secret, zeros), 'joiner', under)),
  ];
  /** What leads to the key by `keys`; a secret that was tried in vain is not tried again. */
  const tried = (keys: (secret: Uint8Array) => Iterable<string>): ((secret: Uint8Array) => boolean) => {
    const vain = new Set<string>();
    return (secret) => {
      const name = hex(secret);
      if (vain.has(name)) return false;
      for (const key of keys(secret)) if (key === wanted) return true;
      vain.add(name);
      return false;
    };
  };
  const [isNear, isFar] = [tried(near), tried(far)];
  return (blob) => hex(blob).includes(wanted) || windows(blob).some(isNear) || counted(blob).some(isFar);
}

type Sent = readonly [message: Uint8Array, opens: (blob: Uint8Array) => boolean];

async function send(club: Club, name: string, count: number): Promise<Sent[]> {
  const sent: Sent[] = [];
  const before = club.get(name);
  const first = stateOf(before).secretTree.ratchets.get(placeOf(before.ownLeafIndex, 'application'))?.generation ?? 0;
  for (let i = 0; i < count; i++) {
    const [group, message] = await club.get(name).encrypt(utf8('text'), { random: club.random });
    club.set(name, group);
    sent.push([message, target(before, 'application', first + i)]);
  }
  return sent;
}

async function open(club: Club, name: string, message: Uint8Array): Promise<void> {
  club.set(name, (await club.get(name).decrypt(message))[0]);
}

const secretsOf = (group: Group): [string, Uint8Array][] => Object.entries(stateOf(group).secrets);

describe('messages', () => {
  test('that were opened or sent open no more', async () => {
    const club = await Club.of(['a', 'b', 'c'], 1);
    const before = [stored(club.get('a')), stored(club.get('b'))];
    const sent = await send(club, 'b', 2);
    for (const [, opens] of sent) {
      for (const blob of before) expect(opens(blob)).toBe(true);
      expect(opens(stored(club.get('b')))).toBe(false);
    }
    await open(club, 'a', sent[1]![0]);
    expect(sent.map(([, opens]) => opens(stored(club.get('a'))))).toEqual([true, false]);
    await open(club, 'a', sent[0]![0]);
    expect(sent.map(([, opens]) => opens(stored(club.get('a'))))).toEqual([false, false]);
    const again = decodeGroup(stored(club.get('a')));
    for (const [message] of sent) await expect(again.decrypt(message)).rejects.toMatchObject({ rule: '9.2-consumed' });
  });

  test('leave no row that opens them, when an epoch ends and after', async () => {
    const club = await Club.of(['a', 'b', 'c'], 14);
    const [a, b] = [new Rows(club.get('a')), new Rows(club.get('b'))];
    const [first, second] = (await send(club, 'b', 2)) as [Sent, Sent];
    expect(second[1](b.all)).toBe(true);
    expect(second[1](b.follow(club.get('b')))).toBe(false);
    await open(club, 'a', second[0]);
    expect([first, second].map(([, opens]) => opens(a.follow(club.get('a'))))).toEqual([true, false]);
    const opensCommit = target(club.get('c'), 'handshake', 0);
    expect(opensCommit(a.all)).toBe(true);
    await club.commit('c', [], { private: true });
    expect(opensCommit(a.follow(club.get('a')))).toBe(false);
    await open(club, 'a', first[0]);
    expect(first[1](a.follow(club.get('a')))).toBe(false);
    const [[, unread]] = (await send(club, 'c', 1)) as [Sent];
    await club.commit('b', []);
    expect(unread(a.follow(club.get('a')))).toBe(true);
    expect(unread(a.follow(forgetEpochsBefore(club.get('a'), club.get('a').epoch)))).toBe(false);
  });

  test('that were passed over are kept within their limit', async () => {
    const club = await Club.of(['a', 'b'], 2);
    const sent = await send(club, 'b', MAX_SKIPPED + 3);
    await open(club, 'a', sent.at(-1)![0]);
    expect(stateOf(club.get('a')).secretTree.ratchets.get(placeOf(1, 'application'))!.skipped.length).toBe(MAX_SKIPPED);
    const blob = stored(club.get('a'));
    expect(sent.slice(1, 3).map(([, opens]) => opens(blob))).toEqual([false, true]);
    await expect(club.get('a').decrypt(sent[1]![0])).rejects.toMatchObject({ rule: '9.2-consumed' });
  });

  test('private proposals that were read open no more', async () => {
    const club = await Club.of(['a', 'b', 'c'], 3);
    const opens = target(club.get('b'), 'handshake', 0);
    const [after, message] = await propose(club.get('b'), { type: REMOVE, removed: 2 }, { private: true, random: club.random });
    expect(opens(stored(club.get('a')))).toBe(true);
    expect(opens(stored(after))).toBe(false);
    const [received] = await receiveProposal(club.get('a'), message);
    expect(opens(stored(received))).toBe(false);
  });

  test.each([false, true])('private commits that were applied open no more; the committer spoke: %s', async (spoke) => {
    const club = await Club.of(['a', 'b', 'c', 'd'], 4);
    if (spoke) await open(club, 'a', (await send(club, 'b', 1))[0]![0]);
    const late = [...(await send(club, 'c', 1)), ...(await send(club, 'b', 1))];
    const opens = target(club.get('b'), 'handshake', 0);
    const pending = await commitProposals(club.get('b'), [], club.commitOptions({ private: true }));
    expect(opens(stored(club.get('a')))).toBe(true);
    const after = await applyCommit(club.get('a'), await verifyCommit(club.get('a'), pending.message, { now: NOW }));
    expect(pastEpochs(after)).toContain(1);
    expect(opens(stored(after))).toBe(false);
    expect(opens(stored(mergeCommit(club.get('b'), pending)))).toBe(false);
    for (const [message, waits] of late) {
      expect(waits(stored(after))).toBe(true);
      expect((await after.decrypt(message))[1].data).toEqual(utf8('text'));
    }
  });
});

describe('epochs', () => {
  test('that were forgotten open no more', async () => {
    const club = await Club.of(['a', 'b', 'c'], 5);
    const late = await send(club, 'b', 2);
    const former = secretsOf(club.get('a'));
    await club.commit('c', []);
    for (const [, opens] of late) expect(opens(stored(club.get('a')))).toBe(true);
    await open(club, 'a', late[1]![0]);
    expect(late.map(([, opens]) => opens(stored(club.get('a'))))).toEqual([true, false]);
    const blob = stored(forgetEpochsBefore(club.get('a'), 2));
    for (const [, opens] of late) expect(opens(blob)).toBe(false);
    expect(former.filter(([, secret]) => holds(blob, secret)).map(([name]) => name)).toEqual(['resumptionPsk']);
  });

  test('that ended leave nothing to enter them again, and no key that was replaced', async () => {
    const club = await Club.of(['a', 'b', 'c', 'd'], 6);
    await club.commit('b', []);
    await club.commit('d', []);
    const [[, opens]] = (await send(club, 'c', 1)) as [Sent];
    const before = ['a', 'b'].map((name) => club.get(name));
    const pending = await commitProposals(before[1]!, [], club.commitOptions());
    const verified = await verifyCommit(before[0]!, pending.message, { now: NOW });
    const after = [
      await applyCommit(before[0]!, verified, { keepPast: false }),
      mergeCommit(before[1]!, pending, { keepPast: false }),
    ];
    after.forEach((group, i) => {
      const [blob, was] = [stored(group), stored(before[i]!)];
      const former = secretsOf(before[i]!);
      for (const [, secret] of former) expect(holds(was, secret)).toBe(true);
      expect(former.filter(([, secret]) => holds(blob, secret)).map(([name]) => name)).toEqual(['resumptionPsk']);
      const now = stateOf(group).privateKeys;
      const replaced = [...stateOf(before[i]!).privateKeys].filter(([node, key]) => {
        const kept = now.get(node);
        return kept === undefined || hex(kept) !== hex(key);
      });
      expect(replaced.length).toBeGreaterThan(0);
      for (const [, key] of replaced) {
        expect(holds(was, key)).toBe(true);
        expect(holds(blob, key)).toBe(false);
      }
      expect(opens(was)).toBe(true);
      expect(opens(blob)).toBe(false);
    });
  });

  test('take the keys of Updates that nobody committed with them', async () => {
    const club = await Club.of(['a', 'b', 'c'], 7);
    const [group] = await proposeUpdate(club.get('a'), { random: club.random });
    const key = stateOf(group).updates[0]!.encryptionPrivate;
    expect(holds(stored(group), key)).toBe(true);
    club.set('a', group);
    await club.commit('b', []);
    expect(holds(stored(club.get('a')), key)).toBe(false);
  });

  test('leave none of their keys in a commit that waits', async () => {
    const club = await Club.of(['a', 'b', 'c'], 8);
    const old = await send(club, 'b', 1);
    await club.commit('c', []);
    const late = await send(club, 'b', 1);
    const pending = await commitProposals(club.get('a'), [], club.commitOptions());
    const everything = (): Uint8Array => concat(stored(club.get('a')), pending.encode());
    for (const [message, opens] of [...old, ...late]) {
      expect(opens(everything())).toBe(true);
      await open(club, 'a', message);
      expect(opens(everything())).toBe(false);
    }
    const merged = mergeCommit(club.get('a'), PendingCommit.decode(pending.encode()));
    for (const [message, opens] of [...old, ...late]) {
      expect(opens(stored(merged))).toBe(false);
      await expect(merged.decrypt(message)).rejects.toMatchObject({ rule: '9.2-consumed' });
    }
  });
});

describe('joining and leaving', () => {
  test('a Welcome opens no more once its bundle is destroyed', async () => {
    const club = await Club.found('a', 9);
    const bundle = await club.bundle('b');
    const pending = await commitProposals(club.get('a'), [{ type: ADD, keyPackage: bundle.keyPackage }], club.commitOptions());
    const welcome = pending.welcome!;
    const { group } = await Group.join(welcome, [bundle], { now: NOW });
    const { suite } = group;
    const sealed = decodeWelcome(welcome);
    const opens = async (blob: Uint8Array): Promise<boolean> => {
      for (const secret of windows(blob)) {
        for (const tried of [secret, welcomeSecret(suite, secret, zeros)]) {
          const opened = await openGroupInfo(suite, tried, sealed.encryptedGroupInfo).catch(() => null);
          if (opened) return true;
        }
      }
      return false;
    };
    const { encryptedGroupSecrets } = sealed.secrets[0]!;
    const plain = await decryptWithLabel(suite, bundle.initPrivate, 'Welcome', sealed.encryptedGroupInfo, encryptedGroupSecrets);
    expect(await opens(decode(groupSecrets, plain).joinerSecret)).toBe(true);
    expect(holds(bundle.encode(), bundle.initPrivate)).toBe(true);
    for (const member of [group, mergeCommit(club.get('a'), pending)]) {
      expect(holds(stored(member), bundle.initPrivate)).toBe(false);
      expect(await opens(stored(member))).toBe(false);
    }
  });

  test('what a removed member stored opens nothing later', async () => {
    const club = await Club.of(['a', 'b', 'c', 'd'], 10);
    const removed = club.get('c');
    await club.remove('a', 'c');
    const [[, opens]] = (await send(club, 'b', 1)) as [Sent];
    expect(opens(stored(club.get('d')))).toBe(true);
    expect(opens(stored(removed))).toBe(false);
    const keys = [...stateOf(removed).privateKeys.values()].map(hex);
    for (const name of club.names) {
      for (const key of stateOf(club.get(name)).privateKeys.values()) expect(keys).not.toContain(hex(key));
    }
  });

  test('an external joiner enters with nothing that members did not have to make anew', async () => {
    const club = await Club.of(['a', 'b'], 11);
    const info = await makeGroupInfo(club.get('a'), { externalPub: true });
    const joined = await joinExternal(info, basicCredential(utf8('c')), club.random.bytes(32), { random: club.random });
    const blob = stored(joined.group);
    for (const [, secret] of secretsOf(club.get('a'))) expect(holds(blob, secret)).toBe(false);
  });
});

test('errors and groups show no secret', async () => {
  const club = await Club.of(['a', 'b'], 12);
  const [[message]] = (await send(club, 'b', 1)) as [Sent];
  const damaged = message.map((byte, i) => (i === message.length - 1 ? byte ^ 1 : byte));
  const [a, stranger] = [club.get('a'), (await Club.of(['x', 'y'], 13)).get('x')];
  const state = stateOf(a);
  const secrets = [state.signaturePrivate, ...state.privateKeys.values(), ...Object.values(state.secrets), ...state.secretTree.nodes.values()];
  const attempts: (() => unknown)[] = [
    () => a.decrypt(damaged),
    () => stranger.decrypt(message),
    () => a.decrypt(stored(a)),
    () => decodeGroup(stored(a).slice(1)),
  ];
  const texts = [String(a), JSON.stringify(a)];
  for (const attempt of attempts) {
    const error: unknown = await (async () => attempt())().then(() => null, (thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'MlsError' });
    texts.push(String(error), JSON.stringify(error), String((error as Error).cause));
  }
  for (const secret of secrets) {
    if (!secret) continue;
    for (const text of texts) {
      expect(text).not.toContain(hex(secret));
      expect(text).not.toContain(String(secret));
    }
  }
});
