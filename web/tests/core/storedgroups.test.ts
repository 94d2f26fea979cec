/** MLS groups among a device's rows: each part is one, and only what changed is written. */
import { describe, expect, it } from 'vitest';
import { encodeMeta, STATE_VERSION } from '../../src/core/_state.ts';
import type { Command, Save } from '../../src/core/commands.ts';
import { Core } from '../../src/core/core.ts';
import { cellGroup } from '../../src/core/groupcell.ts';
import { GROUP } from '../../src/core/state.ts';
import type { Transaction } from '../../src/core/transaction.ts';
import { hex, unhex } from '../../src/crypto/bytes.ts';
import { step } from './hostile.ts';
import { type Party, World } from './world.ts';

async function friends(seed: number): Promise<[World, Party, Party, Uint8Array]> {
  const world = await World.make(seed);
  const [anna, boris] = [await world.person('anna'), await world.person('boris')];
  await world.settle();
  return [world, anna, boris, await world.befriend(anna, boris)];
}

const savesOf = (commands: readonly Command[]): Save[] => commands.filter((one): one is Save => one.type === 'Save');
const groupRows = ({ rows }: Party): string[] => [...rows.keys()].filter((row) => row.startsWith('group '));
/** The keys of what a step saves of groups, and which of them it removes. */
const parts = (t: Transaction): [key: string, gone: boolean][] =>
  savesOf(t.commands()).filter(({ table }) => table === 'group').map(({ key, value }) => [hex(key), value === null]);

/** All that the party saves of groups from now on. */
function watch({ core }: Party): Save[] {
  const saves: Save[] = [];
  const handle = core.handle.bind(core);
  core.handle = async (...event) => {
    const commands = await handle(...event);
    saves.push(...savesOf(commands).filter(({ table }) => table === 'group'));
    return commands;
  };
  return saves;
}

describe('a group', () => {
  it('is a row for each part, under its key and how long that is', async () => {
    const [world, anna, , chat] = await friends(701);
    const group = anna.storedGroup(chat);
    const place = `group 10${hex(chat)}`;
    expect(groupRows(anna).sort()).toEqual([...group.parts().keys()].map((name) => place + name));
    expect(cellGroup(step(world, anna).get(GROUP, chat)!).parts()).toEqual(group.parts());
  });

  it('has one row written for a message, once its sender is known', async () => {
    const [world, anna, boris, chat] = await friends(702);
    for (const party of [anna, boris]) await party.say(chat, 'hello');
    await world.settle();
    const [sent, received] = [watch(boris), watch(anna)];
    const before = groupRows(anna).length;
    await boris.say(chat, 'again');
    await world.settle(1_000);
    const { epoch, ownLeafIndex } = boris.storedGroup(chat);
    const name = `04${epoch.toString(16).padStart(16, '0')}${ownLeafIndex.toString(16).padStart(8, '0')}01`;
    const own = `10${hex(chat)}${name}`;
    expect(sent.map(({ key }) => hex(key)).filter((key) => key === own).length).toBeGreaterThan(0);
    for (const save of received) {
      expect(hex(save.key).slice(0, 36), 'a ratchet').toBe(`10${hex(chat)}04`);
      expect(save.value).not.toBe(null);
    }
    expect(received.some(({ key }) => hex(key) === own)).toBe(true);
    expect(groupRows(anna).length).toBe(before);
  });

  it('goes with all its rows, though nobody has decoded it', async () => {
    const [world, anna, , chat] = await friends(703);
    const t = step(world, anna);
    t.remove(GROUP, chat);
    expect(parts(t)).toEqual(groupRows(anna).sort().map((row) => [row.slice('group '.length), true]));
  });

  it('gives way to another with what differs, though nobody has decoded it', async () => {
    const [world, anna, boris, chat] = await friends(704);
    await world.settle();
    const [mine, theirs] = [anna.storedGroup(chat).parts(), boris.storedGroup(chat).parts()];
    const t = step(world, anna);
    t.remove(GROUP, chat);
    t.put(GROUP, chat, { group: boris.storedGroup(chat) });
    const differing = [...new Set([...mine.keys(), ...theirs.keys()])].sort().filter((name) => {
      const [one, other] = [mine.get(name), theirs.get(name)];
      return !one || !other || hex(one) !== hex(other);
    });
    expect(differing).not.toContain('01');
    expect(parts(t)).toEqual(differing.map((name) => [`10${hex(chat)}${name}`, !theirs.has(name)]));
    const same = step(world, anna);
    same.put(GROUP, chat, { group: anna.storedGroup(chat) });
    expect(parts(same)).toEqual([]);
  });

  it('that is damaged fails where it is used, and nothing else does', async () => {
    const [world, anna, , chat] = await friends(705);
    const row = `group 10${hex(chat)}00`;
    anna.rows.set(row, anna.rows.get(row)!.subarray(1));
    await anna.crash();
    expect(anna.view(chat).state).toBe('active');
    await anna.do({ type: 'SetName', name: 'Anna' });
    expect(anna.core.me().name).toBe('Anna');
    await anna.say(chat, 'hello');
    await expect(world.settle()).rejects.toMatchObject({ name: 'MlsError', code: 'malformed' });
  });
});

describe('rows that are loaded', () => {
  type Row = readonly [table: string, key: Uint8Array, value: Uint8Array];
  const meta = (version: number): Row => ['meta', new Uint8Array(0), encodeMeta({ version })];
  const load = (...rows: readonly Row[]): Promise<unknown> => Core.load(rows);
  /** As the first version kept a group: one row, under its key alone. */
  const old: Row = ['group', new Uint8Array(16).fill(0xff), Uint8Array.of(1)];

  it('are of this version', async () => {
    await load(meta(STATE_VERSION));
    for (const version of [0, 1]) {
      await expect(load(meta(version))).rejects.toMatchObject({ code: 'state-too-old' });
      await expect(load(old, meta(version))).rejects.toMatchObject({ code: 'state-too-old' });
    }
    const later = ['of another version', new Uint8Array(1), new Uint8Array(1)] as const;
    for (const rows of [[later], [later, meta(STATE_VERSION + 1)], [old, meta(STATE_VERSION + 1)]]) {
      await expect(load(...rows)).rejects.toMatchObject({ code: 'state-too-new' });
    }
    await expect(load(['meta', new Uint8Array(0), Uint8Array.of(1)])).rejects.toMatchObject({ code: 'state-broken' });
  });

  it('have a group’s key in theirs', async () => {
    const loads = (key: string): Promise<unknown> => load(meta(STATE_VERSION), ['group', unhex(key), new Uint8Array(1)]);
    for (const key of ['', '01', '10', 'ff', `10${'00'.repeat(15)}`]) {
      await expect(loads(key), key).rejects.toMatchObject({ code: 'state-broken' });
    }
    for (const key of ['00', '0107', `10${'00'.repeat(16)}`, `10${'00'.repeat(17)}`]) await loads(key);
    await expect(load(old)).rejects.toMatchObject({ code: 'state-broken' });
  });
});
