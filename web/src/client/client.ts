/** The client that the user interface sees: actions become the core's events, the core's state becomes views. */
import type { AppEvent } from '../core/commands.ts';
import type { SingleAction } from '../core/events.ts';
import type { StoredMessage } from '../core/history.ts';
import { hex } from '../crypto/bytes.ts';
import type { PolynyaError } from '../errors.ts';
import { buildInviteLink, parseLink } from '../wire/links.ts';
import type { Content, FileReference } from '../wire/messages.ts';
import { same } from '../wire/bytes.ts';
import { ClientError } from './errors.ts';
import { unhex } from './hex.ts';
import type { Held } from './lock.ts';
import type { Loop, LoopSink } from './loop.ts';
import { contactView, conversationView, messageView, type Names, requestView } from './present.ts';
import { type Look, saveDraft, saveLook } from './settings.ts';
import { Storage } from './storage.ts';
import { systemRandom } from './system.ts';
import type {
  Client,
  ClientEvent,
  ContactView,
  ConversationView,
  Hex,
  InviteView,
  LinkState,
  MessageView,
  OpenedInvite,
  RequestView,
  SafetyView,
  SendFileOptions,
  Settings,
} from './types.ts';

/** Messages of one page. */
const PAGE = 50;
/** ms of quiet before a draft is written down. */
const DRAFT_DELAY = 400;
/** ms after which someone who has sent no further sign is not typing any more. */
const TYPING_LIFETIME = 8000;

/** What one tab holds of the store. */
export interface Place {
  /** Name of the store and the lock. */
  readonly name: string;
  /** Address of the app, which is its relay's unless a link says otherwise. */
  readonly base: string;
  readonly held: Held;
}

export class BrowserClient implements Client, LoopSink, Names {
  readonly #place: Place;
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  readonly #drafts: Map<Hex, string>;
  readonly #draftTimers = new Map<Hex, ReturnType<typeof setTimeout>>();
  readonly #typing = new Map<Hex, Map<Hex, ReturnType<typeof setTimeout>>>();
  #look: Look;
  /** Set once, right after construction: loop and client know each other. */
  loop!: Loop;

  constructor(place: Place, look: Look, drafts: Map<Hex, string>) {
    this.#place = place;
    this.#look = look;
    this.#drafts = drafts;
    place.held.onWanted = () => void this.#giveUp();
  }

  // ---- what happens ----

  subscribe(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  appEvent(event: AppEvent): void {
    switch (event.type) {
      case 'IdentityCreated':
      case 'MeChanged':
        return this.#tell({ type: 'me' });
      case 'ConversationChanged':
        return this.#tell({ type: 'conversations' });
      case 'MessageAdded':
      case 'MessageChanged':
        return this.#tell({ type: 'messages', conversation: hex(event.conversation) });
      case 'RequestReceived':
      case 'RequestsChanged':
        return this.#tell({ type: 'requests' });
      case 'ContactsChanged':
        this.#tell({ type: 'contacts' });
        return this.#tell({ type: 'opened-invites' });
      case 'InviteCreated':
      case 'InvitesChanged':
        return this.#tell({ type: 'invites' });
      case 'InviteOpened':
      case 'InviteFailed':
      case 'ContactAccepted':
        return this.#tell({ type: 'opened-invites' });
      case 'TypingChanged':
        return this.#typingChanged(hex(event.conversation), hex(event.identity), event.active);
      case 'ProblemRaised':
        return this.#tell({ type: 'problem', code: event.code });
    }
  }

  linkChanged(): void {
    this.#tell({ type: 'link' });
  }

  stopped(error: PolynyaError): void {
    if (error.code === 'taken-over') void this.#giveUp();
    else this.#tell({ type: 'problem', code: error.code });
  }

  /** Another tab wants the store: finish what is being written, then let go. */
  async #giveUp(): Promise<void> {
    await this.loop.settled();
    this.loop.stop();
    this.#place.held.release();
    this.#tell({ type: 'taken-over' });
  }

