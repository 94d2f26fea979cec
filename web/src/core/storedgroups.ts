/** MLS groups as the store has them: in parts, each a row. */
import type { PartChanges, Parts } from '../mls/group.ts';
import { same } from '../wire/bytes.ts';
import { CoreError } from './errors.ts';
import type { GroupCell } from './provided.ts';
import { GROUP } from './state.ts';
import type { State } from './transaction.ts';

/** A row's key, in hexadecimal: key of the group, name of the part. @throws CoreError `state-broken` */
function splitKey(key: string): [group: string, name: string] {
  const end = 2 + 2 * parseInt(key.slice(0, 2), 16);
  if (!(key.length >= end)) throw new CoreError('state-broken');
  return [key.slice(2, end), key.slice(end)];
}

/** Puts a part where the others of its group are. @throws CoreError where the table is not that of groups */
export function restorePart(state: State, table: string, key: string, part: Uint8Array): void {
  if (table !== GROUP.name) throw new CoreError('state-too-new');
  const [group, name] = splitKey(key);
  const cells = state.rows(GROUP);
  const parts = cells.get(group)?.parts ?? new Map<string, Uint8Array>();
  cells.set(group, { parts: parts.set(name, part) });
}

const partsOf = (cell: GroupCell | undefined): Parts => cell?.parts ?? cell?.group?.parts() ?? new Map();

/** As groupcell's, where one of the two has not been decoded or is not there. */
export function cellChanges(cell: GroupCell | undefined, before: GroupCell | undefined): PartChanges {
  const [parts, former] = [partsOf(cell), partsOf(before)];
  const changed = new Map<string, Uint8Array | null>();
  for (const name of [...new Set([...parts.keys(), ...former.keys()])].sort()) {
    const [part, was] = [parts.get(name), former.get(name)];
    if (!part || !was || !same(part, was)) changed.set(name, part ?? null);
  }
  return changed;
}
