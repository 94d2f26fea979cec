import { ensure } from './errors.ts';
import { type MessageKey, type Ratchet, type RatchetName, type SecretTree, messageKey, step } from './secrettree.ts';
import type { Suite } from './suite.ts';

/** What receiving takes of the secret tree (RFC 9420, section 9): keys of any generation. */

/**
 * How far ahead of the newest generation seen a message may be: 1,000 steps of three small HMACs cost a receiver about
 * 20 ms, and nobody sends more between two epochs without one of them arriving.
 */
export const MAX_AHEAD = 1000;
/** Keys of generations passed over, per ratchet: 256 of about 60 bytes, 15 KB; the oldest go first. */
export const MAX_SKIPPED = 256;

/** The key of one generation, and the ratchet without it: what is consumed is gone. @throws MlsError */
function turn(suite: Suite, ratchet: Ratchet, generation: number): [MessageKey, Ratchet] {
  if (generation < ratchet.generation) {
    const found = ratchet.skipped.find((key) => key.generation === generation);
    ensure(found !== undefined, '9.2-consumed', `generation ${generation}`, 'replayed');
    return [found, { ...ratchet, skipped: ratchet.skipped.filter((key) => key !== found) }];
  }
  checkAhead(ratchet, generation);
  const skipped = ratchet.skipped.slice();
  let current = ratchet;
  while (current.generation < generation) {
    if (generation - current.generation <= MAX_SKIPPED) skipped.push(messageKey(suite, current));
    current = step(suite, current);
  }
  return [messageKey(suite, current), { ...step(suite, current), skipped: skipped.slice(-MAX_SKIPPED) }];
}

/** Generations far ahead cost work that a forger could ask for. */
export function checkAhead(ratchet: Ratchet, generation: number): void {
  ensure(generation - ratchet.generation <= MAX_AHEAD, '9.1-too-far-ahead', `generation ${generation}`, 'replayed');
}

/** The key of one generation of a sender's ratchet, and the tree without it. @throws MlsError */
export function take(
  secretTree: SecretTree,
  leaf: number,
  name: RatchetName,
  generation: number,
): [MessageKey, SecretTree] {
  const [ratchet, tree] = secretTree.ratchet(leaf, name);
  const [key, turned] = turn(tree.suite, ratchet, generation);
  return [key, tree.withRatchet(leaf, name, turned)];
}
