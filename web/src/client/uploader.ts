/**
 * Files on their way out: kept sealed on this device first, brought to the relay one after another, and then named by
 * exactly one message each. Only the tab that has the store does this.
 */
import type { ConversationView } from '../core/views.ts';
import type { StoredMessage } from '../core/history.ts';
import { CoreError } from '../core/errors.ts';
import { hex } from '../crypto/bytes.ts';
import { HashStream } from '../crypto/hashstream.ts';
import type { Random } from '../crypto/random.ts';
import { PolynyaError } from '../errors.ts';
import { blobSize } from '../wire/files.ts';
import { BLOB_PART, encodeContent, FILE_MAX, type FileReference } from '../wire/messages.ts';
import { ClientError, StoreError } from './errors.ts';
import type { Link } from './link.ts';
import { fileView } from './messageview.ts';
import type { FileShelf, Kept } from './shelf.ts';
import { sealParts, upload } from './transfer.ts';
import type { Hex, UploadView } from './types.ts';

/** Parts that one transaction takes, beside the last: 64 of 64 KiB are 4 MiB of memory. */
const BATCH = 64;
/** Bytes of progress after which it is written down: 25 rows for the largest file. */
const NOTED = 2 ** 22;
/** Bytes that stay free for all else that the store takes. */
const SPARE = 2 ** 24;
/** ms until a relay without room is asked again: from one minute, doubled each time, to 32. */
const FULL_PAUSE = 60_000;
const FULL_DOUBLINGS = 5;
const UNKNOWN_BLOB = new Uint8Array(32);

/** What the uploader needs of the client. */
export interface Surroundings {
  readonly shelf: FileShelf;
  readonly random: Random;
  readonly clock: () => number;
  conversation(id: Uint8Array): ConversationView | null;
  link(relay: Uint8Array): Link | undefined;
  /** A message of the history. */
  message(conversation: Uint8Array, id: Uint8Array): Promise<StoredMessage | null>;
  /** Queues the message that names the file, durably. @throws CoreError, StoreError, ClientError `taken-over` */
  send(conversation: Uint8Array, content: FileReference, id: Uint8Array): Promise<void>;
  changed(conversation: Hex): void;
  stopped(error: PolynyaError): void;
}

interface Entry {
  kept: Kept;
  /** The file as it was picked, until it is kept. */
  file: File | null;
  state: UploadView['state'];
  problem: string | null;
  abort: AbortController;
  /** The message is made or being made: what is left here goes by itself. */
  named: boolean;
  /** Ends when progress has been written down. */
  noting: Promise<void>;
  /** How often the relay had no room. */
  fullness: number;
}

/** @throws StoreError `store-full` where the browser says that there is no room for so many bytes */
export async function checkRoom(bytes: number, manager: Pick<StorageManager, 'estimate'> | undefined = navigator.storage): Promise<void> {
  const { quota, usage } = (await manager?.estimate?.()) ?? {};
  if (quota !== undefined && usage !== undefined && quota - usage < bytes + SPARE) throw new StoreError('full');
}

const codeOf = (error: unknown): string =>
  error instanceof PolynyaError ? error.code : error instanceof DOMException ? error.name.replace(/Error$/, '').toLowerCase() : 'unexpected';

export class Uploader {
  readonly #around: Surroundings;
  /** In their order: what was kept is taken up before anything is added. */
  readonly #entries = new Map<Hex, Entry>();
  /** Relays that a file is being brought to. */
  readonly #busy = new Set<Hex>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #loading: Promise<void> | undefined;
  /** One file at a time is sealed. */
  #sealing: Promise<void> = Promise.resolve();
  #last = 0;
  #stopped = false;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Takes up what waits. Once; failures are told. */
  begin(): Promise<void> {
    this.#loading ??= this.#load().catch((error: unknown) => this.#failed(error));
    return this.#loading;
  }

  async #load(): Promise<void> {
    const all = await this.#around.shelf.all();
    if (this.#stopped) return;
    for (const kept of all) {
      this.#last = Math.max(this.#last, kept.number);
      const entry = this.#enter(kept, null);
      entry.state = 'waiting';
      if (!kept.whole) entry.problem = 'file-interrupted';
      this.#tell(entry);
    }
    this.check();
  }

