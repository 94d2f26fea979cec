/** The core without its rest: it reaches a first message, and a step that needs more leaves nothing behind. */
import { describe, expect, it, vi } from 'vitest';
import type { Command } from '../../src/core/commands.ts';
import type { Core } from '../../src/core/core.ts';
import type { Event } from '../../src/core/events.ts';
import type { ConversationView } from '../../src/core/views.ts';
import { hex } from '../../src/crypto/bytes.ts';
import { SeededRandom } from '../support/seeded.ts';
import { type Party, World } from './world.ts';

/** The core's modules once more, with nothing of the rest in them. */
interface Bare {
  readonly make: typeof Core;
  readonly isMissing: (error: unknown) => boolean;
  readonly loadRest: () => Promise<void>;
}

async function bare(): Promise<Bare> {
  vi.resetModules();
  const { Core: make } = await import('../../src/core/core.ts');
  const { RestMissing } = await import('../../src/core/provided.ts');
  return {
    make,
    isMissing: (error) => error instanceof RestMissing,
    loadRest: async () => void (await import('../../src/core/rest.ts')),
  };
}

const shown = ({ core }: Party): string =>
  JSON.stringify([core.me(), core.conversations(), core.contacts(), core.openedInvites(), core.relays()]);

const NOW = 1_790_000_000_000;
const RELAY = { url: 'https://relay.example', identity: new Uint8Array(32).fill(7) };
type Row = [table: string, key: Uint8Array, value: Uint8Array];

function rowsOf(commands: readonly Command[]): Row[] {
  return commands.flatMap((one): Row[] => (one.type === 'Save' && one.value ? [[one.table, one.key, one.value]] : []));
}

describe('an invited person', () => {
  it('comes to a first message without the rest, and goes on when it is there', async () => {
    const world = await World.make(41);
    const { make, isMissing, loadRest } = await bare();
    const [anna, boris] = [await world.person('anna'), await world.person('boris', make)];
    const needed: string[] = [];
    boris.onFailure = async (error, event, again) => {
      if (!isMissing(error)) throw error;
      needed.push(event.type);
      await loadRest();
      return again();
    };
    await world.settle();
    await world.ask(boris, await world.invite(anna), 'It is me.');
    expect(needed).toEqual([]);
    await anna.do({ type: 'AcceptRequest', id: anna.core.requests()[0]!.id });
    await world.settle(1_000);
    expect(needed).toEqual([]);
    const [{ id: chat }] = boris.core.conversations() as [ConversationView];
    expect(boris.view(chat)).toMatchObject({ name: 'anna', state: 'active', canSend: true });
    await boris.goOffline();
    await boris.say(chat, 'hello');
    expect(needed).toEqual([]);
    boris.online = true;
    await world.settle();
    // Only the relay's answer to it needed more, or a word of anna's that it had arrived.
    expect(needed).toHaveLength(1);
    expect(['Answered', 'Pushed']).toContain(needed[0]);
    await anna.say(chat, 'hi');
    await world.settle();
    for (const party of [anna, boris]) expect(party.texts(chat)).toEqual(['hello', 'hi']);
    expect(boris.messages(chat)[0]).toMatchObject({ status: 'sent', delivered: [anna.id] });
    expect(new Set(boris.appended).size).toBe(boris.appended.length);
  });

  it('offers one key package before the rest is there, and a stock of both suites then', async () => {
    const world = await World.make(42);
    const { make, loadRest } = await bare();
    const boris = await world.person('boris', make);
    const kept = (): number => [...boris.rows.keys()].filter((place) => place.startsWith('package ')).length;
    await world.settle();
    expect(kept()).toBe(1);
    await loadRest();
    await world.settle(300_000);
    expect(kept()).toBe(2 * 21);
  });
});

it('stocks both suites also if the rest comes while the first is asked about', async () => {
  const world = await World.make(45);
  const { make, loadRest } = await bare();
  const boris = await world.person('boris', make);
  while (!boris.calls.some(({ call }) => call.request.type === 'PutKeyPackages')) expect(await world.step()).toBe(true);
  await loadRest();
  await world.settle(300_000);
  expect([...boris.rows.keys()].filter((place) => place.startsWith('package '))).toHaveLength(2 * 21);
});