  #typingChanged(conversation: Hex, identity: Hex, active: boolean): void {
    const typing = this.#typing.get(conversation) ?? new Map<Hex, ReturnType<typeof setTimeout>>();
    this.#typing.set(conversation, typing);
    clearTimeout(typing.get(identity));
    typing.delete(identity);
    if (active) {
      typing.set(identity, setTimeout(() => this.#typingChanged(conversation, identity, false), TYPING_LIFETIME));
    }
    this.#tell({ type: 'typing', conversation });
  }

  // ---- views ----

  #difference(): number {
    return this.loop.difference(this.loop.core.me().relay.identity);
  }

  me(): { identity: Hex; name: string; fingerprint: string[] } {
    const { identity, name, fingerprint } = this.loop.core.me();
    return { identity: hex(identity), name, fingerprint: [...fingerprint] };
  }

  conversations(): ConversationView[] {
    const difference = this.#difference();
    const views = this.loop.core.conversations().map((view) => conversationView(view, difference));
    return views.sort((a, b) => b.activity - a.activity);
  }

  conversation(id: Hex): ConversationView | null {
    const view = this.loop.core.conversation(unhex(id));
    return view && conversationView(view, this.#difference());
  }

  async messages(conversation: Hex, options: { before?: MessageView; limit?: number } = {}): Promise<MessageView[]> {
    const { before, limit = PAGE } = options;
    const stored = await this.loop.storage.history(unhex(conversation), limit, before && unhex(before.id));
    return Promise.all(stored.map((message) => this.#present(message)));
  }

  async #present(message: StoredMessage): Promise<MessageView> {
    const { content } = message;
    const target = content.type === 'Text' || content.type === 'FileReference' ? content.replyTo : undefined;
    const replied = target ? await this.loop.storage.message(message.conversation, target) : null;
    return messageView(message, this, this.loop.core.me().identity, this.#difference(), replied);
  }

  name(identity: Uint8Array): string {
    return this.loop.core.nameOf(identity);
  }

  contacts(): ContactView[] {
    return this.loop.core.contacts().map(contactView);
  }

  requests(): RequestView[] {
    const difference = this.#difference();
    return this.loop.core.requests().map((view) => requestView(view, difference));
  }

  invites(): InviteView[] {
    const { url } = this.loop.core.me().relay;
    const difference = this.#difference();
    return this.loop.core.invites().map((view) => ({
      id: hex(view.id),
      link: view.link && buildInviteLink(this.#place.base.startsWith('http') ? this.#place.base : url, view.link),
      created: view.created - difference,
      expires: view.expires - difference,
      state: view.state,
    }));
  }

  openedInvites(): OpenedInvite[] {
    return this.loop.core.openedInvites().map((view) => ({
      id: hex(view.id),
      name: view.name ?? '',
      identity: view.identity ? hex(view.identity) : '',
      state: view.state === 'requesting' ? 'requested' : view.state,
      problem: view.problem,
    }));
  }

  link(): LinkState {
    const state = this.loop.stateOf(this.loop.core.me().relay.identity);
    if (!state) return { kind: 'connecting', since: Date.now(), retryAt: null };
    const { kind, since, retryAt, problem } = state;
    return { kind: kind === 'offline' && problem === 'not-a-relay' ? 'blocked' : kind, since, retryAt };
  }

  typing(conversation: Hex): Hex[] {
    return [...(this.#typing.get(conversation)?.keys() ?? [])];
  }

  async safety(conversation: Hex): Promise<SafetyView> {
    const { groups, code, verified } = await this.loop.core.safetyNumber(unhex(conversation));
    return { groups: [...groups], qr: code, verified };
  }

  settings(): Settings {
    return { ...this.#look, readReceipts: this.loop.core.me().readReceipts };
  }

  // ---- messages ----

  async #do(action: SingleAction): Promise<readonly AppEvent[]> {
    return this.loop.handle(action);
  }

  async #content(conversation: Hex, content: Content): Promise<void> {
    await this.#do({ type: 'SendContent', conversation: unhex(conversation), content, id: null });
  }

  send(conversation: Hex, text: string, replyTo?: Hex): Promise<void> {
    return this.#content(conversation, { type: 'Text', text, ...(replyTo && { replyTo: unhex(replyTo) }) });
  }

  edit(conversation: Hex, id: Hex, text: string): Promise<void> {
    return this.#content(conversation, { type: 'Edit', target: unhex(id), text });
  }

  remove(conversation: Hex, id: Hex): Promise<void> {
    return this.#content(conversation, { type: 'Delete', target: unhex(id) });
  }

  react(conversation: Hex, id: Hex, emoji: string): Promise<void> {
    return this.#content(conversation, { type: 'Reaction', target: unhex(id), emoji });
  }

  async sendFile(conversation: Hex, file: File, options: SendFileOptions = {}): Promise<void> {
    const { seal, upload } = await import('./transfer.ts');
    const view = this.loop.core.conversation(unhex(conversation));
    const link = view && this.loop.link(view.relay);
    if (!link) throw new ClientError('offline');
    const sealed = await seal(file, systemRandom.bytes(32), options.signal);
    await upload(link, sealed, options.onProgress, options.signal);
    const { caption, replyTo, width, height, preview } = options;
    const reference: FileReference = {
      type: 'FileReference',
      blob: sealed.id,
      key: sealed.key,
      size: file.size,
      name: file.name,
      mediaType: file.type || 'application/octet-stream',
      ...(width !== undefined && { width }),
      ...(height !== undefined && { height }),
      ...(preview && { preview }),
      ...(caption && { caption }),
      ...(replyTo && { replyTo: unhex(replyTo) }),
    };
    await this.#content(conversation, reference);
  }

  async openFile(conversation: Hex, id: Hex, onProgress?: (done: number, total: number) => void): Promise<Blob> {
    const message = await this.loop.storage.message(unhex(conversation), unhex(id));
    if (!message) throw new ClientError('unknown-message');
    const { content } = message;
    if (content.type !== 'FileReference') throw new ClientError('no-file');
    const view = this.loop.core.conversation(message.conversation);
    const link = view && this.loop.link(view.relay);
    if (!link) throw new ClientError('offline');
    const { download } = await import('./transfer.ts');
    return download(link, { ...content, id: content.blob }, onProgress);
  }

  async markRead(conversation: Hex, upto: Hex): Promise<void> {
    await this.#do({ type: 'MarkRead', conversation: unhex(conversation), upto: unhex(upto) });
  }

  setTyping(conversation: Hex, active: boolean): void {
    // A hint: where it does not go out, nothing is lost.
    this.#do({ type: 'SetTyping', conversation: unhex(conversation), active }).catch(() => undefined);
  }

  draft(conversation: Hex): string {
    return this.#drafts.get(conversation) ?? '';
  }

  setDraft(conversation: Hex, text: string): void {
    if (this.draft(conversation) === text) return;
    this.#drafts.set(conversation, text);
    clearTimeout(this.#draftTimers.get(conversation));
    const write = (): void => {
      saveDraft(this.loop.storage, unhex(conversation), text).catch((error: PolynyaError) => this.stopped(error));
    };
    this.#draftTimers.set(conversation, setTimeout(write, text ? DRAFT_DELAY : 0));
    this.#tell({ type: 'conversations' });
  }

  // ---- contacts ----

  async createInvite(): Promise<Hex> {
    const before = new Set(this.loop.core.invites().map((view) => hex(view.id)));
    await this.#do({ type: 'CreateInvite' });
    const made = this.loop.core.invites().find((view) => !before.has(hex(view.id)));
    if (!made) throw new ClientError('offline');
    return hex(made.id);
  }

  async revokeInvite(id: Hex): Promise<void> {
    await this.#do({ type: 'RevokeInvite', id: unhex(id) });
  }

  async openInvite(fragmentOrLink: string): Promise<Hex> {
    const opened = parseLink(fragmentOrLink, this.#place.base);
    if (opened.kind !== 'invite') throw new ClientError('not-invite-link');
    const before = new Set(this.loop.core.openedInvites().map((view) => hex(view.id)));
    await this.#do({ type: 'UseInvite', link: opened.link, relay: opened.address });
    const made = this.loop.core.openedInvites().find((view) => !before.has(hex(view.id)));
    // The same link again is the same invite.
    return hex(made?.id ?? opened.link.card.slice(0, 16));
  }

  async requestContact(openedInvite: Hex, text: string): Promise<void> {
    await this.#do({ type: 'SendContactRequest', id: unhex(openedInvite), text: text || null });
    this.#tell({ type: 'opened-invites' });
  }

  async accept(request: Hex): Promise<Hex> {
    return this.#founded(await this.#do({ type: 'AcceptRequest', id: unhex(request) }));
  }

  #founded(events: readonly AppEvent[]): Hex {
    for (const event of events) if (event.type === 'ConversationChanged') return hex(event.conversation);
    throw new ClientError('offline');
  }

  async decline(request: Hex): Promise<void> {
    await this.#do({ type: 'DeclineRequest', id: unhex(request) });
  }

  async block(request: Hex): Promise<void> {
    await this.#do({ type: 'BlockRequest', id: unhex(request) });
  }

  async blockContact(identity: Hex): Promise<void> {
    await this.#do({ type: 'BlockContact', identity: unhex(identity) });
  }

  async unblockContact(identity: Hex): Promise<void> {
    await this.#do({ type: 'UnblockContact', identity: unhex(identity) });
  }

  // ---- conversations ----

  async createGroup(name: string, members: Hex[]): Promise<Hex> {
    return this.#founded(await this.#do({ type: 'CreateGroup', name, members: members.map(unhex) }));
  }

  async addMembers(conversation: Hex, members: Hex[]): Promise<void> {
    await this.#do({ type: 'AddMembers', conversation: unhex(conversation), identities: members.map(unhex) });
  }

  async removeMember(conversation: Hex, identity: Hex): Promise<void> {
    await this.#do({ type: 'RemoveMember', conversation: unhex(conversation), identity: unhex(identity) });
  }

  async leave(conversation: Hex): Promise<void> {
    await this.#do({ type: 'Leave', conversation: unhex(conversation) });
  }

  async rename(conversation: Hex, name: string): Promise<void> {
    await this.#do({ type: 'Rename', conversation: unhex(conversation), name });
  }

  async setAdmin(conversation: Hex, identity: Hex, admin: boolean): Promise<void> {
    await this.#do({ type: 'SetAdmin', conversation: unhex(conversation), identity: unhex(identity), admin });
  }

  async deleteConversation(conversation: Hex): Promise<void> {
    await this.#do({ type: 'DeleteConversation', conversation: unhex(conversation) });
  }

  async verify(conversation: Hex, verified: boolean): Promise<void> {
    const me = this.loop.core.me().identity;
    const other = this.loop.core.conversation(unhex(conversation))?.members.find((m) => !same(m.identity, me));
    if (other) await this.#do({ type: 'MarkVerified', identity: other.identity, verified });
  }

  // ---- this device ----

  async setName(name: string): Promise<void> {
    await this.#do({ type: 'SetName', name });
  }

  async setSettings({ readReceipts, ...look }: Partial<Settings>): Promise<void> {
    this.#look = { ...this.#look, ...look };
    await saveLook(this.loop.storage, this.#look);
    if (readReceipts !== undefined) await this.#do({ type: 'SetSettings', readReceipts });
    this.#tell({ type: 'me' });
  }

  retryNow(): void {
    for (const link of this.loop.links()) link.retryNow();
  }

  async eraseEverything(): Promise<void> {
    await this.loop.settled();
    this.loop.stop();
    await Storage.erase(this.#place.name);
    this.#place.held.release();
  }
}
