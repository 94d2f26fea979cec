/** What a core refuses of what others send, one reason at a time, on a copy of a party's rows. */
import { describe, expect, it } from 'vitest';
import { type Conversation, ConversationState, InboxPurpose, type Me, PackageUse } from '../../src/core/_state.ts';
import { receiveRequest, requestReceived } from '../../src/core/answering.ts';
import { again, answeredUpload, uploaded } from '../../src/core/blobs.ts';
import { group as groupOf } from '../../src/core/conversation.ts';
import { acceptedKeyPackage, learnDevices } from '../../src/core/devices.ts';
import { ephemeralKey, pushed } from '../../src/core/ephemeral.ts';
import { answered } from '../../src/core/inboxes.ts';
import { answered as keysAnswered, create as createKeyPackage } from '../../src/core/keypackages.ts';
import { intentSeen } from '../../src/core/leave.ts';
import { prove, wishes } from '../../src/core/leaveproofs.ts';
import { CAPABILITIES, lifetime, newKeyPackage, readMembership } from '../../src/core/mlsgroup.ts';
import { joinsAgain } from '../../src/core/founding.ts';
import { judge } from '../../src/core/commits.ts';
import { apply } from '../../src/core/amendments.ts';
import { received } from '../../src/core/readd.ts';
import { CONVERSATION, COUNT, INBOX, ME, MEMBERSHIP, PERSON, REACH, TOPIC } from '../../src/core/state.ts';
import { stopIfFraud, take } from '../../src/core/slots.ts';
import { answeredSubscribe } from '../../src/core/sync.ts';
import { ASKED, INVITE, LATER, MISBEHAVING, TYPING, UPLOAD, WISH } from '../../src/core/tables.ts';
import { Transaction } from '../../src/core/transaction.ts';
import { directIsOfTwo, welcome } from '../../src/core/welcome.ts';
import { utf8 } from '../../src/crypto/bytes.ts';
import { sha256 } from '../../src/crypto/hashes.ts';
import { publicKey } from '../../src/crypto/signature.ts';
import { commitProposals, createGroup, joinExternal, makeGroupInfo } from '../../src/mls/changes.ts';
import { basicCredential } from '../../src/mls/credential.ts';
import { type Group, SUITE_XWING as X_WING, encodeKeyPackage } from '../../src/mls/group.ts';
import { decodeKeyPackage, verifyKeyPackage } from '../../src/mls/keypackagechecks.ts';
import type { KeyPackage } from '../../src/mls/keypackage.ts';
import { ADD } from '../../src/mls/proposal.ts';
import { same } from '../../src/wire/bytes.ts';
import { signContactRequest } from '../../src/wire/contactrequest.ts';
import { signDeviceList } from '../../src/wire/credential.ts';
import { sealEphemeral } from '../../src/wire/ephemeral.ts';
import { recordHash } from '../../src/wire/labels.ts';
import { signReceipt } from '../../src/wire/receipts.ts';
import {
  type ConversationInfo,
  ConversationKind,
  EXTENSION_CONVERSATION,
  type Entry,
  RefusalCode,
  SUITE_XWING,
} from '../../src/wire/messages.ts';
import { encodeCommitData, encodeConversationInfo } from '../../src/wire/messages_rest.ts';
import { signLeaveProof, signReAddRequest } from '../../src/wire/requests.ts';
import { SeededRandom } from '../support/seeded.ts';
import { type Party, stateFrom, World } from './world.ts';

const DAY = 86_400_000;
const bytes = (n: number, size = 32): Uint8Array => new Uint8Array(size).fill(n);
const random = new SeededRandom('judging');

/** A step on a copy of what the party has made durable. */
function step(world: World, party: Party): Transaction {
  return new Transaction(stateFrom(party.rows), world.now, random, 0);
}

/** The reasons that a step counted. */
function counted(t: Transaction): string[] {
  const names = t.state.names(COUNT);
  return names;
}

const meOf = (t: Transaction): Me => t.get(ME)!;
const rowOf = (t: Transaction, chat: Uint8Array): Conversation => t.get(CONVERSATION, chat)!;

async function people(seed: number, ...names: string[]): Promise<[World, ...Party[]]> {
  const world = await World.make(seed);
  const parties: Party[] = [];
  for (const name of names) parties.push(await world.person(name));
  await world.settle();
  const [first, ...others] = parties as [Party, ...Party[]];
  for (const other of others) await world.befriend(first, other);
  return [world, ...parties];
}

