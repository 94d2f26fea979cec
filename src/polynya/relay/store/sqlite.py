"""The embedded store: SQLite in WAL mode with synchronous=FULL. One thread writes, in groups; others read."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from polynya.relay.store import blobs, clock, keypackages, logs, members, payments, sweep
from polynya.relay.store.base import (
    FREE,
    Append,
    Budget,
    Joins,
    Kind,
    Payment,
    Problem,
    Signer,
    Statistics,
    StoreError,
    Swept,
)
from polynya.relay.store.blobfiles import BlobFiles
from polynya.relay.store.checkpoints import Checkpoints
from polynya.relay.store.threads import Reader, Writer, connect
from polynya.wire.messages import KeyPackageTaken, Records, TokenKind

T = TypeVar("T")

DATABASE = "relay.db"
BLOB_FOLDER = "blobs"
BLOB_THREADS = 2
"""Hashing and fsync release the interpreter's lock: two uploads at a time keep a disk busy."""
DOOMED_AT_ONCE = 64
STEP = 64
"""Owners, members or nonces that one transaction of the sweep forgets."""


class SqliteStore:
    """See Store. Made by `open_store`; all methods are called in the event loop that opened it."""

    def __init__(self, writer: Writer, reader: Reader, files: BlobFiles, reserve: int) -> None:
        self._writer = writer
        self._reader = reader
        self._files = files
        self._reserve = reserve
        self._pool = ThreadPoolExecutor(BLOB_THREADS, "blobs")
        self._uploads: dict[bytes, tuple[asyncio.Lock, int]] = {}
        """by blob, with how many are at it or wait"""

    def append(self, append: Append) -> None:
        self._writer.append(append)

    async def create_topic(
        self, topic: bytes, retention_days: int, time: int, payment: Payment | None = FREE
    ) -> None:
        await self._writer.run(
            lambda db, _: logs.create(db, Kind.TOPIC, topic, retention_days, time, payment)
        )

    async def create_inbox(self, inbox: bytes, time: int, payment: Payment | None = FREE) -> None:
        await self._writer.run(
            lambda db, _: logs.create(db, Kind.INBOX, inbox, logs.INBOX_DAYS, time, payment)
        )

    async def fetch(self, kind: Kind, log: bytes, after: int, limit: int, size: int, time: int) -> Records:
        records = await self._reader.run(lambda db: logs.fetch(db, kind, log, after, limit, size))
        if kind is Kind.INBOX:
            await self._touch([log], time)
        return records

    async def heads(
        self, topics: Sequence[bytes], inboxes: Sequence[bytes], time: int
    ) -> tuple[list[int | None], list[int | None]]:
        def read(db: sqlite3.Connection) -> tuple[list[int | None], list[int | None]]:
            return logs.heads(db, Kind.TOPIC, topics), logs.heads(db, Kind.INBOX, inboxes)

        heads = await self._reader.run(read)
        if inboxes:
            await self._touch(inboxes, time)
        return heads

    async def _touch(self, inboxes: Sequence[bytes], time: int) -> None:
        stale = await self._reader.run(lambda db: logs.stale(db, inboxes, time))
        if not stale:
            return
        try:
            await self._writer.run(lambda db, _: logs.touch(db, stale, time))
        except StoreError as error:
            if error.problem is not Problem.FULL:
                raise
            # A later read writes it down; until then what is there can be read.

    async def trim_inbox(self, inbox: bytes, upto: int, time: int) -> None:
        await self._writer.run(lambda db, cache: logs.trim(db, cache, inbox, upto, time))

    async def delete_inbox(self, inbox: bytes, time: int) -> None:
        await self._writer.run(lambda db, cache: logs.remove(db, cache, inbox, time))

    async def put_key_packages(
        self,
        owner: bytes,
        packages: Sequence[bytes],
        last_resort: bytes | None,
        time: int,
        payment: Payment | None = FREE,
    ) -> int:
        return await self._writer.run(
            lambda db, _: keypackages.put(db, owner, packages, last_resort, time, payment)
        )

    async def take_key_package(self, owner: bytes, one_time: bool, time: int) -> KeyPackageTaken:
        return await self._writer.run(lambda db, _: keypackages.take(db, owner, one_time, time))

    async def put_blob(
        self, blob: bytes, total: int, offset: int, part: bytes, time: int, payment: Payment | None = FREE
    ) -> int:
        if total == 0 or offset + len(part) > total:
            raise StoreError(Problem.WRONG)
        async with self._alone(blob):
            return await self._put_blob(blob, total, offset, part, time, payment)

    @asynccontextmanager
    async def _alone(self, blob: bytes) -> AsyncIterator[None]:
        """One upload of the blob after another."""
        lock, users = self._uploads.get(blob) or (asyncio.Lock(), 0)
        self._uploads[blob] = lock, users + 1
        try:
            async with lock:
                yield
        finally:
            lock, users = self._uploads.pop(blob)
            if users > 1:
                self._uploads[blob] = lock, users - 1

    async def _put_blob(
        self, blob: bytes, total: int, offset: int, part: bytes, time: int, payment: Payment | None
    ) -> int:
        row = await self._reader.run(lambda db: blobs.find(db, blob))
        if row is not None and row.total != total:
            raise StoreError(Problem.EXISTS)
        before = 0 if row is None else row.received
        if offset != before or not part:
            return before
        if (total if row is None else len(part)) > self._files.free_bytes() - self._reserve:
            raise StoreError(Problem.FULL)
        received = offset + len(part)
        if row is None or row.paid < blobs.paid_by(received):
            row = await self._writer.run(lambda db, _: blobs.begin(db, blob, total, received, time, payment))
            if row.received != offset:
                return row.received
        if offset and await self._blocking(lambda: self._files.is_finished(blob, total)):
            await self._writer.run(lambda db, _: blobs.advance(db, blob, total, time))
            return total
        await self._blocking(lambda: self._files.write(blob, offset, part))
        if received == total and not await self._blocking(lambda: self._files.finish(blob, total)):
            await self._writer.run(lambda db, _: blobs.forget(db, blob))
            raise StoreError(Problem.WRONG)
        await self._writer.run(lambda db, _: blobs.advance(db, blob, received, time))
        return received

    async def get_blob(self, blob: bytes, offset: int, length: int) -> tuple[int, bytes]:
        row = await self._reader.run(lambda db: blobs.find(db, blob))
        if row is None or row.state != blobs.WHOLE:
            raise StoreError(Problem.UNKNOWN)
        return row.total, await self._blocking(lambda: self._files.read(blob, offset, length))

    async def join(
        self,
        member: bytes,
        payment: Payment | None,
        per_day: Joins,
        budgets: Mapping[TokenKind, Budget],
        time: int,
    ) -> None:
        await self._writer.run(lambda db, _: members.join(db, member, payment, per_day, budgets, time))

    async def draw(
        self,
        member: bytes,
        kind: TokenKind,
        count: int,
        request: bytes,
        is_new_allowed: bool,
        budget: Budget,
        time: int,
    ) -> bool:
        return await self._writer.run(
            lambda db, _: members.draw(db, member, kind, count, request, is_new_allowed, budget, time)
        )

    async def trusts(self, time: int) -> bool:
        return await self._writer.run(lambda db, _: clock.trusts(db, time))

    async def sweep(self, time: int) -> Swept:
        records = forgotten = 0
        while visit := await self._reader.run(lambda db: sweep.due(db, time)):
            day, number = visit
            count, gone = await self._writer.run(partial(sweep.visit, day=day, number=number, time=time))
            records += count
            forgotten += gone
        for forget in (
            partial(keypackages.forget_idle, time=time, most=STEP),
            partial(members.forget_idle, time=time, most=STEP),
            partial(payments.forget, key=payments.first_kept(time), most=STEP),
        ):
            while await self._writer.run(partial(_without_cache, forget)):
                pass
        removed = 0
        while doomed := await self._writer.run(lambda db, _: blobs.doom(db, time, DOOMED_AT_ONCE)):
            for blob in doomed:
                await self._blocking(partial(self._files.remove, blob))
            await self._writer.run(partial(blobs.forget_doomed, doomed=doomed))
            removed += len(doomed)
        if records or forgotten:
            self._writer.erase()
        return Swept(records, forgotten, removed)

    async def statistics(self) -> Statistics:
        def read(db: sqlite3.Connection) -> tuple[int, int, int, int]:
            topics, inboxes = (
                db.execute("SELECT count(*) FROM logs WHERE kind = ?", (kind,)).fetchone()[0] for kind in Kind
            )
            whole = db.execute("SELECT count(*) FROM blobs WHERE state = 1").fetchone()[0]
            pages = (
                db.execute("PRAGMA page_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]
            )
            return topics, inboxes, whole, pages

        return Statistics(*await self._reader.run(read), self._files.free_bytes())

    async def _blocking(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def close(self) -> None:
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._reader.close)
        await self._writer.close()


def _without_cache(change: Callable[[sqlite3.Connection], T], db: sqlite3.Connection, _: object) -> T:
    return change(db)


async def open_store(folder: Path, signer: Signer, *, time: int, reserve: int) -> SqliteStore:
    """Opens or makes the store in `folder`; blobs leave `reserve` bytes of the disk free. Raises
    DataError."""

    def start() -> tuple[Writer, Reader, BlobFiles]:
        path = folder / DATABASE
        db = connect(path, now=time)
        writer = Writer(db, path, signer, Checkpoints(connect(path, now=None)), loop)
        reader = Reader(connect(path, now=None), loop)
        return writer, reader, BlobFiles(folder / BLOB_FOLDER)

    loop = asyncio.get_running_loop()
    return SqliteStore(*await asyncio.to_thread(start), reserve)


def prepare_restored(folder: Path, time: int) -> list[bytes]:
    """Marks the topics of a database that was copied from a backup, and gives the ids of the blobs that belong
    to it. Raises DataError."""
    db = connect(folder / DATABASE, now=time)
    try:
        mark_restored(db)
        return [row[0] for row in db.execute("SELECT id FROM blobs ORDER BY id")]
    finally:
        db.close()


def mark_restored(db: sqlite3.Connection) -> None:
    """From here on no receipt is signed in the topics that are there now, and none of the one-time key packages is handed
    out, as it may have been before. Uploads that had not ended begin anew."""
    db.execute("UPDATE logs SET restored = 1 WHERE kind = ?", (Kind.TOPIC,))
    db.execute("UPDATE key_packages SET package = NULL")
    db.execute("DELETE FROM blobs WHERE state != ?", (blobs.WHOLE,))
