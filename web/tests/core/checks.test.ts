/** Checks that guard safety, each by what it lets through and what it does not. */
import { describe, expect, it } from 'vitest';
import {
  type Conversation,
  ConversationState,
  decodeConversation,
  decodeMe,
  decodeTopic,
  type Me,
  type Membership,
} from '../../src/core/_state.ts';
import { decodeInvite } from '../../src/core/_state_rest.ts';
import { checkContent } from '../../src/core/actions.ts';
import { blobIsNamed } from '../../src/core/downloads.ts';
import { historyDiffers } from '../../src/core/contents.ts';
import { isBlockedDirect } from '../../src/core/conversation.ts';
import { ephemeralKey } from '../../src/core/ephemeral.ts';
import { adderMayAddAgain, isAhead, joinedIsNew } from '../../src/core/founding.ts';
import { senderWasRemoved } from '../../src/core/messages.ts';
import { positionIsNext, receiptIsSigned, receiptsContradict } from '../../src/core/slots.ts';
import { CHAIN, CONVERSATION, MEMBERSHIP, OPENED, PERSON } from '../../src/core/state.ts';
import { conversationOf } from '../../src/core/successors.ts';
import { SUCCESSOR } from '../../src/core/tables.ts';
import { at } from '../../src/core/topics.ts';
import { State, Transaction } from '../../src/core/transaction.ts';
import { adderIsKnown, directIsOfTwo } from '../../src/core/welcome.ts';
import { hex } from '../../src/crypto/bytes.ts';
import { publicKey } from '../../src/crypto/signature.ts';
import { XWING } from '../../src/crypto/xwing.ts';
import { sealContactRequest, signContactRequest } from '../../src/wire/contactrequest.ts';
import { sealEphemeral } from '../../src/wire/ephemeral.ts';
import { recordHash } from '../../src/wire/labels.ts';
import { signReceipt } from '../../src/wire/receipts.ts';
import {
  type Content,
  ConversationKind,
  type Entry,
  type InboxMessage,
  type InviteLink,
  type Message,
} from '../../src/wire/messages.ts';
import { SeededRandom } from '../support/seeded.ts';
import { type Party, World } from './world.ts';
import { Session } from './relaymodel.ts';

const bytes = (n: number, size = 32): Uint8Array => new Uint8Array(size).fill(n);
const [ANNA, BORIS, CLARA] = [bytes(1), bytes(2), bytes(3)];
const CHAT = bytes(9, 16);
const RELAY = { url: 'https://relay.example/x', identity: bytes(8) };

const fresh = (): Transaction => new Transaction(new State(), 1_000_000, new SeededRandom(1), 0);
const conversation = (fields: Partial<Conversation>): Conversation =>
  ({ id: CHAT, kind: ConversationKind.group, gone: [], past: [], position: 0, ...fields }) as Conversation;

function members(kind: ConversationKind, ...identities: Uint8Array[]): Membership {
  const info = { kind, name: '', admins: [], relays: [RELAY], retentionDays: 30, membersAdd: false };
  const leaves = identities.map((identity, leaf) => ({ leaf, identity, signatureKey: bytes(0) }));
  return { info, ownLeaf: 0, suite: 1, members: leaves, group: CHAT };
}