const packageOf = async (own: Me, now: number): Promise<Uint8Array> =>
  encodeKeyPackage((await newKeyPackage(own, SUITE_XWING, now, false, random)).keyPackage);

describe('asking to be added again', async () => {
  const [world, anna, boris, clara] = (await people(301, 'anna', 'boris', 'clara')) as [World, Party, Party, Party];
  const david = await world.person('david');
  await world.settle();
  const chat = await world.group(anna, 'three', boris, clara);

  async function ask(by: Party, change: { group?: Uint8Array; time?: number; of?: Party; state?: ConversationState; unreachable?: boolean } = {}): Promise<string[]> {
    const t = step(world, anna);
    const row = rowOf(t, chat);
    const own = meOf(step(world, by));
    const keyPackage = await packageOf(meOf(step(world, change.of ?? by)), world.now);
    const { group = chat, time = world.now } = change;
    const body = { group, identity: own.identity, epoch: row.epoch, keyPackage, time };
    if (change.state) t.put(CONVERSATION, chat, { ...row, state: change.state });
    if (change.unreachable) {
      t.put(PERSON, own.identity, { ...t.get(PERSON, own.identity)!, reach: undefined });
      for (const [key] of t.entries(REACH)) if (same(key.slice(16), own.identity)) t.remove(REACH, key);
    }
    await received(t, await signReAddRequest(own.identitySecret, body));
    return counted(t);
  }

  it('is for members of a living conversation', async () => {
    expect(await ask(boris)).toEqual([]);
    expect(await ask(boris, { group: bytes(1, 16) })).toEqual(['readd-conversation']);
    for (const state of [ConversationState.stuck, ConversationState.left]) {
      expect(await ask(boris, { state })).toEqual(['readd-conversation']);
    }
    expect(await ask(david)).toEqual(['readd-member']);
    expect(await ask(anna)).toEqual(['readd-member']);
  });

  it('is for a while, and with a key package of one’s own', async () => {
    expect(await ask(boris, { of: clara })).toEqual(['readd-stale']);
    expect(await ask(boris, { unreachable: true })).toEqual(['readd-stale']);
    expect(await ask(boris, { time: world.now - 15 * DAY })).toEqual(['readd-stale']);
  });
});

it('believes no hints of nobody, of ourselves or of long ago', async () => {
  const [world, anna, boris] = (await people(302, 'anna', 'boris')) as [World, Party, Party];
  const chat = await world.group(anna, 'two', boris);
  const hint = async (leaf: number, sent: number, broken = false): Promise<[string[], boolean]> => {
    const t = step(world, anna);
    const { topic } = rowOf(t, chat);
    const message = { leaf, sent, content: { type: 'Typing', active: true } } as const;
    const body = await sealEphemeral(ephemeralKey(groupOf(t, chat)), topic, message, random);
    await pushed(t, { type: 'EphemeralPush', topic, body: broken ? bytes(0, 60) : body });
    return [counted(t), t.keys(TYPING).length > 0];
  };
  const [mine, theirs] = [groupOf(step(world, anna), chat).ownLeafIndex, groupOf(step(world, boris), chat).ownLeafIndex];
  expect(await hint(theirs, world.now)).toEqual([[], true]);
  for (const [leaf, sent] of [[mine, world.now], [7, world.now], [theirs, world.now - 60_001], [theirs, world.now + 60_001]] as const) {
    expect(await hint(leaf, sent)).toEqual([['ephemeral-stale'], false]);
  }
  expect(await hint(theirs, world.now, true)).toEqual([['ephemeral-bad'], false]);
});

