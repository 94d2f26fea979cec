import { equal } from '../crypto/compare.ts';
import { ensure } from './errors.ts';
import { type Suite, deriveSecret } from './suite.ts';
import type { PathStep, RatchetTree } from './tree.ts';

/** What a path secret gives: RFC 9420, section 7.4. */

/** Private keys of tree nodes by node index. */
export type PrivateKeys = ReadonlyMap<number, Uint8Array>;

/** What one path gives whoever knows it. */
export interface PathSecrets {
  /** By node index. */
  readonly pathSecrets: ReadonlyMap<number, Uint8Array>;
  readonly privateKeys: PrivateKeys;
  readonly commitSecret: Uint8Array;
}

/** Walks up from one path secret; `publicKeys` are the keys that result, in order. */
export async function climb(
  suite: Suite,
  first: Uint8Array,
  steps: readonly PathStep[],
): Promise<PathSecrets & { readonly publicKeys: readonly Uint8Array[] }> {
  const pathSecrets = new Map<number, Uint8Array>();
  let secret = first;
  for (const { node } of steps) {
    pathSecrets.set(node, secret);
    secret = deriveSecret(suite, secret, 'path');
  }
  const pairs = await Promise.all(
    [...pathSecrets.values()].map((value) => suite.kem.deriveKeyPair(deriveSecret(suite, value, 'node'))),
  );
  const privateKeys = new Map(steps.map(({ node }, place) => [node, pairs[place]!.privateKey]));
  return { pathSecrets, privateKeys, commitSecret: secret, publicKeys: pairs.map((pair) => pair.publicKey) };
}

/** Derived public keys are the ones that were sent, or the path is a trap (section 7.5). */
export function checkDerivedKeys(
  tree: RatchetTree,
  steps: readonly PathStep[],
  derived: readonly Uint8Array[],
): void {
  steps.forEach(({ node }, place) => {
    ensure(equal(tree.encryptionKey(node), derived[place]!), '7.5-derived-key');
  });
}

/** Climbs from a path secret for `from` to the root of the tree, checking every key. @throws MlsError */
export async function secretsAbove(
  suite: Suite,
  tree: RatchetTree,
  pathSecret: Uint8Array,
  steps: readonly PathStep[],
): Promise<PathSecrets> {
  const { publicKeys, ...secrets } = await climb(suite, pathSecret, steps);
  checkDerivedKeys(tree, steps, publicKeys);
  return secrets;
}
