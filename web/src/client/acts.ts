/** What a client does once the rest is there: everything but first contact and texts. */
import type { AppEvent } from '../core/commands.ts';
import type { SingleAction } from '../core/events.ts';
import type { StoredMessage } from '../core/history.ts';
import '../core/rest.ts';
import { hex, unhex, utf8 } from '../crypto/bytes.ts';
import type { PolynyaError } from '../errors.ts';
import { same } from '../wire/bytes.ts';
import { buildInviteLink } from '../wire/linkbuilding.ts';
import { type Content, SUITE_X25519, SUITE_XWING } from '../wire/messages.ts';
import { result } from './database.ts';
import { ClientError } from './errors.ts';
import type { Loop } from './loop.ts';
import { messageView, type Names } from './messageview.ts';
import * as paying from './paying.ts';
import type { Place } from './place.ts';
import { type Look, SETTINGS } from './settings.ts';
import { shortName } from './filenames.ts';
import { Shelf } from './shelf.ts';
import { systemClock, systemRandom } from './system.ts';
import { download } from './transfer.ts';
import type {
  ClientEvent,
  ContactView,
  Hex,
  InviteView,
  MessageView,
  RequestView,
  SafetyView,
  SendFileOptions,
  Settings,
  UploadView,
} from './types.ts';
import { Uploader } from './uploader.ts';

export type { Uploader };
export { explained } from '../wire/linkdamage.ts';
export { dropped, needed, spent } from './paying.ts';

/** ms after which someone who has sent no further sign is not typing any more. */
const TYPING_LIFETIME = 8000;

/** By conversation and identity: the timer that ends it. */
export type Typers = Map<Hex, Map<Hex, ReturnType<typeof setTimeout>>>;

/** What the functions here need of the client. */
export interface Inside extends Names {
  readonly loop: Loop;
  readonly place: Place;
  readonly typers: Typers;
  uploader?: Uploader;
  look: Look;
  subscribe(listener: (event: ClientEvent) => void): () => void;
  stopped(error: PolynyaError): void;
  tell(event: ClientEvent): void;
  difference(): number;
  do(action: SingleAction): Promise<readonly AppEvent[]>;
  put(conversation: Hex, content: Content): Promise<void>;
}

// ---- what happens ----

export function appEvent(c: Inside, event: AppEvent): void {
  switch (event.type) {
    case 'MeChanged':
      return c.tell({ type: 'me' });
    case 'MessageChanged':
      return c.tell({ type: 'messages', conversation: hex(event.conversation) });
    case 'RequestReceived':
    case 'RequestsChanged':
      return c.tell({ type: 'requests' });
    case 'InviteCreated':
    case 'InvitesChanged':
      return c.tell({ type: 'invites' });
    case 'TypingChanged':
      return typingChanged(c, hex(event.conversation), hex(event.identity), event.active);
    case 'ProblemRaised':
      return c.tell({ type: 'problem', code: event.code });
  }
}

function typingChanged(c: Inside, conversation: Hex, identity: Hex, active: boolean): void {
  const typing = c.typers.get(conversation) ?? new Map<Hex, ReturnType<typeof setTimeout>>();
  c.typers.set(conversation, typing);
  clearTimeout(typing.get(identity));
  typing.delete(identity);
  if (active) {
    typing.set(identity, setTimeout(() => typingChanged(c, conversation, identity, false), TYPING_LIFETIME));
  }
  c.tell({ type: 'typing', conversation });
}

// ---- views ----

export function contacts(c: Inside): ContactView[] {
  return c.loop.core.contacts().map((view) => ({
    ...view,
    identity: hex(view.identity),
    conversation: view.conversation && hex(view.conversation),
  }));
}

export function requests(c: Inside): RequestView[] {
  const difference = c.difference();
  return c.loop.core.requests().map(({ id, identity, name, text, time, safety }) => ({
    id: hex(id),
    identity: hex(identity),
    name,
    text,
    time: time - difference,
    fingerprint: [...safety],
  }));
}