describe('receipts', async () => {
  const seed = bytes(7);
  const relay = await publicKey(seed);
  const [topic, slot, record] = [bytes(4), bytes(5, 16), bytes(6, 512)];
  const body = { topic, slot, position: 0, seq: 3, recordHash: recordHash(record) };
  const entry: Entry = { seq: 3, time: 1, record, slot, receipt: await signReceipt(seed, body) };

  it('count with the signature of the relay over this very place', async () => {
    expect(await receiptIsSigned(relay, topic, entry)).toBe(true);
    for (const [other, changed] of [
      [bytes(1), entry],
      [topic, { ...entry, seq: 4 }],
      [topic, { ...entry, record: bytes(7, 512) }],
      [topic, { ...entry, blobs: [bytes(1)] }],
      [topic, { ...entry, receipt: undefined }],
      [topic, { ...entry, receipt: { position: 1, signature: entry.receipt!.signature } }],
    ] as const) {
      expect(await receiptIsSigned(relay, other, changed)).toBe(false);
    }
    expect(await receiptIsSigned(bytes(1), topic, entry)).toBe(false);
  });

  it('are judged one after the other', () => {
    expect(positionIsNext(conversation({ position: 0 }), entry)).toBe(true);
    expect(positionIsNext(conversation({ position: 1 }), entry)).toBe(false);
    expect(positionIsNext(conversation({ position: 0 }), { ...entry, receipt: undefined })).toBe(false);
  });

  it('contradict each other by another seq or record', () => {
    const known = { seq: 3, recordHash: recordHash(record), signature: bytes(0, 64) };
    expect(receiptsContradict(known, entry)).toBe(false);
    expect(receiptsContradict({ ...known, seq: 4 }, entry)).toBe(true);
    expect(receiptsContradict({ ...known, recordHash: bytes(1) }, entry)).toBe(true);
  });
});

it('drops what a removed member writes on, and nothing that it wrote before', () => {
  const gone = [{ leaf: 2, epoch: 5, time: 100 }];
  expect(senderWasRemoved(gone, 2, 4, 100)).toBe(true);
  expect(senderWasRemoved(gone, 2, 4, 99)).toBe(false);
  expect(senderWasRemoved(gone, 2, 5, 100)).toBe(false);
  expect(senderWasRemoved(gone, 1, 4, 100)).toBe(false);
});

it('sees another history by its head, and by a position that is none', () => {
  const t = fresh();
  const [topic, head] = [bytes(4), bytes(5)];
  t.put(CHAIN, at(topic, 3), head);
  const place = { topic, order: 7, seq: 7, time: 1, recordHash: bytes(0) };
  const differs = (fields: Partial<Message>): boolean =>
    historyDiffers(t, { topic, seq: 3, head, ...fields } as Message, place);
  expect(differs({})).toBe(false);
  expect(differs({ head: bytes(6) })).toBe(true);
  expect(differs({ seq: 2, head: bytes(6) })).toBe(false);
  expect(differs({ seq: 7 })).toBe(true);
  expect(differs({ topic: bytes(1), seq: 9 })).toBe(false);
});

it('takes a body from a blob that the entry names, no other', () => {
  const entry = { seq: 1, time: 1, record: bytes(0, 512), blobs: [bytes(1), bytes(2)] };
  expect(blobIsNamed(entry, bytes(2))).toBe(true);
  expect(blobIsNamed(entry, bytes(3))).toBe(false);
  expect(blobIsNamed({ ...entry, blobs: undefined }, bytes(2))).toBe(false);
});

