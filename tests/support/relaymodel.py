"""The relay's verbs in memory, as protocol.md section 2 has them: what the world of tests/support/world.py talks to."""

from __future__ import annotations

from dataclasses import dataclass, field

from polynya.crypto.hashes import sha256
from polynya.crypto.signature import public_key
from polynya.wire import labels
from polynya.wire import messages as m


@dataclass
class Log:
    """A topic or an inbox."""

    entries: list[m.Entry] = field(default_factory=list)
    seq: int = 0
    by_record: dict[bytes, m.Published] = field(default_factory=dict)
    slots: dict[bytes, int] = field(default_factory=dict)


@dataclass(eq=False)
class Session:
    """One client's connection: what it subscribes to, and what waits to be pushed."""

    stream: bool = True
    sources: set[bytes] = field(default_factory=set)
    pushes: list[m.Push | m.EphemeralPush] = field(default_factory=list)


class RelayModel:
    def __init__(self, name: str = "relay") -> None:
        self.seed = sha256(b"relay" + name.encode())
        self.identity = public_key(self.seed)
        self.address = m.RelayAddress(f"https://{name}.example/secret-path", self.identity)
        self.topics: dict[bytes, Log] = {}
        self.inboxes: dict[bytes, Log] = {}
        self.blobs: dict[bytes, bytes] = {}
        self.parts: dict[bytes, bytes] = {}
        self.packages: dict[bytes, list[bytes]] = {}
        self.put_before: dict[bytes, set[bytes]] = {}
        self.last_resorts: dict[bytes, bytes] = {}
        self.sessions: list[Session] = []
        self.refuse_next: list[m.Refused] = []

    # ---- the verbs ----

    def answer(self, session: Session, request: m.Request, now: int) -> m.Response:
        if self.refuse_next:
            return self.refuse_next.pop(0)
        match request:
            case m.CreateTopic():
                self.topics.setdefault(labels.topic_id(request.write_secret), Log())
                return m.Done()
            case m.Publish():
                return self.publish(session, request, now)
            case m.Fetch():
                return self._fetch(self.topics.get(request.topic), request, m.RefusalCode.UNKNOWN_TOPIC)
            case m.CreateInbox():
                self.inboxes.setdefault(labels.inbox_id(request.read_secret), Log())
                return m.Done()
            case m.Drop():
                return self._drop(session, request, now)
            case m.FetchInbox():
                log = self.inboxes.get(labels.inbox_id(request.read_secret))
                return self._fetch(log, request, m.RefusalCode.UNKNOWN_INBOX)
            case m.TrimInbox():
                log = self.inboxes.get(labels.inbox_id(request.read_secret))
                if log is None:
                    return m.Refused(m.RefusalCode.UNKNOWN_INBOX)
                log.entries = [entry for entry in log.entries if entry.seq > request.upto]
                return m.Done()
            case m.DeleteInbox():
                self.inboxes.pop(labels.inbox_id(request.read_secret), None)
                return m.Done()
            case m.PutKeyPackages() | m.TakeKeyPackage():
                return self._key_packages(request)
            case m.PutBlob() | m.GetBlob():
                return self._blob(request)
            case m.Subscribe() | m.Unsubscribe() | m.SendEphemeral():
                return self._live(session, request)
            case m.Ping() | m.JoinRelay():
                return m.Done()
            case m.GetTokenKeys() | m.IssueTokens():
                # This relay wants no tokens, and has none to give.
                return m.Refused(m.RefusalCode.NO_MEMBER)

    def publish(self, session: Session | None, request: m.Publish, now: int) -> m.Response:
        topic = labels.topic_id(request.write_secret)
        log = self.topics.get(topic)
        if log is None:
            return m.Refused(m.RefusalCode.UNKNOWN_TOPIC)
        if request.record in log.by_record:
            return log.by_record[request.record]
        if any(blob not in self.blobs for blob in request.blobs or ()):
            return m.Refused(m.RefusalCode.UNKNOWN_BLOB)
        log.seq += 1
        receipt = None
        if request.slot is not None:
            position = log.slots.get(request.slot, 0)
            log.slots[request.slot] = position + 1
            hash_ = labels.record_hash(request.record)
            body = m.ReceiptBody(topic, request.slot, position, log.seq, hash_, request.blobs)
            receipt = labels.sign_receipt(self.seed, body)
        entry = m.Entry(
            log.seq, now, record=request.record, slot=request.slot, receipt=receipt, blobs=request.blobs
        )
        log.entries.append(entry)
        self.push(topic, entry, session)
        log.by_record[request.record] = m.Published(log.seq, now, receipt)
        return log.by_record[request.record]

    def push(self, source: bytes, entry: m.Entry, but: Session | None) -> None:
        for session in self.sessions:
            if session is not but and source in session.sources:
                session.pushes.append(m.Push(source, entry))

    def _drop(self, session: Session, request: m.Drop, now: int) -> m.Response:
        log = self.inboxes.get(request.inbox)
        if log is None:
            return m.Refused(m.RefusalCode.UNKNOWN_INBOX)
        if request.record in log.by_record:
            return log.by_record[request.record]
        if any(blob not in self.blobs for blob in request.blobs or ()):
            return m.Refused(m.RefusalCode.UNKNOWN_BLOB)
        log.seq += 1
        entry = m.Entry(log.seq, now, record=request.record, blobs=request.blobs)
        log.entries.append(entry)
        self.push(request.inbox, entry, session)
        log.by_record[request.record] = m.Published(log.seq, now)
        return log.by_record[request.record]

    def _fetch(self, log: Log | None, request: m.Fetch | m.FetchInbox, unknown: m.RefusalCode) -> m.Response:
        if log is None:
            return m.Refused(unknown)
        found = [entry for entry in log.entries if entry.seq > request.after]
        return m.Records(tuple(found[: request.limit]), log.seq)

    def _key_packages(self, request: m.PutKeyPackages | m.TakeKeyPackage) -> m.Response:
        if isinstance(request, m.PutKeyPackages):
            owner = labels.owner_id(request.owner_secret)
            stock = self.packages.setdefault(owner, [])
            before = self.put_before.setdefault(owner, set())
            for package in request.packages:
                if package not in before:
                    stock.append(package)
                    before.add(package)
            if request.last_resort is not None:
                self.last_resorts[owner] = request.last_resort
            return m.KeyPackagesStored(len(stock))
        stock = self.packages.get(request.owner, [])
        if stock:
            return m.KeyPackageTaken(stock.pop(0), False)
        if request.owner in self.last_resorts:
            return m.KeyPackageTaken(self.last_resorts[request.owner], True)
        return m.Refused(m.RefusalCode.NO_KEY_PACKAGE)

    def _blob(self, request: m.PutBlob | m.GetBlob) -> m.Response:
        if isinstance(request, m.GetBlob):
            data = self.blobs.get(request.id)
            if data is None:
                return m.Refused(m.RefusalCode.UNKNOWN_BLOB)
            return m.BlobPart(len(data), data[request.offset : request.offset + request.length])
        if request.id in self.blobs:
            return m.BlobState(request.total)
        data = self.parts.get(request.id, b"")
        if request.offset == len(data):
            data += request.part
        self.parts[request.id] = data
        if len(data) == request.total:
            del self.parts[request.id]
            if labels.blob_id(data) != request.id:
                return m.BlobState(0)
            self.blobs[request.id] = data
        return m.BlobState(len(data))

    def _live(self, session: Session, request: m.Subscribe | m.Unsubscribe | m.SendEphemeral) -> m.Response:
        if not session.stream:
            return m.Refused(m.RefusalCode.SESSION_ONLY)
        if isinstance(request, m.Unsubscribe):
            session.sources -= {*request.topics, *request.inboxes}
            return m.Done()
        if isinstance(request, m.Subscribe):
            inboxes = [labels.inbox_id(secret) for secret in request.inboxes]
            session.sources |= {t for t in request.topics if t in self.topics}
            session.sources |= {i for i in inboxes if i in self.inboxes}
            return m.Heads(
                tuple(_head(self.topics.get(t)) for t in request.topics),
                tuple(_head(self.inboxes.get(i)) for i in inboxes),
            )
        topic = labels.topic_id(request.write_secret)
        for other in self.sessions:
            if other is not session and topic in other.sources:
                other.pushes.append(m.EphemeralPush(topic, request.body))
        return m.Done()


def _head(log: Log | None) -> m.Head:
    return m.Head(log is not None, 0 if log is None else log.seq)
