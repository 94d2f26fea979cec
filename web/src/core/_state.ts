// Generated from spec/state.toml by `python -m scripts.generate`; do not edit.
import { codec } from '../wire/codec.ts';
import type { ConversationKind, RelayAddress, DeviceList, Reach, ConversationInfo, InviteLink, CardBody } from '../wire/_messages.ts';

/** 2026-11: MLS groups in parts */
export const STATE_VERSION = 2;
/** 2^50: added to a difference of clocks, as there are no negative numbers */
export const CLOCK_BIAS = 1125899906842624;

export const InboxPurpose = {
  /** where the answer to our contact request arrives; owner: the opened invite */
  contact: 1,
  /** our reach in one conversation; owner: the conversation */
  conversation: 2,
  /** where contact requests arrive; owner: the invite */
  invite: 3,
} as const;
export type InboxPurpose = (typeof InboxPurpose)[keyof typeof InboxPurpose];

export const OpenedState = {
  /** the card is being fetched */
  opening: 1,
  /** the card is verified */
  opened: 2,
  /** our request is on its way */
  requesting: 3,
  /** the relay has our request */
  requested: 4,
  /** the conversation is there */
  accepted: 5,
  /** see problem */
  failed: 6,
} as const;
export type OpenedState = (typeof OpenedState)[keyof typeof OpenedState];

export const ConversationState = {
  /** we are a member */
  active: 1,
  /** our wish to leave is not committed yet */
  leaving: 2,
  /** we have left */
  left: 3,
  /** someone removed us */
  removed: 4,
  /** the other person left, or the two of us go on in another conversation */
  closed: 5,
  /** we cannot follow and have asked to be added again */
  stuck: 6,
  /** the relay signed two histories */
  fraud: 7,
  /** a ReInit has ended the group, and its successor is not founded yet; `since`: we wish to leave */
  moving: 8,
} as const;
export type ConversationState = (typeof ConversationState)[keyof typeof ConversationState];

export const DropKind = {
  /** a Welcome */
  welcome: 1,
  /** a contact request */
  request: 2,
  /** our wish to be added again */
  readd: 3,
} as const;
export type DropKind = (typeof DropKind)[keyof typeof DropKind];

export const PackageUse = {
  /** one-time, on the relay */
  stock: 1,
  /** last resort, on the relay */
  last: 2,
  /** inside a request that we sent */
  sent: 3,
} as const;
export type PackageUse = (typeof PackageUse)[keyof typeof PackageUse];

export interface Meta {
  readonly version: number;
}

export interface Clock {
  /** relay's clock minus device's, ms, plus CLOCK_BIAS */
  readonly difference: number;
}

export interface Me {
  /** Ed25519 seed */
  readonly identitySecret: Uint8Array;
  readonly identity: Uint8Array;
  readonly name: string;
  /** Ed25519 seed of the MLS signature key */
  readonly deviceSecret: Uint8Array;
  /** its public key */
  readonly deviceKey: Uint8Array;
  /** encoded DeviceCredential */
  readonly credential: Uint8Array;
  readonly devices: DeviceList;
  readonly listNumber: number;
  /** home: our inboxes, invites and conversations that we found */
  readonly relay: RelayAddress;
  /** of our key packages */
  readonly ownerSecret: Uint8Array;
  readonly packageKey: Uint8Array;
  readonly readReceipts: boolean;
}

export interface Person {
  readonly identity: Uint8Array;
  readonly name: string;
  /** a contact */
  readonly accepted: boolean;
  readonly verified: boolean;
  readonly blocked: boolean;
  /** the name is the person's own word */
  readonly named: boolean;
  /** the direct one */
  readonly conversation?: Uint8Array | undefined;
  /** from the contact request */
  readonly reach?: Reach | undefined;
  readonly devices?: DeviceList | undefined;
}

