/** Everything that can happen to the core: what the network brings, and what the person does. */
import type { Card, Content, EphemeralPush, InviteLink, Push, RelayAddress, Response } from '../wire/messages.ts';

export type NetworkEvent =
  /** A relay can be reached. Without `session` only exchanges work: the core polls. */
  | { readonly type: 'Connected'; readonly relay: Uint8Array; readonly session: boolean }
  | { readonly type: 'Disconnected'; readonly relay: Uint8Array }
  /** The relay's answer to a Call, and its clock (ms) when it answered. */
  | { readonly type: 'Answered'; readonly callId: number; readonly response: Response; readonly relayTime: number }
  /** A Call that got no answer; whether the relay did it is unknown. It is made anew after the next Connected. */
  | { readonly type: 'Failed'; readonly callId: number }
  | { readonly type: 'Pushed'; readonly relay: Uint8Array; readonly push: Push }
  | { readonly type: 'EphemeralPushed'; readonly relay: Uint8Array; readonly push: EphemeralPush }
  /** The moment named by the last SetTimer has come (early or late does no harm). */
  | { readonly type: 'TimerFired' };

/** What a card may carry beside what is signed: at most 16 tokens of kind use, one of kind join. */
export type CardTokens = Pick<Card, 'tokens' | 'join' | 'tokenKeys'>;

export type SingleAction =
  | { readonly type: 'CreateIdentity'; readonly name: string; readonly relay: RelayAddress }
  | { readonly type: 'SetName'; readonly name: string }
  | { readonly type: 'SetSettings'; readonly readReceipts: boolean }
  /** Notify InviteCreated follows once the relay has the invite. The rest is for the invited, of the relay that it lies on. */
  | ({ readonly type: 'CreateInvite' } & CardTokens)
  | { readonly type: 'RevokeInvite'; readonly id: Uint8Array }
  /** Opens somebody's invite; `relay` is where its card lies. Notify InviteOpened or InviteFailed follows. */
  | { readonly type: 'UseInvite'; readonly link: InviteLink; readonly relay: RelayAddress }
  /** `id` as in InviteOpened. */
  | { readonly type: 'SendContactRequest'; readonly id: Uint8Array; readonly text: string | null }
  | { readonly type: 'AcceptRequest'; readonly id: Uint8Array }
  | { readonly type: 'DeclineRequest'; readonly id: Uint8Array }
  | { readonly type: 'BlockRequest'; readonly id: Uint8Array }
  | { readonly type: 'BlockContact'; readonly identity: Uint8Array }
  | { readonly type: 'UnblockContact'; readonly identity: Uint8Array }
  | { readonly type: 'MarkVerified'; readonly identity: Uint8Array; readonly verified: boolean }
  | { readonly type: 'CreateGroup'; readonly name: string; readonly members: readonly Uint8Array[] }
  | { readonly type: 'AddMembers'; readonly conversation: Uint8Array; readonly identities: readonly Uint8Array[] }
  | { readonly type: 'RemoveMember'; readonly conversation: Uint8Array; readonly identity: Uint8Array }
  | { readonly type: 'Leave'; readonly conversation: Uint8Array }
  | { readonly type: 'Rename'; readonly conversation: Uint8Array; readonly name: string }
  | {
      readonly type: 'SetAdmin';
      readonly conversation: Uint8Array;
      readonly identity: Uint8Array;
      readonly admin: boolean;
    }
  /** The group goes on in an MLS group of this suite (SUITE_XWING, SUITE_X25519). Only an admin may. */
  | { readonly type: 'MoveSuite'; readonly conversation: Uint8Array; readonly suite: number }
  /** Text, FileReference, Reaction, Edit or Delete. `id` (16 bytes): the message's; drawn where null. */
  | {
      readonly type: 'SendContent';
      readonly conversation: Uint8Array;
      readonly content: Content;
      readonly id: Uint8Array | null;
    }
  /** Everything up to and including message `upto` has been shown to the person. */
  | { readonly type: 'MarkRead'; readonly conversation: Uint8Array; readonly upto: Uint8Array }
  | { readonly type: 'SetTyping'; readonly conversation: Uint8Array; readonly active: boolean }
  /** Forgets the conversation on this device (its history too); a member leaves first. */
  | { readonly type: 'DeleteConversation'; readonly conversation: Uint8Array };

/** All of `actions` or none, and `marks` (key, value): rows that `Core.mark(key)` gives back, for doing things once. */
export interface Batch {
  readonly type: 'Batch';
  readonly actions: readonly SingleAction[];
  readonly marks: readonly (readonly [Uint8Array, Uint8Array | null])[];
}

export type Action = SingleAction | Batch;
export type Event = NetworkEvent | Action;
