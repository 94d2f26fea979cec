/** The core in TypeScript, against a relay in memory: what people do, and a crash after any step of it. */
import { describe, expect, it } from 'vitest';
import { hex } from '../../src/crypto/bytes.ts';
import { ConversationKind } from '../../src/wire/messages.ts';
import { type Crash, type Party, World } from './world.ts';

async function people(world: World, ...names: string[]): Promise<Party[]> {
  const found: Party[] = [];
  for (const name of names) found.push(await world.person(name));
  await world.settle();
  for (const other of found.slice(1)) await world.befriend(found[0] as Party, other);
  return found;
}

/** Members, name, order of messages, each message once, nothing that waits. */
function agree(chat: Uint8Array, ...parties: Party[]): void {
  const [first] = parties as [Party];
  for (const party of parties) {
    const view = party.view(chat);
    expect([party.name, view.state, view.problem]).toEqual([party.name, 'active', null]);
    if (view.kind === ConversationKind.group) expect(view.name).toBe(first.view(chat).name);
    expect([party.name, view.pendingOperations]).toEqual([party.name, 0]);
    expect(party.members(chat)).toEqual(first.members(chat));
    expect(party.messages(chat).filter((message) => message.order === null)).toEqual([]);
    const ids = party.messages(chat).flatMap(({ id, content }) => (content.type === 'System' ? [] : [hex(id)]));
    expect(new Set(ids).size).toBe(ids.length);
    const theirs = first.messages(chat).map((message) => hex(message.id));
    expect(ids.filter((id) => theirs.includes(id))).toEqual(theirs.filter((id) => ids.includes(id)));
  }
}