  #enter(kept: Kept, file: File | null): Entry {
    const abort = new AbortController();
    const entry: Entry = { kept, file, state: 'preparing', problem: null, abort, named: false, noting: Promise.resolve(), fullness: 0 };
    this.#entries.set(hex(kept.id), entry);
    return entry;
  }

  #tell({ kept }: Entry): void {
    this.#around.changed(hex(kept.conversation));
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    if (error instanceof PolynyaError) this.#around.stopped(error);
    else console.error('Uploading failed in a way that it should not:', error);
  }

  // ---- what the person sees and does ----

  list(conversation: Hex): UploadView[] {
    return [...this.#entries.values()]
      .filter(({ kept, named }) => hex(kept.conversation) === conversation && !named)
      .map(({ kept: { id, reference, sent, received }, state, problem }) => ({
        id: hex(id),
        conversation,
        file: fileView(reference),
        sent,
        state,
        done: received / blobSize(reference.size),
        problem,
      }));
  }

  /**
   * Takes a file, which is shown from now on; resolves when it is kept or has a problem. `about`: all that the message says of it.
   *
   * @throws ClientError `file-too-large`, CoreError, WireError for what cannot be said of a file; then it is not taken
   */
  async add(conversation: Uint8Array, file: File, about: Omit<FileReference, 'type' | 'blob' | 'key' | 'size'>): Promise<void> {
    await this.begin();
    const { random, clock } = this.#around;
    if (file.size > FILE_MAX) throw new ClientError('file-too-large');
    const view = this.#around.conversation(conversation);
    if (!view) throw new CoreError('unknown-conversation');
    const obstacle = obstacleOf(view);
    if (obstacle) throw new CoreError(obstacle);
    const reference: FileReference = { type: 'FileReference', blob: UNKNOWN_BLOB, key: random.bytes(32), size: file.size, ...about };
    encodeContent(reference);
    const id = random.bytes(16);
    const entry = this.#enter({ conversation, id, number: ++this.#last, sent: clock(), whole: false, received: 0, reference }, file);
    this.#tell(entry);
    await this.#prepare(entry, file);
  }

  /** Resolves when nothing of the file is here any more. One whose message is made already is sent. */
  async cancel(id: Hex): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry && !entry.named) await this.#drop(entry);
  }

  async retry(id: Hex): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry?.problem) return;
    if (entry.kept.whole) {
      entry.problem = null;
      this.#tell(entry);
      this.check();
    } else if (entry.file) {
      entry.problem = null;
      this.#tell(entry);
      await this.#prepare(entry, entry.file);
    }
  }

  /** The store is given up: nothing is begun any more, and what runs ends without a trace. */
  stop(): void {
    this.#stopped = true;
    for (const { abort } of this.#entries.values()) abort.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#entries.clear();
  }

  // ---- keeping ----

  #prepare(entry: Entry, file: File): Promise<void> {
    return (this.#sealing = this.#sealing.then(() => this.#keep(entry, file)));
  }

  /** Seals the file into the store. Never throws. */
  async #keep(entry: Entry, file: File): Promise<void> {
    const { shelf } = this.#around;
    const { signal } = entry.abort;
    const total = blobSize(file.size);
    try {
      await checkRoom(total);
      // Should this be cut off, the person is told which file it was.
      await shelf.put(entry.kept, signal);
      const hash = new HashStream();
      let parts = new Map<number, Uint8Array>();
      let index = 0;
      for await (const part of sealParts(file, entry.kept.reference.key)) {
        if (parts.size === BATCH) {
          await shelf.put(entry.kept, signal, parts);
          parts = new Map();
        }
        signal.throwIfAborted();
        hash.update(part);
        parts.set(index++, part);
      }
      const kept = { ...entry.kept, whole: true, reference: { ...entry.kept.reference, blob: hash.digest() } };
      await shelf.put(kept, signal, parts);
      entry.kept = kept;
      entry.file = null;
      entry.state = 'waiting';
    } catch (error) {
      if (signal.aborted || this.#isOver(error)) return;
      // A key seals one content: the next try draws another.
      entry.kept = { ...entry.kept, reference: { ...entry.kept.reference, key: this.#around.random.bytes(32) } };
      entry.problem = codeOf(error);
      await shelf.remove(entry.kept).catch((failure: unknown) => this.#failed(failure));
    }
    this.#tell(entry);
    this.check();
  }

  async #drop(entry: Entry): Promise<void> {
    entry.abort.abort();
    await this.#around.shelf.remove(entry.kept);
    this.#entries.delete(hex(entry.kept.id));
    this.#tell(entry);
  }

  // ---- uploading ----

  /** Goes on with whatever can go on: after a change of conversations, connections or files. */
  check(): void {
    if (this.#stopped) return;
    for (const entry of this.#entries.values()) {
      const view = this.#around.conversation(entry.kept.conversation);
      // Forgotten on this device, with all that belongs to it.
      if (!view) void this.#drop(entry).catch((error: unknown) => this.#failed(error));
      else this.#run(view.relay).catch((error: unknown) => this.#failed(error));
    }
  }

  /** The next file for this relay; none while the one whose turn it is is being sealed. */
  #next(relay: Hex): Entry | undefined {
    const first = [...this.#entries.values()].find(({ kept, problem, abort, named }) => {
      if (problem || named || abort.signal.aborted) return false;
      const view = this.#around.conversation(kept.conversation);
      // One that waits to be let in again goes on then.
      return view && hex(view.relay) === relay && view.state !== 'stuck';
    });
    return first?.kept.whole ? first : undefined;
  }

  async #run(relay: Uint8Array): Promise<void> {
    const name = hex(relay);
    if (this.#busy.has(name)) return;
    this.#busy.add(name);
    try {
      for (let entry = this.#next(name); entry && !this.#stopped; entry = this.#next(name)) await this.#bring(entry, relay);
    } finally {
      this.#busy.delete(name);
    }
  }

  async #bring(entry: Entry, relay: Uint8Array): Promise<void> {
    const { shelf } = this.#around;
    const { conversation, id, reference } = entry.kept;
    const { signal } = entry.abort;
    try {
      // The message and what the core queues are written in one transaction: where it is, the core has it.
      if (!(await this.#around.message(conversation, id))) {
        const view = this.#around.conversation(conversation);
        const obstacle = view && obstacleOf(view);
        if (obstacle) throw new CoreError(obstacle);
        entry.state = 'sending';
        this.#tell(entry);
        const blob = { id: reference.blob, total: blobSize(reference.size), part: (offset: number) => this.#part(entry.kept, offset) };
        await upload(() => this.#around.link(relay), blob, (done) => this.#progress(entry, done), signal);
        signal.throwIfAborted();
        entry.named = true;
        await this.#around.send(conversation, reference, id);
      }
      entry.named = true;
      await entry.noting;
      await shelf.remove(entry.kept);
      this.#entries.delete(hex(id));
      this.#tell(entry);
    } catch (error) {
      if (signal.aborted) return;
      this.#obstructed(entry, error);
    }
  }

  /** Another tab has the store. */
  #isOver(error: unknown): boolean {
    if (!(error instanceof ClientError) || error.code !== 'taken-over') return false;
    this.stop();
    this.#around.stopped(error);
    return true;
  }

  #obstructed(entry: Entry, error: unknown): void {
    if (this.#isOver(error)) return;
    entry.named = false;
    entry.state = 'waiting';
    const lost = this.#around.conversation(entry.kept.conversation)?.state === 'stuck';
    entry.problem = lost && error instanceof CoreError ? null : codeOf(error);
    if (!(error instanceof PolynyaError)) console.error('Uploading failed in a way that it should not:', error);
    if (entry.problem === 'relay-full') {
      const ms = FULL_PAUSE * 2 ** Math.min(entry.fullness++, FULL_DOUBLINGS);
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        void this.retry(hex(entry.kept.id));
      }, ms);
      this.#timers.add(timer);
    }
    this.#tell(entry);
  }

  async #part(kept: Kept, offset: number): Promise<Uint8Array> {
    const part = await this.#around.shelf.part(kept, Math.floor(offset / BLOB_PART));
    return part.subarray(offset % BLOB_PART);
  }

  #progress(entry: Entry, received: number): void {
    const { kept } = entry;
    if (received === kept.received) return;
    const percent = (bytes: number): number => Math.floor((100 * bytes) / blobSize(kept.reference.size));
    entry.kept = { ...kept, received };
    if (percent(received) !== percent(kept.received)) this.#tell(entry);
    if (Math.floor(received / NOTED) === Math.floor(kept.received / NOTED)) return;
    // What is shown after a restart without network; the relay knows better.
    const { signal } = entry.abort;
    entry.noting = entry.noting.then(() => this.#around.shelf.put(entry.kept, signal)).catch(() => undefined);
  }
}

/** What keeps messages out of the conversation for good, as far as one knows; null for nothing. */
function obstacleOf({ canSend, state }: ConversationView): 'blocked' | 'not-active' | null {
  if (canSend || state === 'stuck') return null;
  return state === 'active' || state === 'waiting-first' ? 'blocked' : 'not-active';
}