describe('a step that needs the rest', () => {
  it('leaves state and commands as they were, deep into the step', async () => {
    const world = await World.make(43);
    const { make, isMissing, loadRest } = await bare();
    const [anna, boris] = [await world.person('anna'), await world.person('boris', make)];
    await world.settle();
    await world.ask(boris, await world.invite(anna));
    await anna.do({ type: 'AcceptRequest', id: anna.core.requests()[0]!.id });
    await world.settle(1_000);
    const [{ id: chat }] = boris.core.conversations() as [ConversationView];
    await boris.say(chat, 'hello');
    let failures = 0;
    boris.onFailure = async (error, event, again) => {
      expect(isMissing(error)).toBe(true);
      const before = shown(boris);
      for (let i = 0; i < 2; i++) {
        failures++;
        await expect(again(), event.type).rejects.toSatisfy(isMissing);
        expect(shown(boris)).toBe(before);
      }
      // Calls of steps that were undone would make the next one's number higher.
      await loadRest();
      const commands = await again();
      expect(shown(boris)).not.toBe(before);
      return commands;
    };
    await world.settle();
    expect(failures).toBe(2);
    expect(anna.texts(chat)).toEqual(['hello']);
    expect(boris.messages(chat)[0]?.status).toBe('sent');
  });

  it('does afterwards what it does where the rest was there all along', async () => {
    const { make, isMissing, loadRest } = await bare();
    const random = (): SeededRandom => new SeededRandom('a device');
    const first = await make.load([]);
    const started = await first.start(NOW, random());
    const registered = await first.handle({ type: 'CreateIdentity', name: 'Anna', relay: RELAY }, NOW, random());
    const rows = rowsOf([...started, ...registered]);
    const events: readonly Event[] = [
      { type: 'CreateInvite' },
      { type: 'CreateGroup', name: 'Family', members: [] },
      { type: 'SetName', name: 'Boris' },
      { type: 'Batch', actions: [{ type: 'CreateInvite' }], marks: [[new Uint8Array(4), new Uint8Array(1)]] },
    ];
    const cores = await Promise.all(events.map(() => make.load(rows)));
    for (const [i, event] of events.entries()) {
      await cores[i]!.start(NOW, random());
      await expect(cores[i]!.handle(event, NOW, random()), event.type).rejects.toSatisfy(isMissing);
    }
    await loadRest();
    for (const [i, event] of events.entries()) {
      const untouched = await make.load(rows);
      await untouched.start(NOW, random());
      const expected = await untouched.handle(event, NOW, random());
      expect(expected.length).toBeGreaterThan(1);
      expect(await cores[i]!.handle(event, NOW, random()), event.type).toEqual(expected);
    }
  });

  it('is also the loading of rows that only the rest reads', async () => {
    const { make, isMissing, loadRest } = await bare();
    const rows: Row[] = ['invite', 'group'].map((table) => [table, new Uint8Array(0), new Uint8Array(1)]);
    for (const row of rows) await expect(make.load([row])).rejects.toSatisfy(isMissing);
    await loadRest();
    for (const row of rows) await expect(make.load([row])).rejects.toMatchObject({ code: 'state-broken' });
    await expect(make.load([['of another version', new Uint8Array(1), new Uint8Array(1)]])).rejects.toMatchObject({
      code: 'state-too-new',
    });
  });

  it('is the start with conversations, which sets their timers', async () => {
    const world = await World.make(44);
    const [anna, boris] = [await world.person('anna'), await world.person('boris')];
    await world.settle();
    await world.befriend(anna, boris);
    const { make, isMissing, loadRest } = await bare();
    const rows = [...boris.rows].map(([place, value]): Row => {
      const [table = '', key = ''] = place.split(' ');
      return [table, Uint8Array.from(key.match(/../g) ?? [], (pair) => parseInt(pair, 16)), value];
    });
    const core = await make.load(rows.filter(([table]) => !['unread', 'group'].includes(table)));
    await expect(core.start(NOW, new SeededRandom(1))).rejects.toSatisfy(isMissing);
    await loadRest();
    const commands = await core.start(NOW, new SeededRandom(1));
    expect(commands).toContainEqual({ type: 'UseRelay', address: world.relay.address });
    expect(hex(core.conversations()[0]!.id)).toBe(hex(boris.direct(anna)));
  });
});
