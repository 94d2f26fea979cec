"""Devices that work on a relay which may be killed at any moment, and what they were promised.

Everything that a device was told is written down as a promise; `verify` holds the relay to all promises so far. A
request that got no answer is repeated before any other of its device, as an outbox does.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from polynya.carriers.base import CarrierError
from polynya.wire.labels import inbox_id, owner_id, record_hash, topic_id, verify_receipt
from polynya.wire.messages import (
    BlobPart,
    BlobState,
    CreateInbox,
    CreateTopic,
    Done,
    Drop,
    Entry,
    Fetch,
    FetchInbox,
    GetBlob,
    KeyPackagesStored,
    KeyPackageTaken,
    Publish,
    Published,
    PutBlob,
    PutKeyPackages,
    ReceiptBody,
    Records,
    RefusalCode,
    Refused,
    Request,
    Response,
    TakeKeyPackage,
)
from tests.relay.client import Client, Session, expect

AT_ONCE = 8
DROPS = 2
PAUSE = 0.02
"""Seconds after a refusal."""
PART = 20_000
PACKAGES = 10
"""Of one owner: as many as one request leaves, and fewer than are handed out before an owner's stock is spared."""
GONE = (CarrierError, asyncio.CancelledError)
TRY_AGAIN = (RefusalCode.FULL, RefusalCode.INTERNAL, RefusalCode.TOO_MANY)


class Broken(AssertionError):
    """A promise that was not kept."""


class Busy(Exception):
    """The relay refused for now; nothing was promised."""


def held(condition: object, what: str) -> None:
    if not condition:
        raise Broken(what)


async def ask(session: Session, request: Request) -> Response:
    """The answer; raises Busy where the relay refuses for now."""
    response = await session.call(request)
    if isinstance(response, Refused) and response.code in TRY_AGAIN:
        raise Busy(response.code.name)
    return response


@dataclass
class Log:
    """A topic or an inbox: what was sent, what was promised, and what was seen there before."""

    secret: bytes
    is_topic: bool
    waiting: list[bytes] = field(default_factory=list)
    acknowledged: dict[bytes, Published] = field(default_factory=dict)
    blobs: dict[bytes, tuple[bytes, ...]] = field(default_factory=dict)
    slots: dict[bytes, bytes] = field(default_factory=dict)
    seen: list[Entry] = field(default_factory=list)
    positions: dict[bytes, int] = field(default_factory=dict)
    lost: set[bytes] = field(default_factory=set)
    """records of which an answer was lost with its connection"""
    has_refused: bool = False
    """whether the relay ever refused one for now"""
    made: int = 0

    @property
    def id(self) -> bytes:
        return topic_id(self.secret) if self.is_topic else inbox_id(self.secret)

    def request(self, record: bytes) -> Request:
        if self.is_topic:
            return Publish(self.secret, record, self.slots.get(record), self.blobs.get(record))
        return Drop(self.id, record)

    def page(self, after: int) -> Request:
        return Fetch(self.id, after, 64) if self.is_topic else FetchInbox(self.secret, after, 64)

    def add(self, dice: random.Random) -> None:
        self.made += 1
        record = (b"%08d " % self.made + dice.randbytes(8).hex().encode()) * dice.randint(2, 60)
        self.waiting.append(record)
        if self.is_topic and dice.random() < 0.25:
            self.slots[record] = b"slot %d" % dice.randrange(3) * 2 + bytes(4)

    def told(self, record: bytes, published: Published) -> None:
        before = self.acknowledged.setdefault(record, published)
        held(before == published, "a repeated record got another answer")
        self.waiting.remove(record)

    async def verify(self, session: Session, identity: bytes) -> None:
        """Everything there once, in order, without gap, as before and as promised."""
        entries: list[Entry] = []
        while page := expect(Records, await ask(session, self.page(len(entries)))).entries:
            entries += page
        held([entry.seq for entry in entries] == list(range(1, len(entries) + 1)), "a gap in a log")
        held(entries[: len(self.seen)] == self.seen, "a log is not what it was")
        records = [entry.record for entry in entries]
        held(len(set(records)) == len(records), "a record is there twice")
        held(set(records) <= {*self.acknowledged, *self.waiting}, "a record that nobody sent")
        for entry in entries[len(self.seen) :]:
            self._verify_entry(entry, identity)
        seqs = []
        for record, published in self.acknowledged.items():
            held(published.seq <= len(entries), "an acknowledged record is lost")
            entry = entries[published.seq - 1]
            held(entry.record == record, "an acknowledged record is not in its place")
            held(
                Published(entry.seq, entry.time, entry.receipt) == published,
                "an entry is not as acknowledged",
            )
            # Of those that are asked again some may be refused, and told after others that came behind them.
            if not (self.has_refused and record in self.lost):
                seqs.append(published.seq)
        held(seqs == sorted(seqs), "records are out of order")
        times = [entry.time for entry in entries]
        held(times == sorted(times), "times go back within a log")
        self.seen = entries

    def _verify_entry(self, entry: Entry, identity: bytes) -> None:
        assert entry.record is not None
        hash_ = record_hash(entry.record)
        held(entry.slot == self.slots.get(entry.record), "an entry has another slot")
        held(entry.blobs == self.blobs.get(entry.record), "an entry names other blobs")
        if entry.slot is None:
            return
        position = self.positions.get(entry.slot, 0)
        held(entry.receipt is not None and entry.receipt.position == position, "positions have a gap")
        assert entry.receipt is not None
        body = ReceiptBody(self.id, entry.slot, position, entry.seq, hash_, entry.blobs)
        held(verify_receipt(identity, body, entry.receipt), "a receipt is not valid")
        self.positions[entry.slot] = position + 1


