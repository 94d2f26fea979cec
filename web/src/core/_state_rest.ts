// Generated from spec/state.toml by `python -m scripts.generate`; do not edit.
import { codec } from '../wire/codec.ts';
import type { RelayAddress, DeviceList, Reach, LeaveProof } from '../wire/_messages.ts';
import type { PastEpoch, RemovedLeaf, MemberLeaf } from './_state.ts';

export const InviteState = {
  /** inbox or card not on the relay yet */
  preparing: 1,
  /** can be used */
  ready: 2,
  /** a request through it was accepted */
  used: 3,
  /** too old */
  expired: 4,
  /** the relay refused it */
  failed: 5,
} as const;
export type InviteState = (typeof InviteState)[keyof typeof InviteState];

export const OperationKind = {
  /** candidates become members */
  add: 1,
  /** identities go (admins' wish) */
  remove: 2,
  /** to name */
  rename: 3,
  /** identities become admins */
  admin: 4,
  /** identities are admins no more */
  unadmin: 5,
  /** our own leaf gets new keys */
  update: 6,
  /** identities wished to leave */
  leave: 7,
  /** candidates' leaves are replaced */
  readd: 8,
  /** the group goes on in one of another suite, of which candidates are all others; `suite` */
  move: 9,
} as const;
export type OperationKind = (typeof OperationKind)[keyof typeof OperationKind];

export interface Invite {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  /** X-Wing */
  readonly privateKey: Uint8Array;
  /** blob id */
  readonly card: Uint8Array;
  readonly inbox: Uint8Array;
  readonly created: number;
  readonly expires: number;
  readonly state: InviteState;
}

/** A contact request that waits for the person. */
export interface Asked {
  readonly id: Uint8Array;
  readonly identity: Uint8Array;
  readonly name: string;
  readonly text?: string | undefined;
  readonly time: number;
  readonly invite: Uint8Array;
  readonly devices: DeviceList;
  readonly reach: Reach;
}

/** An MLS group that a ReInit has ended. */
export interface FormerGroup {
  /** of its last epoch, by leaf */
  readonly members: readonly MemberLeaf[];
  /** within RECEIVE_KEYS_LIFETIME, the last epoch too */
  readonly past: readonly PastEpoch[];
  /** also of those who were removed from its successors */
  readonly gone: readonly RemovedLeaf[];
}

