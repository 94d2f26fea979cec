"""The store's tables and their versions. Versions only go forward, each by one step in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from polynya.client.errors import StoreForeign, StoreTooNew
from polynya.client.storekey import damaged

APPLICATION_ID = 0x504F4C59
"""'POLY', in the database's header: what is not ours is never touched."""


def _version_1(db: sqlite3.Connection) -> None:
    db.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)")
    db.execute("CREATE TABLE state (name BLOB PRIMARY KEY, value BLOB NOT NULL)")
    # `place` is the message's order (waiting ones: above all), `tie` orders waiting ones, `arrival` what
    # is left.
    db.execute(
        "CREATE TABLE message (arrival INTEGER PRIMARY KEY AUTOINCREMENT, conversation BLOB NOT "
        "NULL, id BLOB NOT NULL,"
        " place INTEGER NOT NULL, tie INTEGER NOT NULL, value BLOB NOT NULL, UNIQUE (conversation, id))"
    )
    db.execute("CREATE INDEX message_place ON message (conversation, place, tie, arrival)")


STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (_version_1,)
VERSION = len(STEPS)


def check_ours(path: Path) -> None:
    """Looks at the file's header without letting SQLite touch it; raises StoreForeign or StoreDamaged."""
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(b"SQLite format 3\x00"):
        raise StoreForeign(
            f"{path} is not a store of Polynya. Nothing was changed; choose another folder with --store."
        )
    if len(header) < 100:
        raise damaged("the file is cut short")
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreForeign(
            f"{path} is a database of another program. Nothing was changed; choose another folder "
            f"with --store."
        )


def check_version(version: int) -> None:
    """Raises StoreTooNew for a version after ours, StoreDamaged for none."""
    if version > VERSION:
        raise StoreTooNew(
            f"This store was written by a newer Polynya (its version {version}, ours {VERSION}). "
            "Update Polynya; nothing was changed."
        )
    if version < 1:
        raise damaged("it has no version")


def upgrade(db: sqlite3.Connection, version: int) -> None:
    """Takes the tables from `version` to ours inside the caller's transaction."""
    for step in STEPS[version:]:
        step(db)
    db.execute(f"PRAGMA user_version = {VERSION}")
