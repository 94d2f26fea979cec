/** Moves that somebody wants to bend: ReInits and successors without the right, forged ones, and former members. */
import { describe, expect, it } from 'vitest';
import { ConversationState, type Membership, PackageUse } from '../../src/core/_state.ts';
import { encodeOperation, OperationKind } from '../../src/core/_state_rest.ts';
import { group } from '../../src/core/conversation.ts';
import { infoExtension } from '../../src/core/extensions.ts';
import { create as createKeyPackage } from '../../src/core/keypackages.ts';
import { newKeyPackage, slot } from '../../src/core/mlsgroup.ts';
import { turnOf } from '../../src/core/moves.ts';
import {
  adminsStay,
  founderSigned,
  isPromised,
  isSamePerson,
  mayFound,
  namesTheEnd,
  resumes,
  samePeople,
} from '../../src/core/moving.ts';
import { newGroup } from '../../src/core/newgroups.ts';
import { CONVERSATION, PACKAGE } from '../../src/core/state.ts';
import { LATER } from '../../src/core/tables.ts';
import { welcome } from '../../src/core/welcome.ts';
import { hex } from '../../src/crypto/bytes.ts';
import { commitProposals, mergeCommit, reInit } from '../../src/mls/changes.ts';
import { basicCredential, type Credential } from '../../src/mls/credential.ts';
import type { Group } from '../../src/mls/group.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../../src/mls/keypackagechecks.ts';
import { ADD, REINIT, type Proposal } from '../../src/mls/proposal.ts';
import { EXTERNAL_PSK, FOR_APPLICATION, FOR_REINIT, type PskId, RESUMPTION_PSK } from '../../src/mls/psk.ts';
import { writeSecret } from '../../src/wire/labels.ts';
import {
  ConversationKind,
  encodeDeviceCredential,
  encodeMessage,
  SUITE_X25519,
  SUITE_XWING,
  type WelcomeMessage,
} from '../../src/wire/messages.ts';
import { encodeMoved } from '../../src/wire/messages_rest.ts';
import { signMoved } from '../../src/wire/requests.ts';
import { SeededRandom } from '../support/seeded.ts';
import { bodyOf, byInbox, commit, counted, keyPackageOf, meOf, offer, presentOf, publish, rowOf, step, successor, topicOf } from './hostile.ts';
import { bothWays, DAY, founded, HOUR, move, moved, online, twoAdminsWait, vanish } from './moves.ts';
import type { Party, World } from './world.ts';

const bytes = (n: number, size = 32): Uint8Array => new Uint8Array(size).fill(n);
const random = new SeededRandom('successors');
type Three = [World, Uint8Array, Party, Party, Party];
const three = async (seed: number): Promise<Three> => (await founded(seed)) as Three;
const count = (party: Party, reason: string): number => party.core.counters().get(reason) ?? 0;

describe('a ReInit', () => {
  const by = (world: World, party: Party, chat: Uint8Array, fields: Partial<Proposal> = {}): Proposal => {
    const { extensions } = group(step(world, party), chat).context;
    const good = { type: REINIT, groupId: bytes(5, 16), version: 1, cipherSuite: SUITE_X25519, extensions } as const;
    return { ...good, ...fields } as Proposal;
  };

  it('of a member is skipped by all', async () => {
    const [world, chat, anna, boris, clara] = await three(601);
    await publish(world, boris, chat, await commit(world, boris, chat, [by(world, boris, chat)]), { inSlot: true });
    await world.settle();
    for (const party of [anna, boris, clara]) {
      expect([count(party, 'commit-role-reinit'), party.view(chat).state]).toEqual([1, 'active']);
    }
    await anna.do({ type: 'Rename', conversation: chat, name: 'unharmed' });
    await world.settle();
    for (const party of [anna, boris, clara]) expect(party.view(chat).name).toBe('unharmed');
  });

  it('of an admin is what it may be, or skipped by all', async () => {
    const [world, chat, anna, boris, clara] = await three(602);
    const { info } = presentOf(step(world, anna), chat);
    const bent: Partial<Proposal>[] = [
      { cipherSuite: 2 },
      { cipherSuite: SUITE_XWING },
      { version: 2 },
      { groupId: bytes(5, 15) },
      { groupId: chat },
      { extensions: [infoExtension({ ...info, membersAdd: true })] },
      { extensions: [] },
    ];
    for (const fields of bent) {
      const data = await commit(world, anna, chat, [by(world, anna, chat, fields)]);
      await publish(world, anna, chat, data, { inSlot: true });
    }
    await world.settle();
    for (const party of [anna, boris, clara]) {
      expect([count(party, 'commit-role-reinit'), party.view(chat).state]).toEqual([bent.length, 'active']);
    }
  });

  it('does not end a direct conversation', async () => {
    const [world, , anna, boris] = await three(603);
    const chat = anna.direct(boris);
    await publish(world, anna, chat, await commit(world, anna, chat, [by(world, anna, chat)]), { inSlot: true });
    await world.settle();
    for (const party of [anna, boris]) {
      expect([count(party, 'commit-role-reinit'), party.view(chat).state]).toEqual([1, 'active']);
    }
  });
});