export interface Inbox {
  readonly id: Uint8Array;
  readonly relay: RelayAddress;
  readonly readSecret: Uint8Array;
  readonly purpose: InboxPurpose;
  readonly owner: Uint8Array;
  readonly created: boolean;
  /** to be deleted on the relay */
  readonly closing: boolean;
  /** last entry processed */
  readonly seq: number;
  /** last entry that the relay has forgotten */
  readonly trimmed: number;
  /** absent: an invite's */
  readonly inboxKey?: Uint8Array | undefined;
}

export interface Opened {
  readonly id: Uint8Array;
  readonly link: InviteLink;
  readonly relay: RelayAddress;
  readonly state: OpenedState;
  /** once verified */
  readonly card?: CardBody | undefined;
  readonly text?: string | undefined;
  /** ours, for the answer */
  readonly inbox?: Uint8Array | undefined;
  readonly problem?: string | undefined;
  /** when the answer came */
  readonly accepted?: number | undefined;
}

export interface StoredPackage {
  /** KeyPackageBundle */
  readonly bundle: Uint8Array;
  readonly use: PackageUse;
  readonly expires: number;
  readonly suite: number;
  /** until the relay has it */
  readonly sealed?: Uint8Array | undefined;
}

export interface Preview {
  readonly id: Uint8Array;
  readonly sender: Uint8Array;
  readonly kind: string;
  readonly text: string;
  readonly time: number;
  readonly mine: boolean;
  readonly status?: string | undefined;
}

export interface PastEpoch {
  readonly epoch: number;
  readonly topic: Uint8Array;
  readonly slot: Uint8Array;
  /** the commit's entry time */
  readonly ended: number;
}

export interface RemovedLeaf {
  readonly leaf: number;
  /** first epoch without it */
  readonly epoch: number;
  /** the commit's entry time */
  readonly time: number;
}

export interface Conversation {
  readonly id: Uint8Array;
  readonly kind: ConversationKind;
  readonly relay: RelayAddress;
  readonly state: ConversationState;
  readonly epoch: number;
  /** the current one */
  readonly topic: Uint8Array;
  /** of the current epoch */
  readonly slot: Uint8Array;
  /** next one expected in the slot */
  readonly position: number;
  /** of the next topic */
  readonly ordinal: number;
  /** of the next outbox item or operation */
  readonly number: number;
  /** the first members are not in yet */
  readonly founding: boolean;
  readonly unread: number;
  readonly activity: number;
  /** within RECEIVE_KEYS_LIFETIME */
  readonly past: readonly PastEpoch[];
  /** within RECEIVE_KEYS_LIFETIME */
  readonly gone: readonly RemovedLeaf[];
  /** still read */
  readonly oldTopics: readonly Uint8Array[];
  /** receipts not sent yet */
  readonly delivered: readonly Uint8Array[];
  /** receipts not sent yet */
  readonly read: readonly Uint8Array[];
  readonly inbox?: Uint8Array | undefined;
  readonly last?: Preview | undefined;
  readonly problem?: string | undefined;
  /** when we asked to leave or to be added again */
  readonly since?: number | undefined;
  /** whom we have asked to add us again */
  readonly asked?: readonly Uint8Array[] | undefined;
}

export interface MemberLeaf {
  readonly leaf: number;
  readonly identity: Uint8Array;
  readonly signatureKey: Uint8Array;
}

export interface Membership {
  readonly info: ConversationInfo;
  readonly ownLeaf: number;
  readonly suite: number;
  /** by leaf */
  readonly members: readonly MemberLeaf[];
  /** id of the MLS group in force; the conversation's own as long as it never moved */
  readonly group: Uint8Array;
  /** entry time of the ReInit that ended this group: the conversation is moving */
  readonly ended?: number | undefined;
  /** the group that the ReInit named */
  readonly successor?: Uint8Array | undefined;
}

