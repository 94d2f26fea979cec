/**
 * Files that wait: whatever moment everything ends at, a file becomes one message or none, whole; the store and the relay
 * here are models in memory, with the real sealing, uploading and ordering between them.
 */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientError, StoreError } from '../../src/client/errors.ts';
import { shortName } from '../../src/client/filenames.ts';
import type { Link } from '../../src/client/link.ts';
import type { FileShelf, Kept, Parts } from '../../src/client/shelf.ts';
import { checkRoom, type Surroundings, Uploader } from '../../src/client/uploader.ts';
import { CoreError } from '../../src/core/errors.ts';
import type { StoredMessage } from '../../src/core/history.ts';
import type { ConversationView } from '../../src/core/views.ts';
import { concat, hex, utf8 } from '../../src/crypto/bytes.ts';
import { blobSize, openWhole } from '../../src/wire/files.ts';
import { BLOB_PART, FILE_MAX, type FileReference, RefusalCode, type Request, type Response } from '../../src/wire/messages.ts';
import { SeededRandom } from '../support/seeded.ts';

const CHAT = new Uint8Array(16).fill(1);
const OTHER = new Uint8Array(16).fill(2);
const RELAY = new Uint8Array(32).fill(7);
const sha256 = (data: Uint8Array): Uint8Array => createHash('sha256').update(data).digest();
const NEVER = new Promise<never>(() => undefined);
/** A batch of parts and some. */
const LARGE = 100 * BLOB_PART;

interface Sent {
  readonly conversation: string;
  readonly id: string;
  readonly content: FileReference;
}

/** What outlives a crash: the store, with the messages that the core has queued. */
class Disk implements FileShelf {
  readonly rows = new Map<string, Kept>();
  readonly parts = new Map<string, Uint8Array>();
  readonly sent: Sent[] = [];
  /** Writes until everything ends: before the write where it is negative (-1: before the first), right after it else. */
  dies: number | null = null;
  writes = 0;
  failure: Error | null = null;
  /** Files in the order of the writes for them. */
  readonly log: string[] = [];
  /** Until then notes of progress wait. */
  notes: Promise<void> = Promise.resolve();

  async #write(change: () => void): Promise<void> {
    await Promise.resolve();
    this.writes++;
    const dead = this.dies !== null && (this.writes > Math.abs(this.dies) || this.writes === -this.dies);
    if (dead) return NEVER;
    if (this.failure) throw this.failure;
    change();
    if (this.writes === this.dies) return NEVER;
  }

  async put(kept: Kept, signal: AbortSignal, parts: Parts = new Map()): Promise<void> {
    if (kept.received) await this.notes;
    signal.throwIfAborted();
    this.log.push(hex(kept.id));
    return this.#write(() => {
      this.rows.set(hex(kept.id), kept);
      for (const [index, part] of parts) this.parts.set(`${hex(kept.id)} ${index}`, part.slice());
    });
  }

  remove(kept: Kept): Promise<void> {
    const id = hex(kept.id);
    return this.#write(() => {
      this.rows.delete(id);
      for (const key of this.parts.keys()) if (key.startsWith(id)) this.parts.delete(key);
    });
  }

  all(): Promise<Kept[]> {
    return Promise.resolve([...this.rows.values()].sort((a, b) => a.number - b.number));
  }

  part(kept: Kept, index: number): Promise<Uint8Array> {
    const part = this.parts.get(`${hex(kept.id)} ${index}`);
    return part ? Promise.resolve(part) : Promise.reject(new StoreError('damaged'));
  }

  send(conversation: Uint8Array, content: FileReference, id: Uint8Array): Promise<void> {
    return this.#write(() => void this.sent.push({ conversation: hex(conversation), id: hex(id), content }));
  }
}

/** PutBlob as a relay does it. */
class Relay {
  readonly #parts = new Map<string, Uint8Array[]>();
  readonly requests: Request[] = [];
  /** Bytes that came more than once. */
  repeated = 0;
  online = true;
  /** Set: called before each answer. */
  before: (request: Request & { type: 'PutBlob' }) => Response | null | undefined = () => undefined;