describe('a Welcome', async () => {
  const [world, anna, boris] = (await people(303, 'anna', 'boris')) as [World, Party, Party];
  const info: ConversationInfo = {
    kind: ConversationKind.group,
    name: '',
    admins: [boris.id],
    relays: [world.relay.address],
    retentionDays: 30,
    membersAdd: false,
  };
  const own = meOf(step(world, boris));

  async function invited(
    groupId: Uint8Array,
    told: ConversationInfo | null,
    credential = own.credential,
    ...others: KeyPackage[]
  ): Promise<[Group, string[], number]> {
    const t = step(world, anna);
    const extensions = told ? [{ type: EXTENSION_CONVERSATION, data: encodeConversationInfo(told) }] : [];
    const group = await createGroup(X_WING, groupId, basicCredential(credential), own.deviceSecret, {
      extensions,
      capabilities: CAPABILITIES,
      lifetime: lifetime(world.now, DAY),
      random,
    });
    const created = await createKeyPackage(t, SUITE_XWING, PackageUse.sent);
    const keyPackage = await verifyKeyPackage(decodeKeyPackage(created), world.now);
    const adds = [keyPackage, ...others].map((one) => ({ type: ADD, keyPackage: one }) as const);
    const pending = await commitProposals(group, adds, { now: world.now, random });
    const before = t.keys(CONVERSATION).length;
    await welcome(t, { type: 'WelcomeMessage', welcome: pending.welcome!, roster: [] });
    return [group, counted(t), t.keys(CONVERSATION).length - before];
  }

  it('is joined where all is in order', async () => {
    const [group, reasons, more] = await invited(bytes(7, 16), info);
    expect([reasons, more]).toEqual([[], 1]);
    expect(await readMembership(group)).toMatchObject({ info });
  });

  it.each([
    ['an id of another size', bytes(7, 15), info, undefined],
    ['no relay', bytes(7, 16), { ...info, relays: [] }, undefined],
    ['no ConversationInfo', bytes(7, 16), null, undefined],
    ['a leaf that nobody signed', bytes(7, 16), info, bytes(1, 20)],
  ] as const)('is not joined with %s', async (_, groupId, told, credential) => {
    const [, reasons, more] = await invited(groupId, told, credential);
    expect([reasons, more]).toEqual([['welcome-leaf'], 0]);
  });

  it('brings a direct conversation of its founder and us', async () => {
    const direct = { ...info, kind: ConversationKind.direct, admins: [] };
    expect((await invited(bytes(7, 16), direct))[1]).toEqual([]);
    const clara = await world.person('clara');
    await world.settle();
    const third = await newKeyPackage(meOf(step(world, clara)), SUITE_XWING, world.now, false, random);
    const [, reasons, more] = await invited(bytes(7, 16), direct, undefined, third.keyPackage);
    expect([reasons, more]).toEqual([['welcome-not-joined'], 0]);
    const members = (...identities: Uint8Array[]): Parameters<typeof directIsOfTwo>[0] => ({
      info: direct,
      ownLeaf: 0,
      suite: 1,
      group: bytes(7, 16),
      members: identities.map((identity, leaf) => ({ leaf, identity, signatureKey: bytes(0) })),
    });
    const [a, b, c] = [bytes(1), bytes(2), bytes(3)];
    expect(directIsOfTwo(members(a, b), a, b)).toBe(true);
    for (const [present, adder, us] of [[[a, b], b, b], [[a, c], a, b], [[b, c], a, b], [[a, b, c], a, b], [[b], a, b]] as const) {
      expect(directIsOfTwo(members(...present), adder, us)).toBe(false);
    }
  });
});

it('takes device lists that are someone’s own and newer', async () => {
  const [world, anna, boris] = (await people(304, 'anna', 'boris')) as [World, Party, Party];
  const own = meOf(step(world, boris));
  const learn = async (secret: Uint8Array, number: number): Promise<[boolean, string[]]> => {
    const t = step(world, anna);
    return [await learnDevices(t, boris.id, await signDeviceList(secret, { number, devices: [] })), counted(t)];
  };
  expect(await learn(own.identitySecret, 2)).toEqual([true, []]);
  expect(await learn(own.identitySecret, 0)).toEqual([false, ['device-list-old']]);
  expect(await learn(bytes(1), 2)).toEqual([false, ['device-list-bad']]);
  expect(await acceptedKeyPackage(await packageOf({ ...own, credential: bytes(1, 20) }, world.now), SUITE_XWING, boris.id, null, world.now)).toBeNull();
});

