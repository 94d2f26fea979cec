"""Topics and inboxes in SQLite: their rows, their entries, and what of them is kept in memory for appends."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from polynya.crypto.hashes import sha256
from polynya.relay.store.base import DAY, Kind, Payment, Problem, StoreError
from polynya.relay.store.payments import spend
from polynya.wire.messages import COMMIT_RETENTION_DAYS, Entry, Receipt, Records

SEQ_BITS = 32
SEQ_MASK = (1 << SEQ_BITS) - 1
INBOX_DAYS = 30
IDLE_DAYS = 365
"""A log that nobody has used for so long is forgotten."""
TRIMMED_KEPT = 1_000
"""Hashes of trimmed inbox records that stay until their 30 days are over, so that a repeated Drop is known:
1,000 x ~100 B per inbox."""
CACHED_LOGS = 100_000
"""Logs whose newest seq is kept in memory: ~400 B each, 40 MB."""
TOUCH_DAYS = 7
"""A read renews `used` at most once in so many days: one write per inbox and week."""
ENTRY_OVERHEAD = 400
"""Bytes around a record in an encoded Entry, at most: seq 11, time 11, head 4, slot 18, receipt 73, 4 blobs
140."""


class Log:
    """What an append needs to know."""

    __slots__ = (
        "content_day",
        "head",
        "held",
        "kind",
        "newest",
        "number",
        "restored",
        "retention_days",
        "slot_day",
    )

    def __init__(
        self,
        number: int,
        kind: int,
        retention_days: int,
        head: int,
        held: int,
        newest: int = 0,
        restored: bool = False,
    ) -> None:
        self.number = number
        self.kind = kind
        self.retention_days = retention_days
        self.head = head
        self.held = held
        """records with bytes; counted for inboxes only"""
        self.newest = newest
        """ms: time of the newest entry"""
        self.restored = restored
        self.content_day = self.slot_day = -1
        """last days for which a visit is written down"""


class LogCache:
    """The logs that were used lately. Belongs to the one connection that writes; `clear` after each
    rollback."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._logs: dict[bytes, Log] = {}

    def get(self, kind: Kind, log: bytes) -> Log | None:
        found = self._logs.get(log)
        if found is None:
            row = find(self._db, kind, log)
            if row is None:
                return None
            number, retention_days, head = row
            held = count_held(self._db, number) if kind is Kind.INBOX else 0
            if len(self._logs) >= CACHED_LOGS:
                self._logs.clear()
            found = self._logs[log] = Log(
                number,
                kind,
                retention_days,
                head,
                held,
                newest_time(self._db, number),
                is_restored(self._db, number),
            )
        return found if found.kind == kind else None

    def forget(self, log: bytes) -> None:
        self._logs.pop(log, None)

    def clear(self) -> None:
        self._logs.clear()


def first_id(number: int) -> int:
    """Below every entry's id of this log."""
    return number << SEQ_BITS


def find(db: sqlite3.Connection, kind: Kind, log: bytes) -> tuple[int, int, int] | None:
    """(number, retention in days, newest seq)."""
    row = db.execute(
        "SELECT number, retention_days, head FROM logs WHERE id = ? AND kind = ?", (log, kind)
    ).fetchone()
    if row is None:
        return None
    return row[0], row[1], max(row[2], newest_seq(db, row[0]))


def newest_seq(db: sqlite3.Connection, number: int) -> int:
    row = db.execute(
        "SELECT max(id) FROM entries WHERE id > ? AND id < ?", (first_id(number), first_id(number + 1))
    ).fetchone()
    return 0 if row[0] is None else row[0] & SEQ_MASK


def newest_time(db: sqlite3.Connection, number: int) -> int:
    """ms; 0 where the log is empty."""
    row = db.execute(
        "SELECT time FROM entries WHERE id > ? AND id < ? ORDER BY id DESC LIMIT 1",
        (first_id(number), first_id(number + 1)),
    ).fetchone()
    return 0 if row is None else int(row[0])


def is_restored(db: sqlite3.Connection, number: int) -> bool:
    return bool(db.execute("SELECT restored FROM logs WHERE number = ?", (number,)).fetchone()[0])


def count_held(db: sqlite3.Connection, number: int) -> int:
    return int(
        db.execute(
            "SELECT count(*) FROM entries WHERE id > ? AND id < ? AND record IS NOT NULL",
            (first_id(number), first_id(number + 1)),
        ).fetchone()[0]
    )


