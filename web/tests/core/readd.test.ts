/** A member who cannot follow stops, asks, and is added again; and what does not count as such a request. */
import { describe, expect, it } from 'vitest';
import { requestIsFresh } from '../../src/core/readd.ts';
import { RECEIVE_KEYS_LIFETIME } from '../../src/wire/messages.ts';
import type { VerifiedReAddRequest } from '../../src/wire/requests.ts';
import { type Party, World } from './world.ts';

async function people(world: World, ...names: string[]): Promise<Party[]> {
  const found: Party[] = [];
  for (const name of names) found.push(await world.person(name));
  await world.settle();
  for (const other of found.slice(1)) await world.befriend(found[0] as Party, other);
  return found;
}

/** The party's private tree keys are gone, as after a fault: it checks commits and cannot follow them. */
async function breakKeys(party: Party, chat: Uint8Array): Promise<void> {
  party.losesKeys(chat);
  await party.crash();
}

describe('a member who cannot follow', () => {
  it.each(['member', 'admin'])('is added again: a %s', async (role) => {
    const there = await World.make(31);
    const [anna, boris, clara] = (await people(there, 'anna', 'boris', 'clara')) as [Party, Party, Party];
    const chat = await there.group(anna, 'sea', boris, clara);
    await anna.do({ type: 'SetAdmin', conversation: chat, identity: boris.id, admin: true });
    await there.settle();
    const [stuck, other] = role === 'admin' ? [anna, boris] : [clara, anna];
    await breakKeys(stuck, chat);
    await there.settle();
    await other.do({ type: 'Rename', conversation: chat, name: 'lake' });
    await there.settle(1_000);
    expect(stuck.notified).toContainEqual({ type: 'ProblemRaised', conversation: chat, code: 'stuck' });
    await there.settle(120_000);
    await other.say(chat, 'welcome back');
    await stuck.say(chat, 'thank you');
    await there.settle();
    for (const party of [anna, boris, clara]) {
      expect([party.name, party.view(chat).state, party.view(chat).problem]).toEqual([party.name, 'active', null]);
      expect(party.members(chat)).toEqual(['anna', 'boris', 'clara']);
      expect([...party.texts(chat)].sort()).toEqual(['thank you', 'welcome back']);
      expect(party.view(chat).name).toBe('lake');
    }
  });
});

it('is not asked for by who wishes to leave', async () => {
  const there = await World.make(32);
  const [anna, boris, clara] = (await people(there, 'anna', 'boris', 'clara')) as [Party, Party, Party];
  const chat = await there.group(anna, 'sea', boris, clara);
  await breakKeys(clara, chat);
  await clara.goOffline();
  await clara.do({ type: 'Leave', conversation: chat });
  await anna.do({ type: 'Rename', conversation: chat, name: 'lake' });
  await there.settle();
  expect(clara.view(chat).state).toBe('leaving');
  clara.online = true;
  await there.settle(120_000);
  expect(clara.view(chat)).toMatchObject({ state: 'left', problem: null });
  await there.sleep(2 * 86_400_000);
  expect(clara.view(chat).state).toBe('left');
});

it('counts no request that somebody kept', () => {
  const now = 10 * RECEIVE_KEYS_LIFETIME;
  const request = { epoch: 5, time: now } as VerifiedReAddRequest;
  expect(requestIsFresh(request, 5, now)).toBe(true);
  expect(requestIsFresh(request, 4, now)).toBe(false);
  expect(requestIsFresh(request, 5, now + RECEIVE_KEYS_LIFETIME + 1)).toBe(false);
  expect(requestIsFresh(request, 5, now - RECEIVE_KEYS_LIFETIME - 1)).toBe(false);
});
