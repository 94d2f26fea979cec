/**
 * The device's store in IndexedDB: the core's state as rows, the history as messages, all sealed; files that wait are shelf.ts's.
 *
 * Values are AES-256-GCM under a key that the browser does not give out, bound to their place; the names of rows are keyed hashes.
 * Who copies the database without the browser's own key store sees how many rows there are and how large. One writer: see lock.ts.
 */
import type { Change, Save } from '../core/commands.ts';
import { NEWEST, type StoredMessage } from '../core/history.ts';
import { rest } from '../core/provided.ts';
import { concat, hex, utf8 } from '../crypto/bytes.ts';
import { subtle, view } from '../crypto/subtle.ts';
import { uint } from '../wire/bytes.ts';
import * as cbor from '../wire/cbor.ts';
import { done, openDatabase, result } from './database.ts';
import { ClientError, StoreError } from './errors.ts';
import { decodeStored, encodeStored } from './stored.ts';

const VERSION = 2;
const NONCE = 12;
/** Most messages of one page. */
const PAGE_MOST = 200;
/** Tables with this prefix are the client's own; the core is not given them. */
const OWN = 'client/';

interface Keys {
  readonly seal: CryptoKey;
  readonly name: CryptoKey;
}

/** A row of the state, opened. */
export type Row = [table: string, key: Uint8Array, value: Uint8Array];

interface StateRow {
  readonly name: string;
  readonly value: Uint8Array;
}

/** `place`: the message's order, or NEWEST for one that waits; `tie`: then its `sent`. */
interface MessageRow {
  readonly conversation: string;
  readonly id: string;
  readonly place: number;
  readonly tie: number;
  readonly value: Uint8Array;
}

/** Forward only: each step makes the next version out of the one before. */
function upgrade(db: IDBDatabase, from: number): void {
  if (from < 1) {
    db.createObjectStore('keys');
    db.createObjectStore('state', { keyPath: 'name' });
    const messages = db.createObjectStore('message', { keyPath: ['conversation', 'id'] });
    messages.createIndex('order', ['conversation', 'place', 'tie', 'id']);
  }
  // Files that wait: see shelf.ts.
  if (from < 2) db.createObjectStore('file');
}

async function loadKeys(db: IDBDatabase): Promise<Keys> {
  const found = (await result(db.transaction('keys').objectStore('keys').get('keys'))) as Keys | undefined;
  if (found) return found;
  const seal = await subtle().generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const name = await subtle().generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const transaction = db.transaction('keys', 'readwrite', { durability: 'strict' });
  transaction.objectStore('keys').put({ seal, name }, 'keys');
  await done(transaction);
  return { seal, name };
}

/** The number of this opening. A tab that was frozen while another took over finds a higher one, and writes no more. */
async function nextWriter(db: IDBDatabase): Promise<number> {
  const transaction = db.transaction('keys', 'readwrite', { durability: 'strict' });
  const store = transaction.objectStore('keys');
  const writer = (((await result(store.get('writer'))) as number | undefined) ?? 0) + 1;
  store.put(writer, 'writer');
  await done(transaction);
  return writer;
}

export class Storage {
  readonly #db: IDBDatabase;
  readonly #keys: Keys;
  readonly #writer: number;

  private constructor(db: IDBDatabase, keys: Keys, writer: number) {
    this.#db = db;
    this.#keys = keys;
    this.#writer = writer;
    // Another tab erases everything: let it.
    db.onversionchange = () => db.close();
  }

  /** Opens the store called `name`, made if it is not there. @throws StoreError */
  static async open(name: string): Promise<Storage> {
    const db = await openDatabase(name, VERSION, upgrade);
    return new Storage(db, await loadKeys(db), await nextWriter(db));
  }

  close(): void {
    this.#db.close();
  }

  // ---- sealing ----