describe('a successor', () => {
  it('that is bent is skipped by all, each for its reason', async () => {
    const [world, chat, anna, boris, clara] = await twoAdminsWait(604);
    const t = step(world, boris);
    const ended = group(t, chat);
    const make = (...given: Parameters<typeof successor> extends [World, Party, Uint8Array, ...infer Rest] ? Rest : never) =>
      successor(world, boris, chat, ...given);
    const good = await make([anna, clara]);
    const body = await bodyOf(t, ended, good);
    const word = await signMoved(meOf(t).identitySecret, body);
    const turned = Uint8Array.from(word.signature, (b, i) => (i ? b : b ^ 1));
    const ownRules = { ...presentOf(t, chat).info, admins: [boris.id] };
    const ofClara = await successor(world, clara, chat, [anna, boris]);
    const { groupInfo } = await bodyOf(step(world, clara), ended, ofClara);
    for (const data of [encodeMoved({ ...word, signature: turned }), encodeMoved({ ...word, body: bytes(1, 4) }), bytes(1, 4)]) {
      await publish(world, boris, chat, data, { inSlot: true });
    }
    await offer(world, boris, chat, good, { groupInfo: bytes(1, 4) });
    await offer(world, boris, chat, good, { groupInfo: good.message });
    await offer(world, boris, chat, good, { group: bytes(1, 16) });
    await offer(world, boris, chat, good, { epoch: body.epoch + 1 });
    await offer(world, boris, chat, await make([anna, clara], { group: bytes(1, 16) }));
    await offer(world, boris, chat, await make([anna, clara], { suite: SUITE_XWING }));
    await offer(world, boris, chat, await make([anna, clara], { info: ownRules }));
    await offer(world, boris, chat, await make([anna, clara], { epochs: 2, psk: false }));
    await offer(world, boris, chat, good, { groupInfo });
    await offer(world, boris, chat, await make([anna]));
    await world.settle();
    for (const party of [boris, clara]) {
      expect(party.view(chat).state).toBe('moving');
      const found = [...party.core.counters()].filter(([reason]) => reason.startsWith('moved-'));
      const cbor = found.filter(([reason]) => reason.startsWith('moved-cbor') || reason === 'moved-message');
      expect(cbor.reduce((sum, [, n]) => sum + n, 0)).toBe(2);
      const others = Object.fromEntries(found.filter((one) => !cbor.includes(one)));
      expect(others).toEqual({
        'moved-moved-signature': 1,
        'moved-malformed': 1,
        'moved-mls': 1,
        'moved-end': 2,
        'moved-promise': 4,
        'moved-signer': 1,
        'moved-people': 1,
      });
    }
    await online(world, anna);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });

  it('lets no stranger in, nor a leaf that its person did not sign', async () => {
    const [world, chat, anna, boris, clara] = await twoAdminsWait(605);
    const david = await world.person('david');
    await world.settle();
    await offer(world, boris, chat, await successor(world, boris, chat, [anna, clara, david]));
    // A device of Boris in Anna's place, under her credential.
    const device = { ...meOf(step(world, boris)), credential: meOf(step(world, anna)).credential, deviceSecret: bytes(4) };
    const { keyPackage } = await newKeyPackage(device, SUITE_X25519, world.now, false, random);
    await offer(world, boris, chat, await successor(world, boris, chat, [clara], { extra: [keyPackage] }));
    await world.settle();
    for (const party of [boris, clara]) {
      expect([count(party, 'moved-people'), count(party, 'moved-leaf')]).toEqual([1, 1]);
    }
    await online(world, anna);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });

  it('of a member does not count before a day has passed', async () => {
    const [world, chat, anna, boris, clara] = await twoAdminsWait(606);
    await boris.goOffline();
    const early = await successor(world, clara, chat, [anna, boris]);
    await offer(world, clara, chat, early);
    await world.sleep(DAY - HOUR);
    await offer(world, clara, chat, early);
    await world.settle();
    expect(count(clara, 'moved-founder')).toBe(2);
    await world.sleep(HOUR);
    expect(clara.view(chat).state).toBe('moving');
    await world.sleep(2 * HOUR);
    expect(clara.view(chat).state).toBe('active');
    await online(world, anna, boris);
    expect(count(boris, 'moved-founder')).toBe(2);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
    expect(clara.view(chat).members.filter(({ admin }) => admin).map(({ name }) => name).sort()).toEqual(['anna', 'boris']);
  });

  it('of our own that came too early is skipped by us as by everybody', async () => {
    const [world, chat, anna, boris, clara] = await twoAdminsWait(607);
    const operation = { conversation: chat, kind: OperationKind.move, candidates: [], identities: [], suite: SUITE_X25519 };
    clara.rows.set(`operation ${hex(chat)}${'0'.repeat(13)}999`, encodeOperation(operation));
    await clara.crash();
    await world.settle();
    for (const party of [boris, clara]) {
      expect([party.name, count(party, 'moved-founder'), party.view(chat).state]).toEqual([party.name, 1, 'moving']);
    }
    expect(clara.view(chat).pendingOperations).toBe(0);
    await online(world, anna);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });

  it('makes nobody an admin', async () => {
    const [world, chat, anna, boris, clara] = await three(608);
    await anna.do({ type: 'SetAdmin', conversation: chat, identity: anna.id, admin: false });
    await world.settle();
    await move(anna, chat);
    await vanish(world, anna, chat, 1);
    await world.sleep(2 * DAY);
    expect([boris, clara].map((party) => party.view(chat).state)).toEqual(['moving', 'moving']);
    await offer(world, boris, chat, await successor(world, boris, chat, [anna, clara]));
    await world.settle();
    expect([boris, clara].map((party) => count(party, 'moved-admins'))).toEqual([1, 1]);
    await online(world, anna);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
    expect(clara.view(chat).members.find(({ admin }) => admin)?.name).toBe('anna');
  });

  it('comes after a record that does not open', async () => {
    const [world, chat, anna, boris, clara] = await twoAdminsWait(616);
    const t = step(world, boris);
    const place = { writeSecret: writeSecret(topicOf(t, chat).topicSecret), slot: slot(group(t, chat)) };
    await world.relay.publish(null, { type: 'Publish', record: bytes(1, 512), ...place }, world.now);
    await world.settle();
    for (const party of [boris, clara]) {
      expect([party.name, count(party, 'slot-bad'), party.view(chat).state]).toEqual([party.name, 1, 'moving']);
    }
    await online(world, anna);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });

  it('is entered only where everybody has judged it, and only with the secret of the group before', async () => {
    for (const [seed, psk] of [[609, true], [610, false]] as const) {
      const [world, chat, anna, boris, clara] = await twoAdminsWait(seed);
      const shown = await successor(world, boris, chat, [anna, clara], { psk });
      const trap = psk ? await successor(world, boris, chat, [clara, anna], { treeInside: true }) : shown;
      const before = step(world, clara).keys(PACKAGE).length;
      await offer(world, boris, chat, shown, { welcome: trap.welcome! });
      await world.settle(0);
      const t = step(world, clara);
      expect([clara.view(chat).state, count(clara, 'moved-welcome')]).toEqual(['stuck', 1]);
      expect(reInit(group(t, chat))).not.toBeNull();
      // None was spent; the two new ones are in the requests to be added again.
      expect(t.keys(PACKAGE).length).toBe(before + 2);
    }
  });
});

