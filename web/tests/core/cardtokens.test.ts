/** What an invite's card brings beside the inviter: as it was given, once, in the step that opens it. */
import { expect, it } from 'vitest';
import { hex } from '../../src/crypto/bytes.ts';
import { World } from './world.ts';

const token = (value: number): Uint8Array => new Uint8Array(354).fill(value);

it('tokens and keys that an inviter puts into a card reach the invited', async () => {
  const world = await World.make(61);
  const [anna, boris] = [await world.person('anna'), await world.person('boris')];
  await world.settle();
  const carried = {
    tokens: Array.from({ length: 16 }, (_, i) => token(i)),
    join: token(99),
    tokenKeys: { type: 'SignedTokenKeys', body: new Uint8Array(1_400).fill(1), signature: new Uint8Array(64) },
  } as const;
  await anna.do({ type: 'CreateInvite', ...carried });
  await world.settle(1_000);
  const [made] = anna.core.invites();
  const { link, id } = made!;
  await boris.do({ type: 'UseInvite', link: link!, relay: world.relay.address });
  await world.settle(1_000);
  const told = boris.notified.filter((event) => event.type === 'TokensReceived' || event.type === 'InviteOpened');
  expect(told.map((event) => event.type)).toEqual(['TokensReceived', 'InviteOpened']);
  expect(told[0]).toEqual({ type: 'TokensReceived', relay: world.relay.address.identity, ...carried });
  expect(boris.core.openedInvites().map((view) => [hex(view.id), hex(view.relay)])).toEqual([
    [hex(id), hex(world.relay.address.identity)],
  ]);
  // No row of the core keeps any of it.
  for (const party of [anna, boris]) {
    for (const [place, value] of party.rows) if (!place.startsWith('upload')) expect(hex(value), place).not.toContain(hex(token(99)));
  }
});

it('a card without tokens brings nothing', async () => {
  const world = await World.make(62);
  const [anna, boris] = [await world.person('anna'), await world.person('boris')];
  await world.settle();
  await boris.do({ type: 'UseInvite', link: await world.invite(anna), relay: world.relay.address });
  await world.settle(1_000);
  expect(boris.notified.map((event) => event.type)).toContain('InviteOpened');
  expect(boris.notified.map((event) => event.type)).not.toContain('TokensReceived');
});
