"""Moves what commits have left in the write-ahead log to where it belongs, beside the writer.

A commit that does so itself, as SQLite's do once the log has a thousand pages, takes ten times as long as others, and all
that is published meanwhile waits. Nothing that was acknowledged depends on it: the log is on disk with each commit."""

from __future__ import annotations

import logging
import sqlite3
import threading
from queue import SimpleQueue

logger = logging.getLogger("polynya.relay.store")

PAGES = 1_000
"""Pages (4 KiB) that come into the log between two times: SQLite's own number."""
PAGES_MOST = 4 * PAGES
"""Pages of the log from which on the writer does it as well: what came while it was done beside, which is little, so that
the log begins anew. 16 MB."""
COMMITS_FIRST, COMMITS_MOST = 16, 256
"""Commits until the first time, and between two times at most: a commit has up to some hundred pages, and 4 where it is of
one record."""


class Checkpoints:
    """Made with a connection of its own; `committed` and `close` are called by the writer's thread."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._commits = 0
        """since it was begun last"""
        self._every = COMMITS_FIRST
        self._pages = 0
        """of the log, when it was done last"""
        self._is_going_on = False
        self._is_failing = False
        self._queue: SimpleQueue[int | None] = SimpleQueue()
        self.alone = threading.Lock()
        """held while one goes on: another of any kind would find the database busy"""
        self._thread = threading.Thread(target=self._serve, name="store-checkpoints", daemon=True)
        self._thread.start()

    def committed(self) -> None:
        """Begins where enough has been committed, and does not wait."""
        self._commits += 1
        if self._commits >= self._every and not self._is_going_on:
            self._is_going_on = True
            self._queue.put(self._commits)
            self._commits = 0

    def close(self) -> None:
        self._queue.put(None)
        self._thread.join()

    def _serve(self) -> None:
        while (commits := self._queue.get()) is not None:
            try:
                with self.alone:
                    _, pages, _ = self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error as error:
                self._tell(getattr(error, "sqlite_errorname", type(error).__name__))
            else:
                self._is_failing = False
                # Fewer than before: the log has begun anew.
                fresh = pages - self._pages if pages >= self._pages else pages
                self._pages = pages
                self._every = max(1, min(COMMITS_MOST, commits * PAGES // max(fresh, 1)))
            self._is_going_on = False
        self._db.close()

    def _tell(self, name: str) -> None:
        """Once: the writer tries as well, and says so when it stops taking records."""
        if not self._is_failing:
            self._is_failing = True
            logger.error("the write-ahead log could not be written back: %s", name)
