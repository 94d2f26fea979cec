/**
 * What the part of the core that is loaded first asks of the rest (rest.ts), which is loaded later.
 *
 * A step that needs the rest before it is there throws RestMissing and is undone, as any step that fails; whoever runs the
 * core loads the rest and handles the same event again. The first part holds what an invited person needs up to their
 * first message, and imports nothing of the rest.
 *
 * Only the rest knows the tables in tables.ts and makes rows of them: where it is missing, there are none.
 */
import type { Group, PartChanges, Parts } from '../mls/group.ts';
import type {
  Content,
  Entry,
  EphemeralPush,
  Message,
  ReAddRequest,
  RelayAddress,
  Response,
  WelcomeMessage,
} from '../wire/messages.ts';
import type { Conversation, Inbox, Me, Membership, OutDrop, Outgoing, Person, Seen, Topic } from './_state.ts';
import type { Prepared } from './body.ts';
import type { Batch, SingleAction } from './events.ts';
import type { Amendment, StoredContent, StoredMessage } from './history.ts';
import type { Place } from './place.ts';
import type { State, Transaction } from './transaction.ts';
import type * as v from './views.ts';

/** A step needs what has not been loaded yet; nothing of it has happened. Never shown to a person. */
export class RestMissing extends Error {}

export interface Rest {
  // bodies that no record holds
  prepareBlob(t: Transaction, body: Uint8Array): Promise<Prepared>;
  want(t: Transaction, relay: RelayAddress, prepared: Prepared): void;
  uploaded(t: Transaction, relay: Uint8Array, blob: Uint8Array): boolean;
  release(t: Transaction, relay: Uint8Array, blob: Uint8Array): void;

  // groups
  /** From what is stored. @throws MlsError */
  groupFromParts(parts: Parts): Group;
  /** A row of the state that is not one value by itself. @throws CoreError */
  restorePart(state: State, table: string, key: string, part: Uint8Array): void;
  cellChanges(cell: GroupCell | undefined, before: GroupCell | undefined): PartChanges;
  /** Which conversation has or had the MLS group, or the first of `former` that is known here. */
  conversationOf(
    t: Transaction,
    group: Uint8Array,
    former: readonly Uint8Array[] | undefined,
  ): Uint8Array | undefined;
  /** The group that a message names, if a ReInit has ended it: its key, and leaves removed from it. */
  groupOfMessage(t: Transaction, conversation: Conversation, data: Uint8Array): Ended | undefined;

  // logs
  /** An entry in the epoch's slot; false: it cannot be judged yet. */
  processCommit(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry): Promise<boolean>;
  /** Whether the relay has signed something else before; then the conversation stops. */
  stopIfFraud(t: Transaction, conversation: Conversation, topic: Uint8Array, entry: Entry): Promise<boolean>;
  unknownTopic(t: Transaction, topic: Topic): void;
  lostHistory(t: Transaction, topic: Topic): void;
  /** An answer brought nothing of what it, or a push before it, says is there. */
  missed(t: Transaction, conversation: Conversation, topic: Topic, head: number): void;
  complete(t: Transaction, conversation: Conversation, topic: Uint8Array): void;
  /** A message of the group with this key broke a rule of MLS. */
  unopened(
    t: Transaction,
    conversation: Conversation,
    topic: Topic,
    key: Uint8Array,
    data: Uint8Array,
    rule: string,
  ): void;

  // messages
  /** One whose place was remembered already. */
  seenAgain(t: Transaction, conversation: Uint8Array, message: Message, place: Place, seen: Seen): void;
  /** One of any kind but a Profile. */
  receive(t: Transaction, conversation: Uint8Array, sender: Uint8Array, message: Message, place: Place): Promise<void>;
  /** The log holds one of our own, of any kind but a Profile. */
  sent(t: Transaction, outgoing: Outgoing, order: number, time: number): void;
  publishRefused(t: Transaction, key: Uint8Array, outgoing: Outgoing, response: Response): void;
  isSendable(content: Content): boolean;
  preview(content: StoredContent): { kind: string; text: string };
  amendOwn(t: Transaction, conversation: Conversation, content: Content): void;
  setProblem(t: Transaction, conversation: Uint8Array, code: string): void;

  // people
  receiveRequest(t: Transaction, inbox: Inbox, entry: Entry): Promise<void>;
  receiveReAdd(t: Transaction, request: ReAddRequest): Promise<void>;
  inviteFailed(t: Transaction, invite: Uint8Array): void;
  closeInbox(t: Transaction, inbox: Uint8Array): void;
  inboxDeleted(t: Transaction, inbox: Uint8Array, gone: boolean): void;
  /** Of any kind but a contact request. */
  dropAnswered(t: Transaction, key: Uint8Array, drop: OutDrop, response: Response): void;
  /** Fills the stock of key packages of a suite. */
  stock(t: Transaction, own: Me, suite: number): Promise<void>;
  /** Whether a Welcome to a conversation that we know is to be joined. */
  joinsAgain(
    t: Transaction,
    known: Conversation,
    group: Pick<Group, 'groupId' | 'epoch'>,
    adder: Uint8Array,
    message: WelcomeMessage,
  ): boolean;
  leaveFormer(t: Transaction, known: Conversation, group: Group): void;
  /** `known` and `before`: what we had of the conversation. */
  joinedGroup(
    t: Transaction,
    conversation: Uint8Array,
    group: Group,
    adder: Uint8Array,
    known: Conversation | undefined,
    before: Membership | undefined,
  ): void;
  /** Two direct conversations with the same person. */
  goOnInOne(t: Transaction, somebody: Person, conversation: Uint8Array, other: Uint8Array): void;
  usedLastResort(t: Transaction, conversation: Uint8Array): void;

  // everything
  act(t: Transaction, action: SingleAction): Promise<void>;
  actAll(t: Transaction, batch: Batch): Promise<void>;
  setTimers(t: Transaction): void;
  ephemeralPushed(t: Transaction, push: EphemeralPush): Promise<void>;
  relays(state: State): RelayAddress[];
  apply(message: StoredMessage, amendment: Amendment): StoredMessage | null;

  // views
  fingerprint(identity: Uint8Array): string[];
  rights(present: Membership, identity: Uint8Array, epoch: number): Rights;
  coming(state: State, conversation: Uint8Array): Uint8Array | undefined;
  safety(state: State, conversation: Uint8Array): v.SafetyView;
  contacts(state: State): v.ContactView[];
  requests(state: State): v.RequestView[];
  invites(state: State): v.InviteView[];
}

/** An MLS group among the rows: the parts that it is stored in, until somebody asks for it. */
export interface GroupCell {
  group?: Group;
  parts?: Map<string, Uint8Array> | undefined;
}

/** Of a group. */
export interface Rights {
  readonly admins: readonly Uint8Array[];
  readonly mayAdd: boolean;
  readonly mayMove: boolean;
}

/** A group that a ReInit has ended. */
export type Ended = Pick<Conversation, 'id' | 'gone'>;

let provided: Rest | undefined;

/** Once; a second loading of the same file changes nothing. */
export function provide(rest: Rest): void {
  provided ??= rest;
}

/** @throws RestMissing */
export function rest(): Rest {
  if (!provided) throw new RestMissing();
  return provided;
}

export function restIfThere(): Rest | undefined {
  return provided;
}
