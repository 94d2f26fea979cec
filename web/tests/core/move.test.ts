/** Groups that go on in a group of another suite (protocol.md section 5.7). */
import { describe, expect, it } from 'vitest';
import { FORMER, SUCCESSOR } from '../../src/core/tables.ts';
import { RefusalCode, SUITE_X25519, SUITE_XWING } from '../../src/wire/messages.ts';
import { presentOf, step } from './hostile.ts';
import { bothWays, DAY, founded, HOUR, makeAdmin, move, moved, online, suiteOf, twoAdminsWait, untilMoving, vanish } from './moves.ts';
import type { Crash, Party, World } from './world.ts';

type Three = [World, Uint8Array, Party, Party, Party];
const three = async (seed: number): Promise<Three> => (await founded(seed)) as Three;

describe('a group', () => {
  it('moves there and back, and nothing is lost', async () => {
    const [world, chat, anna, boris, clara] = await three(501);
    const people = [anna, boris, clara];
    expect(people.map((party) => party.view(chat).canMove)).toEqual([true, false, false]);
    for (const party of people) await party.say(chat, `${party.name} before`);
    await world.settle();
    await move(anna, chat);
    for (const party of people) await party.say(chat, `${party.name} at once`);
    await untilMoving(world, chat, anna);
    for (const party of people) await party.say(chat, `${party.name} during`);
    await world.settle();
    for (const party of people) await party.say(chat, `${party.name} after`);
    await world.settle();
    moved(world, chat, SUITE_X25519, ...people);
    const said = people.flatMap(({ name }) => ['before', 'at once', 'during', 'after'].map((when) => `${name} ${when}`));
    for (const party of people) expect([...party.texts(chat)].sort()).toEqual(said.sort());

    await move(anna, chat, SUITE_XWING);
    await world.settle();
    await bothWays(world, chat, ...people);
    for (const party of people) {
      expect(suiteOf(world, party, chat)).toBe(SUITE_XWING);
      expect(party.system(chat).filter((kind) => kind === 'suite')).toHaveLength(2);
    }
    const text = (party: Party): (string | undefined)[] =>
      party.messages(chat).flatMap(({ content }) => (content.type === 'System' && content.kind === 'suite' ? [content.text] : []));
    expect(text(boris)).toEqual(['classical', 'post-quantum']);
  });

  it('is followed by who was away, and by who joins later', async () => {
    const [world, chat, anna, boris, clara, david] = (await founded(502, 4)) as [...Three, Party];
    await anna.do({ type: 'RemoveMember', conversation: chat, identity: david.id });
    await world.settle();
    await clara.goOffline();
    await clara.say(chat, 'from afar');
    await boris.say(chat, 'before');
    await move(anna, chat);
    await world.settle();
    await boris.say(chat, 'after');
    await world.settle();
    await online(world, clara);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
    expect([...anna.texts(chat)].sort()).toEqual(['after', 'before', 'from afar']);
    expect([david.view(chat).state, david.texts(chat)]).toEqual(['removed', []]);
    await anna.do({ type: 'AddMembers', conversation: chat, identities: [david.id] });
    await world.settle();
    await bothWays(world, chat, anna, boris, clara, david);
    expect(david.system(chat)).toContain('suite');
    expect(presentOf(step(world, david), chat).group).not.toEqual(chat);
  });

  it('lets go of the group before in time', async () => {
    const [world, chat, anna, boris, clara] = await three(503);
    await move(anna, chat);
    await world.settle();
    const kept = (party: Party): number[] => {
      const t = step(world, party);
      return [t.keys(FORMER, chat).length, t.keys({ name: 'group' }, chat).length, t.keys(SUCCESSOR).length];
    };
    for (const party of [anna, boris, clara]) expect(kept(party)).toEqual([1, 2, 1]);
    await boris.crash();
    await world.sleep(15 * DAY);
    for (const party of [anna, boris, clara]) expect(kept(party)).toEqual([0, 1, 1]);
    await bothWays(world, chat, anna, boris, clara);
    await clara.do({ type: 'Leave', conversation: chat });
    await world.settle(120_000);
    await clara.do({ type: 'DeleteConversation', conversation: chat });
    expect(kept(clara)).toEqual([0, 0, 0]);
  });
});