  blob(id: Uint8Array): Uint8Array {
    return concat(...(this.#parts.get(hex(id)) ?? []));
  }

  ask(request: Request): Promise<[Response, number] | null> {
    if (!this.online || request.type !== 'PutBlob') return Promise.resolve(null);
    this.requests.push(request);
    const given = this.before(request);
    if (given !== undefined) return Promise.resolve(given && [given, 0]);
    const { id, total, offset, part } = request;
    const parts = this.#parts.get(hex(id)) ?? [];
    this.#parts.set(hex(id), parts);
    const length = (): number => parts.reduce((sum, one) => sum + one.length, 0);
    if (offset === length()) parts.push(part.slice());
    else this.repeated += part.length;
    if (length() === total && hex(sha256(concat(...parts))) !== hex(id)) parts.length = 0;
    return Promise.resolve([{ type: 'BlobState', received: length(), total }, 0]);
  }
}

interface World {
  onChange: () => void;
  readonly disk: Disk;
  readonly relay: Relay;
  readonly views: Map<string, Partial<ConversationView>>;
  readonly stopped: string[];
  start(): Uploader;
}

let seed = 0;
function world(): World {
  const disk = new Disk();
  const relay = new Relay();
  const views = new Map<string, Partial<ConversationView>>();
  for (const id of [CHAT, OTHER]) views.set(hex(id), { state: 'active', canSend: true, relay: RELAY });
  const random = new SeededRandom(`uploader ${++seed}`);
  const stopped: string[] = [];
  const around: Surroundings = {
    shelf: disk,
    random,
    clock: () => 1_790_000_000_000,
    conversation: (id) => (views.get(hex(id)) as ConversationView | undefined) ?? null,
    link: () => relay as unknown as Link,
    message: (conversation, id) =>
      Promise.resolve(disk.sent.some((one) => one.id === hex(id) && one.conversation === hex(conversation)) ? ({} as StoredMessage) : null),
    send: (conversation, content, id) => disk.send(conversation, content, id),
    changed: () => made.onChange(),
    stopped: (error) => void stopped.push(error.code),
  };
  const made: World = { disk, relay, views, stopped, onChange: () => undefined, start: () => new Uploader(around) };
  return made;
}

const CONTENT = Uint8Array.from({ length: LARGE }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
const file = (size: number): File => new File([CONTENT.subarray(0, size)], 'lake.bin');

const ABOUT = { name: 'lake.bin', mediaType: 'application/octet-stream' };

/** Waits until `found` holds; the test's own time limit ends it otherwise. */
async function until(found: () => boolean): Promise<void> {
  while (!found()) await new Promise((resolve) => setImmediate(resolve));
}

/** What the receiver of a message gets. */
async function received({ relay }: World, { content }: Sent): Promise<Uint8Array> {
  return openWhole(content.key, content.size, relay.blob(content.blob));
}

async function expectOneWhole(w: World, original: File): Promise<void> {
  expect(w.disk.sent).toHaveLength(1);
  expect(hex(sha256(await received(w, w.disk.sent[0] as Sent)))).toBe(hex(sha256(new Uint8Array(await original.arrayBuffer()))));
  expect([w.disk.rows.size, w.disk.parts.size]).toEqual([0, 0]);
}

describe('a file', () => {
  it('is kept before anything leaves, and becomes one message', async () => {
    const w = world();
    const uploader = w.start();
    w.relay.before = () => {
      expect([...w.disk.rows.values()].map((kept) => kept.whole)).toEqual([true]);
      return undefined;
    };
    const original = file(LARGE);
    await uploader.add(CHAT, original, { ...ABOUT, caption: 'The lake' });
    const [shown] = uploader.list(hex(CHAT));
    await until(() => w.disk.rows.size === 0);
    await expectOneWhole(w, original);
    expect(w.disk.sent[0]).toMatchObject({ conversation: hex(CHAT), id: shown?.id, content: { name: 'lake.bin', caption: 'The lake' } });
    expect(uploader.list(hex(CHAT))).toEqual([]);
    expect(w.relay.repeated).toBe(0);
  });

  it('never lies on the disk as it was picked', async () => {
    const w = world();
    w.relay.online = false;
    const secret = 'Meet me at the north pier at nine. '.repeat(9000);
    await w.start().add(CHAT, new File([secret], 'n.txt'), ABOUT);
    expect(w.disk.parts.size).toBe(Math.ceil(blobSize(secret.length) / BLOB_PART));
    for (const part of w.disk.parts.values()) expect(Buffer.from(part).includes('north pier')).toBe(false);
  });

  it.each([0, 1, 65_519, 65_520, 65_521, 5 * 65_520])('of %i bytes comes out as it went in', async (size) => {
    const w = world();
    const original = file(size);
    await w.start().add(CHAT, original, ABOUT);
    await until(() => w.disk.rows.size === 0);
    await expectOneWhole(w, original);
  });
});

/** A large file: notice, a batch, the last parts with the row; then progress, the message, and putting away. */
const WRITES = 6;
/** The one that keeps it. */
const KEPT = 3;

describe('a crash', () => {
  it('has as many moments here as are tried below', async () => {
    const w = world();
    await w.start().add(CHAT, file(LARGE), ABOUT);
    await until(() => w.disk.rows.size === 0);
    expect(w.disk.writes).toBe(WRITES);
  });

  const moments = Array.from({ length: WRITES }, (_, i) => [-(i + 1), i + 1]).flat();
  it.each(moments)('at write %i leaves one whole message, or a word about the file', async (dies) => {
    const w = world();
    w.disk.dies = dies;
    const original = file(LARGE);
    const first = w.start();
    let kept = false;
    void first.add(CHAT, original, ABOUT).then(() => (kept = true));
    await until(() => w.disk.writes >= Math.abs(dies));
    first.stop();

    w.disk.dies = null;
    const second = w.start();
    await second.begin();
    const [shown] = second.list(hex(CHAT));
    const named = shown?.problem === 'file-interrupted';
    // A word where the file was not kept; nothing where not even that was written, or all was done.
    if (named) {
      expect(kept).toBe(false);
      await second.retry(shown.id);
      expect(w.disk.sent).toEqual([]);
      await second.cancel(shown.id);
      expect([w.disk.rows.size, w.disk.parts.size, second.list(hex(CHAT)).length]).toEqual([0, 0, 0]);
    } else if (dies === -1) expect([shown, w.disk.sent.length]).toEqual([undefined, 0]);
    else {
      await until(() => w.disk.rows.size === 0);
      await expectOneWhole(w, original);
    }
    expect(named).toBe(dies > 0 ? dies < KEPT : dies < -1 && dies >= -KEPT);
  });

  it('is not what a late note of progress brings about: nothing of a sent file comes back', async () => {
    const w = world();
    let write = (): void => undefined;
    w.disk.notes = new Promise((resolve) => (write = resolve));
    const original = file(LARGE);
    await w.start().add(CHAT, original, ABOUT);
    await until(() => w.disk.sent.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    write();
    await until(() => w.disk.writes === WRITES);
    await expectOneWhole(w, original);
  });

  it('goes on from where the relay has got to', async () => {
    const w = world();
    const original = file(LARGE);
    const first = w.start();
    w.relay.before = (request) => (request.offset >= 70 * BLOB_PART ? null : undefined);
    await first.add(CHAT, original, ABOUT);
    await until(() => w.relay.requests.length > 71);
    first.stop();
    w.relay.before = () => undefined;
    w.relay.requests.length = 0;
    const second = w.start();
    await second.begin();
    const [shown] = second.list(hex(CHAT));
    // Known without the relay, as it was noted.
    expect(shown?.done).toBeGreaterThan(0.6);
    await until(() => w.disk.rows.size === 0);
    await expectOneWhole(w, original);
    expect([w.relay.repeated, w.relay.requests.length]).toEqual([0, Math.ceil(blobSize(LARGE) / BLOB_PART) - 70 + 1]);
  });
});

describe('several files', () => {
  it('go in the order in which they were picked, whatever their size', async () => {
    const w = world();
    const uploader = w.start();
    await Promise.all([LARGE, 10, 20, 30].map((size) => uploader.add(CHAT, file(size), ABOUT)));
    await until(() => w.disk.rows.size === 0);
    expect(w.disk.sent.map((one) => one.content.size)).toEqual([LARGE, 10, 20, 30]);
    expect(w.relay.repeated).toBe(0);
  });

  it('are sealed one after another', async () => {
    const w = world();
    w.relay.online = false;
    const uploader = w.start();
    await Promise.all([LARGE, 10, LARGE].map((size) => uploader.add(CHAT, file(size), ABOUT)));
    expect(w.disk.log.filter((id, i) => id !== w.disk.log[i - 1])).toHaveLength(3);
    uploader.stop();
  });

  it('keep their order through a restart', async () => {
    const w = world();
    w.relay.online = false;
    const first = w.start();
    for (const size of [30, 20, 10]) await first.add(CHAT, file(size), ABOUT);
    first.stop();
    w.relay.online = true;
    const second = w.start();
    await second.add(OTHER, file(5), ABOUT);
    await until(() => w.disk.rows.size === 0);
    expect(w.disk.sent.map((one) => one.content.size)).toEqual([30, 20, 10, 5]);
  });

  it('do not wait for one that is refused', async () => {
    const w = world();
    const uploader = w.start();
    const refused = { type: 'Refused', code: RefusalCode.badRequest } as Response;
    w.relay.before = (request) => (request.total === blobSize(LARGE) ? refused : undefined);
    await uploader.add(CHAT, file(LARGE), ABOUT);
    await uploader.add(CHAT, file(20), ABOUT);
    await until(() => w.disk.rows.size === 1);
    expect(w.disk.sent.map((one) => one.content.size)).toEqual([20]);
    expect(uploader.list(hex(CHAT))).toMatchObject([{ problem: 'upload-refused', state: 'waiting' }]);
    w.relay.before = () => undefined;
    await uploader.retry(uploader.list(hex(CHAT))[0]?.id as string);
    await until(() => w.disk.rows.size === 0);
    expect(w.disk.sent.map((one) => one.content.size)).toEqual([20, LARGE]);
  });
});

describe('cancelling', () => {
  it.each(['sealed', 'sent'] as const)('removes all of a file that is being %s', async (moment) => {
    const w = world();
    const uploader = w.start();
    w.relay.before = (request) => (request.offset >= 20 * BLOB_PART && request.total > BLOB_PART ? null : undefined);
    const reached = moment === 'sealed' ? () => w.disk.parts.size > 0 : () => w.relay.requests.length > 20;
    void uploader.add(CHAT, file(LARGE), ABOUT);
    await until(reached);
    const [shown] = uploader.list(hex(CHAT));
    expect(shown?.state).toBe(moment === 'sealed' ? 'preparing' : 'sending');
    await uploader.cancel(shown?.id as string);
    expect([w.disk.rows.size, w.disk.parts.size, uploader.list(hex(CHAT)).length]).toEqual([0, 0, 0]);
    const { writes } = w.disk;
    await uploader.add(CHAT, file(9), ABOUT);
    await until(() => w.disk.sent.length > 0 && w.disk.rows.size === 0);
    expect(w.disk.sent.map((one) => one.content.size)).toEqual([9]);
    expect(w.disk.parts.size).toBe(0);
    expect(w.disk.writes).toBe(writes + 4);
  });

  it('at the last moment leaves no message', async () => {
    const w = world();
    const uploader = w.start();
    let cancelled: Promise<void> | undefined;
    w.onChange = () => {
      const [shown] = uploader.list(hex(CHAT));
      if (shown?.done === 1) cancelled ??= uploader.cancel(shown.id);
    };
    await uploader.add(CHAT, file(9), ABOUT);
    await until(() => w.disk.rows.size === 0);
    await cancelled;
    await uploader.add(CHAT, file(8), ABOUT).then(() => (w.onChange = () => undefined));
    await until(() => w.disk.rows.size === 0);
    expect(cancelled).toBeDefined();
    expect(w.disk.sent.map((one) => one.content.size).filter((size) => size === 9)).toEqual([]);
  });

  it('comes too late for one whose message is made', async () => {
    const w = world();
    const uploader = w.start();
    await uploader.add(CHAT, file(9), ABOUT);
    const [shown] = uploader.list(hex(CHAT));
    await until(() => uploader.list(hex(CHAT)).length === 0);
    await uploader.cancel(shown?.id as string);
    await until(() => w.disk.rows.size === 0);
    expect(w.disk.sent).toHaveLength(1);
  });

  it('is what happens to files of a chat that is deleted', async () => {
    const w = world();
    w.relay.online = false;
    const uploader = w.start();
    await uploader.add(CHAT, file(9), ABOUT);
    await uploader.add(OTHER, file(8), ABOUT);
    w.views.delete(hex(CHAT));
    uploader.check();
    await until(() => w.disk.rows.size === 1);
    expect([...w.disk.rows.values()].map((kept) => kept.reference.size)).toEqual([8]);
    uploader.stop();
  });
});

describe('what stands against it', () => {
  it('is said before a file is taken', async () => {
    const w = world();
    const uploader = w.start();
    const huge = { size: FILE_MAX + 1, name: 'x' } as File;
    await expect(uploader.add(CHAT, huge, ABOUT)).rejects.toMatchObject({ code: 'file-too-large' });
    await expect(uploader.add(CHAT, file(1), { ...ABOUT, name: 'x'.repeat(256) })).rejects.toThrow();
    w.views.set(hex(CHAT), { state: 'left', canSend: false, relay: RELAY });
    await expect(uploader.add(CHAT, file(1), ABOUT)).rejects.toMatchObject({ code: 'not-active' });
    w.views.set(hex(CHAT), { state: 'active', canSend: false, relay: RELAY });
    await expect(uploader.add(CHAT, file(1), ABOUT)).rejects.toMatchObject({ code: 'blocked' });
    expect([w.disk.writes, uploader.list(hex(CHAT)).length]).toEqual([0, 0]);
  });

  it('is a full disk: the file can be tried again', async () => {
    const w = world();
    const uploader = w.start();
    w.disk.failure = new StoreError('full');
    const original = file(9);
    await uploader.add(CHAT, original, ABOUT);
    const [shown] = uploader.list(hex(CHAT));
    expect(shown?.problem).toBe('store-full');
    w.disk.failure = null;
    await uploader.retry(shown?.id as string);
    await until(() => w.disk.sent.length === 1 && w.disk.rows.size === 0);
    await expectOneWhole(w, original);
  });

  it('is a disk that fills up meanwhile: the next try has a key of its own', async () => {
    const w = world();
    w.relay.online = false;
    const uploader = w.start();
    const keys: string[] = [];
    w.disk.put = async (kept, signal, parts) => {
      keys.push(hex(kept.reference.key));
      if (keys.length === 2) throw new StoreError('full');
      return Disk.prototype.put.call(w.disk, kept, signal, parts);
    };
    await uploader.add(CHAT, file(9), ABOUT);
    const [shown] = uploader.list(hex(CHAT));
    expect([shown?.problem, w.disk.rows.size, w.disk.parts.size]).toEqual(['store-full', 0, 0]);
    await uploader.retry(shown?.id as string);
    expect([w.disk.rows.size, w.disk.parts.size]).toEqual([1, 1]);
    expect([keys[0] === keys[1], keys[2] === keys[3], keys[1] === keys[2]]).toEqual([true, true, false]);
    uploader.stop();
  });

  it('is a browser that says that there is no room: nothing is written', async () => {
    vi.stubGlobal('navigator', { storage: { estimate: () => Promise.resolve({ quota: 10, usage: 9 }) } });
    try {
      const w = world();
      const uploader = w.start();
      await uploader.add(CHAT, file(9), ABOUT);
      expect([uploader.list(hex(CHAT))[0]?.problem, w.disk.log]).toEqual(['store-full', []]);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('is a relay that claims to have more than there is', async () => {
    const w = world();
    const uploader = w.start();
    w.relay.before = ({ total }) => ({ type: 'BlobState', received: total + 1, total });
    w.disk.part = () => Promise.reject(new Error('asked for a part behind the end'));
    await uploader.add(CHAT, file(9), ABOUT);
    await until(() => uploader.list(hex(CHAT))[0]?.problem != null);
    expect([uploader.list(hex(CHAT))[0]?.problem, w.disk.sent.length]).toEqual(['upload-refused', 0]);
  });

  it('is too little room, as far as the browser tells', async () => {
    const manager = (quota: number, usage: number) => ({ estimate: () => Promise.resolve({ quota, usage }) });
    await expect(checkRoom(1000, manager(2 ** 24 + 1499, 500))).rejects.toMatchObject({ code: 'store-full' });
    await checkRoom(1000, manager(2 ** 24 + 1500, 500));
    await checkRoom(1000, { estimate: () => Promise.resolve({}) });
  });

  it('is a chat that was left meanwhile: nothing is uploaded for it', async () => {
    const w = world();
    w.relay.online = false;
    const first = w.start();
    await first.add(CHAT, file(9), ABOUT);
    first.stop();
    w.views.set(hex(CHAT), { state: 'removed', canSend: false, relay: RELAY });
    w.relay.online = true;
    const second = w.start();
    await second.begin();
    await until(() => second.list(hex(CHAT))[0]?.problem === 'not-active');
    expect([w.relay.requests.length, w.disk.sent.length]).toEqual([0, 0]);
  });

  it('passes where the chat only waits to be let in again', async () => {
    const w = world();
    const uploader = w.start();
    w.views.set(hex(CHAT), { state: 'stuck', canSend: false, relay: RELAY });
    await uploader.add(CHAT, file(9), ABOUT);
    expect(uploader.list(hex(CHAT))).toMatchObject([{ state: 'waiting', problem: null }]);
    expect(w.relay.requests).toHaveLength(0);
    w.views.set(hex(CHAT), { state: 'active', canSend: true, relay: RELAY });
    uploader.check();
    await until(() => w.disk.rows.size === 0);
    expect(w.disk.sent).toHaveLength(1);
  });

  it('is a store that another tab has: nothing more is done here', async () => {
    const w = world();
    const uploader = w.start();
    await uploader.add(CHAT, file(9), ABOUT);
    w.disk.failure = new ClientError('taken-over');
    await until(() => w.stopped.length > 0);
    expect([w.stopped, w.disk.sent.length, w.disk.rows.size]).toEqual([['taken-over'], 0, 1]);
    expect(uploader.list(hex(CHAT))).toEqual([]);
  });

  it('is a blob that is damaged here: it is given up after three times, not tried for ever', async () => {
    const w = world();
    w.relay.online = false;
    const uploader = w.start();
    await uploader.add(CHAT, file(9), ABOUT);
    for (const part of w.disk.parts.values()) part[0] = (part[0] as number) ^ 1;
    w.relay.online = true;
    await until(() => uploader.list(hex(CHAT))[0]?.problem === 'upload-refused');
    expect([w.disk.sent.length, w.relay.requests.length]).toEqual([0, 4]);
  });

  it('is what the core says in the end', async () => {
    const w = world();
    const uploader = w.start();
    await uploader.add(CHAT, file(9), ABOUT);
    w.disk.send = () => Promise.reject(new CoreError('blocked'));
    await until(() => uploader.list(hex(CHAT))[0]?.problem === 'blocked');
    expect(w.disk.rows.size).toBe(1);
  });
});

describe('a relay without room', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('is said, and asked again in growing pauses', async () => {
    const w = world();
    const uploader = w.start();
    const full = { type: 'Refused', code: RefusalCode.full } as Response;
    w.relay.before = () => full;
    await uploader.add(CHAT, file(9), ABOUT);
    await until(() => uploader.list(hex(CHAT))[0]?.problem === 'relay-full');
    await vi.advanceTimersByTimeAsync(60_000);
    await until(() => w.relay.requests.length === 2 && uploader.list(hex(CHAT))[0]?.problem === 'relay-full');
    await vi.advanceTimersByTimeAsync(119_000);
    expect(w.relay.requests).toHaveLength(2);
    w.relay.before = () => undefined;
    await vi.advanceTimersByTimeAsync(1_000);
    await until(() => w.disk.rows.size === 0);
    expect(w.disk.sent).toHaveLength(1);
  });
});

describe('a name', () => {
  it.each([
    ['lake.jpg', 'lake.jpg'],
    [`${'x'.repeat(300)}.jpeg`, `${'x'.repeat(250)}.jpeg`],
    ['я'.repeat(200), 'я'.repeat(127)],
    [`a.${'b'.repeat(300)}`, `a.${'b'.repeat(253)}`],
    ['bad\ud800.txt', 'bad\ufffd.txt'],
  ])('%s fits a message', (name, short) => {
    expect(shortName(name)).toBe(short);
    expect(utf8(shortName(name)).length).toBeLessThanOrEqual(255);
  });
});
