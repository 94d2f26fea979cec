/** The client that the user interface sees: actions become the core's events, the core's state becomes views. */
import type { AppEvent } from '../core/commands.ts';
import { openedId } from '../core/contacts.ts';
import type { SingleAction } from '../core/events.ts';
import type { StoredMessage } from '../core/history.ts';
import { restIfThere } from '../core/provided.ts';
import { hex, unhex } from '../crypto/bytes.ts';
import type { PolynyaError } from '../errors.ts';
import { type OpenedLink, parseLink } from '../wire/links.ts';
import type { Content } from '../wire/messages.ts';
import type * as acts from './acts.ts';
import { ClientError } from './errors.ts';
import type { Loop, LoopSink } from './loop.ts';
import type { Place } from './place.ts';
import { conversationView, waitingText } from './present.ts';
import type { Provision } from './provision.ts';
import { type Look, saveDraft } from './settings.ts';
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
  Settings,
  UploadView,
} from './types.ts';

/** Messages of one page. */
const PAGE = 50;
/** ms of quiet before a draft is written down. */
const DRAFT_DELAY = 400;

/** ms: nothing competes with a chat that is being drawn for the first time. */
const SHOWN = 1_000;

type Acts = typeof acts;

/** What the rest does for a client; each waits until it is there. */
const ACTS = [
  'safety',
  'edit',
  'remove',
  'react',
  'sendFile',
  'cancelUpload',
  'retryUpload',
  'openFile',
  'markRead',
  'createInvite',
  'revokeInvite',
  'accept',
  'decline',
  'block',
  'blockContact',
  'unblockContact',
  'createGroup',
  'addMembers',
  'removeMember',
  'leave',
  'rename',
  'setAdmin',
  'move',
  'deleteConversation',
  'verify',
  'setName',
  'setSettings',
  'eraseEverything',
] as const satisfies readonly (keyof Client)[];

export interface BrowserClient extends Pick<Client, (typeof ACTS)[number]> {}

export class BrowserClient implements Client, LoopSink {
  readonly place: Place;
  readonly #rest: Provision<Acts>;
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  readonly #drafts: Map<Hex, string>;
  readonly #draftTimers = new Map<Hex, ReturnType<typeof setTimeout>>();
  /** Who types where: each until the timer ends it. */
  readonly typers: acts.Typers = new Map();
  /** Made by the rest when it is there. */
  declare uploader?: acts.Uploader;
  look: Look;
  /** Set once, right after construction: loop and client know each other. */
  loop!: Loop;

  constructor(place: Place, rest: Provision<Acts>, look: Look, drafts: Map<Hex, string>) {
    this.place = place;
    this.#rest = rest;
    this.look = look;
    this.#drafts = drafts;
    place.held.onWanted = () => void this.#giveUp();
    // The fingerprint and contacts are the rest's.
    rest.onThere = () => {
      this.tell({ type: 'me' });
      this.tell({ type: 'contacts' });
      this.resume();
    };
  }

  // ---- what happens ----

