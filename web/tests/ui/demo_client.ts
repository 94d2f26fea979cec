/** A client in memory, for screenshots and tests of the interface. Never part of the product. */
import type { Bootstrap, BootstrapFunction, Client, ClientEvent, ContactView, ConversationView, Hex, InviteView, LinkState, MemberView, MessageView, OpenedInvite, RequestView, SendFileOptions, Settings, Shortage, UploadView } from '../../src/client/types.ts';
import { PolynyaError } from '../../src/errors.ts';
import { makeWorld, type World } from './demo_world.ts';

const options = new URLSearchParams(location.search);
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class DemoClient implements Client {
  private readonly listeners = new Set<(event: ClientEvent) => void>();
  private readonly drafts = new Map<Hex, string>();
  private readonly typingNow = new Map<Hex, Hex[]>();
  private shortage: Shortage | null = null;
  private state: LinkState = { kind: 'online', since: 0, retryAt: null };
  private chosen: Settings;
  private counter = 0;
  private readonly outgoing = new Map<Hex, { file: File; view: UploadView }>();
  /** Actions named here reject with the code given, once. */
  readonly failures = new Map<string, string>();
  readonly calls: unknown[][] = [];
  readonly world: World;

  constructor(world: World, settings: Settings) {
    this.world = world;
    this.chosen = settings;
    for (const [id, text] of Object.entries(world.drafts)) this.drafts.set(id, text);
  }

  private async act(name: string, ...args: unknown[]): Promise<void> {
    this.calls.push([name, ...args]);
    await wait(0);
    const code = this.failures.get(name);
    if (!code) return;
    this.failures.delete(name);
    throw new PolynyaError(code, code);
  }

  emit(event: ClientEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  subscribe(listener: (event: ClientEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  me() {
    return this.world.me;
  }

  conversations(): ConversationView[] {
    return [...this.world.conversations].sort((a, b) => b.activity - a.activity);
  }

  conversation(id: Hex): ConversationView | null {
    return this.world.conversations.find((each) => each.id === id) ?? null;
  }

  async messages(id: Hex, page: { before?: MessageView; limit?: number } = {}): Promise<MessageView[]> {
    await wait(2);
    const all = this.world.messages.get(id) ?? [];
    const end = page.before ? all.findIndex((message) => message.id === page.before?.id) : all.length;
    return structuredClone(all.slice(Math.max(0, end - (page.limit ?? 50)), end));
  }

  contacts(): ContactView[] {
    return [...this.world.contacts];
  }

  requests(): RequestView[] {
    return [...this.world.requests];
  }

  invites(): InviteView[] {
    return [...this.world.invites];
  }

  openedInvites(): OpenedInvite[] {
    return [...this.world.opened];
  }

  link(): LinkState {
    return this.state;
  }

  setLink(kind: LinkState['kind'], retryIn: number | null = null): void {
    this.state = { kind, since: Date.now() - 10_000, retryAt: retryIn === null ? null : Date.now() + retryIn };
    this.emit({ type: 'link' });
  }

  setShortage(shortage: Shortage | null): void {
    this.shortage = shortage;
    this.emit({ type: 'shortage', shortage });
  }

  typing(id: Hex): Hex[] {
    return this.typingNow.get(id) ?? [];
  }

  showTyping(id: Hex, who: Hex[]): void {
    this.typingNow.set(id, who);
    this.emit({ type: 'typing', conversation: id });
  }

  async safety(id: Hex) {
    await wait(2);
    const verified = this.conversation(id)?.members.some((member) => !member.me && member.verified) ?? false;
    const digit = (index: number): string => String((Number.parseInt(id.slice(0, 8), 16) * (index + 7) * 7919) % 100_000).padStart(5, '0');
    return { groups: Array.from({ length: 12 }, (_, index) => digit(index)), qr: `polynya-safety-1:${id.repeat(4)}`, verified };
  }

  settings(): Settings {
    return this.chosen;
  }

  private changed(id: Hex, change: Partial<ConversationView>): void {
    this.world.conversations = this.world.conversations.map((each) => (each.id === id ? { ...each, ...change } : each));
    this.emit({ type: 'conversations' });
  }

  private amend(id: Hex, message: Hex, change: Partial<MessageView>): void {
    const all = this.world.messages.get(id) ?? [];
    this.world.messages.set(
      id,
      all.map((each) => (each.id === message ? { ...each, ...change } : each)),
    );
    this.emit({ type: 'messages', conversation: id });
  }

  private add(id: Hex, part: Partial<MessageView>): Hex {
    this.counter += 1;
    const now = Date.now();
    const message: MessageView = {
      id: (0xabc00000 + this.counter).toString(16).padStart(32, '0'),
      conversation: id,
      sender: this.world.me.identity,
      senderName: this.world.me.name,
      mine: true,
      sent: now,
      time: null,
      kind: 'text',
      edited: false,
      deleted: false,
      status: 'waiting',
      reactions: [],
      deliveredTo: [],
      readBy: [],
      ...part,
    };
    this.world.messages.set(id, [...(this.world.messages.get(id) ?? []), message]);
    this.emit({ type: 'messages', conversation: id });
    const text = message.text ?? message.file?.name ?? '';
    this.changed(id, { activity: now, last: { sender: message.sender, kind: message.kind, text, time: now, mine: message.mine, status: message.status } });
    return message.id;
  }

  /** Someone else's message arrives. */
  receive(id: Hex, text: string, sender?: Hex): Hex {
    const conversation = this.conversation(id);
    const from = conversation?.members.find((member) => (sender ? member.identity === sender : !member.me));
    this.changed(id, { unread: (conversation?.unread ?? 0) + 1 });
    return this.add(id, { sender: from?.identity ?? '', senderName: from?.name ?? '', mine: false, time: Date.now(), status: null, text });
  }

  async send(id: Hex, text: string, replyTo?: Hex): Promise<void> {
    await this.act('send', id, text, replyTo);
    const target = this.world.messages.get(id)?.find((message) => message.id === replyTo);
    const reply = target ? { replyTo: { id: target.id, senderName: target.senderName, text: target.text ?? target.file?.name ?? '', kind: target.kind } } : {};
    const message = this.add(id, { text, ...reply });
    if (this.state.kind !== 'online') return;
    setTimeout(() => this.amend(id, message, { status: 'sent', time: Date.now() }), 60);
  }

  async edit(id: Hex, message: Hex, text: string): Promise<void> {
    await this.act('edit', id, message, text);
    this.amend(id, message, { text, edited: true });
  }

  async remove(id: Hex, message: Hex): Promise<void> {
    await this.act('remove', id, message);
    this.amend(id, message, { deleted: true, reactions: [] });
  }

  async react(id: Hex, message: Hex, emoji: string): Promise<void> {
    await this.act('react', id, message, emoji);
    const own = this.world.me.identity;
    const before = this.world.messages.get(id)?.find((each) => each.id === message)?.reactions ?? [];
    const rest = before.map((each) => ({ ...each, mine: false, by: each.by.filter((who) => who !== own) })).filter((each) => each.by.length > 0);
    const same = rest.find((each) => each.emoji === emoji);
    const next = !emoji ? rest : same ? rest.map((each) => (each === same ? { ...each, mine: true, by: [...each.by, own] } : each)) : [...rest, { emoji, by: [own], mine: true }];
    this.amend(id, message, { reactions: next });
  }

  uploads(id: Hex): UploadView[] {
    return [...this.outgoing.values()].filter((each) => each.view.conversation === id).map((each) => each.view);
  }

  private showUpload(id: Hex, change: Partial<UploadView>): void {
    const found = this.outgoing.get(id);
    if (!found) return;
    this.outgoing.set(id, { ...found, view: { ...found.view, ...change } });
    this.emit({ type: 'uploads', conversation: found.view.conversation });
  }

  async sendFile(conversation: Hex, file: File, how: SendFileOptions = {}): Promise<void> {
    const { caption, width, height, preview } = how;
    this.counter += 1;
    const id = (0xabc00000 + this.counter).toString(16).padStart(32, '0');
    const shown = { name: file.name, mediaType: file.type, size: file.size, ...(caption ? { caption } : {}), ...(width && height ? { width, height } : {}), ...(preview ? { preview } : {}) };
    this.outgoing.set(id, { file, view: { id, conversation, file: shown, sent: Date.now(), state: 'preparing', done: 0, problem: null } });
    this.emit({ type: 'uploads', conversation });
    this.calls.push(['sendFile', conversation, file.name, file.type, file.size, caption ?? null, width ?? null, height ?? null, preview?.length ?? null]);
    await wait(0);
    this.showUpload(id, { state: 'waiting' });
    void this.bring(id);
  }

  private async bring(id: Hex): Promise<void> {
    const code = this.failures.get('upload');
    this.failures.delete('upload');
    if (code) return this.showUpload(id, { problem: code });
    for (let step = 1; step <= 4; step += 1) {
      await wait(options.has('slow') && step === 3 ? 60_000 : 10);
      this.showUpload(id, { state: 'sending', done: step / 4 });
    }
    const found = this.outgoing.get(id);
    if (!found) return;
    const { conversation, file } = found.view;
    this.world.files.set(id, found.file);
    this.add(conversation, { id, kind: 'file', file });
    this.outgoing.delete(id);
    this.emit({ type: 'uploads', conversation });
    this.amend(conversation, id, { status: 'sent', time: Date.now() });
  }

  async cancelUpload(id: Hex): Promise<void> {
    await this.act('cancelUpload', id);
    const conversation = this.outgoing.get(id)?.view.conversation;
    this.outgoing.delete(id);
    if (conversation) this.emit({ type: 'uploads', conversation });
  }

  async retryUpload(id: Hex): Promise<void> {
    await this.act('retryUpload', id);
    this.showUpload(id, { problem: null });
    void this.bring(id);
  }

  async openFile(id: Hex, message: Hex, onProgress?: (done: number, total: number) => void): Promise<Blob> {
    await this.act('openFile', id, message);
    const found = this.world.files.get(message);
    if (!found) throw new PolynyaError('file-gone', 'file-gone');
    const blob = await found;
    for (let step = 1; step <= 3; step += 1) {
      await wait(5);
      onProgress?.((blob.size * step) / 3, blob.size);
    }
    return blob;
  }

  async markRead(id: Hex, upto: Hex): Promise<void> {
    await this.act('markRead', id, upto);
    const all = this.world.messages.get(id) ?? [];
    const at = all.findIndex((message) => message.id === upto);
    const left = all.slice(at + 1).filter((message) => !message.mine && message.kind !== 'system').length;
    this.changed(id, { unread: Math.min(left, this.conversation(id)?.unread ?? 0) });
  }

  setTyping(id: Hex, active: boolean): void {
    this.calls.push(['setTyping', id, active]);
  }

  draft(id: Hex): string {
    return this.drafts.get(id) ?? '';
  }

  setDraft(id: Hex, text: string): void {
    this.drafts.set(id, text);
  }

  async createInvite(): Promise<Hex> {
    await this.act('createInvite');
    this.counter += 1;
    const id = `1${String(this.counter).padStart(31, '0')}`;
    const now = Date.now();
    const invite: InviteView = { id, link: null, created: now, expires: now + 14 * 86_400_000, state: 'preparing' };
    this.world.invites = [...this.world.invites, invite];
    this.emit({ type: 'invites' });
    if (this.state.kind === 'online' && !this.shortage) {
      setTimeout(() => {
        const link = `https://relay.example/k7Qm2xV9hR4tW8yB1nD6sA/#i=pQEBAlgg${btoa(String.fromCharCode(...Array.from({ length: 84 }, (_, index) => (index * 37 + this.counter * 11) % 256))).replaceAll('+', '-').replaceAll('/', '_')}`;
        this.world.invites = this.world.invites.map((each) => (each.id === id ? { ...each, link, state: 'ready' as const } : each));
        this.emit({ type: 'invites' });
      }, 30);
    }
    return id;
  }

  async revokeInvite(id: Hex): Promise<void> {
    await this.act('revokeInvite', id);
    this.world.invites = this.world.invites.filter((each) => each.id !== id);
    this.emit({ type: 'invites' });
  }

  changeOpened(id: Hex, change: Partial<OpenedInvite>): void {
    this.world.opened = this.world.opened.map((each) => (each.id === id ? { ...each, ...change } : each));
    this.emit({ type: 'opened-invites' });
  }

  async openInvite(link: string): Promise<Hex> {
    await this.act('openInvite', link);
    const id = '2'.padStart(32, '0');
    this.world.opened = [{ id, name: '', identity: '', state: 'opening', problem: null }];
    this.emit({ type: 'opened-invites' });
    if (!options.has('hold')) setTimeout(() => this.changeOpened(id, this.world.inviter), 30);
    return id;
  }

  async requestContact(id: Hex, text: string): Promise<void> {
    await this.act('requestContact', id, text);
    this.changeOpened(id, { state: 'requested' });
  }

  private newConversation(part: Partial<ConversationView>): Hex {
    this.counter += 1;
    const id = `3f${String(this.counter).padStart(30, '7')}`;
    this.world.conversations = [
      ...this.world.conversations,
      { id, kind: 'direct', name: '', members: [], admin: false, canSend: true, canAdd: false, state: 'active', last: null, unread: 0, problem: null, postQuantum: true, canMove: false, pending: false, activity: Date.now(), ...part },
    ];
    this.world.messages.set(id, []);
    this.emit({ type: 'conversations' });
    return id;
  }

  private own(admin: boolean): MemberView {
    return { identity: this.world.me.identity, name: this.world.me.name, admin, me: true, verified: false };
  }

  /** The invited person is accepted. */
  acceptOpened(id: Hex): Hex {
    const invite = this.world.opened.find((each) => each.id === id);
    if (!invite) throw new Error('no such invite');
    const { identity, name } = invite;
    const chat = this.newConversation({ name, members: [this.own(false), { identity, name, admin: false, me: false, verified: false }] });
    this.world.contacts = [...this.world.contacts, { identity, name, verified: false, blocked: false, conversation: chat }];
    this.emit({ type: 'contacts' });
    this.changeOpened(id, { state: 'accepted' });
    return chat;
  }

  private endRequest(id: Hex): RequestView {
    const request = this.world.requests.find((each) => each.id === id);
    if (!request) throw new PolynyaError('unknown-request', 'unknown-request');
    this.world.requests = this.world.requests.filter((each) => each.id !== id);
    this.emit({ type: 'requests' });
    return request;
  }

  async accept(id: Hex): Promise<Hex> {
    await this.act('accept', id);
    const { identity, name } = this.endRequest(id);
    const chat = this.newConversation({ name, members: [this.own(false), { identity, name, admin: false, me: false, verified: false }] });
    this.world.contacts = [...this.world.contacts, { identity, name, verified: false, blocked: false, conversation: chat }];
    this.emit({ type: 'contacts' });
    return chat;
  }

  async decline(id: Hex): Promise<void> {
    await this.act('decline', id);
    this.endRequest(id);
  }

  async block(id: Hex): Promise<void> {
    await this.act('block', id);
    this.endRequest(id);
  }

  private changeContact(identity: Hex, change: Partial<ContactView>): void {
    this.world.contacts = this.world.contacts.map((each) => (each.identity === identity ? { ...each, ...change } : each));
    this.emit({ type: 'contacts' });
  }

  async blockContact(identity: Hex): Promise<void> {
    await this.act('blockContact', identity);
    this.changeContact(identity, { blocked: true });
  }

  async unblockContact(identity: Hex): Promise<void> {
    await this.act('unblockContact', identity);
    this.changeContact(identity, { blocked: false });
  }

  private asMembers(identities: Hex[]): MemberView[] {
    return identities.map((identity) => ({ identity, name: this.world.contacts.find((each) => each.identity === identity)?.name ?? '', admin: false, me: false, verified: false }));
  }

  async createGroup(name: string, members: Hex[]): Promise<Hex> {
    await this.act('createGroup', name, members);
    return this.newConversation({ kind: 'group', name, admin: true, canAdd: true, members: [this.own(true), ...this.asMembers(members)] });
  }

  async addMembers(id: Hex, members: Hex[]): Promise<void> {
    await this.act('addMembers', id, members);
    this.changed(id, { members: [...(this.conversation(id)?.members ?? []), ...this.asMembers(members)] });
    this.add(id, { kind: 'system', time: Date.now(), status: null, system: { kind: 'added', by: this.world.me.identity, subjects: members } });
  }

  async removeMember(id: Hex, identity: Hex): Promise<void> {
    await this.act('removeMember', id, identity);
    this.add(id, { kind: 'system', time: Date.now(), status: null, system: { kind: 'removed', by: this.world.me.identity, subjects: [identity] } });
    this.changed(id, { members: (this.conversation(id)?.members ?? []).filter((member) => member.identity !== identity) });
  }

  async leave(id: Hex): Promise<void> {
    await this.act('leave', id);
    this.changed(id, { state: 'left', canSend: false, canAdd: false });
  }

  async rename(id: Hex, name: string): Promise<void> {
    await this.act('rename', id, name);
    this.changed(id, { name });
    this.add(id, { kind: 'system', time: Date.now(), status: null, system: { kind: 'renamed', by: this.world.me.identity, subjects: [], text: name } });
  }

  async setAdmin(id: Hex, identity: Hex, admin: boolean): Promise<void> {
    await this.act('setAdmin', id, identity, admin);
    this.changed(id, { members: (this.conversation(id)?.members ?? []).map((member) => (member.identity === identity ? { ...member, admin } : member)) });
  }

  async move(id: Hex, postQuantum: boolean): Promise<void> {
    await this.act('move', id, postQuantum);
    this.changed(id, { state: 'moving', canMove: false, canAdd: false });
  }

  /** The group has moved. */
  hasMoved(id: Hex, postQuantum: boolean): void {
    this.changed(id, { state: 'active', canMove: true, canAdd: true, postQuantum });
    this.add(id, { kind: 'system', time: Date.now(), status: null, system: { kind: 'suite', by: this.world.me.identity, subjects: [], text: postQuantum ? 'post-quantum' : 'classical' } });
  }

  async deleteConversation(id: Hex): Promise<void> {
    await this.act('deleteConversation', id);
    this.world.conversations = this.world.conversations.filter((each) => each.id !== id);
    this.emit({ type: 'conversations' });
  }

  async verify(id: Hex, verified: boolean): Promise<void> {
    await this.act('verify', id, verified);
    this.changed(id, { members: (this.conversation(id)?.members ?? []).map((member) => ({ ...member, verified: !member.me && verified })) });
  }

  async setName(name: string): Promise<void> {
    await this.act('setName', name);
    this.world.me = { ...this.world.me, name };
    this.emit({ type: 'me' });
  }

  async setSettings(change: Partial<Settings>): Promise<void> {
    await this.act('setSettings', change);
    this.chosen = { ...this.chosen, ...change };
  }

  retryNow(): void {
    this.calls.push(['retryNow']);
    this.setLink('connecting');
  }

  async eraseEverything(): Promise<void> {
    await this.act('eraseEverything');
  }
}

function settings(): Settings {
  const theme = options.get('theme');
  return { readReceipts: true, theme: theme === 'dark' || theme === 'light' ? theme : 'system', language: options.get('lang') === 'ru' ? 'ru' : 'en' };
}

/** `?scene=` chooses: full (default), fresh, new, elsewhere, failed, no-storage, long. */
export const bootstrap: BootstrapFunction = async () => {
  const scene = options.get('scene') ?? 'full';
  const world = await makeWorld(settings().language === 'ru' ? 'ru' : 'en', scene);
  const client = new DemoClient(world, settings());
  Object.assign(window, { demo: client });
  const ready: Bootstrap = { kind: 'ready', client };
  switch (scene) {
    case 'new':
      return {
        kind: 'new',
        register: async (name, link) => {
          client.calls.push(['register', name, link]);
          await wait(30);
          client.world.me = { ...client.world.me, name };
          return client;
        },
      };
    case 'elsewhere':
      return { kind: 'elsewhere', takeOver: async () => ready };
    case 'failed':
      return { kind: 'failed', code: 'state-too-new' };
    case 'no-storage':
      return { kind: 'unsupported', reason: 'no-storage' };
    case 'starting':
      return new Promise(() => undefined);
    default:
      return ready;
  }
};