describe('a Welcome', () => {
  it('is joined from contacts and from those whom we asked', () => {
    const t = fresh();
    const person = { name: '', verified: false, named: false };
    expect(adderIsKnown(t, ANNA)).toBe(false);
    t.put(PERSON, ANNA, { ...person, identity: ANNA, accepted: true, blocked: false });
    t.put(PERSON, BORIS, { ...person, identity: BORIS, accepted: true, blocked: true });
    t.put(PERSON, CLARA, { ...person, identity: CLARA, accepted: false, blocked: false });
    expect([ANNA, BORIS, CLARA].map((adder) => adderIsKnown(t, adder))).toEqual([true, false, false]);
    const id = bytes(1, 16);
    const link = { version: 1, relay: bytes(8), card: bytes(1), secret: id };
    const card = { identity: CLARA, name: '', inbox: bytes(0), publicKey: bytes(0, 1216), expires: 1 };
    for (const [state, known] of [[1, false], [2, false], [3, true], [4, true], [5, false], [6, false]] as const) {
      t.put(OPENED, id, { id, link, relay: RELAY, state, card });
      expect(adderIsKnown(t, CLARA), String(state)).toBe(known);
    }
  });

  it('brings a stuck member back from a member of its last epoch only', () => {
    const t = fresh();
    t.put(MEMBERSHIP, CHAT, members(ConversationKind.group, ANNA, BORIS));
    const stuck = conversation({ state: ConversationState.stuck });
    expect(adderMayAddAgain(t, stuck, BORIS)).toBe(true);
    expect(adderMayAddAgain(t, stuck, CLARA)).toBe(false);
    expect(adderMayAddAgain(t, conversation({ state: ConversationState.removed }), BORIS)).toBe(false);
    expect(adderMayAddAgain(t, undefined, BORIS)).toBe(false);
  });

  it('never replaces a living conversation, nor one of an older epoch', () => {
    const { stuck, left, removed, active, moving, leaving, closed, fraud } = ConversationState;
    for (const state of [stuck, left, removed]) {
      expect(joinedIsNew(conversation({ state }), true)).toBe(true);
      expect(joinedIsNew(conversation({ state }), false)).toBe(false);
    }
    for (const state of [active, moving, leaving, closed, fraud]) {
      expect(joinedIsNew(conversation({ state }), true)).toBe(false);
    }
  });

  it('is ahead by a later epoch of the group in force, or by a group that is not over', () => {
    const t = fresh();
    const [present, over, promised, unknown] = [bytes(10, 16), bytes(11, 16), bytes(12, 16), bytes(13, 16)];
    t.put(CONVERSATION, CHAT, conversation({ epoch: 6 }));
    t.put(MEMBERSHIP, CHAT, { ...members(ConversationKind.group, ANNA), group: present, successor: promised });
    for (const name of [over, present, promised]) t.put(SUCCESSOR, name, CHAT);
    const ahead = (groupId: Uint8Array, epoch: number): boolean =>
      isAhead(t, conversation({ epoch: 6 }), { groupId, epoch });
    expect([ahead(present, 6), ahead(present, 7)]).toEqual([false, true]);
    expect([ahead(CHAT, 99), ahead(over, 99)]).toEqual([false, false]);
    expect([ahead(promised, 1), ahead(unknown, 1)]).toEqual([true, true]);
    expect(conversationOf(t, over)).toEqual(CHAT);
    expect(conversationOf(t, unknown)).toBeUndefined();
    expect(conversationOf(t, unknown, [bytes(14, 16), over])).toEqual(CHAT);
    // A ReInit may name any id: it leads to no other conversation than the one that has it.
    t.put(SUCCESSOR, CHAT, bytes(15, 16));
    expect(conversationOf(t, CHAT)).toEqual(CHAT);
    t.remove(CONVERSATION, CHAT);
    expect(conversationOf(t, over)).toBeUndefined();
  });

  it('to a direct conversation is for two', () => {
    const { direct, group } = ConversationKind;
    expect(directIsOfTwo(members(direct, BORIS, ANNA), BORIS, ANNA)).toBe(true);
    expect(directIsOfTwo(members(direct, BORIS, ANNA, CLARA), BORIS, ANNA)).toBe(false);
    expect(directIsOfTwo(members(direct, BORIS, CLARA), BORIS, ANNA)).toBe(false);
    expect(directIsOfTwo(members(direct, ANNA), ANNA, ANNA)).toBe(false);
    expect(directIsOfTwo(members(group, BORIS, ANNA, CLARA), BORIS, ANNA)).toBe(true);
  });
});

it('shows nothing that a blocked person writes to us alone', () => {
  const t = fresh();
  const person = { identity: BORIS, name: '', accepted: true, verified: false, named: false };
  const direct = conversation({ kind: ConversationKind.direct });
  expect(isBlockedDirect(t, direct, BORIS)).toBe(false);
  t.put(PERSON, BORIS, { ...person, blocked: true });
  expect(isBlockedDirect(t, direct, BORIS)).toBe(true);
  expect(isBlockedDirect(t, conversation({}), BORIS)).toBe(false);
});

it('sends no content that is empty, over its limit, or not for people to send', async () => {
  const target = bytes(1, 16);
  const good: Content[] = [{ type: 'Text', text: 'x' }, { type: 'Reaction', target, emoji: '' }, { type: 'Delete', target }];
  for (const content of good) await checkContent(content);
  const bad: Content[] = [
    { type: 'Text', text: ' \n' },
    { type: 'Text', text: 'x'.repeat(16_385) },
    { type: 'Text', text: '\ud800' },
    { type: 'Edit', target, text: '' },
    { type: 'Reaction', target: bytes(1, 15), emoji: 'x' },
    { type: 'Profile', name: 'x' },
    { type: 'ReceiptContent', kind: 1, ids: [] },
    { type: 'Unknown', tag: 99 },
  ];
  for (const content of bad) await expect(checkContent(content)).rejects.toMatchObject({ code: 'bad-content' });
});

