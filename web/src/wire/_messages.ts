// Generated from spec/messages.toml by `python -m scripts.generate`; do not edit.
import { codec, type Unknown } from './codec.ts';

export type { Unknown };

/** 2026-11: the first protocol */
export const PROTOCOL_VERSION = 1;
/** sizes of a record in bytes, seal included; a short text with MLS overhead is ~400 */
export const RECORD_STEPS = [512, 1024, 2048, 4096] as const;
/** sizes of a sealed request or response's plaintext in bytes; the largest holds one 64 KiB blob part */
export const RESPONSE_STEPS = [256, 1024, 4096, 16384, 65536, 98304] as const;
/** most bytes of a blob that one request carries */
export const BLOB_PART = 65536;
/** 100 MiB: a phone's video of a minute; bounded so that one upload cannot fill a small disk */
export const BLOB_MAX = 104857600;
/** bytes of a file: 1,600 chunks of 65,520, sealed, fill BLOB_MAX */
export const FILE_MAX = 104832000;
/** most entries in one answer: 64 x 1 KiB typical records fill one 64 KiB step */
export const FETCH_LIMIT = 64;
/** most topics and inboxes in one request: 256 x 34 bytes = 8.5 KiB */
export const SUBSCRIBE_LIMIT = 256;
/** an X-Wing key package with its seal is ~3.6 KB */
export const KEY_PACKAGE_MAX = 8192;
/** one-time key packages kept for one owner */
export const KEY_PACKAGES_STORED = 50;
/** typing and the like */
export const EPHEMERAL_MAX = 256;
/** ms: how far a request's time may be from the relay's; the relay remembers encapsulations that long */
export const REQUEST_WINDOW = 600000;
/** ms: a week; its private key is destroyed after two */
export const KEY_CONFIG_LIFETIME = 604800000;
/** ms: 14 days; receive keys of past epochs, and how long an old topic is read */
export const RECEIVE_KEYS_LIFETIME = 1209600000;
/** default retention of records */
export const CONTENT_RETENTION_DAYS = 30;
/** records with a slot */
export const COMMIT_RETENTION_DAYS = 365;
/** ms: 14 days */
export const INVITE_LIFETIME = 1209600000;
/** MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519 */
export const SUITE_X25519 = 1;
/** 0xF001, private use: as SUITE_X25519 with X-Wing (draft-connolly-cfrg-xwing-kem) for the KEM */
export const SUITE_XWING = 61441;
/** a group made for more has SUITE_X25519: a commit just after a mass add costs 1.2 KB a member with X-Wing */
export const XWING_MEMBERS_MAX = 64;
/** 0xF0A1, GroupContext: ConversationInfo (private use, RFC 9420 section 17.3) */
export const EXTENSION_CONVERSATION = 61601;
/** a token of RFC 9578's type 0x0002: type, nonce, challenge digest, key id, 2048-bit signature */
export const TOKEN_SIZE = 354;
/** ms: four weeks; a token key's `not_before` is a multiple of it */
export const TOKEN_KEY_PERIOD = 2419200000;
/** ms: eight weeks; as long tokens of a key are taken */
export const TOKEN_KEY_LIFETIME = 4838400000;
/** most tokens in one request */
export const TOKENS_ISSUED = 64;
/** 0xF0A2, GroupInfo: JoinInfo */
export const EXTENSION_TOPIC = 61602;

export const RefusalCode = {
  /** the request is not of the protocol's form */
  badRequest: 1,
  /** no such topic here (never made, or expired) */
  unknownTopic: 2,
  /** no such inbox here (never made, or revoked) */
  unknownInbox: 3,
  /** no such blob here, or not yet whole */
  unknownBlob: 4,
  /** the owner has left none */
  noKeyPackage: 5,
  /** over a size limit */
  tooLarge: 6,
  /** over a rate or count limit; retry_after says when */
  tooMany: 7,
  /** the relay's disk is full */
  full: 8,
  /** the request's time is outside the window; the reply's time is the relay's */
  clock: 9,
  /** this encapsulation was seen before */
  repeated: 10,
  /** this verb needs a session */
  sessionOnly: 11,
  /** the relay failed; try again later */
  internal: 12,
  /** it exists already with other properties */
  exists: 13,
  /** nobody here is known by this member secret */
  noMember: 14,
  /** a token is missing, spent, or not of this relay */
  token: 15,
  /** tokens are not issued with this key; ask for the keys again */
  tokenKey: 16,
} as const;
export type RefusalCode = (typeof RefusalCode)[keyof typeof RefusalCode];

export const TokenKind = {
  /** pays for room on the relay */
  use: 1,
  /** makes its holder a member */
  join: 2,
} as const;
export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind];

export const ConversationKind = {
  /** two people; nobody removes the other */
  direct: 1,
  /** admins add and remove */
  group: 2,
} as const;
export type ConversationKind = (typeof ConversationKind)[keyof typeof ConversationKind];

export const ReceiptKind = {
  /** on the device */
  delivered: 1,
  /** shown to the person */
  read: 2,
} as const;
export type ReceiptKind = (typeof ReceiptKind)[keyof typeof ReceiptKind];

export const IntentKind = {
  /** the sender wishes to be removed; any member may commit it */
  leave: 1,
} as const;
export type IntentKind = (typeof IntentKind)[keyof typeof IntentKind];

/** Where a relay is and who it must be. */
export interface RelayAddress {
  /** http(s)://host[:port]/secret-path, no slash at the end */
  readonly url: string;
  /** Ed25519 public key */
  readonly identity: Uint8Array;
}

