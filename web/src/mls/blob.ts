import { hex, unhex } from '../crypto/bytes.ts';
import { decode, encode, opaque, struct, vector } from './codec.ts';
import { ensure } from './errors.ts';
import type { Group } from './handle.ts';
import { groupFromParts } from './restoring.ts';

/* A group's parts as one blob, for those who store no rows. */

interface Part {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

const blob = vector(struct<Part>({ name: opaque, value: opaque }));

/** The parts ascend by name, each once. */
function checkOrder(names: readonly string[]): void {
  ensure(names.every((name, place) => place === 0 || names[place - 1]! < name), 'state-damaged', '', 'malformed');
}

/** With private keys inside. */
export function encodeGroup(group: Group): Uint8Array {
  return encode(blob, [...group.parts()].map(([name, value]) => ({ name: unhex(name), value })));
}

/** @throws MlsError */
export function decodeGroup(data: Uint8Array): Group {
  const parts = decode(blob, data).map(({ name, value }) => [hex(name), value] as const);
  checkOrder(parts.map(([name]) => name));
  return groupFromParts(new Map(parts));
}
