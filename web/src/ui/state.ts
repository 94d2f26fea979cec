/** What the screens show: the client's views as signals, renewed by its events. */
import { computed, signal, type Signal } from './signals.ts';
import type { Client, ClientEvent, ContactView, ConversationView, Hex, InviteView, LinkState, OpenedInvite, RequestView, Settings, Shortage } from '../client/types.ts';
import { forgetChats, renewChat } from './chat/history.ts';
import { applyLook, rememberLook } from './look.ts';
import { reportCode } from './notices.ts';
import { reuse } from './reuse.ts';

let current: Client | null = null;

/** The client; the screens exist only while there is one. */
export function client(): Client {
  if (!current) throw new Error('no client yet');
  return current;
}

export const me: Signal<{ identity: Hex; name: string; fingerprint: string[] }> = signal({ identity: '', name: '', fingerprint: [] });
export const conversations = signal<readonly ConversationView[]>([]);
export const contacts = signal<readonly ContactView[]>([]);
export const requests = signal<readonly RequestView[]>([]);
export const invites = signal<readonly InviteView[]>([]);
export const openedInvites = signal<readonly OpenedInvite[]>([]);
export const link = signal<LinkState>({ kind: 'connecting', since: 0, retryAt: null });
export const settings = signal<Settings>({ readReceipts: true, theme: 'system', language: 'auto' });
export const shortage = signal<Shortage | null>(null);
export const takenOver = signal(false);
/** Who types where. */
export const typing = signal<Readonly<Record<Hex, readonly Hex[]>>>({});
/** Drafts as they are now; what is not here stands in the client. */
const drafts = signal<Readonly<Record<Hex, string>>>({});

const byId = computed(() => new Map(conversations.value.map((conversation) => [conversation.id, conversation])));
export const conversation = (id: Hex): ConversationView | null => byId.value.get(id) ?? null;
export const unreadChats = computed(() => conversations.value.filter((each) => each.unread > 0).length);
/** Contacts that can be written to. */
export const people = computed(() => contacts.value.filter((contact) => !contact.blocked));

export function draftOf(id: Hex): string {
  return drafts.value[id] ?? client().draft(id);
}

export function keepDraft(id: Hex, text: string): void {
  drafts.value = { ...drafts.peek(), [id]: text };
  client().setDraft(id, text);
}

/** A name by identity, as this conversation's members, then the contacts know it. */
export function nameOf(identity: Hex, within: ConversationView | null): string {
  return within?.members.find((member) => member.identity === identity)?.name ?? contacts.value.find((contact) => contact.identity === identity)?.name ?? '';
}

function renewAll(from: Client): void {
  me.value = from.me();
  conversations.value = reuse(conversations.peek(), from.conversations());
  contacts.value = from.contacts();
  requests.value = from.requests();
  invites.value = from.invites();
  openedInvites.value = from.openedInvites();
  link.value = from.link();
  renewSettings(from);
}

function renewSettings(from: Client): void {
  const next = from.settings();
  const { theme, language } = settings.peek();
  settings.value = next;
  if (next.theme === theme && next.language === language) return;
  rememberLook(next);
  void applyLook(next);
}

function onEvent(from: Client, event: ClientEvent): void {
  switch (event.type) {
    case 'ready':
      renewAll(from);
      break;
    case 'me':
      me.value = from.me();
      renewSettings(from);
      break;
    case 'conversations':
      conversations.value = reuse(conversations.peek(), from.conversations());
      break;
    case 'messages':
      renewChat(from, event.conversation);
      break;
    case 'contacts':
      contacts.value = from.contacts();
      break;
    case 'requests':
      requests.value = from.requests();
      break;
    case 'invites':
      invites.value = from.invites();
      break;
    case 'opened-invites':
      openedInvites.value = from.openedInvites();
      break;
    case 'typing':
      typing.value = { ...typing.peek(), [event.conversation]: from.typing(event.conversation) };
      break;
    case 'link':
      link.value = from.link();
      break;
    case 'problem':
      reportCode(event.code);
      break;
    case 'shortage':
      shortage.value = event.shortage;
      break;
    case 'taken-over':
      takenOver.value = true;
      break;
  }
}

export async function changeSettings(change: Partial<Settings>): Promise<void> {
  await client().setSettings(change);
  renewSettings(client());
}

/** Shows this client from now on; returns how to stop. */
export function connect(next: Client): () => void {
  current = next;
  takenOver.value = false;
  shortage.value = null;
  settings.value = { ...next.settings() };
  renewAll(next);
  const stop = next.subscribe((event) => onEvent(next, event));
  return () => {
    stop();
    forgetChats();
    current = null;
  };
}
