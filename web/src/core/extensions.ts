/** Extensions of groups and Welcomes that we make. */
import type { Extension } from '../mls/extensions.ts';
import { type ConversationInfo, EXTENSION_CONVERSATION, EXTENSION_TOPIC, type JoinInfo } from '../wire/messages.ts';
import { encodeConversationInfo, encodeJoinInfo } from '../wire/messages_rest.ts';

export function infoExtension(info: ConversationInfo): Extension {
  return { type: EXTENSION_CONVERSATION, data: encodeConversationInfo(info) };
}

export function joinExtension(join: JoinInfo): Extension {
  return { type: EXTENSION_TOPIC, data: encodeJoinInfo(join) };
}
