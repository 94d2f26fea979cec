import { hex, unhex } from '../../src/crypto/bytes.ts';
import { applyCommit, receiveProposal, verifyCommit } from '../../src/mls/changes.ts';
import { Group, KeyPackageBundle } from '../../src/mls/group.ts';
import type { Scene } from './targets.ts';

/** A scene as `Scene.describe` in `tests/fuzz/scenes.py` tells it; byte strings are hexadecimal. */
export interface Description {
  readonly now: number;
  readonly bundle: string;
  readonly welcome: string;
  readonly steps: readonly (readonly [kind: string, message: string])[];
  readonly psks: Readonly<Record<string, string>>;
  readonly joiner: string;
}

/** Comes to the member's state as it did: joins, then receives what it received. */
export async function build({ now, bundle, welcome, steps, psks, joiner }: Description): Promise<Scene> {
  const keys = new Map(Object.entries(psks).map(([id, key]) => [id, unhex(key)]));
  const joined = await Group.join(unhex(welcome), [KeyPackageBundle.decode(unhex(bundle))], { now, psks: keys });
  let { group } = joined;
  const received = steps.map(([kind, message]) => [kind, unhex(message)] as const);
  for (const [kind, message] of received) {
    if (kind === 'message') [group] = await group.decrypt(message);
    else if (kind === 'proposal') [group] = await receiveProposal(group, message);
    else group = await applyCommit(group, await verifyCommit(group, message, { now }), { psks: keys });
  }
  return { now, group, joiner: KeyPackageBundle.decode(unhex(joiner)), psks: keys, steps: received };
}

export const authenticatorOf = ({ group }: Scene): string => hex(group.epochAuthenticator);