export interface Topic {
  readonly id: Uint8Array;
  readonly conversation: Uint8Array;
  readonly topicSecret: Uint8Array;
  readonly ordinal: number;
  readonly created: boolean;
  /** last entry processed */
  readonly seq: number;
  readonly head: Uint8Array;
  /** time of the commit that left it */
  readonly ended?: number | undefined;
}

/** A message of ours that the log does not hold yet. */
export interface Outgoing {
  readonly conversation: Uint8Array;
  readonly id: Uint8Array;
  readonly sent: number;
  /** encoded Content */
  readonly content: Uint8Array;
  /** that the content names */
  readonly blobs: readonly Uint8Array[];
  /** of every record made of it, the present one last */
  readonly hashes: readonly Uint8Array[];
  readonly record?: Uint8Array | undefined;
  /** the record's */
  readonly epoch?: number | undefined;
  /** the record's */
  readonly topic?: Uint8Array | undefined;
  /** holds the record's body */
  readonly blob?: Uint8Array | undefined;
}

/** A record for somebody's inbox, until the relay has it. */
export interface OutDrop {
  readonly relay: RelayAddress;
  readonly inbox: Uint8Array;
  readonly record: Uint8Array;
  readonly kind: DropKind;
  /** conversation, or opened invite */
  readonly owner: Uint8Array;
  /** holds the record's body */
  readonly blob?: Uint8Array | undefined;
}

export interface Seen {
  readonly order: number;
  readonly time: number;
}

/** By the name that the codec knows it by. */
export interface Types {
  Meta: Meta;
  Clock: Clock;
  Me: Me;
  Person: Person;
  Inbox: Inbox;
  Opened: Opened;
  StoredPackage: StoredPackage;
  Preview: Preview;
  PastEpoch: PastEpoch;
  RemovedLeaf: RemovedLeaf;
  Conversation: Conversation;
  MemberLeaf: MemberLeaf;
  Membership: Membership;
  Topic: Topic;
  Outgoing: Outgoing;
  OutDrop: OutDrop;
  Seen: Seen;
}

export const { encoder, decoder } = /* @__PURE__ */ codec(`RelayAddress url t:256,identity b32
DeviceList body b:1024,signature b64
PackageOwner suite u:65535,owner b32
Reach relay RelayAddress,inbox b32,inboxKey b32,owners [PackageOwner]4,packageKey b32
ConversationInfo kind u1:2,name t:256,admins [b32]64^,relays [RelayAddress]4,retentionDays u:365,membersAdd f
InviteLink version u:65535,relay b32,card b32,secret b16,url t:256?
CardBody identity b32,name t:128,inbox b32,publicKey b1216,expires u
Meta version u
Clock difference u
Me identitySecret b32,identity b32,name t:128,deviceSecret b32,deviceKey b32,credential b:256,devices DeviceList,listNumber u,relay RelayAddress,ownerSecret b32,packageKey b32,readReceipts f
Person identity b32,name t:128,accepted f,verified f,blocked f,named f,conversation b16?,reach Reach?,devices DeviceList?
Inbox id b32,relay RelayAddress,readSecret b32,purpose u1:3,owner b16,created f,closing f,seq u,trimmed u,inboxKey b32?
Opened id b16,link InviteLink,relay RelayAddress,state u1:6,card CardBody?,text t:512?,inbox b32?,problem t:64?,accepted u?
StoredPackage bundle b:16384,use u1:3,expires u,suite u,sealed b:8192?
Preview id b16,sender b32,kind t:16,text t:1024,time u,mine f,status t:16?
PastEpoch epoch u,topic b32,slot b16,ended u
RemovedLeaf leaf u,epoch u,time u
Conversation id b16,kind u1:2,relay RelayAddress,state u1:8,epoch u,topic b32,slot b16,position u,ordinal u,number u,founding f,unread u,activity u,past [PastEpoch]65536,gone [RemovedLeaf]65536,oldTopics [b32]65536,delivered [b16]65536,read [b16]65536,inbox b32?,last Preview?,problem t:64?,since u?,asked [b32]4096?
MemberLeaf leaf u,identity b32,signatureKey b32
Membership info ConversationInfo,ownLeaf u,suite u,members [MemberLeaf]65536,group b16,ended u?,successor b16?
Topic id b32,conversation b16,topicSecret b32,ordinal u,created f,seq u,head b32,ended u?
Outgoing conversation b16,id b16,sent u,content b:65536,blobs [b32]3,hashes [b32]4096,record b:4096?,epoch u?,topic b32?,blob b32?
OutDrop relay RelayAddress,inbox b32,record b:4096,kind u1:3,owner b16,blob b32?
Seen order u,time u`);