export function invites(c: Inside): InviteView[] {
  const { url } = c.loop.core.me().relay;
  const difference = c.difference();
  return c.loop.core.invites().map((view) => ({
    id: hex(view.id),
    link: view.link && buildInviteLink(c.place.base.startsWith('http') ? c.place.base : url, view.link),
    created: view.created - difference,
    expires: view.expires - difference,
    state: view.state,
  }));
}

export async function present(c: Inside, message: StoredMessage): Promise<MessageView> {
  const { content } = message;
  const target = content.type === 'Text' || content.type === 'FileReference' ? content.replyTo : undefined;
  const replied = target ? await c.loop.storage.message(message.conversation, target) : null;
  return messageView(message, c, c.loop.core.me().identity, c.difference(), replied);
}

export function safety(c: Inside, conversation: Hex): SafetyView {
  const { groups, code, verified } = c.loop.core.safetyNumber(unhex(conversation));
  return { groups: [...groups], qr: code, verified };
}

// ---- messages ----

export function edit(c: Inside, conversation: Hex, id: Hex, text: string): Promise<void> {
  return c.put(conversation, { type: 'Edit', target: unhex(id), text });
}

export function remove(c: Inside, conversation: Hex, id: Hex): Promise<void> {
  return c.put(conversation, { type: 'Delete', target: unhex(id) });
}

export function react(c: Inside, conversation: Hex, id: Hex, emoji: string): Promise<void> {
  return c.put(conversation, { type: 'Reaction', target: unhex(id), emoji });
}

function uploaderOf(c: Inside): Uploader {
  if (c.uploader) return c.uploader;
  const uploader = new Uploader({
    shelf: new Shelf(c.loop.storage),
    random: systemRandom,
    clock: systemClock,
    conversation: (id) => c.loop.core.conversation(id),
    link: (relay) => c.loop.link(relay),
    message: (conversation, id) => c.loop.storage.message(conversation, id),
    send: async (conversation, content, id) => void (await c.do({ type: 'SendContent', conversation, content, id })),
    changed: (conversation) => c.tell({ type: 'uploads', conversation }),
    stopped: (error) => c.stopped(error),
  });
  c.subscribe(({ type }) => {
    if (type === 'conversations') uploader.check();
  });
  c.uploader = uploader;
  return uploader;
}

/** Goes on with the files that wait. */
export function resume(c: Inside): void {
  void uploaderOf(c).begin();
  for (const link of c.loop.links()) paying.spent(c.loop, link);
}

export function uploads(c: Inside, conversation: Hex): UploadView[] {
  return uploaderOf(c).list(conversation);
}

export function sendFile(c: Inside, conversation: Hex, file: File, options: SendFileOptions = {}): Promise<void> {
  const { caption, replyTo, width, height, preview } = options;
  return uploaderOf(c).add(unhex(conversation), file, {
    name: shortName(file.name),
    mediaType: file.type || 'application/octet-stream',
    ...(width !== undefined && { width }),
    ...(height !== undefined && { height }),
    ...(preview && { preview }),
    ...(caption && { caption }),
    ...(replyTo && { replyTo: unhex(replyTo) }),
  });
}

export function cancelUpload(c: Inside, id: Hex): Promise<void> {
  return uploaderOf(c).cancel(id);
}

export function retryUpload(c: Inside, id: Hex): Promise<void> {
  return uploaderOf(c).retry(id);
}

export async function openFile(c: Inside, conversation: Hex, id: Hex, onProgress?: (done: number, total: number) => void): Promise<Blob> {
  const message = await c.loop.storage.message(unhex(conversation), unhex(id));
  if (!message) throw new ClientError('unknown-message');
  const { content } = message;
  if (content.type !== 'FileReference') throw new ClientError('no-file');
  const relay = c.loop.core.conversation(message.conversation)?.relay;
  if (!relay || !c.loop.link(relay)) throw new ClientError('offline');
  return download(() => c.loop.link(relay), { ...content, id: content.blob }, onProgress);
}

export async function markRead(c: Inside, conversation: Hex, upto: Hex): Promise<void> {
  await c.do({ type: 'MarkRead', conversation: unhex(conversation), upto: unhex(upto) });
}

// ---- contacts ----

