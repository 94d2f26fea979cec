/**
 * Several cores and a relay in memory, driven by a seeded schedule: what happens next is drawn, and can be repeated.
 *
 * Everything between a core and a relay is a queue: calls, answers and pushes wait there until the schedule takes them.
 * A crash loads the core anew from what its Save commands made durable.
 */
import { apply } from '../../src/core/amendments.ts';
import type { AppEvent, Call, Command } from '../../src/core/commands.ts';
import { Core } from '../../src/core/core.ts';
import type { Event, SingleAction } from '../../src/core/events.ts';
import type { StoredMessage } from '../../src/core/history.ts';
import { cellGroup } from '../../src/core/groupcell.ts';
import '../../src/core/rest.ts';
import { GROUP, SAVED } from '../../src/core/state.ts';
import { restorePart } from '../../src/core/storedgroups.ts';
import { State } from '../../src/core/transaction.ts';
import type { ConversationView } from '../../src/core/views.ts';
import { hex, unhex } from '../../src/crypto/bytes.ts';
import { groupFromParts } from '../../src/mls/changes.ts';
import { Group } from '../../src/mls/group.ts';
import { stateOf } from '../../src/mls/handle.ts';
import { compare, same } from '../../src/wire/bytes.ts';
import type { InviteLink, RelayAddress, Response } from '../../src/wire/messages.ts';
import { SeededRandom } from '../support/seeded.ts';
import { RelayModel, Session } from './relaymodel.ts';

/** ms: some day of 2026. */
const START = 1_790_000_000_000;
/** ms that pass with every delivery. */
const LATENCY = 10;
const STEPS_MAX = 20_000;
/** Order of one step's commands. */
const PLACES: Readonly<Record<Command['type'], number>> = {
  Save: 0,
  AppendMessage: 1,
  AmendMessage: 1,
  ForgetHistory: 1,
  UseRelay: 2,
  DropRelay: 2,
  Call: 3,
  SetTimer: 4,
  Notify: 5,
};

/** A call that is on its way, or its answer. */
interface Waiting {
  readonly call: Call;
  readonly session: Session;
  answer?: Response;
  time: number;
}

/** `saved`: after the saves, before anything leaves; `called`: after the relay took the calls. */
export type Crash = 'saved' | 'called';

/** How the rows begin that the MLS group under this key is stored in. */
function groupPlace(key: Uint8Array): string {
  return `group ${hex(Uint8Array.of(key.length))}${hex(key)}`;
}

/** What rows by table and key, in hex, say. */
export function stateFrom(rows: ReadonlyMap<string, Uint8Array>): State {
  const state = new State();
  const tables = new Map(SAVED.map((table) => [table.name, table]));
  for (const [place, value] of rows) {
    const [name = '', key = ''] = place.split(' ');
    const table = tables.get(name)!;
    if (table.decode) state.rows(table).set(key, table.decode(value));
    else restorePart(state, name, key, value);
  }
  return state;
}

/** A device: its core, its durable rows, its connections. */
export class Party {
  readonly name: string;
  /** By table and key, in hex. */
  readonly rows = new Map<string, Uint8Array>();
  readonly history = new Map<string, StoredMessage>();
  readonly appended: string[] = [];
  readonly notified: AppEvent[] = [];
  readonly wanted = new Map<string, RelayAddress>();
  readonly crashAt = new Map<number, Crash>();
  session: Session | null = null;
  calls: Waiting[] = [];
  answers: Waiting[] = [];
  timer: number | null = null;
  online = true;
  /** What is done where a step fails: `again` tries it once more. */
  onFailure = (error: unknown, _event: Event, _again: () => Promise<Command[]>): Promise<Command[]> =>
    Promise.reject(error as Error);
  steps = 0;
  crashes = 0;
  core!: Core;
  readonly #world: World;
  readonly #random: SeededRandom;
  readonly #make: typeof Core;

  constructor(world: World, name: string, make: typeof Core) {
    this.#world = world;
    this.name = name;
    this.#make = make;
    this.#random = new SeededRandom(`${world.seed} ${name}`);
  }

  // ---- steps ----