describe('who may and who may not', () => {
  it('is told in plain codes', async () => {
    const [world, chat, anna, boris] = await three(504);
    const code = (party: Party, conversation: Uint8Array, suite: number): Promise<unknown> =>
      party.do({ type: 'MoveSuite', conversation, suite }).then(() => null, (error: { code: string }) => error.code);
    expect(await code(boris, chat, SUITE_X25519)).toBe('not-admin');
    expect(await code(anna, anna.direct(boris), SUITE_X25519)).toBe('not-group');
    expect(await code(anna, chat, 2)).toBe('suite-unknown');
    expect(await code(anna, chat, SUITE_XWING)).toBe('suite-in-force');
    expect(await code(anna, chat, SUITE_X25519)).toBeNull();
    await untilMoving(world, chat, anna);
    expect(await code(anna, chat, SUITE_X25519)).toBe('moving');
    await expect(anna.do({ type: 'DeleteConversation', conversation: chat })).rejects.toMatchObject({ code: 'leave-first' });
  });
});

describe('where somebody dies', () => {
  it('the next admin founds the successor in turn', async () => {
    const [world, chat, anna, boris, clara] = await twoAdminsWait(505);
    expect(boris.view(chat)).toMatchObject({ state: 'moving', canSend: true, canMove: false, canAdd: false });
    await world.sleep(2 * HOUR + 600_000);
    expect([boris, clara].map((party) => party.view(chat).state)).toEqual(['active', 'active']);
    await online(world, anna);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });

  it('members do after a day where the only admin is gone, and she goes on there', async () => {
    const [world, chat, anna, boris, clara] = await three(506);
    await move(anna, chat);
    await vanish(world, anna, chat, 1);
    await world.settle();
    await boris.say(chat, 'is anybody there');
    await boris.crash();
    await world.sleep(DAY);
    expect([boris, clara].map((party) => party.view(chat).state)).toEqual(['moving', 'moving']);
    expect(clara.texts(chat)).toEqual([]);
    await world.sleep(3 * HOUR);
    expect(clara.texts(chat)).toEqual(['is anybody there']);
    expect(clara.view(chat).members.filter(({ admin }) => admin).map(({ name }) => name)).toEqual(['anna']);
    await anna.say(chat, 'back again');
    await online(world, anna);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });

  it('after its word everything is in the log', async () => {
    const [world, chat, anna, boris, clara] = await three(507);
    await move(anna, chat);
    await vanish(world, anna, chat, 2);
    await world.settle();
    await bothWays(world, chat, boris, clara);
    await online(world, anna);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });
});

describe('at the same time', () => {
  it.each([511, 512, 513])('two admins move, and the slot decides (%i)', async (seed) => {
    const [world, chat, anna, boris, clara] = await three(seed);
    await makeAdmin(world, chat, anna, boris);
    for (const party of [anna, boris]) {
      await move(party, chat);
      await party.say(chat, `moved by ${party.name}`);
    }
    await world.settle();
    moved(world, chat, SUITE_X25519, anna, boris, clara);
    expect([...clara.texts(chat)].sort()).toEqual(['moved by anna', 'moved by boris']);
  });

  it('two found a successor, and the slot decides', async () => {
    const [world, chat, anna, boris, clara] = await twoAdminsWait(514);
    await boris.goOffline();
    await world.sleep(3 * HOUR);
    await online(world, anna, boris);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });

  it('wishes wait until it is done', async () => {
    const [world, chat, anna, boris, clara, david] = (await founded(515, 4)) as [...Three, Party];
    await makeAdmin(world, chat, anna, boris);
    await move(anna, chat);
    await vanish(world, anna, chat, 1);
    await world.settle();
    await boris.do({ type: 'Rename', conversation: chat, name: 'lake' });
    await boris.do({ type: 'RemoveMember', conversation: chat, identity: clara.id });
    await boris.say(chat, 'not for clara');
    await david.do({ type: 'Leave', conversation: chat });
    expect(david.view(chat).canSend).toBe(false);
    await world.settle();
    expect([boris, clara, david].map((party) => party.view(chat).state)).toEqual(['moving', 'moving', 'moving']);
    anna.online = true;
    await world.settle(120_000);
    for (const party of [anna, boris]) {
      expect(party.view(chat)).toMatchObject({ name: 'lake', state: 'active', pendingOperations: 0 });
      expect(party.members(chat)).toEqual(['anna', 'boris']);
      expect(party.texts(chat)).toEqual(['not for clara']);
    }
    expect([clara.view(chat).state, david.view(chat).state]).toEqual(['removed', 'left']);
    expect(clara.texts(chat)).toEqual([]);
  });

  it('who was leaving says so again', async () => {
    const [world, chat, anna, boris, clara] = await three(516);
    await clara.goOffline();
    await clara.do({ type: 'Leave', conversation: chat });
    await move(anna, chat);
    await world.settle();
    clara.online = true;
    await world.settle(120_000);
    expect(clara.view(chat).state).toBe('left');
    moved(world, chat, SUITE_X25519, anna, boris);
  });

  it.each([false, true])('who leaves while nobody founds has left in the end (after a restart: %s)', async (restarted) => {
    const [world, chat, anna, boris, clara] = await three(521);
    await move(anna, chat);
    await vanish(world, anna, chat, 1);
    await world.settle();
    await boris.goOffline();
    await clara.do({ type: 'Leave', conversation: chat });
    await clara.goOffline();
    if (restarted) await clara.crash();
    await world.sleep(13 * DAY);
    expect(clara.view(chat).state).toBe('moving');
    await world.sleep(2 * DAY);
    expect(clara.view(chat).state).toBe('left');
  });
});

