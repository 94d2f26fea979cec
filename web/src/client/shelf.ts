/**
 * Files that wait to be uploaded, in the device's store: the sealed blob in parts, and a row that says what it is.
 *
 * The row is sealed as all others are; the parts are what the relay gets, under a key that stands in the row alone. A blob
 * counts only with a row that says that it is whole, and that row is written in one transaction with its last parts.
 */
import type { FileReference } from '../wire/messages.ts';
import { BLOB_PART, decodeContent, encodeContent } from '../wire/messages.ts';
import { utf8 } from '../crypto/bytes.ts';
import * as cbor from '../wire/cbor.ts';
import { blobSize } from '../wire/files.ts';
import { result } from './database.ts';
import { StoreError } from './errors.ts';
import type { Storage } from './storage.ts';

const VERSION = 1;
const STORE = 'file';

/** A file of ours that waits. */
export interface Kept {
  readonly conversation: Uint8Array;
  /** The message's, drawn once (16 bytes). */
  readonly id: Uint8Array;
  /** Its place: files go in ascending order. */
  readonly number: number;
  /** ms, this device's clock. */
  readonly sent: number;
  /** Whether all of the blob is here. Until then `reference.blob` is all zeros. */
  readonly whole: boolean;
  /** Bytes of the blob that the relay had when last written down. */
  readonly received: number;
  readonly reference: FileReference;
}

/** Of the blob, from its start on. */
export type Parts = ReadonlyMap<number, Uint8Array>;
const NO_PARTS: Parts = new Map();

/** What the uploader needs of the store. */
export interface FileShelf {
  /** In their order. What a crash left of others is removed. @throws StoreError */
  all(): Promise<Kept[]>;
  /** Row and parts, all or nothing. Nothing where `signal` is aborted by then. @throws StoreError, ClientError `taken-over`, the signal's reason */
  put(kept: Kept, signal: AbortSignal, parts?: Parts): Promise<void>;
  /** @throws StoreError */
  part(kept: Kept, index: number): Promise<Uint8Array>;
  /** Row and parts; those of a `put` too that is under way, where its signal was aborted before. @throws StoreError, ClientError `taken-over` */
  remove(kept: Kept): Promise<void>;
}

const partsOf = ({ reference }: Kept): number => Math.ceil(blobSize(reference.size) / BLOB_PART);

export class Shelf implements FileShelf {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  #name({ conversation, id }: Kept): Promise<string> {
    return this.#storage.name(utf8('file'), conversation, id);
  }

  async all(): Promise<Kept[]> {
    const keys = (await result(this.#storage.read(STORE).getAllKeys())) as [string, number?][];
    const counts = new Map<string, number>();
    const names = new Set<string>();
    for (const [name, index] of keys) {
      if (index === undefined) names.add(name);
      else counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const found: Kept[] = [];
    const useless = new Set([...counts.keys()].filter((name) => !names.has(name)));
    for (const name of names) {
      const sealed = (await result(this.#storage.read(STORE).get([name]))) as Uint8Array;
      const kept = decode(await this.#storage.open(place(name), sealed));
      const whole = kept.whole && counts.get(name) === partsOf(kept);
      if (!whole) useless.add(name);
      found.push({ ...kept, whole });
    }
    if (useless.size) {
      await this.#storage.write([STORE], (transaction) => {
        for (const name of useless) transaction.objectStore(STORE).delete(IDBKeyRange.bound([name, 0], [name, []]));
      });
    }
    return found.sort((a, b) => a.number - b.number);
  }

  async put(kept: Kept, signal: AbortSignal, parts: Parts = NO_PARTS): Promise<void> {
    const name = await this.#name(kept);
    const row = await this.#storage.seal(place(name), encode(kept));
    signal.throwIfAborted();
    await this.#storage.write([STORE], (transaction) => {
      const store = transaction.objectStore(STORE);
      store.put(row, [name]);
      for (const [index, part] of parts) store.put(part, [name, index]);
    });
  }

  async part(kept: Kept, index: number): Promise<Uint8Array> {
    const part = (await result(this.#storage.read(STORE).get([await this.#name(kept), index]))) as Uint8Array | undefined;
    if (!part) throw new StoreError('damaged');
    return part;
  }

  async remove(kept: Kept): Promise<void> {
    const name = await this.#name(kept);
    await this.#storage.write([STORE], (transaction) => void transaction.objectStore(STORE).delete(IDBKeyRange.bound([name], [name, []])));
  }
}

const place = (name: string): string => `file ${name}`;

function encode({ conversation, id, number, sent, whole, received, reference }: Kept): Uint8Array {
  return cbor.encode([VERSION, conversation, id, number, sent, whole, received, encodeContent(reference)]);
}

type Row = [
  version: number, conversation: Uint8Array, id: Uint8Array, number: number, sent: number, whole: boolean, received: number,
  reference: Uint8Array,
];

/** What `encode` made: the seal around it shows that we wrote it. @throws StoreError `store-too-new` */
function decode(data: Uint8Array): Kept {
  const row = cbor.decode(data) as unknown as Row;
  if (row[0] !== VERSION) throw new StoreError('too-new');
  const [, conversation, id, number, sent, whole, received, content] = row;
  return { conversation, id, number, sent, whole, received, reference: decodeContent(content) as FileReference };
}