describe('by the inbox', () => {
  /** On a copy of what the party has made durable. */
  async function brought(world: World, party: Party, message: WelcomeMessage): Promise<ReturnType<typeof step>> {
    const t = step(world, party);
    await welcome(t, message);
    return t;
  }

  it('a Welcome with the promised id leads nowhere', async () => {
    const [world, chat, , boris, clara] = await twoAdminsWait(611);
    await world.befriend(boris, clara);
    const pending = await successor(world, boris, chat, [clara], { psk: false });
    for (const former of [[chat], undefined]) {
      const t = await brought(world, clara, byInbox(pending, former));
      expect(rowOf(t, chat)).toEqual(rowOf(step(world, clara), chat));
      expect(t.keys(CONVERSATION)).toEqual(step(world, clara).keys(CONVERSATION));
      expect(t.get(LATER, chat)).toBeDefined();
    }
  });

  it('a stranger’s Welcome with the promised id is nothing', async () => {
    const [world, chat, , , clara] = await twoAdminsWait(612);
    const stranger = await world.person('stranger');
    await world.settle();
    const { groupId } = reInit(group(step(world, clara), chat))!;
    const { info } = presentOf(step(world, clara), chat);
    const own = meOf(step(world, stranger));
    const theirs = await newGroup(own, SUITE_X25519, groupId, info, world.now, random);
    const keyPackage = await keyPackageOf(world, clara, SUITE_X25519);
    const pending = await commitProposals(theirs, [{ type: ADD, keyPackage }], { now: world.now, random });
    const t = await brought(world, clara, byInbox(pending, [chat]));
    expect([counted(t), t.get(LATER, chat)]).toEqual([['welcome-not-joined'], undefined]);
  });

  it('an ended group does not come back', async () => {
    const [world, chat, anna, , clara] = await three(613);
    const { info } = presentOf(step(world, anna), chat);
    await move(anna, chat);
    await world.settle();
    await anna.do({ type: 'RemoveMember', conversation: chat, identity: clara.id });
    await world.settle();
    expect(clara.view(chat).state).toBe('removed');
    const into = async (groupId: Uint8Array): Promise<number> => {
      let made: Group = await newGroup(meOf(step(world, anna)), SUITE_XWING, groupId, info, world.now, random);
      for (let n = 0; n < 9; n++) made = mergeCommit(made, await commitProposals(made, [], { now: world.now, random }));
      const t = step(world, clara);
      const created = await createKeyPackage(t, SUITE_XWING, PackageUse.sent);
      const keyPackage = await verifyKeyPackage(decodeKeyPackage(created), world.now);
      await welcome(t, byInbox(await commitProposals(made, [{ type: ADD, keyPackage }], { now: world.now, random }), [chat]));
      return rowOf(t, chat).state;
    };
    expect(await into(chat)).toBe(ConversationState.removed);
    expect(await into(bytes(6, 16))).toBe(ConversationState.active);
  });
});

