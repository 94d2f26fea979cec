/** The loop and a rest that is slow to come: each event is handled exactly once, in order, or given up whole. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppEvent, Change, Command } from '../../src/core/commands.ts';
import type { Loop, Payer } from '../../src/client/loop.ts';
import type { Core } from '../../src/core/core.ts';
import type { Provision } from '../../src/client/provision.ts';
import { Purse } from '../../src/client/purse.ts';
import type { Storage } from '../../src/client/storage.ts';
import { hex } from '../../src/crypto/bytes.ts';
import type { PolynyaError } from '../../src/errors.ts';
import { LARGEST } from '../../src/paths/backoff.ts';
import { SeededRandom } from '../support/seeded.ts';

const NOW = 1_790_000_000_000;
const RELAY = { url: 'https://relay.example', identity: new Uint8Array(32).fill(7) };

/** What the loop needs of a store, in memory. */
class MemoryStore {
  readonly rows = new Map<string, [string, Uint8Array, Uint8Array]>();
  commits = 0;
  closed = false;

  commit(changes: readonly Change[]): Promise<void> {
    if (changes.length) this.commits++;
    for (const change of changes) {
      if (change.type !== 'Save') throw new Error(`not expected here: ${change.type}`);
      const place = `${change.table} ${hex(change.key)}`;
      if (change.value) this.rows.set(place, [change.table, change.key, change.value]);
      else this.rows.delete(place);
    }
    return Promise.resolve();
  }

  load(): Promise<{ core: [string, Uint8Array, Uint8Array][]; own: [] }> {
    return Promise.resolve({ core: [...this.rows.values()], own: [] });
  }

  own(): Promise<null> {
    return Promise.resolve(null);
  }

  close(): void {
    this.closed = true;
  }

  count(table: string): number {
    return [...this.rows.keys()].filter((place) => place.startsWith(`${table} `)).length;
  }
}

interface Running {
  readonly loop: Loop;
  readonly rest: Provision<Payer>;
  readonly store: MemoryStore;
  readonly told: AppEvent[];
  readonly stopped: PolynyaError[];
}

/** Each in modules of its own, as the rest, once loaded, is there for all. */
async function run(load: () => Promise<Payer>): Promise<Running> {
  vi.resetModules();
  const [core, loops, provisions] = await Promise.all([
    import('../../src/core/core.ts'),
    import('../../src/client/loop.ts'),
    import('../../src/client/provision.ts'),
  ]);
  const random = new SeededRandom('loop');
  const store = new MemoryStore();
  const [told, stopped]: [AppEvent[], PolynyaError[]] = [[], []];
  const sink = {
    appEvent: (event: AppEvent) => void told.push(event),
    tell: () => undefined,
    linkChanged: () => undefined,
    stopped: (error: PolynyaError) => void stopped.push(error),
  };
  const rest = new provisions.Provision(load, random);
  const storage = store as unknown as Storage;
  const loop = new loops.Loop(storage, await core.Core.load([]), random, () => NOW, () => [], sink, rest);
  await loop.start();
  await loop.handle({ type: 'CreateIdentity', name: 'Anna', relay: RELAY });
  return { loop, rest, store, told, stopped };
}

const loadRest = async (): Promise<Payer> => {
  await import('../../src/core/rest.ts');
  return import('../../src/client/paying.ts');
};

