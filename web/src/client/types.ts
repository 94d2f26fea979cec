/**
 * What the user interface knows of the client, and nothing else.
 *
 * Ids, identities and keys are lower-case hex at this boundary; times are milliseconds since the Unix epoch by this device's clock.
 * Actions reject with a PolynyaError whose `code` the text catalogue turns into words.
 */

export type Hex = string;

export interface MemberView {
  identity: Hex;
  name: string;
  admin: boolean;
  me: boolean;
  verified: boolean;
}

export type ContentKind = 'text' | 'file' | 'system' | 'unknown';
export type MessageStatus = 'waiting' | 'sent' | 'delivered' | 'read' | 'failed';

/** The last message of a conversation, for the list of chats; `text` is at most 200 characters. */
export interface LastView {
  sender: Hex | null;
  kind: ContentKind;
  text: string;
  time: number;
  mine: boolean;
  /** Null for what others sent. */
  status: MessageStatus | null;
}

/** `moving`: to other encryption; what is written waits until that is done. */
export type ConversationState = 'active' | 'joining' | 'moving' | 'left' | 'removed' | 'closed' | 'stuck' | 'fraud';

export interface ConversationView {
  id: Hex;
  kind: 'direct' | 'group';
  /** The other person's name in a direct conversation. */
  name: string;
  members: MemberView[];
  /** Whether the person is an admin here. */
  admin: boolean;
  canSend: boolean;
  canAdd: boolean;
  state: ConversationState;
  last: LastView | null;
  unread: number;
  /** A problem's code, in words of the text catalogue. */
  problem: string | null;
  /** Whether its keys are agreed on in a way that quantum computers do not break either. */
  postQuantum: boolean;
  /** Whether the person may have the group move to the other encryption. */
  canMove: boolean;
  /** A change of members or name is under way. */
  pending: boolean;
  /** When something last happened; the list is ordered by it. */
  activity: number;
}

export interface FileView {
  name: string;
  mediaType: string;
  /** Bytes. */
  size: number;
  width?: number;
  height?: number;
  /** A tiny JPEG or WebP of at most 1,536 bytes. */
  preview?: Uint8Array;
  caption?: string;
}

/** A file of ours that waits until its relay has it; the message that names it follows then, under the same id. */
export interface UploadView {
  id: Hex;
  conversation: Hex;
  file: FileView;
  /** By this device's clock. */
  sent: number;
  /** preparing: not yet kept on this device. */
  state: 'preparing' | 'waiting' | 'sending';
  /** 0 to 1, of what the relay has. */
  done: number;
  /** A code: what stands against it until it is tried again. */
  problem: string | null;
}

export interface SystemView {
  kind: 'added' | 'removed' | 'left' | 'renamed' | 'admin' | 'unadmin' | 'joined' | 'created' | 'suite' | 'problem';
  by: Hex | null;
  subjects: Hex[];
  /** The new name of a rename; post-quantum or classical; the code of a problem. */
  text?: string;
}

export interface MessageView {
  id: Hex;
  conversation: Hex;
  sender: Hex;
  senderName: string;
  mine: boolean;
  /** The sender's clock. */
  sent: number;
  /** The relay's clock; null while an own message waits. */
  time: number | null;
  kind: ContentKind;
  text?: string;
  file?: FileView;
  system?: SystemView;
  replyTo?: { id: Hex; senderName: string; text: string; kind: ContentKind };
  edited: boolean;
  deleted: boolean;
  /** Null for what others sent. */
  status: MessageStatus | null;
  reactions: { emoji: string; by: Hex[]; mine: boolean }[];
  deliveredTo: Hex[];
  readBy: Hex[];
}

export interface ContactView {
  identity: Hex;
  name: string;
  verified: boolean;
  blocked: boolean;
  conversation: Hex | null;
}

export interface RequestView {
  id: Hex;
  identity: Hex;
  name: string;
  text: string | null;
  time: number;
  /** 8 groups of 5 digits. */
  fingerprint: string[];
}

export interface InviteView {
  id: Hex;
  /** Null until the relay has the invite. */
  link: string | null;
  created: number;
  expires: number;
  state: 'preparing' | 'ready' | 'used' | 'expired' | 'failed';
}

/** Somebody else's invite that was opened on this device. */
export interface OpenedInvite {
  id: Hex;
  /** The inviter's; empty while opening. */
  name: string;
  identity: Hex;
  state: 'opening' | 'opened' | 'requested' | 'accepted' | 'failed';
  problem: string | null;
}

export interface SafetyView {
  /** 12 groups of 5 digits: 8 of the identities, 4 of the conversation's epoch. */
  groups: string[];
  /** The QR code's text. */
  qr: string;
  verified: boolean;
}

export interface LinkState {
  kind: 'connecting' | 'online' | 'polling' | 'offline' | 'blocked';
  since: number;
  retryAt: number | null;
}

/** Why the relay gives us no more tokens, with which new chats, invites and files are paid; `hours` until it is asked again. */
export interface Shortage {
  code: 'no-tokens' | 'token-keys-differ';
  hours: number;
}