class Load:
    """All devices of one relay. `run` ends when the connections do; `verify` raises Broken."""

    def __init__(self, seed: int, publishers: int = 3) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - a test's dice
        self.logs = [Log(self._dice.randbytes(32), True) for _ in range(publishers)]
        self.logs.append(Log(self._dice.randbytes(32), False))
        self.files: dict[bytes, bytes] = {}
        """by id, those that were acknowledged as whole"""
        self._growing: tuple[bytes, int] | None = None
        """(data, bytes that were acknowledged)"""
        self._owner = b""
        self._stock: list[bytes] = []
        self._left = 0
        """packages of the stock that are there, as far as was told"""
        self.taken: list[bytes] = []
        self.busy: Counter[str] = Counter()
        """refusals for now, by code"""

    @property
    def promises(self) -> int:
        return sum(len(log.acknowledged) for log in self.logs) + len(self.files) + len(self.taken)

    async def run(self, client: Client) -> None:
        """All devices work until their connections end."""
        works: list[Callable[[Session], Awaitable[None]]] = [
            lambda session, log=log: self._append(session, log)  # type: ignore[misc]
            for log in self.logs
        ]
        works += [self._upload, self.take_packages]
        await asyncio.gather(*(self._one(client, work) for work in works))

    async def _one(self, client: Client, work: Callable[[Session], Awaitable[None]]) -> None:
        try:
            async with client.session() as session:
                while True:
                    try:
                        await work(session)
                    except Busy as busy:
                        self.busy[str(busy)] += 1
                        await asyncio.sleep(PAUSE)
        except GONE:
            return

    async def _append(self, session: Session, log: Log) -> None:
        create = CreateTopic(log.secret, 30) if log.is_topic else CreateInbox(log.secret)
        expect(Done, await ask(session, create))
        while len(log.waiting) < (AT_ONCE if log.is_topic else DROPS):
            log.add(self._dice)
        await self._send(session, log)

    async def _send(self, session: Session, log: Log) -> None:
        """All that waits."""
        refused = ""
        try:
            sent = [(record, await session.send(log.request(record))) for record in log.waiting]
            for record, future in sent:
                response = await future
                if isinstance(response, Refused) and response.code in TRY_AGAIN:
                    refused = refused or response.code.name
                    log.has_refused = True
                    continue
                # What was refused goes first the next time: only then the order in the log is that of sending.
                published = expect(Published, response)
                log.told(record, published)
        except GONE:
            log.lost.update(log.waiting)
            raise
        if refused:
            raise Busy(refused)

    async def _upload(self, session: Session) -> None:
        if self._growing is None:
            self._growing = (self._dice.randbytes(self._dice.randint(1, 4 * PART)), 0)
        data, acknowledged = self._growing
        blob = hashlib.sha256(data).digest()
        start = expect(BlobState, await ask(session, PutBlob(blob, len(data), 0, b""))).received
        held(start >= acknowledged, "acknowledged bytes of a file are lost")
        while start < len(data):
            part = data[start : start + PART]
            start = expect(BlobState, await ask(session, PutBlob(blob, len(data), start, part))).received
            self._growing = (data, start)
        self.files[blob] = data
        self._growing = None
        log = self.logs[0]
        record = b"names a file " + blob.hex().encode()
        log.blobs[record] = (blob,)
        log.waiting.append(record)

    def begin_stock(self) -> list[bytes]:
        """The packages of another owner."""
        self._owner = self._dice.randbytes(32)
        self._left = 0
        self._stock = [self._dice.randbytes(200) for _ in range(PACKAGES)]
        return self._stock

    async def take_packages(self, session: Session) -> None:
        """A stock is left, and handed out to the last one; after a kill what is there of it is left anew."""
        if not self._stock:
            self.begin_stock()
        stored = await ask(session, PutKeyPackages(self._owner, tuple(self._stock), b"last resort"))
        left = expect(KeyPackagesStored, stored).count
        # One may have been handed out in an answer that was lost.
        held(left >= self._left - 1, "packages that were promised are gone")
        self._left = left
        for _ in range(left):
            taken = expect(KeyPackageTaken, await ask(session, TakeKeyPackage(owner_id(self._owner))))
            held(not taken.last_resort, "a package that was promised is gone")
            held(taken.package in self._stock, "a package that nobody left, or one of before")
            held(taken.package not in self.taken, "a one-time package was handed out twice")
            self.taken.append(taken.package)
            self._left -= 1
        self._stock = []

    async def settle(self, client: Client) -> None:
        """Asks again for all that got no answer: whatever is promised from now on is new to the relay."""
        async with client.session() as session:
            if self._growing is not None:
                await self._upload(session)
            if self._stock:
                await self.take_packages(session)
            for log in self.logs:
                await self._send(session, log)

    async def verify(self, client: Client) -> None:
        async with client.session() as session:
            for log in self.logs:
                if log.acknowledged or log.seen:
                    await log.verify(session, client.identity)
            await self.verify_files(session)

    async def verify_files(self, session: Session) -> None:
        for blob, data in self.files.items():
            got = b""
            while len(got) < len(data):
                part = expect(BlobPart, await ask(session, GetBlob(blob, len(got), 65_536)))
                held(part.total == len(data) and part.part, "a file is not whole")
                got += part.part
            held(got == data, "a file is not what it was")