/** A load that fails so often first. */
function failing(failures: number): { readonly load: () => Promise<Payer>; attempts: number } {
  const found = {
    attempts: 0,
    load: async () => {
      if (++found.attempts <= failures) throw new TypeError('Failed to fetch');
      return loadRest();
    },
  };
  return found;
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A core that does one thing, whatever happens. */
function scripted(commands: readonly Command[]): Core {
  const use: Command = { type: 'UseRelay', address: RELAY };
  return { start: () => Promise.resolve([use]), handle: () => Promise.resolve(commands), openedInvites: () => [] } as unknown as Core;
}

it('tokens that a step brings are on disk with what the step changes, and are told to nobody', async () => {
  const received = { type: 'TokensReceived', relay: RELAY.identity, tokens: [new Uint8Array(354)], join: new Uint8Array(354).fill(2) } as const;
  const commands: Command[] = [
    { type: 'Save', table: 'opened', key: Uint8Array.of(1), value: Uint8Array.of(2) },
    { type: 'Notify', event: received },
    { type: 'Notify', event: { type: 'MeChanged' } },
  ];
  const store = new MemoryStore();
  const commit = vi.spyOn(store, 'commit');
  const told: AppEvent[] = [];
  const sink = { appEvent: (event: AppEvent) => void told.push(event), tell: () => undefined, linkChanged: () => undefined, stopped: () => undefined };
  const [{ Loop: make }, { Provision: provision }] = await Promise.all([import('../../src/client/loop.ts'), import('../../src/client/provision.ts')]);
  const random = new SeededRandom('tokens');
  const rest = new provision<Payer>(() => new Promise(() => undefined), random);
  const loop = new make(store as unknown as Storage, scripted(commands), random, () => NOW, () => [], sink, rest);
  await loop.start();
  await loop.handle({ type: 'TimerFired' });
  const [step] = commit.mock.calls.filter(([changes]) => changes.some((change) => change.type === 'Save' && change.table === 'opened'));
  const rows = step![0].map((change) => (change.type === 'Save' ? change.table : change.type));
  expect(rows).toEqual(['opened', 'client/purse']);
  const kept = new Purse(store.rows.get(`client/purse ${hex(RELAY.identity)}`)![2]);
  expect([kept.use, kept.join]).toEqual([[...received.tokens], [received.join]]);
  expect(told).toEqual([{ type: 'MeChanged' }]);
  await loop.end();
});

describe('an event that needs the rest', () => {
  it('is handled exactly once when the rest fails to load twice, and then loads', async () => {
    const source = failing(2);
    const { loop, store, told, stopped } = await run(source.load);
    expect(source.attempts).toBe(0);
    const commits = store.commits;
    const invite = loop.handle({ type: 'CreateInvite' });
    const renamed = loop.handle({ type: 'SetName', name: 'Anna B' });
    await vi.advanceTimersByTimeAsync(0);
    expect([source.attempts, store.commits]).toEqual([1, commits]);
    await vi.advanceTimersByTimeAsync(LARGEST);
    await Promise.all([invite, renamed]);
    expect(source.attempts).toBe(3);
    expect(loop.core.invites()).toHaveLength(1);
    expect([store.count('invite'), store.count('inbox'), store.count('upload')]).toEqual([1, 1, 1]);
    expect(loop.core.me().name).toBe('Anna B');
    expect(told.map((event) => event.type)).toEqual(['IdentityCreated', 'InvitesChanged', 'MeChanged']);
    expect(store.commits).toBe(commits + 2);
    expect(stopped).toEqual([]);
    await loop.end();
  });

  it('does not wait out the pause when the network is back', async () => {
    const source = failing(1);
    const { loop, rest } = await run(source.load);
    const invite = loop.handle({ type: 'CreateInvite' });
    await vi.advanceTimersByTimeAsync(0);
    expect(source.attempts).toBe(1);
    rest.retryNow();
    await invite;
    expect(source.attempts).toBe(2);
    await loop.end();
  });

  it('waits for ever, and is given up whole where another tab takes over', async () => {
    const source = failing(Infinity);
    const { loop, store, stopped } = await run(source.load);
    const invite = loop.handle({ type: 'CreateInvite' });
    const refused = expect(invite).rejects.toMatchObject({ code: 'taken-over' });
    await vi.advanceTimersByTimeAsync(20 * LARGEST);
    expect(source.attempts).toBeGreaterThan(20);
    const rows = [...store.rows.keys()];
    await loop.end();
    await refused;
    expect([...store.rows.keys()]).toEqual(rows);
    expect([store.closed, stopped]).toEqual([true, []]);
  });

  it('does not hold up an end that comes while the rest is being fetched', async () => {
    const { loop, store } = await run(() => new Promise(() => undefined));
    const refused = expect(loop.handle({ type: 'CreateInvite' })).rejects.toMatchObject({ code: 'taken-over' });
    await loop.end();
    await refused;
    expect(store.closed).toBe(true);
  });
});