export interface Settings {
  readReceipts: boolean;
  theme: 'system' | 'light' | 'dark';
  language: 'auto' | 'en' | 'ru';
}

export type ClientEvent =
  | { type: 'ready' }
  | { type: 'conversations' }
  | { type: 'messages'; conversation: Hex }
  | { type: 'uploads'; conversation: Hex }
  | { type: 'requests' }
  | { type: 'contacts' }
  | { type: 'invites' }
  | { type: 'opened-invites' }
  | { type: 'typing'; conversation: Hex }
  | { type: 'link' }
  | { type: 'me' }
  | { type: 'problem'; code: string }
  | { type: 'shortage'; shortage: Shortage | null }
  | { type: 'taken-over' };

export type Unsupported = 'no-webcrypto' | 'no-storage' | 'no-locks' | 'in-app-browser';

export type Bootstrap =
  | { kind: 'ready'; client: Client }
  /** `relayLink`: the link or fragment that the person came with, `#r=` (a relay's) or `#i=` (an invite, which names its relay too). */
  | { kind: 'new'; register(name: string, relayLink: string | null): Promise<Client> }
  | { kind: 'elsewhere'; takeOver(): Promise<Bootstrap> }
  | { kind: 'unsupported'; reason: Unsupported; detail?: string }
  | { kind: 'failed'; code: string };

/** `base`: the app's own address without fragment; `fragment`: what stood after `#`, possibly empty. */
export type BootstrapFunction = (location: { base: string; fragment: string }) => Promise<Bootstrap>;

export interface SendFileOptions {
  caption?: string;
  replyTo?: Hex;
  /** Pixels; the interface measures pictures before they are sent. */
  width?: number;
  height?: number;
  preview?: Uint8Array;
}

export interface Client {
  subscribe(listener: (event: ClientEvent) => void): () => void;
  me(): { identity: Hex; name: string; fingerprint: string[] };
  /** Newest activity first. */
  conversations(): ConversationView[];
  conversation(id: Hex): ConversationView | null;
  /** Oldest first; the newest `limit` of those before `before`. */
  messages(conversation: Hex, options?: { before?: MessageView; limit?: number }): Promise<MessageView[]>;
  contacts(): ContactView[];
  requests(): RequestView[];
  invites(): InviteView[];
  openedInvites(): OpenedInvite[];
  link(): LinkState;
  /** Identities of who types now. */
  typing(conversation: Hex): Hex[];
  safety(conversation: Hex): Promise<SafetyView>;
  settings(): Settings;

  /** Resolves when the message is durable on this device. */
  send(conversation: Hex, text: string, replyTo?: Hex): Promise<void>;
  edit(conversation: Hex, id: Hex, text: string): Promise<void>;
  remove(conversation: Hex, id: Hex): Promise<void>;
  /** An empty `emoji` takes the person's reaction back. */
  react(conversation: Hex, id: Hex, emoji: string): Promise<void>;
  /**
   * Resolves when the file is kept on this device, from where it goes out by itself, or when what stands against that is
   * shown by `uploads`.
   */
  sendFile(conversation: Hex, file: File, options?: SendFileOptions): Promise<void>;
  /** Files on their way out, in their order. */
  uploads(conversation: Hex): UploadView[];
  /** Resolves when nothing of it is here any more. One whose message is made already is sent. */
  cancelUpload(id: Hex): Promise<void>;
  retryUpload(id: Hex): Promise<void>;
  openFile(conversation: Hex, id: Hex, onProgress?: (done: number, total: number) => void): Promise<Blob>;
  markRead(conversation: Hex, upto: Hex): Promise<void>;
  setTyping(conversation: Hex, active: boolean): void;
  draft(conversation: Hex): string;
  setDraft(conversation: Hex, text: string): void;

  createInvite(): Promise<Hex>;
  revokeInvite(id: Hex): Promise<void>;
  openInvite(fragmentOrLink: string): Promise<Hex>;
  requestContact(openedInvite: Hex, text: string): Promise<void>;
  /** Resolves to the new conversation's id. */
  accept(request: Hex): Promise<Hex>;
  decline(request: Hex): Promise<void>;
  block(request: Hex): Promise<void>;
  blockContact(identity: Hex): Promise<void>;
  unblockContact(identity: Hex): Promise<void>;

  createGroup(name: string, members: Hex[]): Promise<Hex>;
  addMembers(conversation: Hex, members: Hex[]): Promise<void>;
  removeMember(conversation: Hex, identity: Hex): Promise<void>;
  leave(conversation: Hex): Promise<void>;
  rename(conversation: Hex, name: string): Promise<void>;
  setAdmin(conversation: Hex, identity: Hex, admin: boolean): Promise<void>;
  /** To encryption that protects against quantum computers too, or to the standard one. */
  move(conversation: Hex, postQuantum: boolean): Promise<void>;
  /** On this device only. */
  deleteConversation(conversation: Hex): Promise<void>;

  verify(conversation: Hex, verified: boolean): Promise<void>;
  setName(name: string): Promise<void>;
  setSettings(settings: Partial<Settings>): Promise<void>;
  retryNow(): void;
  eraseEverything(): Promise<void>;
}
