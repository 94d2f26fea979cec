/** An MLS group among the rows: saved in parts, decoded at its first use. */
import type { Group, PartChanges } from '../mls/group.ts';
import { type GroupCell, rest } from './provided.ts';

/** @throws MlsError where what was stored is damaged; RestMissing */
export function cellGroup(cell: GroupCell): Group {
  cell.group ??= rest().groupFromParts(cell.parts!);
  cell.parts = undefined;
  return cell.group;
}

/** Parts to be saved, ascending by name; null: to be removed. Decodes nothing. */
export function cellChanges(cell: GroupCell | undefined, before: GroupCell | undefined): PartChanges {
  if (cell?.group && (!before || before.group)) return cell.group.changes(before?.group);
  return rest().cellChanges(cell, before);
}
