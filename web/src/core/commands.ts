/**
 * Everything that the core asks for, and what it tells the app.
 *
 * One step's commands come in this order: Save, AppendMessage, AmendMessage and ForgetHistory (made durable in one
 * transaction before anything else is done), UseRelay and DropRelay, Call, SetTimer, Notify.
 */
import type { InviteLink, RelayAddress, Request } from '../wire/messages.ts';
import type { CardTokens } from './events.ts';
import type { Amendment, StoredMessage } from './history.ts';

/** One row of the core's state; null deletes it. */
export interface Save {
  readonly type: 'Save';
  readonly table: string;
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/** A new message of the history. One whose (conversation, id) is there already is left as it is. */
export interface AppendMessage {
  readonly type: 'AppendMessage';
  readonly message: StoredMessage;
}

/** To be put through `history.apply`; nothing happens where the message is not there. */
export interface AmendMessage {
  readonly type: 'AmendMessage';
  readonly conversation: Uint8Array;
  readonly id: Uint8Array;
  readonly amendment: Amendment;
}

/** Every message of this conversation is to be deleted. */
export interface ForgetHistory {
  readonly type: 'ForgetHistory';
  readonly conversation: Uint8Array;
}

/** Keep a connection to this relay; Connected follows each time there is one. */
export interface UseRelay {
  readonly type: 'UseRelay';
  readonly address: RelayAddress;
}

/** Nothing needs this relay any more. */
export interface DropRelay {
  readonly type: 'DropRelay';
  readonly identity: Uint8Array;
}

/** A request to a relay, answered by Answered or Failed. */
export interface Call {
  readonly type: 'Call';
  readonly id: number;
  readonly relay: Uint8Array;
  readonly request: Request;
}

/** The earliest moment (ms, the device's clock) at which the core wants TimerFired; replaces the former. */
export interface SetTimer {
  readonly type: 'SetTimer';
  readonly at: number;
}

/** What the app is told. */
export type AppEvent =
  | { readonly type: 'IdentityCreated'; readonly identity: Uint8Array }
  /** Name or settings. */
  | { readonly type: 'MeChanged' }
  | { readonly type: 'ConversationChanged'; readonly conversation: Uint8Array }
  | { readonly type: 'MessageAdded'; readonly conversation: Uint8Array; readonly id: Uint8Array }
  | { readonly type: 'MessageChanged'; readonly conversation: Uint8Array; readonly id: Uint8Array }
  | { readonly type: 'RequestReceived'; readonly id: Uint8Array }
  | { readonly type: 'RequestsChanged' }
  | { readonly type: 'ContactsChanged' }
  /** The invite is on the relay; `link` goes into the link's fragment. */
  | { readonly type: 'InviteCreated'; readonly id: Uint8Array; readonly link: InviteLink }
  | { readonly type: 'InvitesChanged' }
  | { readonly type: 'InviteOpened'; readonly id: Uint8Array; readonly name: string; readonly identity: Uint8Array }
  /** Somebody's card carried these; nothing of them is verified. Whoever keeps them does so with the step's changes. */
  | ({ readonly type: 'TokensReceived'; readonly relay: Uint8Array } & CardTokens)
  /** `code`: invite-tampered, invite-expired, invite-gone, invite-used, invite-own. */
  | { readonly type: 'InviteFailed'; readonly id: Uint8Array; readonly code: string }
  /** Somebody whose invite we used has accepted us. */
  | { readonly type: 'ContactAccepted'; readonly conversation: Uint8Array }
  | {
      readonly type: 'TypingChanged';
      readonly conversation: Uint8Array;
      readonly identity: Uint8Array;
      readonly active: boolean;
    }
  /** `code` is one of `problems.CODES`; the conversation's view keeps showing it. */
  | { readonly type: 'ProblemRaised'; readonly conversation: Uint8Array | null; readonly code: string };

export interface Notify {
  readonly type: 'Notify';
  readonly event: AppEvent;
}

export type Change = Save | AppendMessage | AmendMessage | ForgetHistory;
export type Command = Change | UseRelay | DropRelay | Call | SetTimer | Notify;
