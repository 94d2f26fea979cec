/** The tables of the state that only the rest reads and writes. */
import { decoder, encoder, type Types } from './_state_rest.ts';
import { raw, SAVED } from './state.ts';
import type { Table } from './transaction.ts';

function saved<K extends keyof Types>(name: string, type: K): Table<Types[K]> {
  return { name, encode: encoder(type), decode: decoder(type) };
}

// ---- saved ----

export const INVITE = saved('invite', 'Invite');
export const ASKED = saved('request', 'Asked');
export const COMMIT = saved('commit', 'OwnCommit');
export const SLOT = saved('slot', 'SlotReceipt');
export const OPERATION = saved('operation', 'Operation');
export const WISH = saved('wish', 'Wish');
export const UNREAD = saved('unread', 'Unread');
export const ORPHAN = saved('orphan', 'Orphan');
export const UPLOAD = saved('upload', 'Upload');
export const LATER: Table<Uint8Array> = { name: 'later', encode: raw, decode: raw };
export const FORMER = saved('former', 'FormerGroup');
export const SUCCESSOR: Table<Uint8Array> = { name: 'successor', encode: raw, decode: raw };

SAVED.push(INVITE, ASKED, COMMIT, SLOT, OPERATION, WISH, UNREAD, ORPHAN, UPLOAD, LATER, FORMER, SUCCESSOR);

// ---- while the core runs ----

/** ms (device's clock) since when a topic's slot does not add up, by topic. */
export const MISBEHAVING: Table<number> = { name: 'misbehaving' };
/** By conversation || identity. */
export const TYPING: Table<boolean> = { name: 'typing' };
