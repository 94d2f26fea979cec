"""`polynya relay check`: whether database and blobs are whole. Only reads, beside a running relay too."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

from polynya.relay.errors import DataError
from polynya.relay.store.sqlite import BLOB_FOLDER, DATABASE


def check_data(folder: Path) -> list[str]:
    """One line for each kind of damage, without ids. Raises DataError where there is no relay's data."""
    path = folder / DATABASE
    if not path.is_file():
        raise DataError(f"There is no relay's data in {folder}. Check --data.")
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        problems = [
            f"database: {row[0]}" for row in db.execute("PRAGMA integrity_check(10)") if row[0] != "ok"
        ]
        db.execute("BEGIN")
        problems += _check_entries(db)
        problems += _check_blobs(db, folder / BLOB_FOLDER)
    except sqlite3.DatabaseError as error:
        return [f"database: {error}"]
    finally:
        db.close()
    return problems


def _check_entries(db: sqlite3.Connection) -> list[str]:
    checks = {
        "an entry has neither record nor hash": "SELECT count(*) FROM entries WHERE record IS NULL "
        "AND record_hash IS NULL",
        "an entry is missing from the index of records": "SELECT count(*) FROM entries WHERE NOT EXISTS "
        "(SELECT 1 FROM record_index WHERE log = id >> 32 AND seq = id & 4294967295)",
        "a topic has a gap": "SELECT count(*) FROM logs WHERE kind = 1 AND (SELECT count(*) FROM entries "
        "WHERE id > number << 32 AND id < (number + 1) << 32) != coalesce((SELECT max(id) & 4294967295 "
        "FROM entries WHERE id > number << 32 AND id < (number + 1) << 32), 0)",
        "a slot has a gap or a doubled position": "SELECT count(*) FROM (SELECT 1 FROM entries "
        "WHERE slot IS NOT NULL GROUP BY id >> 32, slot "
        "HAVING count(*) != max(position) + 1 OR count(DISTINCT position) != count(*))",
    }
    found = ((text, db.execute(query).fetchone()[0]) for text, query in checks.items())
    return [f"{text} ({count} times)" for text, count in found if count]


def _check_blobs(db: sqlite3.Connection, folder: Path) -> list[str]:
    missing = damaged = 0
    for (blob,) in db.execute("SELECT id FROM blobs WHERE state = 1"):
        name = blob.hex()
        try:
            with (folder / name[:2] / name).open("rb") as file:
                damaged += hashlib.file_digest(file, "sha256").digest() != blob
        except FileNotFoundError:
            missing += 1
    problems = []
    if missing:
        problems.append(f"blobs: the bytes of {missing} are missing")
    if damaged:
        problems.append(f"blobs: the bytes of {damaged} are not what they were")
    return problems
