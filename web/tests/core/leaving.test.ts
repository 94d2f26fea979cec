/** A wish to leave counts for the membership that it was made in, and for no other. */
import { expect, it } from 'vitest';
import { type Conversation, ConversationState, decodeMe, decodeMembership, type Membership } from '../../src/core/_state.ts';
import { overdue, proofIsSenders } from '../../src/core/leave.ts';
import { prove, wishedLeaves, wishes } from '../../src/core/leaveproofs.ts';
import { CONVERSATION, GROUP, MEMBERSHIP, TIMER } from '../../src/core/state.ts';
import { setTimers } from '../../src/core/timers.ts';
import { State, Transaction } from '../../src/core/transaction.ts';
import { item } from '../../src/core/work.ts';
import { hex } from '../../src/crypto/bytes.ts';
import { same } from '../../src/wire/bytes.ts';
import type { LeaveProof } from '../../src/wire/messages.ts';
import { signLeaveProof } from '../../src/wire/requests.ts';
import { SeededRandom } from '../support/seeded.ts';
import { rowOf, step } from './hostile.ts';
import { DAY } from './moves.ts';
import { type Party, World } from './world.ts';

async function three(seed: number): Promise<[World, Party, Party, Party, Uint8Array]> {
  const world = await World.make(seed);
  const [anna, boris, clara] = [await world.person('anna'), await world.person('boris'), await world.person('clara')];
  await world.settle();
  for (const other of [boris, clara]) await world.befriend(anna, other);
  return [world, anna, boris, clara, await world.group(anna, 'sea', boris, clara)];
}

const row = (party: Party, table: string, key: Uint8Array): Uint8Array =>
  party.rows.get(`${table} ${hex(key)}`) as Uint8Array;
const presentOf = (party: Party, chat: Uint8Array): Membership => decodeMembership(row(party, 'membership', chat));
const secretOf = (party: Party): Uint8Array => decodeMe(party.rows.get('me ') as Uint8Array).identitySecret;
const proofOf = (party: Party, chat: Uint8Array): Promise<LeaveProof> =>
  prove(party.storedGroup(chat), presentOf(party, chat).ownLeaf, secretOf(party));

it('is of the very leaf that is removed', async () => {
  const [, anna, boris, clara, chat] = await three(61);
  const [group, present] = [anna.storedGroup(chat), presentOf(anna, chat)];
  const good = await proofOf(clara, chat);
  const foreign = await proofOf(boris, chat);
  const member = present.members.find(({ identity }) => same(identity, clara.id))!;
  expect(await wishes(group, member, good)).toBe(true);
  expect(await wishedLeaves(group, present.members, [good])).toEqual(new Set([member.leaf]));
  const t = new Transaction(new State(), 1_000_000, new SeededRandom(1), 0);
  t.put(MEMBERSHIP, chat, present);
  t.put(GROUP, chat, { group: anna.storedGroup(chat) });
  expect(await proofIsSenders(t, chat, clara.id, good)).toBe(true);
  expect(await proofIsSenders(t, chat, boris.id, good)).toBe(false);
  for (const bad of [
    foreign,
    { ...good, leaves: [] },
    { ...good, leaves: foreign.leaves },
    { ...good, signature: new Uint8Array(64) },
    await signLeaveProof(secretOf(clara), new Uint8Array(16), good.leaves),
  ]) {
    expect(await wishes(group, member, bad)).toBe(false);
    expect((await wishedLeaves(group, present.members, [bad])).has(member.leaf)).toBe(false);
    expect(await proofIsSenders(t, chat, clara.id, bad)).toBe(false);
  }
  expect(await proofIsSenders(t, chat, clara.id, undefined)).toBe(false);
});

it('is void after coming back', async () => {
  const [world, anna, boris, clara, chat] = await three(62);
  const before = await proofOf(clara, chat);
  await clara.do({ type: 'Leave', conversation: chat });
  await world.settle();
  expect(presentOf(anna, chat).members).toHaveLength(2);
  await anna.do({ type: 'AddMembers', conversation: chat, identities: [clara.id] });
  await world.settle();
  const member = presentOf(boris, chat).members.find(({ identity }) => same(identity, clara.id))!;
  expect(await wishes(boris.storedGroup(chat), member, before)).toBe(false);
  expect(await wishes(boris.storedGroup(chat), member, await proofOf(clara, chat))).toBe(true);
});

it('is made again where a change of our own was under way', async () => {
  const [world, anna, boris, clara, chat] = await three(63);
  await anna.do({ type: 'Rename', conversation: chat, name: 'lake' }, { type: 'Leave', conversation: chat });
  await world.sleep(120_000);
  expect(anna.core.conversation(chat)?.state).toBe('left');
  for (const party of [boris, clara]) {
    expect(party.core.conversation(chat)).toMatchObject({ name: 'lake', state: 'active' });
    expect(presentOf(party, chat).members).toHaveLength(2);
  }
});

it.each([false, true])('is enough after 14 days where nobody commits it (after a restart: %s)', async (restarted) => {
  const [world, anna, boris, clara, chat] = await three(64);
  for (const other of [anna, boris]) await other.goOffline();
  await clara.do({ type: 'Leave', conversation: chat });
  await world.settle();
  if (restarted) await clara.crash();
  await world.sleep(13 * DAY);
  expect(clara.view(chat).state).toBe('leaving');
  await world.sleep(2 * DAY);
  expect(clara.view(chat).state).toBe('left');
});

it('has a timer, and is overdue, only in a conversation that we still wish to leave', async () => {
  const [world, , , clara, chat] = await three(65);
  const { active, leaving, left, moving, stuck } = ConversationState;
  const since = world.now;
  const cases: [Partial<Conversation>, ConversationState][] = [
    [{ state: leaving, since }, left],
    [{ state: moving, since }, left],
    [{ state: moving }, moving],
    [{ state: active }, active],
    [{ state: stuck, since }, stuck],
  ];
  for (const [fields, after] of cases) {
    const t = step(world, clara);
    t.put(CONVERSATION, chat, { ...rowOf(t, chat), ...fields });
    setTimers(t);
    expect([fields, t.state.rows(TIMER).has(item('left', chat))]).toEqual([fields, after === left]);
    overdue(t, chat);
    expect([fields, rowOf(t, chat).state]).toEqual([fields, after]);
  }
});