export async function createInvite(c: Inside): Promise<Hex> {
  const before = new Set(c.loop.core.invites().map((view) => hex(view.id)));
  await c.do({ type: 'CreateInvite', ...(await paying.forInvite(c.loop)) });
  const made = c.loop.core.invites().find((view) => !before.has(hex(view.id)));
  if (!made) throw new ClientError('offline');
  return hex(made.id);
}

export async function revokeInvite(c: Inside, id: Hex): Promise<void> {
  await c.do({ type: 'RevokeInvite', id: unhex(id) });
}

export async function accept(c: Inside, request: Hex): Promise<Hex> {
  return founded(await c.do({ type: 'AcceptRequest', id: unhex(request) }));
}

function founded(events: readonly AppEvent[]): Hex {
  for (const event of events) if (event.type === 'ConversationChanged') return hex(event.conversation);
  throw new ClientError('offline');
}

export async function decline(c: Inside, request: Hex): Promise<void> {
  await c.do({ type: 'DeclineRequest', id: unhex(request) });
}

export async function block(c: Inside, request: Hex): Promise<void> {
  await c.do({ type: 'BlockRequest', id: unhex(request) });
}

export async function blockContact(c: Inside, identity: Hex): Promise<void> {
  await c.do({ type: 'BlockContact', identity: unhex(identity) });
}

export async function unblockContact(c: Inside, identity: Hex): Promise<void> {
  await c.do({ type: 'UnblockContact', identity: unhex(identity) });
}

// ---- conversations ----

export async function createGroup(c: Inside, name: string, members: Hex[]): Promise<Hex> {
  return founded(await c.do({ type: 'CreateGroup', name, members: members.map(unhex) }));
}

export async function addMembers(c: Inside, conversation: Hex, members: Hex[]): Promise<void> {
  await c.do({ type: 'AddMembers', conversation: unhex(conversation), identities: members.map(unhex) });
}

export async function removeMember(c: Inside, conversation: Hex, identity: Hex): Promise<void> {
  await c.do({ type: 'RemoveMember', conversation: unhex(conversation), identity: unhex(identity) });
}

export async function leave(c: Inside, conversation: Hex): Promise<void> {
  await c.do({ type: 'Leave', conversation: unhex(conversation) });
}

export async function rename(c: Inside, conversation: Hex, name: string): Promise<void> {
  await c.do({ type: 'Rename', conversation: unhex(conversation), name });
}

export async function setAdmin(c: Inside, conversation: Hex, identity: Hex, admin: boolean): Promise<void> {
  await c.do({ type: 'SetAdmin', conversation: unhex(conversation), identity: unhex(identity), admin });
}

export async function move(c: Inside, conversation: Hex, postQuantum: boolean): Promise<void> {
  const suite = postQuantum ? SUITE_XWING : SUITE_X25519;
  await c.do({ type: 'MoveSuite', conversation: unhex(conversation), suite });
}

export async function deleteConversation(c: Inside, conversation: Hex): Promise<void> {
  await c.do({ type: 'DeleteConversation', conversation: unhex(conversation) });
}

export async function verify(c: Inside, conversation: Hex, verified: boolean): Promise<void> {
  const me = c.loop.core.me().identity;
  const other = c.loop.core.conversation(unhex(conversation))?.members.find((m) => !same(m.identity, me));
  if (other) await c.do({ type: 'MarkVerified', identity: other.identity, verified });
}

// ---- this device ----

export async function setName(c: Inside, name: string): Promise<void> {
  await c.do({ type: 'SetName', name });
}

export async function setSettings(c: Inside, { readReceipts, ...look }: Partial<Settings>): Promise<void> {
  c.look = { ...c.look, ...look };
  const value = utf8(JSON.stringify(c.look));
  await c.loop.storage.commit([{ type: 'Save', table: SETTINGS, key: new Uint8Array(0), value }]);
  if (readReceipts !== undefined) await c.do({ type: 'SetSettings', readReceipts });
  c.tell({ type: 'me' });
}

export async function eraseEverything(c: Inside): Promise<void> {
  c.uploader?.stop();
  await c.loop.end();
  await result(indexedDB.deleteDatabase(c.place.name));
  c.place.held.release();
}