// ---- what needs a world ----

const meOf = (party: Party): Me => decodeMe(party.rows.get('me ') as Uint8Array);

async function friends(seed: number): Promise<[World, Party, Party, Uint8Array]> {
  const world = await World.make(seed);
  const [anna, boris] = [await world.person('anna'), await world.person('boris')];
  await world.settle();
  return [world, anna, boris, await world.befriend(anna, boris)];
}

it('believes no old hint that somebody types', async () => {
  const [world, anna, boris, chat] = await friends(41);
  const row = decodeConversation(anna.rows.get(`conversation ${hex(chat)}`) as Uint8Array);
  const { id } = decodeTopic(anna.rows.get(`topic ${hex(row.topic)}`) as Uint8Array);
  const key = ephemeralKey(anna.storedGroup(chat));
  const relay = world.relay.address.identity;
  const hint = async (sent: number, leaf: number): Promise<void> => {
    const message = { leaf, sent, content: { type: 'Typing', active: true } } as const;
    const body = await sealEphemeral(key, id, message, new SeededRandom(sent));
    await boris.handle({ type: 'EphemeralPushed', relay, push: { type: 'EphemeralPush', topic: id, body } });
  };
  const shown = { type: 'TypingChanged', conversation: chat, identity: anna.id, active: true };
  await hint(world.now - 61_000, 0);
  await hint(world.now + 61_000, 0);
  await hint(world.now, 1);
  await hint(world.now, 7);
  expect(boris.notified).not.toContainEqual(shown);
  await hint(world.now, 0);
  expect(boris.notified).toContainEqual(shown);
});

describe('an invite', () => {
  /** What `stranger` drops into the inbox of anna's invite. */
  async function dropped(world: World, anna: Party, link: InviteLink, message: InboxMessage): Promise<void> {
    const key = hex(link.card.slice(0, 16));
    const { inbox, privateKey } = decodeInvite(anna.rows.get(`invite ${key}`) as Uint8Array);
    const publicKeyOf = await XWING.publicKey(privateKey);
    const record = await sealContactRequest(publicKeyOf, link.card, inbox, message, new SeededRandom(5));
    await world.relay.answer(new Session(), { type: 'Drop', inbox, record }, world.now);
    await world.settle();
  }

  it('brings contact requests, nothing else', async () => {
    const [world, anna] = await friends(42);
    const link = await world.invite(anna);
    await dropped(world, anna, link, { type: 'WelcomeMessage', welcome: bytes(0), roster: [] });
    await dropped(world, anna, link, { type: 'ReAddRequest', body: bytes(0), signature: bytes(0, 64) });
    expect([...anna.core.counters().keys()].filter((reason) => /^(welcome|readd)/.test(reason))).toEqual([]);
  });

  it('brings no request of a blocked person', async () => {
    const [world, anna] = await friends(43);
    const clara = await world.person('clara');
    await world.settle();
    const link = await world.invite(anna);
    const own = meOf(clara);
    const reach = { relay: own.relay, inbox: bytes(0), inboxKey: bytes(0), owners: [], packageKey: bytes(0) };
    const request: InboxMessage = await signContactRequest(own.identitySecret, {
      card: link.card,
      identity: own.identity,
      name: own.name,
      devices: own.devices,
      reach,
    });
    await dropped(world, anna, link, request);
    expect(anna.core.requests()).toHaveLength(1);
    await anna.do({ type: 'BlockRequest', id: anna.core.requests()[0]!.id });
    const again = await world.invite(anna);
    await world.ask(clara, again);
    expect(anna.core.requests()).toEqual([]);
    expect(anna.core.counters().get('request-blocked')).toBe(1);
  });
});