describe('two people', () => {
  it('meet by an invite and talk', async () => {
    const world = await World.make(1);
    const [anna, boris] = [await world.person('anna'), await world.person('boris')];
    await world.settle();
    await world.ask(boris, await world.invite(anna), 'It is me.');
    const [request] = anna.core.requests();
    expect([request?.name, request?.text]).toEqual(['boris', 'It is me.']);
    await anna.do({ type: 'AcceptRequest', id: request!.id });
    const chat = anna.direct(boris);
    expect(anna.view(chat).state).toBe('waiting-first');
    await anna.say(chat, 'hello');
    await world.settle();
    expect(hex(boris.direct(anna))).toBe(hex(chat));
    await boris.say(chat, 'hi');
    await world.settle();
    for (const party of [anna, boris]) expect(party.texts(chat)).toEqual(['hello', 'hi']);
    expect(boris.view(chat)).toMatchObject({ name: 'anna', unread: 1, canSend: true });
    const [hello] = anna.messages(chat);
    expect(hello).toMatchObject({ mine: true, status: 'sent', delivered: [boris.id], read: [] });
    await boris.do({ type: 'MarkRead', conversation: chat, upto: hello!.id });
    await world.settle();
    expect(anna.messages(chat)[0]?.read).toEqual([boris.id]);
    expect(boris.view(chat).unread).toBe(0);
    expect(anna.core.safetyNumber(chat).groups).toEqual(boris.core.safetyNumber(chat).groups);
    agree(chat, anna, boris);
  });

  it('edit, react and delete, and see each other type', async () => {
    const world = await World.make(2);
    const [anna, boris] = (await people(world, 'anna', 'boris')) as [Party, Party];
    const chat = anna.direct(boris);
    const id = await anna.say(chat, 'helo');
    await world.settle();
    await anna.do({ type: 'SendContent', conversation: chat, content: { type: 'Edit', target: id, text: 'hello' }, id: null });
    const emoji = '👍';
    await boris.do({ type: 'SendContent', conversation: chat, content: { type: 'Reaction', target: id, emoji }, id: null });
    await boris.do({ type: 'SetTyping', conversation: chat, active: true });
    await world.settle(1_000);
    expect(anna.notified).toContainEqual({ type: 'TypingChanged', conversation: chat, identity: boris.id, active: true });
    for (const party of [anna, boris]) {
      expect(party.texts(chat)).toEqual(['hello']);
      expect(party.messages(chat)[0]?.reactions).toMatchObject([{ identity: boris.id, emoji }]);
    }
    await world.settle();
    expect(anna.notified).toContainEqual({ type: 'TypingChanged', conversation: chat, identity: boris.id, active: false });
    await anna.do({ type: 'SendContent', conversation: chat, content: { type: 'Delete', target: id }, id: null });
    await world.settle();
    expect(boris.messages(chat)[0]).toMatchObject({ deleted: true, content: { text: '' } });
  });

  it('who accept each other at once go on in one conversation, and no word is lost', async () => {
    for (let seed = 30; seed < 34; seed++) {
      const world = await World.make(seed);
      const [anna, boris] = [await world.person('anna'), await world.person('boris')];
      await world.settle();
      await world.ask(boris, await world.invite(anna));
      await world.ask(anna, await world.invite(boris));
      for (const party of [anna, boris]) {
        await party.do({ type: 'AcceptRequest', id: party.core.requests()[0]!.id });
        await party.say(party.core.conversations()[0]!.id, `${party.name} first`);
      }
      await world.settle();
      const chat = anna.direct(boris);
      expect(hex(boris.direct(anna))).toBe(hex(chat));
      await anna.say(chat, 'second');
      await world.settle();
      agree(chat, anna, boris);
      for (const party of [anna, boris]) {
        const texts = party.core.conversations().flatMap((view) => party.texts(view.id));
        expect([party.name, ...texts.sort()]).toEqual([party.name, 'anna first', 'boris first', 'second']);
        const waiting = party.core.conversations().flatMap((view) => party.messages(view.id)).filter((m) => m.order === null);
        expect(waiting).toEqual([]);
      }
    }
  });

  it('part: who leaves has left, the other cannot write any more', async () => {
    const world = await World.make(3);
    const [anna, boris] = (await people(world, 'anna', 'boris')) as [Party, Party];
    const chat = anna.direct(boris);
    await boris.do({ type: 'Leave', conversation: chat });
    await world.settle();
    expect([boris.view(chat).state, anna.view(chat).state]).toEqual(['left', 'closed']);
    await expect(anna.say(chat, 'come back')).rejects.toMatchObject({ code: 'not-active' });
    await anna.do({ type: 'DeleteConversation', conversation: chat });
    expect(anna.core.conversation(chat)).toBeNull();
    expect(anna.messages(chat)).toEqual([]);
  });

  it('cannot be asked through an invite that is used or their own', async () => {
    const world = await World.make(4);
    const [anna, boris, clara] = [
      await world.person('anna'),
      await world.person('boris'),
      await world.person('clara'),
    ];
    await world.settle();
    const link = await world.invite(anna);
    await anna.do({ type: 'UseInvite', link, relay: world.relay.address });
    await world.settle();
    expect(anna.core.openedInvites()[0]?.problem).toBe('invite-own');
    await clara.do({ type: 'UseInvite', link, relay: world.relay.address });
    await world.ask(boris, link);
    await anna.do({ type: 'AcceptRequest', id: anna.core.requests()[0]!.id });
    await world.settle();
    await clara.do({ type: 'SendContactRequest', id: link.card.slice(0, 16), text: null });
    await world.settle();
    expect(clara.core.openedInvites()[0]).toMatchObject({ state: 'failed', problem: 'invite-used' });
    expect(anna.core.requests()).toEqual([]);
  });
});