  /** A row's name: tells nothing without the key. Each part's length comes before it, so that no two names share bytes. */
  async name(...parts: readonly Uint8Array[]): Promise<string> {
    const data = concat(...parts.flatMap((part) => [uint(part.length, 4), part]));
    return hex(new Uint8Array(await subtle().sign('HMAC', this.#keys.name, view(data))));
  }

  async seal(place: string, plain: Uint8Array): Promise<Uint8Array> {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE));
    const parameters = { name: 'AES-GCM', iv, additionalData: view(utf8(place)) };
    return concat(iv, new Uint8Array(await subtle().encrypt(parameters, this.#keys.seal, view(plain))));
  }

  /** @throws StoreError `store-damaged` */
  async open(place: string, sealed: Uint8Array): Promise<Uint8Array> {
    const parameters = { name: 'AES-GCM', iv: view(sealed.slice(0, NONCE)), additionalData: view(utf8(place)) };
    try {
      return new Uint8Array(await subtle().decrypt(parameters, this.#keys.seal, view(sealed.slice(NONCE))));
    } catch {
      throw new StoreError('damaged');
    }
  }

  // ---- writing ----

  /** Makes all changes durable in one transaction, or none of them. @throws StoreError, ClientError `taken-over` */
  async commit(changes: readonly Change[]): Promise<void> {
    if (!changes.length) return;
    // All sealing comes first: a transaction ends by itself as soon as it waits for anything else.
    const saves = changes.filter((change): change is Save => change.type === 'Save');
    const state = await Promise.all(saves.map((save) => this.#stateRow(save)));
    const messages = new Map<string, StoredMessage>();
    const forgotten: string[] = [];
    for (const change of changes) {
      if (change.type === 'Save') continue;
      if (change.type === 'ForgetHistory') {
        forgotten.push(await this.#conversation(change.conversation));
        for (const key of [...messages.keys()]) if (key.startsWith(hex(change.conversation))) messages.delete(key);
      } else {
        const [conversation, id] =
          change.type === 'AppendMessage' ? [change.message.conversation, change.message.id] : [change.conversation, change.id];
        const key = hex(conversation) + hex(id);
        const before = messages.get(key) ?? (await this.message(conversation, id));
        if (change.type === 'AppendMessage') {
          if (!before) messages.set(key, change.message);
        } else {
          const after = before && rest().apply(before, change.amendment);
          if (after) messages.set(key, after);
        }
      }
    }
    const rows = await Promise.all([...messages.values()].map((message) => this.#messageRow(message)));
    await this.write(['state', 'message'], (transaction) => {
      const [stateStore, messageStore] = [transaction.objectStore('state'), transaction.objectStore('message')];
      for (const { name, value } of state) {
        if (value) stateStore.put({ name, value });
        else stateStore.delete(name);
      }
      for (const conversation of forgotten) messageStore.delete(IDBKeyRange.bound([conversation], [conversation, []]));
      for (const row of rows) messageStore.put(row);
    });
  }

  /** One durable transaction, begun before this returns: all that `work` does, or nothing. @throws StoreError, ClientError `taken-over` */
  async write(stores: readonly string[], work: (transaction: IDBTransaction) => void): Promise<void> {
    const transaction = this.#db.transaction(['keys', ...stores], 'readwrite', { durability: 'strict' });
    const finished = done(transaction);
    try {
      await this.#fence(transaction);
      work(transaction);
      transaction.commit();
    } catch (error) {
      transaction.abort();
      await finished.catch(() => undefined);
      throw error;
    }
    await finished;
  }

  /** Only the newest opening of the store writes. @throws ClientError `taken-over` */
  async #fence(transaction: IDBTransaction): Promise<void> {
    const writer = (await result(transaction.objectStore('keys').get('writer'))) as number;
    if (writer !== this.#writer) throw new ClientError('taken-over');
  }

  /** Without a value where the row goes. */
  async #stateRow({ table, key, value }: Save): Promise<Partial<StateRow> & Pick<StateRow, 'name'>> {
    const name = await this.name(utf8('state'), utf8(table), key);
    return value ? { name, value: await this.seal(`state ${name}`, cbor.encode([table, key, value])) } : { name };
  }

  // ---- reading ----

  read(store: string): IDBObjectStore {
    return this.#db.transaction(store).objectStore(store);
  }

  /** All rows of the state: the core's, and the client's own. @throws StoreError */
  async load(): Promise<{ core: Row[]; own: Row[] }> {
    const rows = (await result(this.read('state').getAll())) as StateRow[];
    const opened = await Promise.all(rows.map((row) => this.#openState(row)));
    const isOwn = ([table]: Row): boolean => table.startsWith(OWN);
    return { core: opened.filter((row) => !isOwn(row)), own: opened.filter(isOwn) };
  }

  /** A row of the client's own; `table` begins with 'client/'. @throws StoreError */
  async own(table: string, key: Uint8Array): Promise<Uint8Array | null> {
    const name = await this.name(utf8('state'), utf8(table), key);
    const row = (await result(this.read('state').get(name))) as StateRow | undefined;
    return row ? (await this.#openState(row))[2] : null;
  }

  async #openState(row: StateRow): Promise<Row> {
    return cbor.decode(await this.open(`state ${row.name}`, row.value)) as unknown as Row;
  }

  async message(conversation: Uint8Array, id: Uint8Array): Promise<StoredMessage | null> {
    const key = [await this.#conversation(conversation), await this.#message(conversation, id)];
    const row = (await result(this.read('message').get(key))) as MessageRow | undefined;
    return row ? this.#openMessage(row) : null;
  }

  /** The newest `limit` messages, or those right before message `before`; oldest first. An unknown `before`: none. */
  async history(conversation: Uint8Array, limit: number, before?: Uint8Array): Promise<StoredMessage[]> {
    const name = await this.#conversation(conversation);
    const id = before && (await this.#message(conversation, before));
    const store = this.read('message');
    let end: IDBValidKey = [name, []];
    if (id !== undefined) {
      const mark = (await result(store.get([name, id]))) as MessageRow | undefined;
      if (!mark) return [];
      end = [name, mark.place, mark.tie, mark.id];
    }
    const rows = await page(store.index('order'), IDBKeyRange.bound([name], end, false, true), Math.min(limit, PAGE_MOST));
    return Promise.all(rows.reverse().map((row) => this.#openMessage(row)));
  }

  #conversation(conversation: Uint8Array): Promise<string> {
    return this.name(utf8('conversation'), conversation);
  }

  #message(conversation: Uint8Array, id: Uint8Array): Promise<string> {
    return this.name(utf8('message'), conversation, id);
  }

  async #messageRow(message: StoredMessage): Promise<MessageRow> {
    const conversation = await this.#conversation(message.conversation);
    const id = await this.#message(message.conversation, message.id);
    const [place, tie] = message.order === null ? [NEWEST, message.sent] : [message.order, 0];
    const row = { conversation, id, place, tie };
    return { ...row, value: await this.seal(placeOf(row), encodeStored(message)) };
  }

  async #openMessage(row: MessageRow): Promise<StoredMessage> {
    return decodeStored(await this.open(placeOf(row), row.value));
  }
}

function placeOf(row: Omit<MessageRow, 'value'>): string {
  return `message ${row.conversation} ${row.id} ${row.place} ${row.tie}`;
}

/** The last `limit` rows of `range`, newest first. */
function page(index: IDBIndex, range: IDBKeyRange, limit: number): Promise<MessageRow[]> {
  return new Promise((resolve, reject) => {
    const rows: MessageRow[] = [];
    const request = index.openCursor(range, 'prev');
    request.onerror = () => reject(new StoreError('failed'));
    request.onsuccess = () => {
      const cursor = request.result;
      if (!cursor || rows.length >= limit) return resolve(rows);
      rows.push(cursor.value as MessageRow);
      cursor.continue();
    };
  });
}