def create(
    db: sqlite3.Connection, kind: Kind, log: bytes, retention_days: int, time: int, payment: Payment | None
) -> None:
    """Raises StoreError EXISTS where it is there with another retention, TOKEN where it is not and nothing pays for it."""
    row = db.execute("SELECT kind, retention_days FROM logs WHERE id = ?", (log,)).fetchone()
    if row is not None:
        if row != (kind, retention_days):
            raise StoreError(Problem.EXISTS)
        return
    spend(db, payment)
    cursor = db.execute(
        "INSERT INTO logs (id, kind, retention_days, created, used) VALUES (?, ?, ?, ?, ?)",
        (log, kind, retention_days, time, time),
    )
    db.execute("INSERT INTO visits VALUES (?, ?)", (time // DAY + IDLE_DAYS + 1, cursor.lastrowid))


def fetch(db: sqlite3.Connection, kind: Kind, log: bytes, after: int, limit: int, size: int) -> Records:
    """See Store.fetch."""
    found = find(db, kind, log)
    if found is None:
        raise StoreError(Problem.UNKNOWN)
    number, _, head = found
    start = first_id(number)
    with_bytes = "AND record IS NOT NULL" if kind is Kind.INBOX else ""
    cursor = db.execute(
        "SELECT id, time, record, record_hash, slot, position, signature, blobs FROM entries "  # noqa: S608 - constants
        f"WHERE id > ? AND id < ? {with_bytes} ORDER BY id LIMIT ?",
        (start + min(after, SEQ_MASK), first_id(number + 1), limit),
    )
    entries: list[Entry] = []
    for row in cursor:
        entry = entry_of(row)
        size -= ENTRY_OVERHEAD + len(entry.record or b"")
        if size < 0 and entries:
            break
        entries.append(entry)
    return Records(tuple(entries), head)


def entry_of(
    row: tuple[int, int, bytes | None, bytes | None, bytes | None, int | None, bytes, bytes | None],
) -> Entry:
    id_, time, record, record_hash, slot, position, signature, blobs = row
    receipt = None if position is None else Receipt(position, signature)
    return Entry(id_ & SEQ_MASK, time, record, record_hash, slot, receipt, split_blobs(blobs))


def split_blobs(joined: bytes | None) -> tuple[bytes, ...] | None:
    """Blob ids of 32 bytes each that are stored in a row."""
    return None if joined is None else tuple(joined[i : i + 32] for i in range(0, len(joined), 32))


def heads(db: sqlite3.Connection, kind: Kind, logs: Sequence[bytes]) -> list[int | None]:
    """Newest seq of each, 0 where empty, None where unknown."""
    result: list[int | None] = []
    for log in logs:
        found = find(db, kind, log)
        result.append(None if found is None else found[2])
    return result


def stale(db: sqlite3.Connection, inboxes: Sequence[bytes], time: int) -> list[bytes]:
    """Those of `inboxes` whose `used` is due to be renewed."""
    before = time - TOUCH_DAYS * DAY
    rows = (db.execute("SELECT used FROM logs WHERE id = ?", (inbox,)).fetchone() for inbox in inboxes)
    return [inbox for inbox, row in zip(inboxes, rows, strict=True) if row is not None and row[0] < before]


def touch(db: sqlite3.Connection, logs: Sequence[bytes], time: int) -> None:
    for log in logs:
        db.execute("UPDATE logs SET used = max(used, ?) WHERE id = ?", (time, log))


def trim(db: sqlite3.Connection, cache: LogCache, inbox: bytes, upto: int, time: int) -> None:
    """See Store.trim_inbox. The hashes of the newest trimmed records stay, see TRIMMED_KEPT."""
    found = find(db, Kind.INBOX, inbox)
    if found is None:
        raise StoreError(Problem.UNKNOWN)
    number, _, head = found
    start = first_id(number)
    end = start + min(upto, head)
    drop_names(db, start, end, time)
    db.execute(
        "UPDATE entries SET record_hash = sha256(record), record = NULL "
        "WHERE id > ? AND id <= ? AND record IS NOT NULL",
        (start, end),
    )
    remove_entries(db, number, start, min(end, start + max(0, head - TRIMMED_KEPT)))
    db.execute("UPDATE logs SET head = max(head, ?) WHERE number = ?", (head, number))
    cache.forget(inbox)


def remove_entries(db: sqlite3.Connection, number: int, start: int, end: int) -> None:
    """Removes entries with start < id <= end, all of log `number`, hash and all."""
    rows = db.execute(
        "SELECT id, record, record_hash FROM entries WHERE id > ? AND id <= ?", (start, end)
    ).fetchall()
    for id_, record, record_hash in rows:
        key = index_key(record_hash if record is None else sha256(record))
        db.execute(
            "DELETE FROM record_index WHERE log = ? AND hash = ? AND seq = ?", (number, key, id_ & SEQ_MASK)
        )
    db.execute("DELETE FROM entries WHERE id > ? AND id <= ?", (start, end))


def remove(db: sqlite3.Connection, cache: LogCache, log: bytes, time: int) -> None:
    """Forgets a log and all that it holds; nothing happens where it is not there."""
    row = db.execute("SELECT number FROM logs WHERE id = ?", (log,)).fetchone()
    if row is None:
        return
    number = row[0]
    start, end = first_id(number), first_id(number + 1)
    drop_names(db, start, end - 1, time)
    db.execute("DELETE FROM entries WHERE id > ? AND id < ?", (start, end))
    db.execute("DELETE FROM record_index WHERE log = ?", (number,))
    db.execute("DELETE FROM logs WHERE number = ?", (number,))
    cache.forget(log)


def drop_names(db: sqlite3.Connection, start: int, end: int, time: int) -> None:
    """From `time` on, entries with start < id <= end name their blobs no longer."""
    db.execute(
        "UPDATE blobs SET since = max(since, ?) WHERE state = 1 AND id IN "
        "(SELECT blob FROM blob_names WHERE entry > ? AND entry <= ?)",
        (time, start, end),
    )
    db.execute("DELETE FROM blob_names WHERE entry > ? AND entry <= ?", (start, end))


def index_key(record_hash: bytes) -> int:
    return int.from_bytes(record_hash[:8], "big", signed=True)


def content_day(kind: int, retention_days: int, time: int) -> int:
    """The first day on which a record without slot of this time is over its time all day."""
    return time // DAY + (INBOX_DAYS if kind == Kind.INBOX else retention_days) + 1


def slot_day(time: int) -> int:
    return time // DAY + COMMIT_RETENTION_DAYS + 1
