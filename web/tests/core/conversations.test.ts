/** Lives of devices that Python's core has lived, honest and hostile ones, lead to the same commands here. */
import { describe, expect, it } from 'vitest';
import { fileNames, lives, replay } from './replay.ts';

describe('recorded conversations', () => {
  const names = fileNames();

  it('are there', () => {
    expect(names.length).toBeGreaterThan(0);
  });

  it.each(names)('%s', async (name) => {
    let steps = 0;
    for (const life of lives(name)) steps += await replay(life);
    expect(steps).toBeGreaterThan(20);
  });
});