describe('contact requests', async () => {
  const world = await World.make(305);
  const [anna, boris] = [await world.person('anna'), await world.person('boris')];
  await world.settle();
  await world.ask(boris, await world.invite(anna), 'it is me');
  const asked = step(world, anna).entries(ASKED)[0]![1];
  const invite = step(world, anna).entries(INVITE)[0]![1];

  async function request(t: Transaction, by: Party, number: number): Promise<void> {
    const { identity, identitySecret } = meOf(step(world, by));
    const devices = await signDeviceList(identitySecret, { number, devices: [] });
    const body = { card: invite.card, identity, name: 'name', devices, reach: asked.reach };
    await requestReceived(t, invite, await signContactRequest(identitySecret, body), world.now);
  }

  it('are shown once, of others, with a device list that is not old', async () => {
    let t = step(world, anna);
    await request(t, boris, 2);
    expect(counted(t)).toEqual([]);
    await request(t, boris, 2);
    expect(counted(t)).toEqual(['request-many']);
    t = step(world, anna);
    await request(t, anna, 2);
    expect(counted(t)).toEqual(['request-blocked']);
    t = step(world, anna);
    const devices = await signDeviceList(meOf(step(world, boris)).identitySecret, { number: 5, devices: [] });
    const person = { identity: boris.id, name: '', verified: false, accepted: false, blocked: false, named: false };
    t.put(PERSON, boris.id, { ...person, devices });
    await request(t, boris, 4);
    expect(counted(t)).toEqual(['request-devices']);
  });

  it('wait in a bounded number', async () => {
    const t = step(world, anna);
    for (let i = 0; i < 100; i++) t.put(ASKED, bytes(i, 16), asked);
    await request(t, boris, 2);
    expect(counted(t)).toEqual(['request-many']);
  });

  it('that cannot be opened are passed over', async () => {
    const open = async (change: Partial<Entry>, without = false): Promise<string[]> => {
      const t = step(world, anna);
      const inbox = t.entries(INBOX).map(([, row]) => row).find(({ purpose }) => purpose === InboxPurpose.invite)!;
      if (without) t.remove(INVITE, inbox.owner);
      await receiveRequest(t, inbox, { seq: inbox.seq + 1, time: world.now, record: bytes(0, 2048), ...change });
      expect(t.get(INBOX, inbox.id)!.seq).toBe(inbox.seq + 1);
      return counted(t);
    };
    await world.invite(anna);
    expect(await open({})).toEqual(['inbox-record-bad']);
    expect(await open({ record: undefined, recordHash: bytes(0) })).toEqual(['inbox-record-bad']);
    expect(await open({}, true)).toEqual(['inbox-record-bad']);
  });
});

describe('answers of a relay', async () => {
  const [world, anna] = (await people(306, 'anna', 'boris')) as [World, Party, Party];

  it('hold what they say is there', async () => {
    const t = step(world, anna);
    const inbox = t.entries(INBOX)[0]![1];
    const request = { type: 'FetchInbox', readSecret: inbox.readSecret, after: inbox.seq, limit: 64 } as const;
    await answered(t, inbox.id, request, { type: 'Records', entries: [], head: inbox.seq });
    expect(counted(t)).toEqual([]);
    await answered(t, inbox.id, request, { type: 'Records', entries: [], head: inbox.seq + 3 });
    expect(counted(t)).toEqual(['inbox-gap']);
    const entries = [1, 2].map((more) => ({ seq: inbox.seq + more, time: world.now, record: bytes(0, 512) }));
    await answered(t, inbox.id, request, { type: 'Records', entries, head: inbox.seq + 2 });
    expect(t.get(INBOX, inbox.id)!.seq).toBe(inbox.seq + 2);
  });

  it.each([[1, 1, []], [0, 1, ['heads-bad']], [1, 0, ['heads-bad']]] as const)('tell heads for each: %i and %i', (topics, inboxes, reasons) => {
    const t = step(world, anna);
    const [topic, inbox] = [t.entries(TOPIC)[0]![1], t.entries(INBOX)[0]![1]];
    const head = { known: true, seq: topic.seq };
    const request = { type: 'Subscribe', topics: [topic.id], inboxes: [inbox.readSecret] } as const;
    const response = { type: 'Heads', topics: Array(topics).fill(head), inboxes: Array(inboxes).fill(head) } as const;
    answeredSubscribe(t, world.relay.address.identity, request, response);
    expect(counted(t)).toEqual(reasons);
  });

  it('take no more of a blob than there is, and say so', () => {
    const relay = world.relay.address;
    const blob = bytes(5);
    const key = new Uint8Array([...relay.identity, ...blob]);
    const row = { relay, data: bytes(1, 100), sent: 50, whole: false, users: 1 };
    const request = { type: 'PutBlob', id: blob, total: 100, offset: 50, part: bytes(1, 50) } as never;
    for (const [response, reasons] of [
      [{ type: 'BlobState', received: 100 }, []],
      [{ type: 'BlobState', received: 101 }, ['upload-refused']],
      [{ type: 'Done' }, ['upload-refused']],
    ] as const) {
      const t = step(world, anna);
      t.put(UPLOAD, key, row);
      answeredUpload(t, key, request, response);
      expect(counted(t)).toEqual(reasons);
    }
    const t = step(world, anna);
    expect([uploaded(t, relay.identity, undefined), uploaded(t, relay.identity, blob)]).toEqual([true, true]);
    expect([again(t, relay.identity, undefined), again(t, relay.identity, blob)]).toEqual([false, false]);
    t.put(UPLOAD, key, row);
    expect([uploaded(t, relay.identity, blob), again(t, relay.identity, blob)]).toEqual([false, true]);
  });

  it('store key packages', () => {
    const t = step(world, anna);
    const request = { type: 'PutKeyPackages', ownerSecret: bytes(0), packages: [], lastResort: undefined } as const;
    keysAnswered(t, Uint8Array.of(0xf0, 1), request, { type: 'Done' });
    expect(counted(t)).toEqual(['keys-refused']);
  });
});

