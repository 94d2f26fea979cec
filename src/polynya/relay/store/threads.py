"""The threads of the SQLite store. Work goes in from the event loop; outcomes come back to it in order."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

from polynya.relay.errors import DataError
from polynya.relay.files import sync_file
from polynya.relay.store.append import append_run
from polynya.relay.store.base import Append, Problem, Signer, StoreError
from polynya.relay.store.checkpoints import PAGES_MOST, Checkpoints
from polynya.relay.store.logs import LogCache
from polynya.relay.store.schema import migrate

T = TypeVar("T")
logger = logging.getLogger("polynya.relay.store")

BATCH = 512
"""Most pieces of work in one transaction: 512 records of 1 KiB are half a megabyte of log, ~10 ms of work."""
GATHER = 0.001
"""Seconds that a batch waits for more where the last one held several: a commit writes whole pages and waits
for the disk, so that 64 records in one cost a quarter of 64 in eight. A publisher that is alone never
waits."""
BUSY_TIMEOUT = 10.0
"""Seconds to wait for another program (a backup, a check) that holds the database."""
WRITER_CACHE = -32_000
READER_CACHE = -16_000
"""KiB of pages that a connection keeps."""
ERASE_TIMEOUT = 1_000
"""ms that emptying the write-ahead log may hold up appends; what could not be emptied is with the next
sweep."""
LEAST_FREE = 65_536
"""Bytes: where fewer are free, an input/output error means a full disk (SQLite says so for some files
only)."""


def connect(path: Path, *, now: int | None) -> sqlite3.Connection:
    """A connection that any one thread may use, for the writer; `now` (ms) migrates the schema first. None: for others.
    Raises DataError."""
    try:
        db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT)
        db.create_function("sha256", 1, lambda data: hashlib.sha256(data).digest(), deterministic=True)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA secure_delete = ON")
        db.execute(f"PRAGMA cache_size = {READER_CACHE if now is None else WRITER_CACHE}")
        if now is None:
            db.execute("PRAGMA query_only = ON")
        else:
            db.execute(f"PRAGMA wal_autocheckpoint = {PAGES_MOST}")
            migrate(db, now)
            make_durable(db, path)
    except (sqlite3.DatabaseError, OSError) as error:
        raise DataError(
            f"The database in the data folder cannot be opened ({_words(error)}). Check that the disk is healthy and "
            "has space; otherwise bring the folder back from a backup."
        ) from None
    return db


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Beside whoever writes; raises sqlite3.OperationalError where there is no such file."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None)


def make_durable(db: sqlite3.Connection, path: Path) -> None:
    """Puts on disk all that can be read. What a killed program had written but not synced can be read as if it
    had been, and after a failed sync the system believes pages to be on disk that are not: all that is in the
    write-ahead log is written again. Raises sqlite3.Error or OSError."""
    busy, _, _ = db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    if busy:
        # Somebody reads in an old snapshot, so that the log has to stay; its bytes can be synced all the same.
        sync_file(path.with_name(path.name + "-wal"))


def try_disk(db: sqlite3.Connection) -> None:
    """Commits a page that changes nothing: where nothing else was to be written, that the disk works is not known
    before. Raises sqlite3.Error."""
    # Zero as ever; an UPDATE to what is there already would write nothing.
    db.execute("PRAGMA user_version = 0")


def _words(error: Exception) -> str:
    """Without the file's name."""
    return os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)


class _Work:
    """A change other than an append."""

    __slots__ = ("done", "run")

    def __init__(
        self, run: Callable[[sqlite3.Connection, LogCache], Any], done: Callable[[Any], None]
    ) -> None:
        self.run = run
        self.done = done


