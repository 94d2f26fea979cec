/** The tables of the state: what is saved (spec/state.toml) and what lives only while the core runs. */
import { Group } from '../mls/group.ts';
import { uint } from '../wire/bytes.ts';
import { decodeReach, encodeReach, type Entry, type Reach, type Request } from '../wire/messages.ts';
import * as s from './_state.ts';
import type { Table } from './transaction.ts';

/** An MLS group that is decoded at its first use and encoded once a step. */
export interface GroupCell {
  group?: Group;
  data?: Uint8Array;
}

export function cellGroup(cell: GroupCell): Group {
  return (cell.group ??= Group.decode(cell.data as Uint8Array));
}

function cellBytes(cell: GroupCell): Uint8Array {
  return (cell.data ??= (cell.group as Group).encode());
}

/** As in keys: 8 bytes, big-endian. */
export function number(n: number): Uint8Array {
  return uint(n, 8);
}

const raw = (data: Uint8Array): Uint8Array => data;

function saved<V>(name: string, encode: (value: V) => Uint8Array, decode: (data: Uint8Array) => V): Table<V> {
  return { name, encode, decode };
}

// ---- saved ----

export const META = /* @__PURE__ */ saved('meta', s.encodeMeta, s.decodeMeta);
export const CLOCK = /* @__PURE__ */ saved('clock', s.encodeClock, s.decodeClock);
export const ME = /* @__PURE__ */ saved('me', s.encodeMe, s.decodeMe);
export const PERSON = /* @__PURE__ */ saved('person', s.encodePerson, s.decodePerson);
export const INVITE = /* @__PURE__ */ saved('invite', s.encodeInvite, s.decodeInvite);
export const OPENED = /* @__PURE__ */ saved('opened', s.encodeOpened, s.decodeOpened);
export const ASKED = /* @__PURE__ */ saved('request', s.encodeAsked, s.decodeAsked);
export const INBOX = /* @__PURE__ */ saved('inbox', s.encodeInbox, s.decodeInbox);
export const PACKAGE = /* @__PURE__ */ saved('package', s.encodeStoredPackage, s.decodeStoredPackage);
export const CONVERSATION = /* @__PURE__ */ saved('conversation', s.encodeConversation, s.decodeConversation);
export const MEMBERSHIP = /* @__PURE__ */ saved('membership', s.encodeMembership, s.decodeMembership);
export const COMMIT = /* @__PURE__ */ saved('commit', s.encodeOwnCommit, s.decodeOwnCommit);
export const GROUP = /* @__PURE__ */ saved<GroupCell>('group', cellBytes, (data) => ({ data }));
export const TOPIC = /* @__PURE__ */ saved('topic', s.encodeTopic, s.decodeTopic);
export const CHAIN = /* @__PURE__ */ saved('chain', raw, raw);
export const SLOT = /* @__PURE__ */ saved('slot', s.encodeSlotReceipt, s.decodeSlotReceipt);
export const OUTBOX = /* @__PURE__ */ saved('outbox', s.encodeOutgoing, s.decodeOutgoing);
export const OPERATION = /* @__PURE__ */ saved('operation', s.encodeOperation, s.decodeOperation);
export const REACH = /* @__PURE__ */ saved<Reach>('reach', encodeReach, decodeReach);
export const WISH = /* @__PURE__ */ saved('wish', s.encodeWish, s.decodeWish);
export const UNREAD = /* @__PURE__ */ saved('unread', s.encodeUnread, s.decodeUnread);
export const SEEN = /* @__PURE__ */ saved('seen', s.encodeSeen, s.decodeSeen);
export const ORPHAN = /* @__PURE__ */ saved('orphan', s.encodeOrphan, s.decodeOrphan);
export const DROP = /* @__PURE__ */ saved('drop', s.encodeOutDrop, s.decodeOutDrop);
export const UPLOAD = /* @__PURE__ */ saved('upload', s.encodeUpload, s.decodeUpload);
export const LATER = /* @__PURE__ */ saved('later', raw, raw);
export const MARK = /* @__PURE__ */ saved('mark', raw, raw);

export const SAVED: readonly Table<unknown>[] = [
  META, CLOCK, ME, PERSON, INVITE, OPENED, ASKED, INBOX, PACKAGE, CONVERSATION, MEMBERSHIP, COMMIT, GROUP, TOPIC, CHAIN,
  SLOT, OUTBOX, OPERATION, REACH, WISH, UNREAD, SEEN, ORPHAN, DROP, UPLOAD, LATER, MARK,
];

// ---- while the core runs ----

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

/** A blob that a record's body lies in. */
export interface Download {
  readonly relay: Uint8Array;
  /** Work item that waits for it. */
  readonly user: string;
  readonly data: readonly Uint8Array[];
  readonly received: number;
  readonly whole: boolean;
  /** The relay does not have it, or it is not what its id says. */
  readonly gone: boolean;
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
/** By blob id. */
export const DOWNLOAD: Table<Download> = { name: 'download' };
/** Relays that UseRelay has named. */
export const RELAY: Table<boolean> = { name: 'relay' };
/** Key of the outbox item by record hash. */
export const OWN_HASH: Table<Uint8Array> = { name: 'own-hash' };
/** How often something was skipped, by reason. */
export const COUNT: Table<number> = { name: 'count' };
/** next-call, next-drop, timer (the one asked for). */
export const SCALAR: Table<number> = { name: 'scalar' };
/** ms (device's clock) since when a topic's slot does not add up, by topic. */
export const MISBEHAVING: Table<number> = { name: 'misbehaving' };
/** By conversation || identity. */
export const TYPING: Table<boolean> = { name: 'typing' };