  subscribe(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  tell(event: ClientEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  appEvent(event: AppEvent): void {
    switch (event.type) {
      case 'IdentityCreated':
        return this.tell({ type: 'me' });
      case 'ConversationChanged':
        return this.tell({ type: 'conversations' });
      case 'MessageAdded':
        return this.tell({ type: 'messages', conversation: hex(event.conversation) });
      case 'ContactsChanged':
        this.tell({ type: 'contacts' });
        return this.tell({ type: 'opened-invites' });
      case 'ContactAccepted':
        // A first message can be sent, as soon as the page shows it: what comes after it takes the rest.
        setTimeout(() => this.acts().catch(() => undefined), SHOWN);
        return this.tell({ type: 'opened-invites' });
      case 'InviteOpened':
      case 'InviteFailed':
        return this.tell({ type: 'opened-invites' });
      default:
        this.acts().then(
          (there) => there.appEvent(this, event),
          () => undefined,
        );
    }
  }

  /** The rest, however long it takes to come. @throws ClientError `taken-over` */
  acts(): Promise<Acts> {
    return this.#rest.get();
  }

  linkChanged(): void {
    this.tell({ type: 'link' });
  }

  stopped(error: PolynyaError): void {
    if (error.code === 'taken-over') void this.#giveUp();
    else this.tell({ type: 'problem', code: error.code });
  }

  /** Another tab wants the store: finish what is being written, then let go. */
  async #giveUp(): Promise<void> {
    this.uploader?.stop();
    await this.loop.end();
    this.place.held.release();
    this.tell({ type: 'taken-over' });
  }

  // ---- views ----

  /** ms: our relay's clock minus this device's. */
  difference(): number {
    return this.loop.difference(this.loop.core.me().relay.identity);
  }

  me(): { identity: Hex; name: string; fingerprint: string[] } {
    const { identity, name, fingerprint } = this.loop.core.me();
    return { identity: hex(identity), name, fingerprint: [...fingerprint] };
  }

  conversations(): ConversationView[] {
    const difference = this.difference();
    return this.loop.core.conversations().map((view) => conversationView(view, difference));
  }

  conversation(id: Hex): ConversationView | null {
    const view = this.loop.core.conversation(unhex(id));
    return view && conversationView(view, this.difference());
  }

  async messages(conversation: Hex, options: { before?: MessageView; limit?: number } = {}): Promise<MessageView[]> {
    const { before, limit = PAGE } = options;
    const stored = await this.loop.storage.history(unhex(conversation), limit, before && unhex(before.id));
    return Promise.all(stored.map((message) => this.#present(message)));
  }

  async #present(message: StoredMessage): Promise<MessageView> {
    const { content, sender, status } = message;
    if (status !== 'waiting' || content.type !== 'Text' || content.replyTo) return (await this.acts()).present(this, message);
    return waitingText(message, content.text, this.name(sender), this.difference());
  }

  name(identity: Uint8Array): string {
    return this.loop.core.nameOf(identity);
  }

  uploads(conversation: Hex): UploadView[] {
    return this.#rest.value?.uploads(this, conversation) ?? [];
  }

  /** Goes on with the files that wait, as soon as the rest is there. */
  resume(): void {
    this.#rest.value?.resume(this);
  }

  contacts(): ContactView[] {
    return this.#rest.value?.contacts(this) ?? [];
  }

  requests(): RequestView[] {
    return this.#rest.value?.requests(this) ?? [];
  }

  invites(): InviteView[] {
    return this.#rest.value?.invites(this) ?? [];
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
    return [...(this.typers.get(conversation)?.keys() ?? [])];
  }

  settings(): Settings {
    return { ...this.look, readReceipts: this.loop.core.me().readReceipts };
  }

  // ---- messages ----

  do(action: SingleAction): Promise<readonly AppEvent[]> {
    return this.loop.handle(action);
  }

  /** Queues content of our own. */
  async put(conversation: Hex, content: Content): Promise<void> {
    await this.do({ type: 'SendContent', conversation: unhex(conversation), content, id: null });
  }

  send(conversation: Hex, text: string, replyTo?: Hex): Promise<void> {
    return this.put(conversation, { type: 'Text', text, ...(replyTo && { replyTo: unhex(replyTo) }) });
  }

  setTyping(conversation: Hex, active: boolean): void {
    // A hint: where it does not go out, nothing is lost.
    if (restIfThere()) this.do({ type: 'SetTyping', conversation: unhex(conversation), active }).catch(() => undefined);
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
    this.tell({ type: 'conversations' });
  }

  // ---- contacts ----

  /** What is wrong with a link that cannot be used, the rest tells. @throws LinkError */
  async readLink(text: string): Promise<OpenedLink> {
    try {
      return parseLink(text, this.place.base);
    } catch (error) {
      throw (await this.acts()).explained(error);
    }
  }

  async openInvite(fragmentOrLink: string): Promise<Hex> {
    const opened = await this.readLink(fragmentOrLink);
    if (opened.kind !== 'invite') throw new ClientError('not-invite-link');
    await this.do({ type: 'UseInvite', link: opened.link, relay: opened.address });
    return hex(openedId(opened.link));
  }

  async requestContact(openedInvite: Hex, text: string): Promise<void> {
    await this.do({ type: 'SendContactRequest', id: unhex(openedInvite), text: text || null });
    this.tell({ type: 'opened-invites' });
  }

  // ---- this device ----

  retryNow(): void {
    this.loop.retryNow();
  }
}

/** Called on the client, done by the function of this name in acts.ts. */
type Act = (client: BrowserClient, ...given: unknown[]) => unknown;
for (const name of ACTS) {
  const act = async function (this: BrowserClient, ...given: unknown[]): Promise<unknown> {
    return ((await this.acts())[name] as Act)(this, ...given);
  };
  Object.assign(BrowserClient.prototype, { [name]: act });
}
