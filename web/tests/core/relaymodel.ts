/** The relay's verbs in memory, as protocol.md section 2 has them: what the world of world.ts talks to. */
import { concat, hex, utf8 } from '../../src/crypto/bytes.ts';
import { sha256 } from '../../src/crypto/hashes.ts';
import { publicKey } from '../../src/crypto/signature.ts';
import { blobId, inboxId, ownerId, recordHash, topicId } from '../../src/wire/labels.ts';
import { signReceipt } from '../../src/wire/receipts.ts';
import {
  type Entry,
  type EphemeralPush,
  type Head,
  type Publish,
  type Published,
  type Push,
  RefusalCode,
  type RelayAddress,
  type Request,
  type Response,
} from '../../src/wire/messages.ts';

/** A topic or an inbox. */
export class Log {
  entries: Entry[] = [];
  seq = 0;
  readonly byRecord = new Map<string, Published>();
  readonly slots = new Map<string, number>();
}

/** One client's connection: what it subscribes to, and what waits to be pushed. */
export class Session {
  readonly sources = new Set<string>();
  readonly pushes: (Push | EphemeralPush)[] = [];
}

const refused = (code: RefusalCode): Response => ({ type: 'Refused', code });
const DONE: Response = { type: 'Done' };

export class RelayModel {
  readonly topics = new Map<string, Log>();
  readonly inboxes = new Map<string, Log>();
  readonly sessions = new Set<Session>();
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #parts = new Map<string, Uint8Array>();
  readonly #packages = new Map<string, Uint8Array[]>();
  readonly #lastResorts = new Map<string, Uint8Array>();
  readonly #seed: Uint8Array;
  readonly address: RelayAddress;

  private constructor(seed: Uint8Array, address: RelayAddress) {
    this.#seed = seed;
    this.address = address;
  }

  static async make(name: string): Promise<RelayModel> {
    const seed = sha256(utf8(`relay${name}`));
    return new RelayModel(seed, { url: `https://${name}.example/secret-path`, identity: await publicKey(seed) });
  }