export const encodeMeta = /* @__PURE__ */ encoder<Meta>('Meta');
export const decodeMeta = /* @__PURE__ */ decoder<Meta>('Meta');
export const encodeClock = /* @__PURE__ */ encoder<Clock>('Clock');
export const decodeClock = /* @__PURE__ */ decoder<Clock>('Clock');
export const encodeMe = /* @__PURE__ */ encoder<Me>('Me');
export const decodeMe = /* @__PURE__ */ decoder<Me>('Me');
export const encodePerson = /* @__PURE__ */ encoder<Person>('Person');
export const decodePerson = /* @__PURE__ */ decoder<Person>('Person');
export const encodeInbox = /* @__PURE__ */ encoder<Inbox>('Inbox');
export const decodeInbox = /* @__PURE__ */ decoder<Inbox>('Inbox');
export const encodeOpened = /* @__PURE__ */ encoder<Opened>('Opened');
export const decodeOpened = /* @__PURE__ */ decoder<Opened>('Opened');
export const encodeStoredPackage = /* @__PURE__ */ encoder<StoredPackage>('StoredPackage');
export const decodeStoredPackage = /* @__PURE__ */ decoder<StoredPackage>('StoredPackage');
export const encodePreview = /* @__PURE__ */ encoder<Preview>('Preview');
export const decodePreview = /* @__PURE__ */ decoder<Preview>('Preview');
export const encodePastEpoch = /* @__PURE__ */ encoder<PastEpoch>('PastEpoch');
export const decodePastEpoch = /* @__PURE__ */ decoder<PastEpoch>('PastEpoch');
export const encodeRemovedLeaf = /* @__PURE__ */ encoder<RemovedLeaf>('RemovedLeaf');
export const decodeRemovedLeaf = /* @__PURE__ */ decoder<RemovedLeaf>('RemovedLeaf');
export const encodeConversation = /* @__PURE__ */ encoder<Conversation>('Conversation');
export const decodeConversation = /* @__PURE__ */ decoder<Conversation>('Conversation');
export const encodeMemberLeaf = /* @__PURE__ */ encoder<MemberLeaf>('MemberLeaf');
export const decodeMemberLeaf = /* @__PURE__ */ decoder<MemberLeaf>('MemberLeaf');
export const encodeMembership = /* @__PURE__ */ encoder<Membership>('Membership');
export const decodeMembership = /* @__PURE__ */ decoder<Membership>('Membership');
export const encodeTopic = /* @__PURE__ */ encoder<Topic>('Topic');
export const decodeTopic = /* @__PURE__ */ decoder<Topic>('Topic');
export const encodeOutgoing = /* @__PURE__ */ encoder<Outgoing>('Outgoing');
export const decodeOutgoing = /* @__PURE__ */ decoder<Outgoing>('Outgoing');
export const encodeOutDrop = /* @__PURE__ */ encoder<OutDrop>('OutDrop');
export const decodeOutDrop = /* @__PURE__ */ decoder<OutDrop>('OutDrop');
export const encodeSeen = /* @__PURE__ */ encoder<Seen>('Seen');
export const decodeSeen = /* @__PURE__ */ decoder<Seen>('Seen');