describe('a group', () => {
  it('talks, gains and loses members, is renamed, is left', async () => {
    const world = await World.make(5);
    const [anna, boris, clara] = (await people(world, 'anna', 'boris', 'clara')) as [Party, Party, Party];
    const chat = await world.group(anna, 'sea', boris);
    await boris.say(chat, 'one');
    await anna.do({ type: 'AddMembers', conversation: chat, identities: [clara.id] });
    await world.settle();
    await clara.say(chat, 'two');
    await anna.do({ type: 'Rename', conversation: chat, name: 'lake' });
    await anna.do({ type: 'SetAdmin', conversation: chat, identity: clara.id, admin: true });
    await world.settle();
    agree(chat, anna, boris, clara);
    expect(boris.view(chat)).toMatchObject({ name: 'lake', myRole: 'member' });
    expect(clara.view(chat).myRole).toBe('admin');
    expect(clara.texts(chat)).toEqual(['two']);
    expect(anna.system(chat)).toEqual(['created', 'added', 'added', 'renamed', 'admin']);

    await clara.do({ type: 'RemoveMember', conversation: chat, identity: boris.id });
    await world.settle();
    await anna.say(chat, 'three');
    await world.settle();
    agree(chat, anna, clara);
    expect(anna.members(chat)).toEqual(['anna', 'clara']);
    expect(boris.view(chat).state).toBe('removed');
    expect(boris.texts(chat)).toEqual(['one', 'two']);
    await expect(boris.say(chat, 'let me in')).rejects.toMatchObject({ code: 'not-active' });

    await anna.do({ type: 'Leave', conversation: chat });
    await world.settle(120_000);
    expect(anna.view(chat).state).toBe('left');
    expect(clara.members(chat)).toEqual(['clara']);
    expect(clara.system(chat).at(-1)).toBe('left');
  });

  it('comes to one order when all write and change at once, some offline', { timeout: 60_000 }, async () => {
    const names = new Set<string>();
    for (let seed = 20; seed < 24; seed++) {
      const world = await World.make(seed);
      const [anna, boris, clara] = (await people(world, 'anna', 'boris', 'clara')) as [Party, Party, Party];
      const chat = await world.group(anna, 'sea', boris, clara);
      await anna.do({ type: 'SetAdmin', conversation: chat, identity: boris.id, admin: true });
      await world.settle();
      await clara.goOffline();
      await anna.do({ type: 'Rename', conversation: chat, name: 'lake' });
      await boris.do({ type: 'Rename', conversation: chat, name: 'pond' });
      for (const party of [anna, boris, clara]) await party.say(chat, party.name);
      await world.settle();
      clara.online = true;
      await world.settle();
      agree(chat, anna, boris, clara);
      expect([...clara.texts(chat)].sort()).toEqual(['anna', 'boris', 'clara']);
      names.add(clara.view(chat).name);
    }
    // Whoever comes first in the slot is followed, the other makes its change anew: the seeds draw both orders.
    expect([...names].sort()).toEqual(['lake', 'pond']);
  });

  it('takes back a member who was removed and added again', async () => {
    const world = await World.make(7);
    const [anna, boris, clara] = (await people(world, 'anna', 'boris', 'clara')) as [Party, Party, Party];
    const chat = await world.group(anna, 'sea', boris, clara);
    await clara.goOffline();
    await anna.do({ type: 'RemoveMember', conversation: chat, identity: clara.id });
    await world.settle();
    await anna.do({ type: 'AddMembers', conversation: chat, identities: [clara.id] });
    await world.settle();
    clara.online = true;
    await world.settle();
    await clara.say(chat, 'back');
    await world.settle();
    agree(chat, anna, boris, clara);
    expect(boris.texts(chat)).toEqual(['back']);
  });
});

describe('a crash', () => {
  /** Each run crashes the three at other steps; together they cross invites, founding, commits and messages. */
  const cases = [1, 2, 3, 4].flatMap((shift): [number, Crash][] => [[shift, 'saved'], [shift, 'called']]);

  it.each(cases)('at every fifth step from %i, when it has %s, loses nothing and does nothing twice', async (shift, crash) => {
    const world = await World.make(11);
    const parties = [await world.person('anna'), await world.person('boris'), await world.person('clara')] as const;
    const [anna, boris, clara] = parties;
    for (const party of parties) for (let step = shift + 1; step < 400; step += 5) party.crashAt.set(step, crash);
    await world.settle();
    const direct = await world.befriend(anna, boris);
    await anna.say(direct, 'one');
    await boris.say(direct, 'two');
    await world.settle();
    await world.befriend(anna, clara);
    const chat = await world.group(anna, 'sea', boris);
    await boris.say(chat, 'three');
    await anna.do({ type: 'AddMembers', conversation: chat, identities: [clara.id] });
    await world.settle();
    await clara.say(chat, 'four');
    await anna.do({ type: 'RemoveMember', conversation: chat, identity: boris.id });
    await anna.say(chat, 'five');
    await world.settle(120_000);
    agree(direct, anna, boris);
    agree(chat, anna, clara);
    expect([...anna.texts(direct)].sort()).toEqual(['one', 'two']);
    expect([...anna.texts(chat)].sort()).toEqual(['five', 'four', 'three']);
    expect(clara.texts(chat)).toEqual(anna.texts(chat).filter((text) => text !== 'three'));
    expect(boris.view(chat).state).toBe('removed');
    expect(boris.texts(chat)).not.toContain('five');
    for (const party of parties) expect(party.crashes).toBeGreaterThan(4);
  });
});