it('takes a wish to leave of the leaf that wishes, from its member', async () => {
  const [world, anna, boris, clara] = (await people(307, 'anna', 'boris', 'clara')) as [World, Party, Party, Party];
  const chat = await world.group(anna, 'three', boris, clara);
  const proofOf = (party: Party): ReturnType<typeof prove> => {
    const t = step(world, party);
    const present = groupOf(t, chat);
    return prove(present, present.ownLeafIndex, meOf(t).identitySecret);
  };
  const proof = await proofOf(boris);
  const group = groupOf(step(world, anna), chat);
  const leaf = groupOf(step(world, boris), chat).ownLeafIndex;
  const member = { leaf, identity: boris.id, signatureKey: bytes(0) };
  expect(await wishes(group, member, proof)).toBe(true);
  expect(await wishes(group, { ...member, leaf: 3 }, proof)).toBe(false);
  expect(await wishes(group, { ...member, identity: clara.id }, proof)).toBe(false);
  const elsewhere = await signLeaveProof(meOf(step(world, boris)).identitySecret, bytes(1, 16), proof.leaves);
  expect(await wishes(group, member, elsewhere)).toBe(false);

  const seen = async (sender: Party, told: typeof proof | undefined): Promise<[string[], number]> => {
    const t = step(world, anna);
    const place = { topic: bytes(0), order: 1, seq: 1, time: world.now, recordHash: bytes(0) };
    await intentSeen(t, chat, sender.id, { kind: 1, proof: told } as never, place);
    return [counted(t), t.keys(WISH).length];
  };
  expect(await seen(boris, proof)).toEqual([[], 1]);
  expect(await seen(clara, proof)).toEqual([['leave-proof'], 0]);
  expect(await seen(boris, undefined)).toEqual([['leave-proof'], 0]);
  expect(await seen(anna, await proofOf(anna))).toEqual([['leave-proof'], 0]);
});