/** One key that requests are sealed to. */
export interface KeyConfig {
  readonly id: number;
  /** HPKE KEM id; 0x647A X-Wing */
  readonly kem: number;
  readonly publicKey: Uint8Array;
  /** ms */
  readonly notBefore: number;
  /** ms */
  readonly notAfter: number;
}

export interface KeyConfigList {
  readonly configs: readonly KeyConfig[];
}

/** What GET <path>/keys answers: body is an encoded KeyConfigList, signed by the relay's identity. */
export interface SignedKeyConfigs {
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** What tokens of one kind are signed with, from one time on. */
export interface TokenKey {
  readonly kind: TokenKind;
  /** SubjectPublicKeyInfo (RFC 9578 section 6.5): RSASSA-PSS, 2048 bits */
  readonly spki: Uint8Array;
  /** ms, a multiple of TOKEN_KEY_PERIOD */
  readonly notBefore: number;
  /** ms, TOKEN_KEY_LIFETIME later */
  readonly notAfter: number;
}

export interface TokenKeyList {
  readonly keys: readonly TokenKey[];
}

/** Body is an encoded TokenKeyList; signature by the relay's identity over 'polynya token keys 1' || body. */
export interface SignedTokenKeys {
  readonly type: 'SignedTokenKeys';
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** Makes the topic of this write secret; repeating it changes nothing. */
export interface CreateTopic {
  readonly type: 'CreateTopic';
  readonly writeSecret: Uint8Array;
  readonly retentionDays: number;
  /** of kind use, as in all requests but JoinRelay */
  readonly token?: Uint8Array | undefined;
}

/** Appends a record. Repeating the same record answers as the first time. */
export interface Publish {
  readonly type: 'Publish';
  readonly writeSecret: Uint8Array;
  readonly record: Uint8Array;
  readonly slot?: Uint8Array | undefined;
  /** blobs that must be whole before this record is taken */
  readonly blobs?: readonly Uint8Array[] | undefined;
}

export interface Fetch {
  readonly type: 'Fetch';
  readonly topic: Uint8Array;
  readonly after: number;
  readonly limit: number;
}

export interface CreateInbox {
  readonly type: 'CreateInbox';
  readonly readSecret: Uint8Array;
  readonly token?: Uint8Array | undefined;
}

/** Appends a record to an inbox. Repeating the same record answers as the first time. */
export interface Drop {
  readonly type: 'Drop';
  readonly inbox: Uint8Array;
  readonly record: Uint8Array;
  readonly blobs?: readonly Uint8Array[] | undefined;
}

export interface FetchInbox {
  readonly type: 'FetchInbox';
  readonly readSecret: Uint8Array;
  readonly after: number;
  readonly limit: number;
}

/** Forgets the inbox's records up to and including `upto`. */
export interface TrimInbox {
  readonly type: 'TrimInbox';
  readonly readSecret: Uint8Array;
  readonly upto: number;
}

export interface DeleteInbox {
  readonly type: 'DeleteInbox';
  readonly readSecret: Uint8Array;
}

/** Adds one-time key packages (sealed) and replaces the last-resort one. */
export interface PutKeyPackages {
  readonly type: 'PutKeyPackages';
  readonly ownerSecret: Uint8Array;
  readonly packages: readonly Uint8Array[];
  readonly lastResort?: Uint8Array | undefined;
  readonly token?: Uint8Array | undefined;
}

export interface TakeKeyPackage {
  readonly type: 'TakeKeyPackage';
  readonly owner: Uint8Array;
}

/** Appends a part at `offset`, which must be what the relay has so far; it answers how much it has. */
export interface PutBlob {
  readonly type: 'PutBlob';
  /** SHA-256 of the whole blob */
  readonly id: Uint8Array;
  readonly total: number;
  readonly offset: number;
  /** empty: only ask how much is there */
  readonly part: Uint8Array;
  /** with a part in which a MiB of the blob begins */
  readonly token?: Uint8Array | undefined;
}

export interface GetBlob {
  readonly type: 'GetBlob';
  readonly id: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** From now on push what arrives in these; session only. */
export interface Subscribe {
  readonly type: 'Subscribe';
  readonly topics: readonly Uint8Array[];
  /** read secrets */
  readonly inboxes: readonly Uint8Array[];
}

export interface Unsubscribe {
  readonly type: 'Unsubscribe';
  readonly topics: readonly Uint8Array[];
  /** inbox ids */
  readonly inboxes: readonly Uint8Array[];
}

/** Pushed to the topic's other live subscribers, never stored; session only. */
export interface SendEphemeral {
  readonly type: 'SendEphemeral';
  readonly writeSecret: Uint8Array;
  readonly body: Uint8Array;
}

/** Answers Done. */
export interface Ping {
  readonly type: 'Ping';
}

/** Makes the holder of this secret a member, who may be issued tokens; repeating it changes nothing and spends nothing. */
export interface JoinRelay {
  readonly type: 'JoinRelay';
  readonly memberSecret: Uint8Array;
  /** of kind join; without one only so many may join in a day */
  readonly token?: Uint8Array | undefined;
}

export interface GetTokenKeys {
  readonly type: 'GetTokenKeys';
}

/** Asks for signatures on blinded messages (RFC 9474). Repeating it gives the same signatures and counts once. */
export interface IssueTokens {
  readonly type: 'IssueTokens';
  readonly memberSecret: Uint8Array;
  readonly kind: TokenKind;
  /** SHA-256 of the newest key's spki */
  readonly keyId: Uint8Array;
  readonly blinded: readonly Uint8Array[];
}

/** The relay's word on one position of a slot; signature over ReceiptBody. */
export interface Receipt {
  /** 0 for the first record of the slot */
  readonly position: number;
  readonly signature: Uint8Array;
}

/** What a receipt signs, after the label 'polynya receipt 1'. */
export interface ReceiptBody {
  readonly topic: Uint8Array;
  readonly slot: Uint8Array;
  readonly position: number;
  readonly seq: number;
  readonly recordHash: Uint8Array;
  /** as in Publish */
  readonly blobs?: readonly Uint8Array[] | undefined;
}

/** One position of a topic's or inbox's log. Without `record` it has expired and only its hash is left. */
export interface Entry {
  readonly seq: number;
  /** ms, when the relay took it */
  readonly time: number;
  readonly record?: Uint8Array | undefined;
  /** only where `record` is absent */
  readonly recordHash?: Uint8Array | undefined;
  readonly slot?: Uint8Array | undefined;
  readonly receipt?: Receipt | undefined;
  /** as in Publish: they were whole when the record was taken */
  readonly blobs?: readonly Uint8Array[] | undefined;
}

export interface Done {
  readonly type: 'Done';
}

export interface Published {
  readonly type: 'Published';
  readonly seq: number;
  /** ms */
  readonly time: number;
  readonly receipt?: Receipt | undefined;
}

export interface Records {
  readonly type: 'Records';
  readonly entries: readonly Entry[];
  /** seq of the newest entry; 0 when empty */
  readonly head: number;
}

/** Answer to Subscribe: newest seq of each topic, then of each inbox, in the order asked. */
export interface Heads {
  readonly type: 'Heads';
  readonly topics: readonly Head[];
  readonly inboxes: readonly Head[];
}

export interface Head {
  /** whether there is such a topic or inbox here */
  readonly known: boolean;
  readonly seq: number;
}

export interface KeyPackagesStored {
  readonly type: 'KeyPackagesStored';
  /** one-time key packages now there */
  readonly count: number;
}

export interface KeyPackageTaken {
  readonly type: 'KeyPackageTaken';
  readonly package: Uint8Array;
  readonly lastResort: boolean;
}

export interface BlobState {
  readonly type: 'BlobState';
  /** bytes the relay has; the whole when equal to total */
  readonly received: number;
}

export interface BlobPart {
  readonly type: 'BlobPart';
  readonly total: number;
  readonly part: Uint8Array;
}

export interface Refused {
  readonly type: 'Refused';
  readonly code: RefusalCode;
  /** ms */
  readonly retryAfter?: number | undefined;
}

export interface TokensIssued {
  readonly type: 'TokensIssued';
  /** blind signatures, in the order asked */
  readonly signatures: readonly Uint8Array[];
}

/** Plaintext of a sealed request (before padding). */
export interface Exchange {
  readonly version: number;
  /** ms, the client's estimate of the relay's clock */
  readonly time: number;
  readonly request: Request;
}

/** Plaintext of a sealed response (before padding). */
export interface Answer {
  /** ms, the relay's clock */
  readonly time: number;
  readonly response: Response;
}

/** Sealed in the first frame of a session. */
export interface SessionHello {
  readonly version: number;
  readonly time: number;
  /** the client's ephemeral X-Wing public key */
  readonly publicKey: Uint8Array;
}

/** The relay's first frame, in the clear: an encapsulation to the hello's key. */
export interface SessionAccept {
  readonly enc: Uint8Array;
}

export interface Call {
  readonly type: 'Call';
  readonly id: number;
  readonly request: Request;
}

export interface Reply {
  readonly type: 'Reply';
  readonly id: number;
  readonly time: number;
  readonly response: Response;
}

export interface Push {
  readonly type: 'Push';
  /** topic id or inbox id */
  readonly source: Uint8Array;
  readonly entry: Entry;
}

export interface EphemeralPush {
  readonly type: 'EphemeralPush';
  readonly topic: Uint8Array;
  readonly body: Uint8Array;
}

export interface Inline {
  readonly type: 'Inline';
  readonly body: Uint8Array;
}

/** The body is too large for a record: it is this blob, sealed as one file (see FileReference). */
export interface InBlob {
  readonly type: 'InBlob';
  readonly blob: Uint8Array;
  readonly key: Uint8Array;
  /** bytes of the body */
  readonly size: number;
}

export interface DeviceEntry {
  /** the device's MLS signature key */
  readonly signatureKey: Uint8Array;
  /** ms */
  readonly added: number;
}

export interface DeviceListBody {
  readonly number: number;
  readonly devices: readonly DeviceEntry[];
}

/** A person's devices; the signature is the identity key's, over 'polynya device list 1' || body. */
export interface DeviceList {
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

/** Identity of an MLS basic credential: binds the leaf's signature key to a person. Signature over 'polynya device 1' || signature_key || list_number (8 bytes). */
export interface DeviceCredential {
  /** the person's Ed25519 identity key */
  readonly identity: Uint8Array;
  /** number of the device list that first named the device */
  readonly listNumber: number;
  readonly signature: Uint8Array;
}

/** Where the key packages of one suite are to be had. */
export interface PackageOwner {
  readonly suite: number;
  /** key package owner id */
  readonly owner: Uint8Array;
}

/** How to reach one device outside a conversation: an inbox, its sealing key, and its key packages. */
export interface Reach {
  readonly relay: RelayAddress;
  readonly inbox: Uint8Array;
  readonly inboxKey: Uint8Array;
  /** one for each suite */
  readonly owners: readonly PackageOwner[];
  /** opens the sealed key packages */
  readonly packageKey: Uint8Array;
}

/** GroupContext extension 0xF0A1. */
export interface ConversationInfo {
  readonly kind: ConversationKind;
  /** empty in a direct conversation */
  readonly name: string;
  /** identity keys */
  readonly admins: readonly Uint8Array[];
  /** the first is the one in use */
  readonly relays: readonly RelayAddress[];
  readonly retentionDays: number;
  /** members who are not admins may add */
  readonly membersAdd: boolean;
}

/** GroupInfo extension 0xF0A2 in a Welcome: where the joiner starts to read. */
export interface JoinInfo {
  readonly topicSecret: Uint8Array;
  /** seq that the committer had processed before its commit */
  readonly seq: number;
  /** hash chain's head at that seq */
  readonly head: Uint8Array;
}

/** Authenticated data of a commit. */
export interface CommitData {
  readonly leaves?: readonly LeaveProof[] | undefined;
}

/** A member's signed wish that these leaves of theirs be removed; the identity key's signature over 'polynya leave 1' || id of the MLS group || identity || leaves in a row. */
export interface LeaveProof {
  readonly identity: Uint8Array;
  /** SHA-256 of 'polynya leaf 1' || LeafNode, as the leaf is in the epoch of signing */
  readonly leaves: readonly Uint8Array[];
  readonly signature: Uint8Array;
}

export interface MovedBody {
  /** id of the ended MLS group */
  readonly group: Uint8Array;
  /** its last */
  readonly epoch: number;
  /** who founds the successor */
  readonly identity: Uint8Array;
  /** the successor's GroupInfo in epoch 1 with its ratchet_tree, an MLSMessage */
  readonly groupInfo: Uint8Array;
  /** for all other members, without the tree; absent where there are none */
  readonly welcome?: Uint8Array | undefined;
}

/** The group goes on in this successor (protocol, section 5.7). Signature by the identity over 'polynya moved 1' || body. */
export interface Moved {
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

export interface Text {
  readonly type: 'Text';
  readonly text: string;
  readonly replyTo?: Uint8Array | undefined;
}

export interface Reaction {
  readonly type: 'Reaction';
  readonly target: Uint8Array;
  /** empty: the sender's reaction is taken back */
  readonly emoji: string;
}

export interface Edit {
  readonly type: 'Edit';
  readonly target: Uint8Array;
  readonly text: string;
}

export interface Delete {
  readonly type: 'Delete';
  readonly target: Uint8Array;
}

export interface ReceiptContent {
  readonly type: 'ReceiptContent';
  readonly kind: ReceiptKind;
  readonly ids: readonly Uint8Array[];
}

/** A file: the blob is AES-256-GCM over 64 KiB chunks, see the protocol, section Files. */
export interface FileReference {
  readonly type: 'FileReference';
  readonly blob: Uint8Array;
  readonly key: Uint8Array;
  /** bytes of the file */
  readonly size: number;
  readonly name: string;
  readonly mediaType: string;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** a tiny JPEG or WebP */
  readonly preview?: Uint8Array | undefined;
  readonly caption?: string | undefined;
  readonly replyTo?: Uint8Array | undefined;
}

export interface Profile {
  readonly type: 'Profile';
  readonly name: string;
  readonly reach?: Reach | undefined;
}

export interface Intent {
  readonly type: 'Intent';
  readonly kind: IntentKind;
  readonly proof?: LeaveProof | undefined;
}

export interface DeviceListContent {
  readonly type: 'DeviceListContent';
  readonly list: DeviceList;
}

export interface Typing {
  readonly type: 'Typing';
  readonly active: boolean;
}

/** Application data of an MLS message. */
export interface Message {
  /** random; the same in every re-encryption */
  readonly id: Uint8Array;
  /** ms, the sender's clock */
  readonly sent: number;
  readonly content: Content;
  /** topic whose log `seq` and `head` speak of */
  readonly topic: Uint8Array;
  /** last seq the sender had processed */
  readonly seq: number;
  /** hash chain's head at that seq */
  readonly head: Uint8Array;
  /** number of the sender's current device list */
  readonly deviceList: number;
}

/** Sealed under the epoch's ephemeral key: proves a member, not which one. */
export interface EphemeralMessage {
  readonly leaf: number;
  readonly sent: number;
  readonly content: EphemeralContent;
}

/** In the fragment of an invite link, with a check behind it (protocol, section 7). */
export interface InviteLink {
  readonly version: number;
  /** the relay's identity */
  readonly relay: Uint8Array;
  /** blob id of the sealed card */
  readonly card: Uint8Array;
  readonly secret: Uint8Array;
  /** the relay's address where it is not the link's own */
  readonly url?: string | undefined;
}

/** In the fragment of the link that a relay prints. */
export interface RelayLink {
  readonly version: number;
  readonly relay: Uint8Array;
  readonly url?: string | undefined;
}

export interface CardBody {
  readonly identity: Uint8Array;
  readonly name: string;
  /** the invite's own inbox */
  readonly inbox: Uint8Array;
  /** X-Wing key that contact requests are sealed to */
  readonly publicKey: Uint8Array;
  readonly expires: number;
}

/** Signature by the identity over 'polynya card 1' || body. Tokens are for the invited, of the relay in the link. */
export interface Card {
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
  /** of kind use */
  readonly tokens?: readonly Uint8Array[] | undefined;
  /** of kind join */
  readonly join?: Uint8Array | undefined;
  /** as the inviter saw them */
  readonly tokenKeys?: SignedTokenKeys | undefined;
}

export interface ContactRequestBody {
  /** the invite's card blob: binds the request to it */
  readonly card: Uint8Array;
  readonly identity: Uint8Array;
  readonly name: string;
  readonly text?: string | undefined;
  readonly devices: DeviceList;
  readonly reach: Reach;
}

/** Signature by the identity over 'polynya contact request 1' || body. */
export interface ContactRequest {
  readonly type: 'ContactRequest';
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

export interface RosterEntry {
  readonly identity: Uint8Array;
  readonly name: string;
  readonly reach?: Reach | undefined;
}

/** Someone added us. `roster` is what the adder knows of the others; names are the adder's word. */
export interface WelcomeMessage {
  readonly type: 'WelcomeMessage';
  readonly welcome: Uint8Array;
  readonly tree?: Uint8Array | undefined;
  readonly roster: readonly RosterEntry[];
  /** ids of groups that went on in this one by ReInit, in no order */
  readonly former?: readonly Uint8Array[] | undefined;
}

export interface ReAddBody {
  /** id of the MLS group that the member reads */
  readonly group: Uint8Array;
  readonly identity: Uint8Array;
  readonly epoch: number;
  readonly keyPackage: Uint8Array;
  readonly time: number;
}

/** A member who cannot go on asks to be removed and added again. Signature by the identity over 'polynya re-add 1' || body. */
export interface ReAddRequest {
  readonly type: 'ReAddRequest';
  readonly body: Uint8Array;
  readonly signature: Uint8Array;
}

export type Request = CreateTopic | Publish | Fetch | CreateInbox | Drop | FetchInbox | TrimInbox | DeleteInbox | PutKeyPackages | TakeKeyPackage | PutBlob | GetBlob | Subscribe | Unsubscribe | SendEphemeral | Ping | JoinRelay | GetTokenKeys | IssueTokens;

export type Response = Done | Published | Records | Heads | KeyPackagesStored | KeyPackageTaken | BlobState | BlobPart | Refused | SignedTokenKeys | TokensIssued;

export type ClientFrame = Call;

export type RelayFrame = Reply | Push | EphemeralPush;

export type RecordBody = Inline | InBlob;

export type Content = Text | Reaction | Edit | Delete | ReceiptContent | FileReference | Profile | Intent | DeviceListContent | Unknown;

export type EphemeralContent = Typing | Unknown;

export type InboxMessage = ContactRequest | WelcomeMessage | ReAddRequest;

export const { encoder, decoder } = /* @__PURE__ */ codec(`RelayAddress url t:256,identity b32
KeyConfig id u:255,kem u:65535,publicKey b:2048,notBefore u,notAfter u
KeyConfigList configs [KeyConfig]4
SignedKeyConfigs body b:8192,signature b64
SignedTokenKeys !body b:8192,signature b64
CreateTopic !writeSecret b32,retentionDays u:365,token b354?
Publish !writeSecret b32,record b29:4096,slot b16?,blobs [b32]4?
Fetch !topic b32,after u,limit u:64
CreateInbox !readSecret b32,token b354?
Drop !inbox b32,record b29:4096,blobs [b32]4?
FetchInbox !readSecret b32,after u,limit u:64
TrimInbox !readSecret b32,upto u
DeleteInbox !readSecret b32
PutKeyPackages !ownerSecret b32,packages [b:8192]10,lastResort b:8192?,token b354?
TakeKeyPackage !owner b32
PutBlob !id b32,total u:104857600,offset u:104857600,part b:65536,token b354?
GetBlob !id b32,offset u:104857600,length u:65536
Subscribe !topics [b32]256,inboxes [b32]256
Unsubscribe !topics [b32]256,inboxes [b32]256
SendEphemeral !writeSecret b32,body b:256
Ping !
JoinRelay !memberSecret b32,token b354?
GetTokenKeys !
IssueTokens !memberSecret b32,kind u1:2,keyId b32,blinded [b256]64
Receipt position u:65535,signature b64
Entry seq u,time u,record b29:4096?,recordHash b32?,slot b16?,receipt Receipt?,blobs [b32]4?|record|recordHash
Done !
Published !seq u,time u,receipt Receipt?
Records !entries [Entry]64,head u
Heads !topics [Head]256,inboxes [Head]256
Head known f,seq u
KeyPackagesStored !count u
KeyPackageTaken !package b:8192,lastResort f
BlobState !received u:104857600
BlobPart !total u:104857600,part b:65536
Refused !code u1:16,retryAfter u?
TokensIssued !signatures [b256]64
Exchange version u:65535,time u,request Request
Answer time u,response Response
SessionHello version u:65535,time u,publicKey b1216
SessionAccept enc b1120
Call !id u,request Request
Reply !id u,time u,response Response
Push !source b32,entry Entry
EphemeralPush !topic b32,body b:256
Inline !body b:4096
InBlob !blob b32,key b32,size u:16777216
DeviceEntry signatureKey b32,added u
DeviceListBody number u,devices [DeviceEntry]16
DeviceList body b:1024,signature b64
DeviceCredential identity b32,listNumber u,signature b64
PackageOwner suite u:65535,owner b32
Reach relay RelayAddress,inbox b32,inboxKey b32,owners [PackageOwner]4,packageKey b32
ConversationInfo kind u1:2,name t:256,admins [b32]64^,relays [RelayAddress]4,retentionDays u:365,membersAdd f
JoinInfo topicSecret b32,seq u,head b32
LeaveProof identity b32,leaves [b32]16,signature b64
Text !~text t:16384,replyTo b16?
Reaction !~target b16,emoji t:64
Edit !~target b16,text t:16384
Delete !~target b16
ReceiptContent !~kind u1:2,ids [b16]64
FileReference !~blob b32,key b32,size u:104832000,name t:255,mediaType t:100,width u:65535?,height u:65535?,preview b:1536?,caption t:4096?,replyTo b16?
Profile !~name t:128,reach Reach?
Intent !~kind u1:1,proof LeaveProof?
DeviceListContent !~list DeviceList
Message ~id b16,sent u,content Content,topic b32,seq u,head b32,deviceList u
InviteLink version u:65535,relay b32,card b32,secret b16,url t:256?
RelayLink version u:65535,relay b32,url t:256?
CardBody identity b32,name t:128,inbox b32,publicKey b1216,expires u
Card body b:2048,signature b64,tokens [b354]16?,join b354?,tokenKeys SignedTokenKeys?
ContactRequestBody card b32,identity b32,name t:128,text t:512?,devices DeviceList,reach Reach
ContactRequest !body b:4096,signature b64
RosterEntry identity b32,name t:128,reach Reach?
WelcomeMessage !welcome b:8388608,tree b:8388608?,roster [RosterEntry]4096,former [b16]16?
ReAddRequest !body b:4096,signature b64
Request =CreateTopic,Publish,Fetch,CreateInbox,Drop,FetchInbox,TrimInbox,DeleteInbox,PutKeyPackages,TakeKeyPackage,PutBlob,GetBlob,Subscribe,Unsubscribe,SendEphemeral,Ping,JoinRelay,GetTokenKeys,IssueTokens
Response =Done,Published,Records,Heads,KeyPackagesStored,KeyPackageTaken,BlobState,BlobPart,Refused,SignedTokenKeys,TokensIssued
ClientFrame =Call
RelayFrame =Reply,Push,EphemeralPush
RecordBody =Inline,InBlob
Content ~=Text,Reaction,Edit,Delete,ReceiptContent,FileReference,Profile,Intent,DeviceListContent
InboxMessage =ContactRequest,WelcomeMessage,ReAddRequest`);

export const encodeRelayAddress = /* @__PURE__ */ encoder<RelayAddress>('RelayAddress');
export const decodeRelayAddress = /* @__PURE__ */ decoder<RelayAddress>('RelayAddress');
export const encodeKeyConfig = /* @__PURE__ */ encoder<KeyConfig>('KeyConfig');
export const decodeKeyConfig = /* @__PURE__ */ decoder<KeyConfig>('KeyConfig');
export const encodeKeyConfigList = /* @__PURE__ */ encoder<KeyConfigList>('KeyConfigList');
export const decodeKeyConfigList = /* @__PURE__ */ decoder<KeyConfigList>('KeyConfigList');
export const encodeSignedKeyConfigs = /* @__PURE__ */ encoder<SignedKeyConfigs>('SignedKeyConfigs');
export const decodeSignedKeyConfigs = /* @__PURE__ */ decoder<SignedKeyConfigs>('SignedKeyConfigs');
export const encodeSignedTokenKeys = /* @__PURE__ */ encoder<SignedTokenKeys>('SignedTokenKeys');
export const decodeSignedTokenKeys = /* @__PURE__ */ decoder<SignedTokenKeys>('SignedTokenKeys');
export const encodeCreateTopic = /* @__PURE__ */ encoder<CreateTopic>('CreateTopic');
export const decodeCreateTopic = /* @__PURE__ */ decoder<CreateTopic>('CreateTopic');
export const encodePublish = /* @__PURE__ */ encoder<Publish>('Publish');
export const decodePublish = /* @__PURE__ */ decoder<Publish>('Publish');
export const encodeFetch = /* @__PURE__ */ encoder<Fetch>('Fetch');
export const decodeFetch = /* @__PURE__ */ decoder<Fetch>('Fetch');
export const encodeCreateInbox = /* @__PURE__ */ encoder<CreateInbox>('CreateInbox');
export const decodeCreateInbox = /* @__PURE__ */ decoder<CreateInbox>('CreateInbox');
export const encodeDrop = /* @__PURE__ */ encoder<Drop>('Drop');
export const decodeDrop = /* @__PURE__ */ decoder<Drop>('Drop');
export const encodeFetchInbox = /* @__PURE__ */ encoder<FetchInbox>('FetchInbox');
export const decodeFetchInbox = /* @__PURE__ */ decoder<FetchInbox>('FetchInbox');
export const encodeTrimInbox = /* @__PURE__ */ encoder<TrimInbox>('TrimInbox');
export const decodeTrimInbox = /* @__PURE__ */ decoder<TrimInbox>('TrimInbox');
export const encodeDeleteInbox = /* @__PURE__ */ encoder<DeleteInbox>('DeleteInbox');
export const decodeDeleteInbox = /* @__PURE__ */ decoder<DeleteInbox>('DeleteInbox');
export const encodePutKeyPackages = /* @__PURE__ */ encoder<PutKeyPackages>('PutKeyPackages');
export const decodePutKeyPackages = /* @__PURE__ */ decoder<PutKeyPackages>('PutKeyPackages');
export const encodeTakeKeyPackage = /* @__PURE__ */ encoder<TakeKeyPackage>('TakeKeyPackage');
export const decodeTakeKeyPackage = /* @__PURE__ */ decoder<TakeKeyPackage>('TakeKeyPackage');
export const encodePutBlob = /* @__PURE__ */ encoder<PutBlob>('PutBlob');
export const decodePutBlob = /* @__PURE__ */ decoder<PutBlob>('PutBlob');
export const encodeGetBlob = /* @__PURE__ */ encoder<GetBlob>('GetBlob');
export const decodeGetBlob = /* @__PURE__ */ decoder<GetBlob>('GetBlob');
export const encodeSubscribe = /* @__PURE__ */ encoder<Subscribe>('Subscribe');
export const decodeSubscribe = /* @__PURE__ */ decoder<Subscribe>('Subscribe');
export const encodeUnsubscribe = /* @__PURE__ */ encoder<Unsubscribe>('Unsubscribe');
export const decodeUnsubscribe = /* @__PURE__ */ decoder<Unsubscribe>('Unsubscribe');
export const encodeSendEphemeral = /* @__PURE__ */ encoder<SendEphemeral>('SendEphemeral');
export const decodeSendEphemeral = /* @__PURE__ */ decoder<SendEphemeral>('SendEphemeral');
export const encodePing = /* @__PURE__ */ encoder<Ping>('Ping');
export const decodePing = /* @__PURE__ */ decoder<Ping>('Ping');
export const encodeJoinRelay = /* @__PURE__ */ encoder<JoinRelay>('JoinRelay');
export const decodeJoinRelay = /* @__PURE__ */ decoder<JoinRelay>('JoinRelay');
export const encodeGetTokenKeys = /* @__PURE__ */ encoder<GetTokenKeys>('GetTokenKeys');
export const decodeGetTokenKeys = /* @__PURE__ */ decoder<GetTokenKeys>('GetTokenKeys');
export const encodeIssueTokens = /* @__PURE__ */ encoder<IssueTokens>('IssueTokens');
export const decodeIssueTokens = /* @__PURE__ */ decoder<IssueTokens>('IssueTokens');
export const encodeReceipt = /* @__PURE__ */ encoder<Receipt>('Receipt');
export const decodeReceipt = /* @__PURE__ */ decoder<Receipt>('Receipt');
export const encodeEntry = /* @__PURE__ */ encoder<Entry>('Entry');
export const decodeEntry = /* @__PURE__ */ decoder<Entry>('Entry');
export const encodeDone = /* @__PURE__ */ encoder<Done>('Done');
export const decodeDone = /* @__PURE__ */ decoder<Done>('Done');
export const encodePublished = /* @__PURE__ */ encoder<Published>('Published');
export const decodePublished = /* @__PURE__ */ decoder<Published>('Published');
export const encodeRecords = /* @__PURE__ */ encoder<Records>('Records');
export const decodeRecords = /* @__PURE__ */ decoder<Records>('Records');
export const encodeHeads = /* @__PURE__ */ encoder<Heads>('Heads');
export const decodeHeads = /* @__PURE__ */ decoder<Heads>('Heads');
export const encodeHead = /* @__PURE__ */ encoder<Head>('Head');
export const decodeHead = /* @__PURE__ */ decoder<Head>('Head');
export const encodeKeyPackagesStored = /* @__PURE__ */ encoder<KeyPackagesStored>('KeyPackagesStored');
export const decodeKeyPackagesStored = /* @__PURE__ */ decoder<KeyPackagesStored>('KeyPackagesStored');
export const encodeKeyPackageTaken = /* @__PURE__ */ encoder<KeyPackageTaken>('KeyPackageTaken');
export const decodeKeyPackageTaken = /* @__PURE__ */ decoder<KeyPackageTaken>('KeyPackageTaken');
export const encodeBlobState = /* @__PURE__ */ encoder<BlobState>('BlobState');
export const decodeBlobState = /* @__PURE__ */ decoder<BlobState>('BlobState');
export const encodeBlobPart = /* @__PURE__ */ encoder<BlobPart>('BlobPart');
export const decodeBlobPart = /* @__PURE__ */ decoder<BlobPart>('BlobPart');
export const encodeRefused = /* @__PURE__ */ encoder<Refused>('Refused');
export const decodeRefused = /* @__PURE__ */ decoder<Refused>('Refused');
export const encodeTokensIssued = /* @__PURE__ */ encoder<TokensIssued>('TokensIssued');
export const decodeTokensIssued = /* @__PURE__ */ decoder<TokensIssued>('TokensIssued');
export const encodeExchange = /* @__PURE__ */ encoder<Exchange>('Exchange');
export const decodeExchange = /* @__PURE__ */ decoder<Exchange>('Exchange');
export const encodeAnswer = /* @__PURE__ */ encoder<Answer>('Answer');
export const decodeAnswer = /* @__PURE__ */ decoder<Answer>('Answer');
export const encodeSessionHello = /* @__PURE__ */ encoder<SessionHello>('SessionHello');
export const decodeSessionHello = /* @__PURE__ */ decoder<SessionHello>('SessionHello');
export const encodeSessionAccept = /* @__PURE__ */ encoder<SessionAccept>('SessionAccept');
export const decodeSessionAccept = /* @__PURE__ */ decoder<SessionAccept>('SessionAccept');
export const encodeCall = /* @__PURE__ */ encoder<Call>('Call');
export const decodeCall = /* @__PURE__ */ decoder<Call>('Call');
export const encodeReply = /* @__PURE__ */ encoder<Reply>('Reply');
export const decodeReply = /* @__PURE__ */ decoder<Reply>('Reply');
export const encodePush = /* @__PURE__ */ encoder<Push>('Push');
export const decodePush = /* @__PURE__ */ decoder<Push>('Push');
export const encodeEphemeralPush = /* @__PURE__ */ encoder<EphemeralPush>('EphemeralPush');
export const decodeEphemeralPush = /* @__PURE__ */ decoder<EphemeralPush>('EphemeralPush');
export const encodeInline = /* @__PURE__ */ encoder<Inline>('Inline');
export const decodeInline = /* @__PURE__ */ decoder<Inline>('Inline');
export const encodeInBlob = /* @__PURE__ */ encoder<InBlob>('InBlob');
export const decodeInBlob = /* @__PURE__ */ decoder<InBlob>('InBlob');
export const encodeDeviceEntry = /* @__PURE__ */ encoder<DeviceEntry>('DeviceEntry');
export const decodeDeviceEntry = /* @__PURE__ */ decoder<DeviceEntry>('DeviceEntry');
export const encodeDeviceListBody = /* @__PURE__ */ encoder<DeviceListBody>('DeviceListBody');
export const encodeDeviceList = /* @__PURE__ */ encoder<DeviceList>('DeviceList');
export const decodeDeviceList = /* @__PURE__ */ decoder<DeviceList>('DeviceList');
export const encodeDeviceCredential = /* @__PURE__ */ encoder<DeviceCredential>('DeviceCredential');
export const decodeDeviceCredential = /* @__PURE__ */ decoder<DeviceCredential>('DeviceCredential');
export const encodePackageOwner = /* @__PURE__ */ encoder<PackageOwner>('PackageOwner');
export const decodePackageOwner = /* @__PURE__ */ decoder<PackageOwner>('PackageOwner');
export const encodeReach = /* @__PURE__ */ encoder<Reach>('Reach');
export const decodeReach = /* @__PURE__ */ decoder<Reach>('Reach');
export const decodeConversationInfo = /* @__PURE__ */ decoder<ConversationInfo>('ConversationInfo');
export const decodeJoinInfo = /* @__PURE__ */ decoder<JoinInfo>('JoinInfo');
export const encodeLeaveProof = /* @__PURE__ */ encoder<LeaveProof>('LeaveProof');
export const decodeLeaveProof = /* @__PURE__ */ decoder<LeaveProof>('LeaveProof');
export const encodeText = /* @__PURE__ */ encoder<Text>('Text');
export const decodeText = /* @__PURE__ */ decoder<Text>('Text');
export const encodeReaction = /* @__PURE__ */ encoder<Reaction>('Reaction');
export const decodeReaction = /* @__PURE__ */ decoder<Reaction>('Reaction');
export const encodeEdit = /* @__PURE__ */ encoder<Edit>('Edit');
export const decodeEdit = /* @__PURE__ */ decoder<Edit>('Edit');
export const encodeDelete = /* @__PURE__ */ encoder<Delete>('Delete');
export const decodeDelete = /* @__PURE__ */ decoder<Delete>('Delete');
export const encodeReceiptContent = /* @__PURE__ */ encoder<ReceiptContent>('ReceiptContent');
export const decodeReceiptContent = /* @__PURE__ */ decoder<ReceiptContent>('ReceiptContent');
export const encodeFileReference = /* @__PURE__ */ encoder<FileReference>('FileReference');
export const decodeFileReference = /* @__PURE__ */ decoder<FileReference>('FileReference');
export const encodeProfile = /* @__PURE__ */ encoder<Profile>('Profile');
export const decodeProfile = /* @__PURE__ */ decoder<Profile>('Profile');
export const encodeIntent = /* @__PURE__ */ encoder<Intent>('Intent');
export const decodeIntent = /* @__PURE__ */ decoder<Intent>('Intent');
export const encodeDeviceListContent = /* @__PURE__ */ encoder<DeviceListContent>('DeviceListContent');
export const decodeDeviceListContent = /* @__PURE__ */ decoder<DeviceListContent>('DeviceListContent');
export const encodeMessage = /* @__PURE__ */ encoder<Message>('Message');
export const decodeMessage = /* @__PURE__ */ decoder<Message>('Message');
export const encodeInviteLink = /* @__PURE__ */ encoder<InviteLink>('InviteLink');
export const decodeInviteLink = /* @__PURE__ */ decoder<InviteLink>('InviteLink');
export const encodeRelayLink = /* @__PURE__ */ encoder<RelayLink>('RelayLink');
export const decodeRelayLink = /* @__PURE__ */ decoder<RelayLink>('RelayLink');
export const decodeCardBody = /* @__PURE__ */ decoder<CardBody>('CardBody');
export const decodeCard = /* @__PURE__ */ decoder<Card>('Card');
export const encodeContactRequestBody = /* @__PURE__ */ encoder<ContactRequestBody>('ContactRequestBody');
export const encodeContactRequest = /* @__PURE__ */ encoder<ContactRequest>('ContactRequest');
export const decodeContactRequest = /* @__PURE__ */ decoder<ContactRequest>('ContactRequest');
export const encodeRosterEntry = /* @__PURE__ */ encoder<RosterEntry>('RosterEntry');
export const decodeRosterEntry = /* @__PURE__ */ decoder<RosterEntry>('RosterEntry');
export const encodeReAddRequest = /* @__PURE__ */ encoder<ReAddRequest>('ReAddRequest');
export const decodeReAddRequest = /* @__PURE__ */ decoder<ReAddRequest>('ReAddRequest');
export const encodeRequest = /* @__PURE__ */ encoder<Request>('Request');
export const decodeRequest = /* @__PURE__ */ decoder<Request>('Request');
export const encodeResponse = /* @__PURE__ */ encoder<Response>('Response');
export const decodeResponse = /* @__PURE__ */ decoder<Response>('Response');
export const encodeClientFrame = /* @__PURE__ */ encoder<ClientFrame>('ClientFrame');
export const decodeClientFrame = /* @__PURE__ */ decoder<ClientFrame>('ClientFrame');
export const encodeRelayFrame = /* @__PURE__ */ encoder<RelayFrame>('RelayFrame');
export const decodeRelayFrame = /* @__PURE__ */ decoder<RelayFrame>('RelayFrame');
export const encodeRecordBody = /* @__PURE__ */ encoder<RecordBody>('RecordBody');
export const decodeRecordBody = /* @__PURE__ */ decoder<RecordBody>('RecordBody');
export const encodeContent = /* @__PURE__ */ encoder<Content>('Content');
export const decodeContent = /* @__PURE__ */ decoder<Content>('Content');
export const encodeInboxMessage = /* @__PURE__ */ encoder<InboxMessage>('InboxMessage');
export const decodeInboxMessage = /* @__PURE__ */ decoder<InboxMessage>('InboxMessage');