it('takes no words for a group before from those who were removed since', async () => {
  const [world, chat, anna, boris, clara] = await three(615);
  const t = step(world, clara);
  const topic = topicOf(t, chat);
  let theirs = group(t, chat);
  const say = async (text: string): Promise<void> => {
    const content = { type: 'Text', text } as const;
    const { id, seq, head } = topic;
    const message = { id: random.bytes(16), sent: world.now, content, topic: id, seq, head, deviceList: 1 };
    let data: Uint8Array;
    [theirs, data] = await theirs.encrypt(encodeMessage(message), { random });
    await publish(world, clara, chat, data, { topic });
    await world.settle();
  };
  await move(anna, chat);
  await world.settle();
  await say('in time');
  expect([anna.texts(chat), boris.texts(chat)]).toEqual([['in time'], ['in time']]);
  await anna.do({ type: 'RemoveMember', conversation: chat, identity: clara.id });
  await world.settle();
  await say('too late');
  expect([anna.texts(chat), boris.texts(chat)]).toEqual([['in time'], ['in time']]);
  expect(count(boris, 'message-removed')).toBe(1);
  await bothWays(world, chat, anna, boris);
});

describe('a check', () => {
  const [ANNA, BORIS, CLARA] = [bytes(1), bytes(2), bytes(3)];
  const leaves = (...identities: Uint8Array[]) => identities.map((identity, leaf) => ({ leaf, identity, signatureKey: bytes(0) }));
  const present: Membership = {
    info: {
      kind: ConversationKind.group,
      name: '',
      admins: [ANNA],
      relays: [{ url: 'https://relay.example/x', identity: bytes(8) }],
      retentionDays: 30,
      membersAdd: false,
    },
    ownLeaf: 0,
    suite: SUITE_XWING,
    members: leaves(ANNA, BORIS, CLARA),
    group: bytes(9, 16),
    ended: 1000,
  };

  it('names the end', () => {
    const ended = { groupId: bytes(9, 16), epoch: 4 };
    expect(namesTheEnd({ group: bytes(9, 16), epoch: 4 }, ended)).toBe(true);
    expect(namesTheEnd({ group: bytes(8, 16), epoch: 4 }, ended)).toBe(false);
    expect(namesTheEnd({ group: bytes(9, 16), epoch: 3 }, ended)).toBe(false);
  });

  it('lets admins found, and members after a day', () => {
    expect([mayFound(present, ANNA, 0), mayFound(present, BORIS, 999 + DAY), mayFound(present, BORIS, 1000 + DAY)]).toEqual([true, false, true]);
    expect(mayFound(present, bytes(4), 1000 + DAY)).toBe(false);
    expect(mayFound({ ...present, ended: undefined }, BORIS, 1000 + DAY)).toBe(false);
    const turns = [ANNA, BORIS, CLARA].map((one) => turnOf(present, one));
    expect(turns).toEqual([HOUR, DAY + HOUR, DAY + 2 * HOUR]);
    const without = { ...present, info: { ...present.info, admins: [] } };
    expect([ANNA, BORIS].map((one) => turnOf(without, one))).toEqual([HOUR, null]);
  });

  it('holds the group against the promise', () => {
    const extensions = [infoExtension(present.info)];
    const promised = { groupId: bytes(7, 16), version: 1, cipherSuite: SUITE_X25519, extensions };
    const context = { ...promised, version: 1, epoch: 1n, treeHash: bytes(0), confirmedTranscriptHash: bytes(0) } as const;
    expect(isPromised({ context }, promised)).toBe(true);
    for (const bent of [{ groupId: bytes(6, 16) }, { cipherSuite: SUITE_XWING }, { extensions: [] }, { epoch: 0n }, { epoch: 2n }]) {
      expect(isPromised({ context: { ...context, ...bent } }, promised)).toBe(false);
    }
  });

  it('knows the signer’s leaf, the people and the admins', () => {
    const { members } = present;
    expect(founderSigned({ signerLeafIndex: 1 }, members, BORIS)).toBe(true);
    expect(founderSigned({ signerLeafIndex: 0 }, members, BORIS)).toBe(false);
    expect(founderSigned({ signerLeafIndex: 7 }, members, BORIS)).toBe(false);
    expect(samePeople(present, leaves(CLARA, ANNA, BORIS))).toBe(true);
    for (const others of [leaves(ANNA, BORIS), leaves(ANNA, BORIS, BORIS), leaves(ANNA, BORIS, bytes(4)), leaves(ANNA, BORIS, CLARA, CLARA)]) {
      expect(samePeople(present, others)).toBe(false);
    }
    expect(adminsStay(present, leaves(BORIS, ANNA, CLARA))).toBe(true);
    const without = { ...present, info: { ...present.info, admins: [] } };
    expect(adminsStay(without, leaves(ANNA, BORIS, CLARA))).toBe(true);
    expect(adminsStay(without, leaves(BORIS, ANNA, CLARA))).toBe(false);
  });

  it('finds the key of the group before among those mixed in', () => {
    const ended = { groupId: bytes(9, 16), context: { epoch: 4n } as Group['context'] };
    const good: PskId = { type: RESUMPTION_PSK, usage: FOR_REINIT, groupId: bytes(9, 16), epoch: 4n, nonce: bytes(0) };
    expect(resumes([{ type: EXTERNAL_PSK, id: bytes(1), nonce: bytes(0) }, good], ended)).toBe(true);
    const bent: PskId[] = [{ ...good, usage: FOR_APPLICATION }, { ...good, groupId: bytes(8, 16) }, { ...good, epoch: 3n }];
    for (const one of bent) expect(resumes([one], ended)).toBe(false);
    expect(resumes([], ended)).toBe(false);
  });

  it('takes two devices for one person by their identity', () => {
    const of = (identity: Uint8Array, listNumber: number): Credential =>
      basicCredential(encodeDeviceCredential({ identity, listNumber, signature: bytes(listNumber, 64) }));
    expect(isSamePerson(of(ANNA, 1), of(ANNA, 2))).toBe(true);
    expect(isSamePerson(of(ANNA, 1), of(BORIS, 1))).toBe(false);
    const x509: Credential = { type: 2, certificates: [] };
    expect([isSamePerson(x509, of(ANNA, 1)), isSamePerson(of(ANNA, 1), x509)]).toEqual([false, false]);
  });
});
