/** What is done to files that wait in a real IndexedDB; tests/ui_browser/test_shelf.py calls it and judges what comes of it. */
import { done, result } from '../../../src/client/database.ts';
import { type Kept, Shelf } from '../../../src/client/shelf.ts';
import { Storage } from '../../../src/client/storage.ts';
import { hex } from '../../../src/crypto/bytes.ts';
import { PolynyaError } from '../../../src/errors.ts';
import { blobSize } from '../../../src/wire/files.ts';
import { BLOB_PART } from '../../../src/wire/messages.ts';

const NAME = 'polynya shelf';
const filled = (length: number, value: number): Uint8Array<ArrayBuffer> => new Uint8Array(length).fill(value);

/** Which file; three parts. */
function kept(n: number, change: Partial<Kept> = {}): Kept {
  const size = 2 * BLOB_PART + 100;
  const reference = { type: 'FileReference', blob: filled(32, n), key: filled(32, 200 + n), size, name: `name of ${n}`, mediaType: 'text/plain' } as const;
  return { conversation: filled(16, 1), id: filled(16, n), number: n, sent: 1_790_000_000_000, whole: true, received: 0, reference, ...change };
}

/** Of noise, which no store makes smaller; the first and the last byte say which part it is. */
function parts({ reference: { size } }: Kept, n: number): Map<number, Uint8Array> {
  const total = blobSize(size);
  const part = (i: number): Uint8Array => {
    const noise = crypto.getRandomValues(new Uint8Array(Math.min(BLOB_PART, total - i * BLOB_PART)));
    noise[0] = noise[noise.length - 1] = 10 * n + i;
    return noise;
  };
  return new Map([0, 1, 2].map((i) => [i, part(i)]));
}

let storage: Storage;
let shelf: Shelf;
const open = new AbortController().signal;

/** Of any action: its error's code, or null. */
async function code(action: Promise<unknown>): Promise<string | null> {
  try {
    await action;
    return null;
  } catch (error) {
    return error instanceof PolynyaError ? error.code : (error as Error).name;
  }
}

/** Writes past the store, as a fault or an attacker would. */
async function raw(change: (store: IDBObjectStore, keys: (string | number)[][]) => void | Promise<void>): Promise<void> {
  const db = await result(indexedDB.open(NAME));
  const transaction = db.transaction('file', 'readwrite');
  const store = transaction.objectStore('file');
  await change(store, (await result(store.getAllKeys())) as (string | number)[][]);
  await done(transaction);
  db.close();
}

const all = {
  async open(): Promise<void> {
    storage = await Storage.open(NAME);
    shelf = new Shelf(storage);
  },
  put: (n: number, change?: Partial<Kept>) => code(shelf.put(kept(n, change), open, parts(kept(n), n))),
  remove: (n: number) => code(shelf.remove(kept(n))),
  rows: async () => (await shelf.all()).map((row) => [row.number, row.whole, row.reference.name, hex(row.reference.key.slice(0, 2))]),
  part: async (n: number, index: number) => {
    const part = await shelf.part(kept(n), index);
    return [part.length, part[0], part.at(-1)];
  },
  damaged: () => code(shelf.all()),
  keys: async () => {
    const found: number[] = [];
    await raw((_, keys) => void found.push(...keys.map((key) => key.length)));
    return found;
  },
  /** Whether names or keys of files stand anywhere in the store as they are. */
  async tells(): Promise<boolean> {
    let said = '';
    await raw(async (store) => {
      for (const value of (await result(store.getAll())) as Uint8Array[]) said += Array.from(value, (byte) => String.fromCharCode(byte)).join('');
    });
    return said.includes('name of') || said.includes(String.fromCharCode(...filled(32, 201)));
  },
  loseRow: () => raw((store, keys) => void store.delete(keys.find((key) => key.length === 1) as IDBValidKey)),
  losePart: () => raw((store, keys) => void store.delete(keys.find((key) => key[1] === 1) as IDBValidKey)),
  exchangeRows: () =>
    raw(async (store, keys) => {
      const [a, b] = keys.filter((key) => key.length === 1) as [IDBValidKey, IDBValidKey];
      const [first, second] = [await result(store.get(a)), await result(store.get(b))];
      store.put(first, b);
      store.put(second, a);
    }),
  /** Puts that are called off at once, or after some ms: before they write, while they do, or when they are done. */
  async callOff(ms: number): Promise<void> {
    const stop = new AbortController();
    const written = code(shelf.put(kept(1), stop.signal, parts(kept(1), 1)));
    if (ms) await new Promise((resolve) => setTimeout(resolve, ms));
    stop.abort();
    await shelf.remove(kept(1));
    await written;
  },
  /** As the first version of the store was made. */
  async makeFirstVersion(): Promise<void> {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      const db = request.result;
      db.createObjectStore('keys');
      db.createObjectStore('state', { keyPath: 'name' });
      const messages = db.createObjectStore('message', { keyPath: ['conversation', 'id'] });
      messages.createIndex('order', ['conversation', 'place', 'tie', 'id']);
    };
    (await result(request)).close();
  },
  commit: () => code(storage.commit([{ type: 'Save', table: 'client/settings', key: filled(1, 1), value: filled(3, 3) }])),
};

Object.assign(window, { shelf: all });
