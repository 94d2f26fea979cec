/** One tab has the store: Web Locks as browsers and Node have them. */
import { expect, test } from 'vitest';
import { takeOver, tryHold } from '../../src/client/lock.ts';

let count = 0;
const fresh = (): string => `polynya test ${count++}`;

test('what nobody has is had at once, by one at a time', async () => {
  const name = fresh();
  const first = await tryHold(name);
  expect(first).not.toBeNull();
  expect(await tryHold(name)).toBeNull();
  expect(await tryHold(fresh())).not.toBeNull();
  first!.release();
  expect(await tryHold(name)).not.toBeNull();
});

test('a tab that is being closed is waited for: the next was not opened beside it', async () => {
  const name = fresh();
  const closing = await tryHold(name);
  const next = tryHold(name);
  setTimeout(() => closing!.release(), 50);
  expect(await next).not.toBeNull();
});

test('who is asked for it gives it', async () => {
  const name = fresh();
  const first = await tryHold(name);
  let asked = 0;
  first!.onWanted = () => {
    asked++;
    first!.release();
  };
  const second = await takeOver(name);
  expect(asked).toBe(1);
  expect(await tryHold(name)).toBeNull();
  second.release();
});

test('from who does not answer it is taken, and the first is told', async () => {
  const name = fresh();
  const frozen = await tryHold(name);
  let asked = 0;
  frozen!.onWanted = () => void asked++;
  const second = await takeOver(name);
  // Asked for it, and told that it is gone.
  await expect.poll(() => asked).toBe(2);
  second.release();
  expect(await tryHold(name)).not.toBeNull();
});