describe('who cannot come along', () => {
  it('stops the move before it begins', async () => {
    const [world, chat, anna, boris, clara] = await three(517);
    const give = world.relay.answer.bind(world.relay);
    world.relay.answer = (session, request, now) =>
      request.type === 'TakeKeyPackage' ? Promise.resolve({ type: 'Refused', code: RefusalCode.noKeyPackage }) : give(session, request, now);
    await move(anna, chat);
    await anna.say(chat, 'we stay');
    await world.settle();
    expect(anna.view(chat)).toMatchObject({ state: 'active', problem: 'cannot-move', canMove: true, pendingOperations: 0 });
    expect(clara.texts(chat)).toEqual(['we stay']);
    world.relay.answer = give;
    await move(anna, chat);
    await world.settle();
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });

  it('is added to the successor: one who cannot follow the ReInit', async () => {
    const [world, chat, anna, boris, clara] = await three(518);
    clara.losesKeys(chat);
    await clara.crash();
    await world.settle();
    await move(anna, chat);
    await clara.say(chat, 'waits');
    await world.sleep(2 * HOUR);
    expect(clara.notified).toContainEqual({ type: 'ProblemRaised', conversation: chat, code: 'stuck' });
    moved(world, chat, SUITE_X25519, anna, boris, clara);
    expect(boris.texts(chat)).toEqual(['waits']);
  });

  it('is added to the successor: one whose key packages are lost', async () => {
    const [world, chat, anna, boris, clara] = await three(519);
    for (const place of clara.rows.keys()) if (place.startsWith('package ')) clara.rows.delete(place);
    await clara.crash();
    await move(anna, chat);
    await world.sleep(2 * HOUR);
    expect(clara.notified).toContainEqual({ type: 'ProblemRaised', conversation: chat, code: 'stuck' });
    moved(world, chat, SUITE_X25519, anna, boris, clara);
  });
});

describe('a crash', () => {
  /** As in world.test.ts: together they cross every step of the founder and of one who joins. */
  const cases = [0, 1, 2, 3].flatMap((shift): [number, Crash][] => [[shift, 'saved'], [shift, 'called']]);

  it.each(cases)('at every fourth step from %i, when it has %s, loses nothing and does nothing twice', async (shift, crash) => {
    const [world, chat, anna, boris, clara] = await three(520);
    for (const party of [anna, boris]) {
      const from = party.steps + 1 + shift;
      for (let at = from; at < from + 200; at += 4) party.crashAt.set(at, crash);
    }
    await boris.say(chat, 'before');
    await move(anna, chat);
    for (const party of [anna, boris, clara]) await party.say(chat, `${party.name} writes`);
    await world.settle(120_000);
    await clara.say(chat, 'after');
    await world.settle(120_000);
    moved(world, chat, SUITE_X25519, anna, boris, clara);
    expect([...anna.texts(chat)].sort()).toEqual(['after', 'anna writes', 'before', 'boris writes', 'clara writes']);
    for (const party of [anna, boris]) expect(party.crashes).toBeGreaterThan(4);
  });
});
