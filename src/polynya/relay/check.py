"""`polynya relay check`: whether database, receipts and blobs are whole. Only reads, beside a running relay too."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from polynya.crypto.hashes import sha256
from polynya.crypto.signature import SEED_SIZE, public_key
from polynya.relay.errors import DataError
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.store.blobfiles import hash_file
from polynya.relay.store.logs import SEQ_MASK, index_key, split_blobs
from polynya.relay.store.sqlite import BLOB_FOLDER, DATABASE
from polynya.relay.store.threads import connect_read_only
from polynya.wire.errors import WireError
from polynya.wire.labels import verify_receipt
from polynya.wire.messages import Receipt, ReceiptBody

Progress = Callable[[str, int, int], None]
"""(what, done, of how many): told now and then."""
PAGE = 500
"""Rows of one read: no snapshot is held for longer, so that a running relay's log does not grow."""

COUNTS = {
    "an entry has neither record nor hash": "SELECT count(*) FROM entries WHERE record IS NULL "
    "AND record_hash IS NULL",
    "an entry is missing from the index of records": "SELECT count(*) FROM entries WHERE NOT EXISTS "
    "(SELECT 1 FROM record_index WHERE log = id >> 32 AND hash = record_key(record, record_hash) "
    "AND seq = id & 4294967295)",
    "a topic has a gap": "SELECT count(*) FROM logs WHERE kind = 1 AND (SELECT count(*) FROM entries "
    "WHERE id > number << 32 AND id < (number + 1) << 32) != coalesce((SELECT max(id) & 4294967295 "
    "FROM entries WHERE id > number << 32 AND id < (number + 1) << 32), 0)",
    # Two records may share the 8 bytes of their hashes that are indexed: only those few are compared.
    "a topic holds a record twice": "SELECT count(*) FROM (SELECT 1 FROM (SELECT log, hash FROM record_index "
    "GROUP BY log, hash HAVING count(*) > 1) JOIN logs ON number = log AND kind = 1 "
    "JOIN record_index USING (log, hash) JOIN entries ON entries.id = log << 32 | seq "
    "GROUP BY log, hash, coalesce(record, record_hash) HAVING count(*) > 1)",
    "a slot has a gap or a doubled position": "SELECT count(*) FROM (SELECT 1 FROM entries "
    "WHERE slot IS NOT NULL GROUP BY id >> 32, slot "
    "HAVING count(*) != max(position) + 1 OR count(DISTINCT position) != count(*))",
    "a record names a blob that is not whole": "SELECT count(*) FROM blob_names WHERE NOT EXISTS "
    "(SELECT 1 FROM blobs WHERE id = blob AND state = 1)",
}
"""Of each kind of damage in a topic: how often it is there."""


def no_progress(what: str, done: int, total: int) -> None:
    """Tells nobody."""


def check_data(
    folder: Path,
    progress: Progress = no_progress,
    database: str = DATABASE,
    known: Collection[bytes] = frozenset(),
) -> list[str]:
    """One line for each kind of damage, without ids. `database` is the name of the file; blobs in `known` were
    hashed just now. Raises DataError where there is no relay's data."""
    path = folder / database
    if not path.is_file():
        raise DataError(f"There is no relay's data in {folder}. Check --data.")
    db = connect_read_only(path)
    try:
        progress("checking the database", 0, 1)
        problems = [
            f"database: {row[0]}" for row in db.execute("PRAGMA integrity_check(10)") if row[0] != "ok"
        ]
        problems += _check_entries(db)
        problems += _check_receipts(db, folder / IDENTITY_FILE, progress)
        problems += _check_blobs(db, folder / BLOB_FOLDER, progress, known)
    except sqlite3.DatabaseError as error:
        return [f"database: {error}"]
    finally:
        db.close()
    return problems


def _check_entries(db: sqlite3.Connection) -> list[str]:
    db.create_function("record_key", 2, _record_key, deterministic=True)
    found = ((text, db.execute(query).fetchone()[0]) for text, query in COUNTS.items())
    return [f"{text} ({count} times)" for text, count in found if count]


def _record_key(record: bytes | None, record_hash: bytes | None) -> int:
    """By which the index finds an entry; of one without record and hash 0, which is told as such."""
    return index_key(sha256(record) if record is not None else record_hash or b"")


def _check_receipts(db: sqlite3.Connection, identity_file: Path, progress: Progress) -> list[str]:
    """Every signature of the relay, under its identity."""
    try:
        seed = identity_file.read_bytes()
    except OSError:
        return [f"{IDENTITY_FILE} is missing or cannot be read"]
    if len(seed) != SEED_SIZE:
        return [f"{IDENTITY_FILE} is damaged"]
    identity = public_key(seed)
    total = db.execute("SELECT count(*) FROM entries WHERE slot IS NOT NULL").fetchone()[0]
    last = done = wrong = 0
    while rows := db.execute(
        "SELECT entries.id, logs.id, slot, position, record, record_hash, blobs, signature "
        "FROM entries JOIN logs ON number = entries.id >> 32 "
        "WHERE slot IS NOT NULL AND entries.id > ? ORDER BY entries.id LIMIT ?",
        (last, PAGE),
    ).fetchall():
        wrong += sum(not _is_signed(identity, row) for row in rows)
        last = rows[-1][0]
        done += len(rows)
        progress("checking receipts", done, total)
    return [f"receipts: {wrong} are not signed by this relay's identity"] if wrong else []


def _is_signed(identity: bytes, row: tuple[Any, ...]) -> bool:
    id_, topic, slot, position, record, record_hash, blobs, signature = row
    try:
        hash_ = record_hash if record is None else sha256(record)
        body = ReceiptBody(topic, slot, position, id_ & SEQ_MASK, hash_, split_blobs(blobs))
        return verify_receipt(identity, body, Receipt(position, signature))
    except (WireError, TypeError):
        # Columns of a damaged database may hold anything.
        return False


def _check_blobs(
    db: sqlite3.Connection, folder: Path, progress: Progress, known: Collection[bytes]
) -> list[str]:
    total = db.execute("SELECT count(*) FROM blobs WHERE state = 1").fetchone()[0]
    last, done, missing, damaged = b"", 0, 0, 0
    while rows := db.execute(
        "SELECT id FROM blobs WHERE state = 1 AND id > ? ORDER BY id LIMIT ?", (last, PAGE)
    ).fetchall():
        for (blob,) in rows:
            done += 1
            if blob in known:
                continue
            name = blob.hex()
            try:
                damaged += hash_file(folder / name[:2] / name) != blob
            except FileNotFoundError:
                # A running relay may have let it go meanwhile.
                missing += is_whole(db, blob)
            progress("checking files", done, total)
        last = rows[-1][0]
    problems = []
    if missing:
        problems.append(f"blobs: the bytes of {missing} are missing")
    if damaged:
        problems.append(f"blobs: the bytes of {damaged} are not what they were")
    return problems


def is_whole(db: sqlite3.Connection, blob: bytes) -> bool:
    """Whether the database says that all bytes of the blob are here."""
    return db.execute("SELECT 1 FROM blobs WHERE id = ? AND state = 1", (blob,)).fetchone() is not None
