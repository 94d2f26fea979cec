/** A relay that says it has more than it gives. */
import { expect, it } from 'vitest';
import { step, topicOf } from './hostile.ts';
import { founded } from './moves.ts';
import type { Party, World } from './world.ts';

const TEN_MINUTES = 600_000;
type Three = [World, Uint8Array, Party, Party, Party];

it('is believed for ten minutes, in which changes of the group wait', async () => {
  const [world, conversation, anna, boris, clara] = (await founded(801)) as Three;
  const source = topicOf(step(world, anna), conversation).id;
  const entry = { seq: 2 ** 40, time: world.now, record: new Uint8Array(512) };
  const push = { type: 'Push', source, entry } as const;
  await anna.handle({ type: 'Pushed', relay: world.relay.address.identity, push });
  await anna.do({ type: 'Rename', conversation, name: 'in spite of it' });
  const told = { type: 'ProblemRaised', conversation, code: 'relay-misbehaves' };
  await world.settle();
  expect([anna.view(conversation).pendingOperations, anna.view(conversation).problem]).toEqual([1, null]);
  await world.sleep(TEN_MINUTES * 3);
  expect(anna.notified.filter((event) => event.type === told.type)).toEqual([told]);
  for (const party of [anna, boris, clara]) {
    const seen = { name: 'in spite of it', state: 'active', problem: null, pendingOperations: 0 };
    expect(party.view(conversation)).toMatchObject(seen);
  }
});