describe('a living conversation', async () => {
  const [world, anna, boris] = (await people(308, 'anna', 'boris')) as [World, Party, Party];
  const chat = await world.group(anna, 'two', boris);

  it('takes no two records at one place of a slot', async () => {
    const t = step(world, anna);
    const row = rowOf(t, chat);
    const topic = t.get(TOPIC, row.topic)!;
    const seed = sha256(utf8(`relay${new URL(row.relay.url).hostname.replace('.example', '')}`));
    expect(await publicKey(seed)).toEqual(row.relay.identity);
    const entry = async (record: Uint8Array): Promise<Entry> => {
      const place = { topic: topic.id, slot: row.slot, position: row.position, seq: topic.seq + 1, recordHash: recordHash(record) };
      return { seq: place.seq, time: world.now, record, slot: row.slot, receipt: await signReceipt(seed, place) };
    };
    const first = await entry(bytes(1, 512));
    expect(await take(t, row, topic, first)).toMatchObject({ position: row.position + 1 });
    expect(await stopIfFraud(t, rowOf(t, chat), topic.id, first)).toBe(false);
    const other = await entry(bytes(2, 512));
    expect(await take(t, rowOf(t, chat), topic, other)).toBeNull();
    expect([counted(t), t.keys(MISBEHAVING)]).toEqual([['relay-fraud'], []]);
    expect(rowOf(t, chat)).toMatchObject({ state: ConversationState.fraud, position: row.position + 1 });
    expect(await stopIfFraud(t, row, topic.id, other)).toBe(true);
  });

  it('is not joined again, but perhaps later', () => {
    const message = { type: 'WelcomeMessage', welcome: bytes(0), roster: [] } as const;
    const asked = (state: ConversationState, more: number, by: Uint8Array): [boolean, number] => {
      const t = step(world, anna);
      const row = { ...rowOf(t, chat), state };
      return [joinsAgain(t, row, { groupId: chat, epoch: row.epoch + more }, by, message), t.keys(LATER).length];
    };
    expect(asked(ConversationState.active, 1, boris.id)).toEqual([false, 1]);
    expect(asked(ConversationState.active, 0, boris.id)).toEqual([false, 0]);
    expect(asked(ConversationState.removed, 1, boris.id)).toEqual([true, 0]);
    expect(asked(ConversationState.removed, 0, boris.id)).toEqual([false, 0]);
    expect(asked(ConversationState.removed, 1, bytes(9))).toEqual([false, 0]);
    expect(asked(ConversationState.stuck, 1, boris.id)).toEqual([true, 0]);
    expect(asked(ConversationState.stuck, 1, bytes(9))).toEqual([false, 0]);
  });

  it('is entered by no commit from outside', async () => {
    const t = step(world, anna);
    const present = groupOf(t, chat);
    const own = meOf(step(world, boris));
    const info = await makeGroupInfo(groupOf(step(world, boris), chat), { externalPub: true });
    const entered = await joinExternal(info, basicCredential(own.credential), bytes(3), {
      capabilities: CAPABILITIES,
      authenticatedData: encodeCommitData({}),
      random,
    });
    const before = t.get(MEMBERSHIP, chat)!;
    expect(await judge(t, rowOf(t, chat), present, before, entered.message, world.now)).toBeNull();
    expect(counted(t)).toEqual(['commit-role-other']);
  });
});

it('waits for a commit whose blob the relay denies', async () => {
  const [world, anna, boris, clara] = (await people(309, 'anna', 'boris', 'clara')) as [World, Party, Party, Party];
  const chat = await world.group(anna, 'three', boris, clara);
  const answer = world.relay.answer.bind(world.relay);
  let denied = 0;
  world.relay.answer = async (session, request, now) => {
    if (request.type === 'GetBlob' && ++denied <= 3) return { type: 'Refused', code: RefusalCode.unknownBlob };
    return answer(session, request, now);
  };
  const name = 'n'.repeat(120);
  await anna.do({ type: 'Rename', conversation: chat, name });
  await world.settle(600_000);
  expect(denied).toBeGreaterThan(3);
  for (const party of [anna, boris, clara]) expect(party.view(chat)).toMatchObject({ name, state: 'active' });
});

it('amends nothing twice', () => {
  const sender = bytes(1);
  const message = {
    conversation: bytes(1, 16),
    id: bytes(2, 16),
    sender,
    mine: false,
    content: { type: 'Text', text: 'hello' },
    order: 1,
    time: 1,
    sent: 1,
    status: 'sent',
    edited: null,
    deleted: false,
    reactions: [],
    delivered: [],
    read: [],
  } as unknown as Parameters<typeof apply>[0];
  const deletion = { type: 'Deleted', by: sender } as Parameters<typeof apply>[1];
  const gone = apply(message, deletion)!;
  expect(gone).toMatchObject({ deleted: true, content: { text: '' } });
  expect(apply(gone, deletion)).toBeNull();
  const reaction = { type: 'Reacted', by: bytes(3), emoji: '+', order: 5 } as Parameters<typeof apply>[1];
  const shown = apply(message, reaction)!;
  expect(shown.reactions).toHaveLength(1);
  expect(apply(shown, reaction)).toBeNull();
  expect(apply(gone, reaction)).toBeNull();
});