export interface SlotReceipt {
  readonly seq: number;
  readonly recordHash: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Candidate {
  readonly identity: Uint8Array;
  readonly reach: Reach;
  readonly keyPackage?: Uint8Array | undefined;
}

/** A change of a conversation that we want and that is not in the log yet. */
export interface Operation {
  readonly conversation: Uint8Array;
  readonly kind: OperationKind;
  readonly candidates: readonly Candidate[];
  readonly identities: readonly Uint8Array[];
  readonly name?: string | undefined;
  readonly proof?: LeaveProof | undefined;
  readonly suite?: number | undefined;
}

/** Our commit on its way, kept with its Welcome until the log decides; while moving our Moved, with the successor's founding commit. */
export interface OwnCommit {
  readonly operation: number;
  /** that it ends */
  readonly epoch: number;
  readonly topic: Uint8Array;
  readonly slot: Uint8Array;
  readonly record: Uint8Array;
  /** PendingCommit */
  readonly pending: Uint8Array;
  readonly recipients: readonly Candidate[];
  /** holds the record's body */
  readonly blob?: Uint8Array | undefined;
}

export interface Upload {
  readonly relay: RelayAddress;
  readonly data: Uint8Array;
  readonly sent: number;
  readonly whole: boolean;
  /** records that name it and are not on the relay yet */
  readonly users: number;
}

/** Somebody's wish to leave. */
export interface Wish {
  readonly proof: LeaveProof;
  /** when we commit it */
  readonly due: number;
}

export interface Unread {
  readonly order: number;
  readonly sender: Uint8Array;
}

export interface LateAmendment {
  /** edited, deleted or reacted */
  readonly kind: string;
  readonly by: Uint8Array;
  readonly text: string;
  readonly order: number;
}

/** Amendments of a message that has not come yet. */
export interface Orphan {
  readonly amendments: readonly LateAmendment[];
  readonly time: number;
}

/** By the name that the codec knows it by. */
export interface Types {
  Invite: Invite;
  Asked: Asked;
  FormerGroup: FormerGroup;
  SlotReceipt: SlotReceipt;
  Candidate: Candidate;
  Operation: Operation;
  OwnCommit: OwnCommit;
  Upload: Upload;
  Wish: Wish;
  Unread: Unread;
  LateAmendment: LateAmendment;
  Orphan: Orphan;
}

export const { encoder, decoder } = /* @__PURE__ */ codec(`RelayAddress url t:256,identity b32
DeviceList body b:1024,signature b64
PackageOwner suite u:65535,owner b32
Reach relay RelayAddress,inbox b32,inboxKey b32,owners [PackageOwner]4,packageKey b32
LeaveProof identity b32,leaves [b32]16,signature b64
Invite id b16,secret b16,privateKey b32,card b32,inbox b32,created u,expires u,state u1:5
Asked id b16,identity b32,name t:128,text t:512?,time u,invite b16,devices DeviceList,reach Reach
PastEpoch epoch u,topic b32,slot b16,ended u
RemovedLeaf leaf u,epoch u,time u
MemberLeaf leaf u,identity b32,signatureKey b32
FormerGroup members [MemberLeaf]65536,past [PastEpoch]65536,gone [RemovedLeaf]65536
SlotReceipt seq u,recordHash b32,signature b64
Candidate identity b32,reach Reach,keyPackage b:8192?
Operation conversation b16,kind u1:9,candidates [Candidate]4096,identities [b32]4096,name t:256?,proof LeaveProof?,suite u?
OwnCommit operation u,epoch u,topic b32,slot b16,record b:4096,pending b:67108864,recipients [Candidate]4096,blob b32?
Upload relay RelayAddress,data b:33554432,sent u,whole f,users u
Wish proof LeaveProof,due u
Unread order u,sender b32
LateAmendment kind t:16,by b32,text t:16384,order u
Orphan amendments [LateAmendment]64,time u`);

export const encodeInvite = /* @__PURE__ */ encoder<Invite>('Invite');
export const decodeInvite = /* @__PURE__ */ decoder<Invite>('Invite');
export const encodeAsked = /* @__PURE__ */ encoder<Asked>('Asked');
export const decodeAsked = /* @__PURE__ */ decoder<Asked>('Asked');
export const encodeFormerGroup = /* @__PURE__ */ encoder<FormerGroup>('FormerGroup');
export const decodeFormerGroup = /* @__PURE__ */ decoder<FormerGroup>('FormerGroup');
export const encodeSlotReceipt = /* @__PURE__ */ encoder<SlotReceipt>('SlotReceipt');
export const decodeSlotReceipt = /* @__PURE__ */ decoder<SlotReceipt>('SlotReceipt');
export const encodeCandidate = /* @__PURE__ */ encoder<Candidate>('Candidate');
export const decodeCandidate = /* @__PURE__ */ decoder<Candidate>('Candidate');
export const encodeOperation = /* @__PURE__ */ encoder<Operation>('Operation');
export const decodeOperation = /* @__PURE__ */ decoder<Operation>('Operation');
export const encodeOwnCommit = /* @__PURE__ */ encoder<OwnCommit>('OwnCommit');
export const decodeOwnCommit = /* @__PURE__ */ decoder<OwnCommit>('OwnCommit');
export const encodeUpload = /* @__PURE__ */ encoder<Upload>('Upload');
export const decodeUpload = /* @__PURE__ */ decoder<Upload>('Upload');
export const encodeWish = /* @__PURE__ */ encoder<Wish>('Wish');
export const decodeWish = /* @__PURE__ */ decoder<Wish>('Wish');
export const encodeUnread = /* @__PURE__ */ encoder<Unread>('Unread');
export const decodeUnread = /* @__PURE__ */ decoder<Unread>('Unread');
export const encodeLateAmendment = /* @__PURE__ */ encoder<LateAmendment>('LateAmendment');
export const decodeLateAmendment = /* @__PURE__ */ decoder<LateAmendment>('LateAmendment');
export const encodeOrphan = /* @__PURE__ */ encoder<Orphan>('Orphan');
export const decodeOrphan = /* @__PURE__ */ decoder<Orphan>('Orphan');