class Writer:
    """Does the work of several in one transaction, and answers after the commit is on disk. Work gathers in the event
    loop while a batch is being committed: the thread is woken once for a batch, not for each piece.

    All methods are called in the event loop."""

    def __init__(
        self,
        db: sqlite3.Connection,
        path: Path,
        signer: Signer,
        checkpoints: Checkpoints,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._db = db
        self._path = path
        self._checkpoints = checkpoints
        self._cache = LogCache(db)
        self._signer = signer
        self._loop = loop
        self._queue: SimpleQueue[list[Append | _Work] | None] = SimpleQueue()
        self._erase = False
        self._waiting: list[Append | _Work] = []
        """what no batch holds yet"""
        self._is_planned = False
        """whether a batch is in the queue, in the making or about to be made"""
        self._has_company = False
        """whether the batch before held several"""
        self._batch: list[Append | _Work] = []
        """what was taken from the queue last"""
        self._is_in_doubt = False
        self.commits = 0
        self.thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)
        self.thread.start()

    def append(self, append: Append) -> None:
        self._waiting.append(append)
        if not self._is_planned:
            self._plan()

    def run(self, run: Callable[[sqlite3.Connection, LogCache], T]) -> asyncio.Future[T]:
        """The future result of a change; `run` checks before it changes anything, as a StoreError does not
        undo."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append(_Work(run, partial(_settle, future)))
        if not self._is_planned:
            self._plan()
        return future

    def _plan(self) -> None:
        self._is_planned = True
        if self._has_company:
            self._loop.call_later(GATHER, self._hand_over)
        else:
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        if self._waiting:
            batch = self._waiting[:BATCH]
            del self._waiting[:BATCH]
            self._has_company = len(batch) > 1
            self._queue.put(batch)

    def _deliver(self, batch: Sequence[Append | _Work], outcomes: Sequence[Any]) -> None:
        # Before: the next batch is in the making while this one's answers are sealed.
        self._is_planned = False
        if self._waiting:
            self._plan()
        for work, outcome in zip(batch, outcomes, strict=True):
            work.done(outcome)

    def erase(self) -> None:
        """Before the next work: empties the write-ahead log, in which destroyed bytes may still stand."""
        self._erase = True

    async def close(self) -> None:
        """Returns when all work is done."""
        while self._waiting:
            self._hand_over()
        self._queue.put(None)
        await asyncio.to_thread(self.thread.join)

    def _serve(self) -> None:
        try:
            while (batch := self._queue.get()) is not None:
                self._batch = batch
                outcomes = self._commit(batch)
                self.commits += 1
                _tell(self._loop, self._deliver, batch, outcomes)
                self._checkpoints.committed()
                self._batch = []
                if self._erase:
                    self._erase = False
                    self._empty_log()
        except Exception as error:
            logger.critical("the store takes nothing more, start the relay again: %s", type(error).__name__)
            self._refuse_all()
        self._checkpoints.close()
        self._db.close()

    def _refuse_all(self) -> None:
        """Nobody waits for an answer that does not come."""
        refused: list[Append | _Work] | None = self._batch
        while refused is not None:
            _tell(self._loop, self._deliver, refused, [StoreError(Problem.FAILED)] * len(refused))
            refused = self._queue.get()

    def _empty_log(self) -> None:
        try:
            self._db.execute(f"PRAGMA busy_timeout = {ERASE_TIMEOUT}")
            with self._checkpoints.alone:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._db.execute(f"PRAGMA busy_timeout = {int(BUSY_TIMEOUT * 1000)}")
        except sqlite3.Error as error:
            logger.error("the write-ahead log could not be emptied: %s", error.sqlite_errorname)

    def _commit(self, batch: Sequence[Append | _Work]) -> list[Any]:
        """Each one's outcome: a result, or a StoreError; the transaction holds all of them or none."""
        if self._is_in_doubt and (problem := self._settle_doubt()) is not None:
            return [StoreError(problem)] * len(batch)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = self._apply(batch)
            self._db.execute("COMMIT")
        except Exception as error:
            self._undo()
            self._is_in_doubt = leaves_doubt(error)
            problem = _problem(error, self._path.parent)
            if problem is Problem.FULL or self._is_in_doubt or len(batch) == 1:
                return [StoreError(problem)] * len(batch)
            return [self._commit((work,))[0] for work in batch]
        return outcomes

    def _settle_doubt(self) -> Problem | None:
        """After the disk failed: nothing more is taken until all that was acknowledged is on disk anew, and one
        commit is. Why it is not, or None."""
        try:
            with self._checkpoints.alone:
                make_durable(self._db, self._path)
            try_disk(self._db)
        except (sqlite3.Error, OSError) as error:
            return _problem(error, self._path.parent)
        self._is_in_doubt = False
        logger.warning("the disk works again: all records have been written to it anew")
        return None

    def _undo(self) -> None:
        self._cache.clear()
        if self._db.in_transaction:
            try:
                self._db.execute("ROLLBACK")
            except sqlite3.Error as error:
                logger.error("a transaction could not be rolled back: %s", error.sqlite_errorname)

    def _apply(self, batch: Sequence[Append | _Work]) -> list[Any]:
        outcomes: list[Any] = []
        run: list[Append] = []
        for work in batch:
            if isinstance(work, Append):
                run.append(work)
                continue
            outcomes += append_run(self._db, self._cache, self._signer, run)
            run = []
            try:
                outcomes.append(work.run(self._db, self._cache))
            except StoreError as error:
                outcomes.append(error)
        outcomes += append_run(self._db, self._cache, self._signer, run)
        return outcomes


class Reader:
    """Reads beside the writer, each read in a snapshot of its own."""

    def __init__(self, db: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._db = db
        self._loop = loop
        self._queue: SimpleQueue[tuple[Callable[[sqlite3.Connection], Any], asyncio.Future[Any]] | None] = (
            SimpleQueue()
        )
        self.thread = threading.Thread(target=self._serve, name="store-reader", daemon=True)
        self.thread.start()

    def run(self, run: Callable[[sqlite3.Connection], T]) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put((run, future))
        return future

    def close(self) -> None:
        self._queue.put(None)
        self.thread.join()

    def _serve(self) -> None:
        while (work := self._queue.get()) is not None:
            run, future = work
            try:
                self._db.execute("BEGIN")
                outcome = run(self._db)
            except StoreError as error:
                outcome = error
            except Exception as error:
                outcome = StoreError(_problem(error, None))
            finally:
                if self._db.in_transaction:
                    self._db.execute("COMMIT")
            _tell(self._loop, _settle, future, outcome)
        self._db.close()


def _settle(future: asyncio.Future[Any], outcome: Any) -> None:
    if future.cancelled():
        return
    if isinstance(outcome, StoreError):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *arguments: object) -> None:
    try:
        loop.call_soon_threadsafe(callback, *arguments)
    except RuntimeError:
        logger.error("the event loop ended before the store")


def _problem(error: Exception, folder: Path | None) -> Problem:
    """FULL where waiting for space helps; everything else is told to the operator, without parameters."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or (
            code == sqlite3.SQLITE_IOERR and folder is not None and _is_full(folder)
        ):
            return Problem.FULL
        logger.error("the database failed: %s", getattr(error, "sqlite_errorname", type(error).__name__))
    else:
        logger.error("the store failed: %s", type(error).__name__)
    return Problem.FAILED


def leaves_doubt(error: Exception) -> bool:
    """Whether what the disk holds is not known any more: it did not say that it is full, it failed."""
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in (
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
    )


def _is_full(folder: Path) -> bool:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return False
    return disk.f_bavail * disk.f_frsize < LEAST_FREE
