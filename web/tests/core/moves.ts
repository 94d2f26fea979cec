/** Groups on their way to another suite. */
import { expect } from 'vitest';
import { group } from '../../src/core/conversation.ts';
import { hex } from '../../src/crypto/bytes.ts';
import { SUITE_X25519, SUITE_XWING } from '../../src/wire/messages.ts';
import { presentOf, step, topicOf } from './hostile.ts';
import { type Party, World } from './world.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
const NAMES = ['anna', 'boris', 'clara', 'david'];

/** A world and a group of so many people with X-Wing, whose first member is its admin. */
export async function founded(seed: number, count = 3): Promise<[World, Uint8Array, ...Party[]]> {
  const world = await World.make(seed);
  const people: Party[] = [];
  for (const name of NAMES.slice(0, count)) people.push(await world.person(name));
  await world.settle();
  const [first, ...others] = people as [Party, ...Party[]];
  for (const other of others) await world.befriend(first, other);
  return [world, await world.group(first, 'sea', ...others), ...people];
}

export function suiteOf(world: World, party: Party, chat: Uint8Array): number {
  return presentOf(step(world, party), chat).suite;
}

export async function move(party: Party, conversation: Uint8Array, suite = SUITE_X25519): Promise<void> {
  await party.do({ type: 'MoveSuite', conversation, suite });
}

export async function makeAdmin(world: World, conversation: Uint8Array, by: Party, whom: Party): Promise<void> {
  await by.do({ type: 'SetAdmin', conversation, identity: whom.id, admin: true });
  await world.settle();
}

/** Until all of them have read the ReInit. */
export async function untilMoving(world: World, chat: Uint8Array, ...people: Party[]): Promise<void> {
  await world.until(() => people.every((party) => party.view(chat).state === 'moving'));
}

/** The party's device is gone as soon as the relay holds so many more slot records of the conversation's topic. */
export async function vanish(world: World, party: Party, chat: Uint8Array, count: number): Promise<void> {
  const { id } = topicOf(step(world, party), chat);
  const records = (): number => world.relay.topics.get(hex(id))!.entries.filter((entry) => entry.slot).length;
  const wanted = records() + count;
  await world.until(() => records() === wanted);
  await party.goOffline();
}

/** Anna has committed the ReInit and is gone; Boris, an admin too, and Clara wait. */
export async function twoAdminsWait(seed: number): Promise<[World, Uint8Array, Party, Party, Party]> {
  const [world, chat, anna, boris, clara] = (await founded(seed)) as [World, Uint8Array, Party, Party, Party];
  await makeAdmin(world, chat, anna, boris);
  await move(anna, chat);
  await vanish(world, anna, chat, 1);
  await world.settle();
  return [world, chat, anna, boris, clara];
}

export async function online(world: World, ...people: Party[]): Promise<void> {
  for (const party of people) party.online = true;
  await world.settle();
}

/** All have gone on in one group of that suite, agree on everything, and wait for nothing. */
export function moved(world: World, chat: Uint8Array, suite: number, ...people: Party[]): void {
  const groups = new Set<string>();
  const texts = new Set<string>();
  for (const party of people) {
    const view = party.view(chat);
    const seen = [party.name, view.state, view.problem, view.pendingOperations, view.postQuantum];
    expect(seen).toEqual([party.name, 'active', null, 0, suite === SUITE_XWING]);
    const present = group(step(world, party), chat);
    expect([party.name, present.suite.id]).toEqual([party.name, suite]);
    groups.add(hex(present.groupId) + hex(present.epochAuthenticator));
    expect([party.name, party.messages(chat).filter(({ order }) => order === null)]).toEqual([party.name, []]);
    expect([party.name, party.system(chat).filter((kind) => kind === 'suite').length]).toEqual([party.name, 1]);
    expect(party.members(chat)).toEqual(people.map(({ name }) => name).sort());
    texts.add(JSON.stringify(party.texts(chat)));
    expect(new Set(party.appended).size).toBe(party.appended.length);
  }
  expect([groups.size, texts.size]).toEqual([1, 1]);
  expect([...groups].some((name) => name.startsWith(hex(chat)))).toBe(false);
}

/** Words reach everybody. */
export async function bothWays(world: World, chat: Uint8Array, ...people: Party[]): Promise<void> {
  for (const party of people) await party.say(chat, `${party.name} is there`);
  await world.settle();
  const wanted = people.map(({ name }) => `${name} is there`);
  for (const party of people) expect(party.texts(chat)).toEqual(expect.arrayContaining(wanted));
}