  async start(): Promise<void> {
    this.core = await this.#make.load(this.#durable());
    this.wanted.clear();
    this.timer = null;
    await this.#perform(await this.core.start(this.#world.now, this.#random), undefined);
  }

  #durable(): [string, Uint8Array, Uint8Array][] {
    return [...this.rows].map(([place, value]) => {
      const [table = '', key = ''] = place.split(' ');
      return [table, unhex(key), value];
    });
  }

  async handle(event: Event): Promise<void> {
    this.steps++;
    const step = (): Promise<Command[]> => this.core.handle(event, this.#world.now, this.#random);
    const commands = await step().catch((error: unknown) => this.onFailure(error, event, step));
    await this.#perform(commands, this.crashAt.get(this.steps));
  }

  async do(...actions: SingleAction[]): Promise<void> {
    for (const action of actions) await this.handle(action);
  }

  async #perform(commands: readonly Command[], crash: Crash | undefined): Promise<void> {
    const places = commands.map((command) => PLACES[command.type]);
    if (places.some((place, i) => i > 0 && place < (places[i - 1] as number))) throw new Error('commands out of order');
    for (const command of commands) this.#keep(command);
    if (crash === 'saved') return this.crash();
    for (const command of commands) {
      if (command.type === 'UseRelay') this.wanted.set(hex(command.address.identity), command.address);
      else if (command.type === 'DropRelay') {
        this.wanted.delete(hex(command.identity));
        await this.disconnect();
      } else if (command.type === 'Call') {
        if (!this.session) throw new Error('a call without a connection');
        this.calls.push({ call: command, session: this.session, time: 0 });
      } else if (command.type === 'SetTimer') this.timer = command.at;
      else if (command.type === 'Notify') this.notified.push(command.event);
    }
    if (crash === 'called') {
      for (const waiting of [...this.calls]) await this.#world.take(this, waiting);
      await this.crash();
    }
  }

  #keep(command: Command): void {
    if (command.type === 'Save') {
      const place = `${command.table} ${hex(command.key)}`;
      if (command.value) this.rows.set(place, command.value);
      else this.rows.delete(place);
    } else if (command.type === 'AppendMessage') {
      const key = hex(command.message.conversation) + hex(command.message.id);
      this.appended.push(key);
      if (!this.history.has(key)) this.history.set(key, command.message);
    } else if (command.type === 'AmendMessage') {
      const key = hex(command.conversation) + hex(command.id);
      const message = this.history.get(key);
      const changed = message && apply(message, command.amendment);
      if (changed) this.history.set(key, changed);
    } else if (command.type === 'ForgetHistory') {
      for (const key of this.history.keys()) if (key.startsWith(hex(command.conversation))) this.history.delete(key);
    }
  }

  /**
   * A core loaded from what is durable shows what this one shows: a crash loses nothing but the connection. Every part of
   * each group is there, and none of before.
   */
  async checkDurable(): Promise<void> {
    // Groups take the rest of the core to load, which need not be there; no view decodes one.
    const loaded = await this.#make.load(this.#durable().filter(([table]) => table !== GROUP.name));
    const shown = (core: Core): string =>
      JSON.stringify([core.conversations(), core.contacts(), core.requests(), core.invites(), core.openedInvites()]);
    if (shown(loaded) !== shown(this.core)) throw new Error(`${this.name} shows what is not durable`);
    for (const cell of stateFrom(this.rows).rows(GROUP).values()) groupFromParts(cell.parts!);
  }

  /** The process is gone and starts again from what is durable. */
  async crash(): Promise<void> {
    this.crashes++;
    this.#cut();
    await this.start();
  }

  // ---- connections ----

  async connect(relay: RelayAddress): Promise<void> {
    this.session = new Session();
    this.#world.relay.sessions.add(this.session);
    await this.handle({ type: 'Connected', relay: relay.identity, session: true });
  }

  async disconnect(): Promise<void> {
    if (!this.session) return;
    this.#cut();
    await this.handle({ type: 'Disconnected', relay: this.#world.relay.address.identity });
  }

  #cut(): void {
    if (this.session) this.#world.relay.sessions.delete(this.session);
    this.session = null;
    this.calls = [];
    this.answers = [];
  }

  async goOffline(): Promise<void> {
    this.online = false;
    await this.disconnect();
  }

  // ---- looking ----

  /** The MLS group as it is durable. */
  storedGroup(conversation: Uint8Array): Group {
    return cellGroup(stateFrom(this.rows).get(GROUP, conversation)!);
  }

  /** The stored group is without its private tree keys, as after a fault: commits can be checked and not followed. */
  losesKeys(conversation: Uint8Array): void {
    const group = this.storedGroup(conversation);
    const broken = new Group({ ...stateOf(group), privateKeys: new Map() });
    for (const [name, part] of broken.changes(group)) this.rows.set(groupPlace(conversation) + name, part!);
  }

  get id(): Uint8Array {
    return this.core.me().identity;
  }

  view(conversation: Uint8Array): ConversationView {
    const view = this.core.conversation(conversation);
    if (!view) throw new Error(`${this.name} has no such conversation`);
    return view;
  }

  direct(other: Party): Uint8Array {
    const found = this.core.contacts().find((contact) => same(contact.identity, other.id))?.conversation;
    if (!found) throw new Error(`${this.name} has no conversation with ${other.name}`);
    return found;
  }

  /** In the order in which they are shown. */
  messages(conversation: Uint8Array): StoredMessage[] {
    const found = [...this.history.values()].filter((message) => same(message.conversation, conversation));
    const last = Number.MAX_SAFE_INTEGER;
    return found.sort((a, b) => (a.order ?? last) - (b.order ?? last) || a.sent - b.sent || compare(a.id, b.id));
  }

  texts(conversation: Uint8Array): string[] {
    return this.messages(conversation).flatMap(({ content }) => (content.type === 'Text' ? [content.text] : []));
  }

  system(conversation: Uint8Array): string[] {
    return this.messages(conversation).flatMap(({ content }) => (content.type === 'System' ? [content.kind] : []));
  }

  members(conversation: Uint8Array): string[] {
    return this.view(conversation).members.map((member) => this.#world.nameOf(member.identity)).sort();
  }

  /** Sends a text; gives back its id. */
  async say(conversation: Uint8Array, text: string): Promise<Uint8Array> {
    const id = this.#random.bytes(16);
    await this.do({ type: 'SendContent', conversation, content: { type: 'Text', text }, id });
    return id;
  }
}

export class World {
  readonly seed: number;
  readonly relay: RelayModel;
  readonly parties: Party[] = [];
  now = START;
  readonly #schedule: SeededRandom;

  private constructor(seed: number, relay: RelayModel) {
    this.seed = seed;
    this.relay = relay;
    this.#schedule = new SeededRandom(`schedule ${seed}`);
  }

  static async make(seed: number): Promise<World> {
    return new World(seed, await RelayModel.make('relay'));
  }

  /** A registered person. */
  async person(name: string, make = Core): Promise<Party> {
    const party = new Party(this, name, make);
    this.parties.push(party);
    await party.start();
    await party.do({ type: 'CreateIdentity', name, relay: this.relay.address });
    return party;
  }

  nameOf(identity: Uint8Array): string {
    return this.parties.find((party) => same(party.id, identity))?.name ?? hex(identity);
  }

  // ---- the schedule ----

  /** Everything that may happen next without time passing. Calls of a session are executed and answered in order. */
  #choices(): (() => Promise<void>)[] {
    const found: (() => Promise<void>)[] = [];
    for (const party of this.parties) {
      const { session } = party;
      const [relay] = party.wanted.values();
      if (!session) {
        if (relay && party.online) found.push(() => party.connect(relay));
        continue;
      }
      const [call] = party.calls;
      if (call) found.push(() => this.take(party, call));
      if (party.answers.length) found.push(() => this.#giveAnswer(party));
      if (session.pushes.length) found.push(() => this.#givePush(party, session));
    }
    return found;
  }

  /** The relay executes a call. */
  async take(party: Party, waiting: Waiting): Promise<void> {
    party.calls.splice(party.calls.indexOf(waiting), 1);
    waiting.answer = await this.relay.answer(waiting.session, waiting.call.request, this.now);
    waiting.time = this.now;
    party.answers.push(waiting);
  }

  async #giveAnswer(party: Party): Promise<void> {
    const waiting = party.answers.shift();
    if (!waiting?.answer) throw new Error('an answer that is none');
    const { call, answer, time } = waiting;
    await party.handle({ type: 'Answered', callId: call.id, response: answer, relayTime: time });
  }

  async #givePush(party: Party, session: Session): Promise<void> {
    const push = session.pushes.shift();
    const relay = this.relay.address.identity;
    if (push?.type === 'EphemeralPush') await party.handle({ type: 'EphemeralPushed', relay, push });
    else if (push) await party.handle({ type: 'Pushed', relay, push });
  }

  async step(): Promise<boolean> {
    const found = this.#choices();
    if (!found.length) return false;
    this.now += LATENCY;
    await this.#schedule.pick(found)();
    return true;
  }

  /** Until it is so, without time passing for timers. */
  async until(done: () => boolean): Promise<void> {
    for (let i = 0; i < STEPS_MAX; i++) {
      if (done()) return;
      if (!(await this.step())) break;
    }
    throw new Error('it does not come to that');
  }

  /** Until nothing happens any more within `wait` ms. */
  async settle(wait = 60_000): Promise<void> {
    const end = this.now + wait;
    for (let i = 0; i < STEPS_MAX; i++) {
      if ((await this.step()) || (await this.#fire(end))) continue;
      for (const party of this.parties) await party.checkDurable();
      return;
    }
    throw new Error('the world does not come to rest');
  }

  /** Lets time pass until the next timer before `end`. */
  async #fire(end: number): Promise<boolean> {
    const [party] = this.parties
      .filter((one) => one.timer !== null && one.timer <= end)
      .sort((a, b) => (a.timer as number) - (b.timer as number));
    if (!party || party.timer === null) return false;
    this.now = Math.max(this.now, party.timer);
    party.timer = null;
    await party.handle({ type: 'TimerFired' });
    return true;
  }

  /** Time passes; timers fire. */
  async sleep(time: number): Promise<void> {
    const end = this.now + time;
    await this.settle(time);
    this.now = Math.max(this.now, end);
    await this.settle(0);
  }

  // ---- what people often do ----

  /** A new invite's link. */
  async invite(inviter: Party): Promise<InviteLink> {
    const before = inviter.core.invites().map((view) => hex(view.id));
    await inviter.do({ type: 'CreateInvite' });
    await this.settle(1_000);
    const made = inviter.core.invites().find((view) => !before.includes(hex(view.id)));
    if (!made?.link) throw new Error('the invite is not ready');
    return made.link;
  }

  /** Uses an invite and sends a contact request. */
  async ask(invited: Party, link: InviteLink, text: string | null = null): Promise<void> {
    await invited.do({ type: 'UseInvite', link, relay: this.relay.address });
    await this.settle(1_000);
    await invited.do({ type: 'SendContactRequest', id: link.card.slice(0, 16), text });
    await this.settle(1_000);
  }

  /** Makes two people contacts; gives back their conversation. */
  async befriend(inviter: Party, invited: Party): Promise<Uint8Array> {
    await this.ask(invited, await this.invite(inviter));
    const request = inviter.core.requests().find((view) => same(view.identity, invited.id));
    if (!request) throw new Error('the request did not come');
    await inviter.do({ type: 'AcceptRequest', id: request.id });
    await this.settle(3_000);
    return inviter.direct(invited);
  }

  /** A group of contacts, everybody in it. */
  async group(founder: Party, name: string, ...members: Party[]): Promise<Uint8Array> {
    const before = founder.core.conversations().map((view) => hex(view.id));
    await founder.do({ type: 'CreateGroup', name, members: members.map((member) => member.id) });
    await this.settle(3_000);
    const made = founder.core.conversations().find((view) => !before.includes(hex(view.id)));
    if (!made) throw new Error('there is no group');
    return made.id;
  }
}
