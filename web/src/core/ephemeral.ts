/** Hints that are never stored: who is typing. */
import { concat } from '../crypto/bytes.ts';
import type { Group } from '../mls/group.ts';
import { same } from '../wire/bytes.ts';
import { WireError } from '../wire/errors.ts';
import { openEphemeral, sealEphemeral } from '../wire/ephemeral.ts';
import { writeSecret } from '../wire/labels.ts';
import type { EphemeralPush } from '../wire/messages.ts';
import { ConversationState } from './_state.ts';
import { group, isBlockedDirect, membership, need } from './conversation.ts';
import { attempt } from './errors.ts';
import { me } from './identity.ts';
import { CONVERSATION, GROUP, LINK, TOPIC } from './state.ts';
import { TYPING } from './tables.ts';
import type { Transaction } from './transaction.ts';
import * as work from './work.ts';

/** ms that someone is shown as typing without another word; clients repeat it every few seconds. */
const SHOWN = 8_000;
/** ms: an older hint is not believed. */
const FRESH = 60_000;

export function ephemeralKey(group: Group): Uint8Array {
  return group.export('polynya ephemeral', new Uint8Array(0), 32);
}

/** Nothing happens without a session. @throws CoreError `unknown-conversation` */
export async function setTyping(t: Transaction, conversation: Uint8Array, active: boolean): Promise<void> {
  const found = need(t, conversation);
  const relay = found.relay.identity;
  const topic = t.get(TOPIC, found.topic);
  const name = work.item('typing', conversation);
  if (found.state !== ConversationState.active || found.founding || !topic?.created) return;
  if (!t.get(LINK, relay)?.session || !work.mayCall(t, relay, name)) return;
  const leaf = membership(t, conversation).ownLeaf;
  const message = { leaf, sent: t.time, content: { type: 'Typing', active } } as const;
  const body = await sealEphemeral(ephemeralKey(group(t, conversation)), topic.id, message, t.random);
  work.call(t, relay, name, { type: 'SendEphemeral', writeSecret: writeSecret(topic.topicSecret), body });
}

export async function pushed(t: Transaction, push: EphemeralPush): Promise<void> {
  const topic = t.get(TOPIC, push.topic);
  const found = topic && t.get(CONVERSATION, topic.conversation);
  if (!found || !same(found.topic, topic.id) || found.state !== ConversationState.active) return;
  if (!t.get(GROUP, found.id)) return;
  const key = ephemeralKey(group(t, found.id));
  const message = await attempt(WireError, () => openEphemeral(key, topic.id, push.body));
  if (!message) {
    work.count(t, 'ephemeral-bad');
    return;
  }
  const { leaf, sent, content } = message;
  const sender = membership(t, found.id).members.find((member) => member.leaf === leaf)?.identity;
  if (!sender || same(sender, me(t).identity) || Math.abs(t.time - sent) > FRESH) {
    work.count(t, 'ephemeral-stale');
    return;
  }
  if (content.type === 'Typing' && !isBlockedDirect(t, found, sender)) {
    show(t, concat(found.id, sender), content.active);
  }
}

/** `key`: conversation || identity. */
export function show(t: Transaction, key: Uint8Array, active: boolean): void {
  const shown = t.get(TYPING, key) === true;
  if (active) {
    t.put(TYPING, key, true);
    work.setTimer(t, 'typing', key, t.now + SHOWN);
  } else {
    t.remove(TYPING, key);
    work.stopTimer(t, 'typing', key);
  }
  if (shown === active) return;
  t.notify({ type: 'TypingChanged', conversation: key.slice(0, 16), identity: key.slice(16), active });
}
