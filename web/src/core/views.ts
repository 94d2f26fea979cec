/** What apps are shown: plain data, made anew at each call, never state. */
import type { ConversationKind, InviteLink, RelayAddress } from '../wire/messages.ts';

export interface MemberView {
  readonly identity: Uint8Array;
  readonly name: string;
  readonly admin: boolean;
  readonly me: boolean;
  readonly verified: boolean;
}

/** The newest message in short; `text` has at most 200 characters. */
export interface LastView {
  readonly id: Uint8Array;
  readonly sender: Uint8Array;
  readonly kind: string;
  readonly text: string;
  readonly time: number;
  readonly mine: boolean;
  readonly status: string | null;
}

export type ConversationViewState =
  /** The founding commit is not in the log yet. */
  | 'waiting-first'
  | 'active'
  /** To another suite: what is written waits until that is done. */
  | 'moving'
  | 'leaving'
  | 'left'
  | 'removed'
  /** The other side has left, or the same two people go on elsewhere. */
  | 'closed'
  | 'stuck'
  | 'fraud';

export interface ConversationView {
  readonly id: Uint8Array;
  readonly kind: ConversationKind;
  /** The other person's in a direct conversation. */
  readonly name: string;
  /** In order of leaf index. */
  readonly members: readonly MemberView[];
  readonly myRole: 'admin' | 'member' | 'none';
  readonly canSend: boolean;
  readonly canAdd: boolean;
  readonly state: ConversationViewState;
  readonly last: LastView | null;
  /** ms: when something last happened here, for sorting. */
  readonly activity: number;
  readonly unread: number;
  readonly problem: string | null;
  readonly pendingOperations: number;
  readonly relay: Uint8Array;
  /** Whether the suite in force withstands quantum computers. */
  readonly postQuantum: boolean;
  /** Whether we may have the group moved to the other suite. */
  readonly canMove: boolean;
}

export interface ContactView {
  readonly identity: Uint8Array;
  readonly name: string;
  readonly verified: boolean;
  readonly blocked: boolean;
  /** The direct conversation. */
  readonly conversation: Uint8Array | null;
}

export interface RequestView {
  readonly id: Uint8Array;
  readonly identity: Uint8Array;
  readonly name: string;
  readonly text: string | null;
  readonly time: number;
  /** Fingerprint of the identity: 8 groups of 5 digits. */
  readonly safety: readonly string[];
}

export interface InviteView {
  readonly id: Uint8Array;
  /** Null until the relay has the invite. */
  readonly link: InviteLink | null;
  readonly created: number;
  readonly expires: number;
  readonly state: 'preparing' | 'ready' | 'used' | 'expired' | 'failed';
}

/** Somebody else's invite that we use. */
export interface OpenedInviteView {
  readonly id: Uint8Array;
  readonly name: string | null;
  readonly identity: Uint8Array | null;
  readonly state: 'opening' | 'opened' | 'requesting' | 'requested' | 'accepted' | 'failed';
  readonly problem: string | null;
  /** Identity of the relay where it lies. */
  readonly relay: Uint8Array;
}

export interface MeView {
  readonly identity: Uint8Array;
  readonly name: string;
  readonly relay: RelayAddress;
  readonly readReceipts: boolean;
  readonly fingerprint: readonly string[];
}

/** `groups`: 8 of the two identities, then 4 of the epoch; `code` is what the QR code holds. */
export interface SafetyView {
  readonly groups: readonly string[];
  readonly code: string;
  readonly verified: boolean;
}