  async answer(session: Session, request: Request, now: number): Promise<Response> {
    switch (request.type) {
      case 'CreateTopic':
        return RelayModel.#make(this.topics, topicId(request.writeSecret));
      case 'CreateInbox':
        return RelayModel.#make(this.inboxes, inboxId(request.readSecret));
      case 'Publish':
        return this.publish(session, request, now);
      case 'Drop': {
        const log = this.inboxes.get(hex(request.inbox));
        if (!log) return refused(RefusalCode.unknownInbox);
        return this.#append(log, request.inbox, session, { record: request.record, blobs: request.blobs }, now);
      }
      case 'Fetch':
        return fetched(this.topics.get(hex(request.topic)), request, RefusalCode.unknownTopic);
      case 'FetchInbox':
        return fetched(this.inboxes.get(hex(inboxId(request.readSecret))), request, RefusalCode.unknownInbox);
      case 'TrimInbox': {
        const log = this.inboxes.get(hex(inboxId(request.readSecret)));
        if (!log) return refused(RefusalCode.unknownInbox);
        log.entries = log.entries.filter((entry) => entry.seq > request.upto);
        return DONE;
      }
      case 'DeleteInbox':
        this.inboxes.delete(hex(inboxId(request.readSecret)));
        return DONE;
      case 'PutKeyPackages': {
        const owner = hex(ownerId(request.ownerSecret));
        const stock = [...(this.#packages.get(owner) ?? []), ...request.packages];
        this.#packages.set(owner, stock);
        if (request.lastResort) this.#lastResorts.set(owner, request.lastResort);
        return { type: 'KeyPackagesStored', count: stock.length };
      }
      case 'TakeKeyPackage': {
        const owner = hex(request.owner);
        const one = this.#packages.get(owner)?.shift();
        if (one) return { type: 'KeyPackageTaken', package: one, lastResort: false };
        const last = this.#lastResorts.get(owner);
        return last ? { type: 'KeyPackageTaken', package: last, lastResort: true } : refused(RefusalCode.noKeyPackage);
      }
      case 'PutBlob':
        return this.#putBlob(request.id, request.total, request.offset, request.part);
      case 'GetBlob': {
        const data = this.#blobs.get(hex(request.id));
        if (!data) return refused(RefusalCode.unknownBlob);
        const part = data.slice(request.offset, request.offset + request.length);
        return { type: 'BlobPart', total: data.length, part };
      }
      case 'Subscribe': {
        const inboxes = request.inboxes.map(inboxId);
        for (const id of request.topics) if (this.topics.has(hex(id))) session.sources.add(hex(id));
        for (const id of inboxes) if (this.inboxes.has(hex(id))) session.sources.add(hex(id));
        return {
          type: 'Heads',
          topics: request.topics.map((id) => head(this.topics.get(hex(id)))),
          inboxes: inboxes.map((id) => head(this.inboxes.get(hex(id)))),
        };
      }
      case 'Unsubscribe':
        for (const id of [...request.topics, ...request.inboxes]) session.sources.delete(hex(id));
        return DONE;
      case 'SendEphemeral': {
        const topic = topicId(request.writeSecret);
        for (const other of this.sessions) {
          if (other === session || !other.sources.has(hex(topic))) continue;
          other.pushes.push({ type: 'EphemeralPush', topic, body: request.body });
        }
        return DONE;
      }
      case 'Ping':
      case 'JoinRelay':
        return DONE;
      case 'GetTokenKeys':
      case 'IssueTokens':
        // This relay wants no tokens, and has none to give.
        return { type: 'Refused', code: RefusalCode.noMember };
    }
  }

  static #make(logs: Map<string, Log>, id: Uint8Array): Response {
    if (!logs.has(hex(id))) logs.set(hex(id), new Log());
    return DONE;
  }

  /** `session`: the publisher's, which gets no push. */
  async publish(session: Session | null, { writeSecret, record, slot, blobs }: Publish, now: number): Promise<Response> {
    const topic = topicId(writeSecret);
    const log = this.topics.get(hex(topic));
    if (!log) return refused(RefusalCode.unknownTopic);
    if (!slot) return this.#append(log, topic, session, { record, blobs }, now);
    const known = log.byRecord.get(hex(record));
    if (known) return known;
    const position = log.slots.get(hex(slot)) ?? 0;
    const body = { topic, slot, position, seq: log.seq + 1, recordHash: recordHash(record), blobs };
    const receipt = await signReceipt(this.#seed, body);
    const answer = this.#append(log, topic, session, { record, slot, receipt, blobs }, now);
    if (answer.type === 'Published') log.slots.set(hex(slot), position + 1);
    return answer;
  }

  #append(
    log: Log,
    source: Uint8Array,
    session: Session | null,
    fields: Omit<Entry, 'seq' | 'time'> & { record: Uint8Array },
    time: number,
  ): Response {
    const known = log.byRecord.get(hex(fields.record));
    if (known) return known;
    if (fields.blobs?.some((blob) => !this.#blobs.has(hex(blob)))) return refused(RefusalCode.unknownBlob);
    const entry: Entry = { ...fields, seq: ++log.seq, time };
    log.entries.push(entry);
    for (const other of this.sessions) {
      if (other !== session && other.sources.has(hex(source))) other.pushes.push({ type: 'Push', source, entry });
    }
    const answer: Published = { type: 'Published', seq: log.seq, time, receipt: fields.receipt };
    log.byRecord.set(hex(fields.record), answer);
    return answer;
  }

  #putBlob(id: Uint8Array, total: number, offset: number, part: Uint8Array): Response {
    if (this.#blobs.has(hex(id))) return { type: 'BlobState', received: total };
    let data = this.#parts.get(hex(id)) ?? new Uint8Array(0);
    if (offset === data.length) data = concat(data, part);
    this.#parts.set(hex(id), data);
    if (data.length === total) {
      this.#parts.delete(hex(id));
      if (hex(blobId(data)) !== hex(id)) return { type: 'BlobState', received: 0 };
      this.#blobs.set(hex(id), data);
    }
    return { type: 'BlobState', received: data.length };
  }
}

function fetched(
  log: Log | undefined,
  { after, limit }: { readonly after: number; readonly limit: number },
  unknown: RefusalCode,
): Response {
  if (!log) return refused(unknown);
  return { type: 'Records', entries: log.entries.filter((entry) => entry.seq > after).slice(0, limit), head: log.seq };
}

const head = (log: Log | undefined): Head => ({ known: log !== undefined, seq: log?.seq ?? 0 });
