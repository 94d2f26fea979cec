/** From the core's values to what the user interface shows: hex, names, and times by this device's clock. */
import type { StoredMessage } from '../core/history.ts';
import type * as core from '../core/views.ts';
import { hex } from '../crypto/bytes.ts';
import { ConversationKind } from '../wire/messages.ts';
import type {
  ContentKind,
  ConversationState,
  ConversationView,
  MessageStatus,
  MessageView,
} from './types.ts';

/** Names that differ here. */
const STATES: Partial<Record<core.ConversationViewState, ConversationState>> = { 'waiting-first': 'joining', leaving: 'left' };

export function conversationView(view: core.ConversationView, difference: number): ConversationView {
  const { last } = view;
  return {
    id: hex(view.id),
    kind: view.kind === ConversationKind.direct ? 'direct' : 'group',
    name: view.name,
    members: view.members.map((member) => ({ ...member, identity: hex(member.identity) })),
    admin: view.myRole === 'admin',
    canSend: view.canSend,
    canAdd: view.canAdd,
    // Who may not write while the group moves has left it.
    state: view.state === 'moving' && !view.canSend ? 'left' : (STATES[view.state] ?? (view.state as ConversationState)),
    last: last && {
      sender: last.sender.some((b) => b !== 0) ? hex(last.sender) : null,
      kind: last.kind as ContentKind,
      text: last.text,
      time: last.time - difference,
      mine: last.mine,
      status: last.status as MessageStatus | null,
    },
    unread: view.unread,
    problem: view.problem,
    postQuantum: view.postQuantum,
    canMove: view.canMove,
    pending: view.pendingOperations > 0,
    activity: view.activity - difference,
  };
}

/** A text of ours that waits to be sent; `difference`: the relay's clock minus this device's, ms. */
export function waitingText(message: StoredMessage, text: string, senderName: string, difference: number): MessageView {
  return {
    id: hex(message.id),
    conversation: hex(message.conversation),
    sender: hex(message.sender),
    senderName,
    mine: true,
    sent: message.sent - difference,
    time: null,
    kind: 'text',
    text,
    edited: false,
    deleted: false,
    status: 'waiting',
    reactions: [],
    deliveredTo: [],
    readBy: [],
  };
}
