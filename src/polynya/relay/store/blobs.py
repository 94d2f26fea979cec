"""Blobs: rows in SQLite say how much there is and whether it is whole; the bytes are files."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from polynya.relay.limits import MIB
from polynya.relay.store.base import DAY, Payment, Problem, StoreError
from polynya.relay.store.logs import LogCache
from polynya.relay.store.payments import spend

GROWING, WHOLE, DOOMED = 0, 1, 2
UNFINISHED_AGE = DAY
"""ms: a blob that is not whole by then is forgotten."""
UNNAMED_AGE = 30 * DAY
"""ms: a whole blob that no record names for so long is forgotten."""


class BlobRow(NamedTuple):
    total: int
    received: int
    state: int
    paid: int
    """MiB"""


def paid_by(size: int) -> int:
    """MiB that must be paid for before a blob has so many bytes."""
    return -(-size // MIB)


def find(db: sqlite3.Connection, blob: bytes) -> BlobRow | None:
    row = db.execute("SELECT total, received, state, paid FROM blobs WHERE id = ?", (blob,)).fetchone()
    return None if row is None or row[2] == DOOMED else BlobRow(*row)


def begin(
    db: sqlite3.Connection, blob: bytes, total: int, size: int, time: int, payment: Payment | None
) -> BlobRow:
    """Pays for the MiB in which the blob's first `size` bytes end, where that is not done; makes its row where it is
    missing, with its first MiB paid for. `size` is at most BLOB_PART above what there is.

    Raises StoreError EXISTS where it has another total, TOKEN."""
    row = find(db, blob)
    if row is None:
        spend(db, payment)
        db.execute(
            "INSERT OR REPLACE INTO blobs (id, total, received, state, since, paid) VALUES (?, ?, 0, ?, ?, 1)",
            (blob, total, GROWING, time),
        )
        return BlobRow(total, 0, GROWING, 1)
    if row.total != total:
        raise StoreError(Problem.EXISTS)
    if row.paid < (paid := paid_by(size)):
        spend(db, payment)
        db.execute("UPDATE blobs SET paid = ? WHERE id = ?", (paid, blob))
    return row


def advance(db: sqlite3.Connection, blob: bytes, received: int, time: int) -> None:
    """So many bytes are on disk; with the last one the blob is whole."""
    db.execute(
        "UPDATE blobs SET received = ?1, state = CASE WHEN ?1 = total THEN 1 ELSE 0 END, "
        "since = CASE WHEN ?1 = total THEN ?2 ELSE since END WHERE id = ?3",
        (received, time, blob),
    )


def forget(db: sqlite3.Connection, blob: bytes) -> None:
    db.execute("DELETE FROM blobs WHERE id = ?", (blob,))


def doom(db: sqlite3.Connection, time: int, most: int) -> list[bytes]:
    """Marks at most `most` blobs that are over their time; their files go next, then their rows: after a
    crash between these steps the next sweep takes them up again."""
    doomed = [row[0] for row in db.execute("SELECT id FROM blobs WHERE state = 2 LIMIT ?", (most,))]
    over = db.execute(
        "SELECT id FROM blobs WHERE state = 0 AND since < ?1 UNION ALL "
        "SELECT id FROM blobs WHERE state = 1 AND since < ?2 "
        "AND NOT EXISTS (SELECT 1 FROM blob_names WHERE blob = blobs.id) LIMIT ?3",
        (time - UNFINISHED_AGE, time - UNNAMED_AGE, most - len(doomed)),
    ).fetchall()
    for (blob,) in over:
        db.execute("UPDATE blobs SET state = 2 WHERE id = ?", (blob,))
        doomed.append(blob)
    return doomed


def forget_doomed(db: sqlite3.Connection, _: LogCache, doomed: list[bytes]) -> None:
    for blob in doomed:
        db.execute("DELETE FROM blobs WHERE id = ? AND state = 2", (blob,))
