/** The tables of the state: what is saved (spec/state.toml) and what lives only while the core runs. */
import type { Download } from './body.ts';
import { uint } from '../wire/bytes.ts';
import { decodeReach, encodeReach, type Entry, type Reach, type Request } from '../wire/messages.ts';
import { decoder, encoder, type Types } from './_state.ts';
import { cellChanges } from './groupcell.ts';
import type { GroupCell } from './provided.ts';
import type { Table } from './transaction.ts';

/** As in keys: 8 bytes, big-endian. */
export function number(n: number): Uint8Array {
  return uint(n, 8);
}

export const raw = (data: Uint8Array): Uint8Array => data;

function saved<K extends keyof Types>(name: string, type: K): Table<Types[K]> {
  return { name, encode: encoder(type), decode: decoder(type) };
}

// ---- saved ----

export const META = /* @__PURE__ */ saved('meta', 'Meta');
export const CLOCK = /* @__PURE__ */ saved('clock', 'Clock');
export const ME = /* @__PURE__ */ saved('me', 'Me');
export const PERSON = /* @__PURE__ */ saved('person', 'Person');
export const OPENED = /* @__PURE__ */ saved('opened', 'Opened');
export const INBOX = /* @__PURE__ */ saved('inbox', 'Inbox');
export const PACKAGE = /* @__PURE__ */ saved('package', 'StoredPackage');
export const CONVERSATION = /* @__PURE__ */ saved('conversation', 'Conversation');
export const MEMBERSHIP = /* @__PURE__ */ saved('membership', 'Membership');
export const GROUP: Table<GroupCell> = { name: 'group', changes: cellChanges };
export const TOPIC = /* @__PURE__ */ saved('topic', 'Topic');
export const CHAIN: Table<Uint8Array> = { name: 'chain', encode: raw, decode: raw };
export const OUTBOX = /* @__PURE__ */ saved('outbox', 'Outgoing');
export const REACH: Table<Reach> = { name: 'reach', encode: encodeReach, decode: decodeReach };
export const SEEN = /* @__PURE__ */ saved('seen', 'Seen');
export const DROP = /* @__PURE__ */ saved('drop', 'OutDrop');
export const MARK: Table<Uint8Array> = { name: 'mark', encode: raw, decode: raw };

/** The rest adds its own (tables.ts). */
export const SAVED: Table<unknown>[] = [
  META, CLOCK, ME, PERSON, OPENED, INBOX, PACKAGE, CONVERSATION, MEMBERSHIP, GROUP, TOPIC, CHAIN, OUTBOX, REACH, SEEN, DROP,
  MARK,
];

/** Of the rest's tables: the part loaded first asks only whether there is a row. */
export const OWN_COMMITS: Table<unknown> = { name: 'commit' };
export const OPERATIONS: Table<unknown> = { name: 'operation' };

// ---- while the core runs ----

/** By blob id. */
export const DOWNLOAD: Table<Download> = { name: 'download' };

/** A relay that can be reached now. */
export interface Link {
  readonly session: boolean;
}

/** A call on its way. */
export interface CallContext {
  readonly relay: Uint8Array;
  readonly item: string;
  readonly request: Request;
}

/** A work item that was refused and waits. */
export interface Pause {
  readonly attempts: number;
  /** ms, the device's clock. */
  readonly until: number;
  /** Not refused: the relay has the record, and the log will bring it. */
  readonly placed: boolean;
}

/** What is known of a topic's or inbox's log during one connection. */
export interface Source {
  readonly relay: Uint8Array;
  /** Newest seq that the relay told. */
  readonly head: number;
  /** Whether this connection has told it at all. */
  readonly told: boolean;
  readonly subscribed: boolean;
}

/** By relay. */
export const LINK: Table<Link> = { name: 'link' };
/** By number(call id). */
export const CALL: Table<CallContext> = { name: 'call' };
/** Call id by work item. */
export const FLIGHT: Table<number> = { name: 'flight' };
/** By work item. */
export const PAUSE: Table<Pause> = { name: 'pause' };
/** ms (device's clock) by name. */
export const TIMER: Table<number> = { name: 'timer' };
/** By topic id or inbox id. */
export const SOURCE: Table<Source> = { name: 'source' };
/** Entries that wait for their turn, by source || number(seq). */
export const HELD: Table<Entry> = { name: 'held' };
/** Relays that UseRelay has named. */
export const RELAY: Table<boolean> = { name: 'relay' };
/** Key of the outbox item by record hash. */
export const OWN_HASH: Table<Uint8Array> = { name: 'own-hash' };
/** How often something was skipped, by reason. */
export const COUNT: Table<number> = { name: 'count' };
/** next-call, next-drop, timer (the one asked for). */
export const SCALAR: Table<number> = { name: 'scalar' };
