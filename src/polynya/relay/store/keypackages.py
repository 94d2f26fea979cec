"""Key packages in SQLite: each one-time package is handed out once, oldest first, then the last-resort
one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from polynya.crypto.hashes import sha256
from polynya.relay.store.base import Payment, Problem, StoreError
from polynya.relay.store.payments import spend
from polynya.wire.messages import KEY_PACKAGES_STORED, KeyPackageTaken

OWNER_IDLE = 365 * 86_400_000
"""ms: an owner whose packages nobody has put or taken for so long is forgotten."""
HASHES_KEPT = 1_000
"""Hashes of packages that were handed out, the newest ones of each owner: 1,000 x ~60 B."""


def put(
    db: sqlite3.Connection,
    owner: bytes,
    packages: Sequence[bytes],
    last_resort: bytes | None,
    time: int,
    payment: Payment | None,
) -> int:
    """See Store.put_key_packages."""
    if _brings_anything(db, owner, packages, last_resort):
        spend(db, payment)
    db.execute(
        "INSERT INTO key_package_owners (id, last_resort, used) VALUES (?1, ?2, ?3) "
        "ON CONFLICT (id) DO UPDATE SET last_resort = coalesce(?2, last_resort), used = max(used, ?3)",
        (owner, last_resort, time),
    )
    number = _number(db, owner)
    count = _count(db, number)
    for package in packages:
        if count >= KEY_PACKAGES_STORED:
            break
        count += db.execute(
            "INSERT OR IGNORE INTO key_packages (owner, hash, package) VALUES (?, ?, ?)",
            (number, sha256(package), package),
        ).rowcount
    return count


def _brings_anything(
    db: sqlite3.Connection, owner: bytes, packages: Sequence[bytes], last_resort: bytes | None
) -> bool:
    row = db.execute("SELECT number, last_resort FROM key_package_owners WHERE id = ?", (owner,)).fetchone()
    if row is None or (last_resort is not None and last_resort != row[1]):
        return True
    if _count(db, row[0]) >= KEY_PACKAGES_STORED:
        return False
    known = "SELECT 1 FROM key_packages WHERE owner = ? AND hash = ?"
    return any(db.execute(known, (row[0], sha256(package))).fetchone() is None for package in packages)


def take(db: sqlite3.Connection, owner: bytes, one_time: bool, time: int) -> KeyPackageTaken:
    """See Store.take_key_package."""
    number = _number(db, owner)
    row = None
    if one_time and number is not None:
        row = db.execute(
            "SELECT number, package FROM key_packages WHERE owner = ? AND package IS NOT NULL "
            "ORDER BY number LIMIT 1",
            (number,),
        ).fetchone()
    if row is not None:
        db.execute("UPDATE key_packages SET package = NULL WHERE number = ?", (row[0],))
        db.execute(
            "DELETE FROM key_packages WHERE owner = ?1 AND package IS NULL AND number <= (SELECT number FROM "
            "key_packages WHERE owner = ?1 AND package IS NULL ORDER BY number DESC LIMIT 1 OFFSET ?2)",
            (number, HASHES_KEPT),
        )
        db.execute("UPDATE key_package_owners SET used = max(used, ?) WHERE number = ?", (time, number))
        return KeyPackageTaken(row[1], False)
    row = db.execute("SELECT last_resort FROM key_package_owners WHERE id = ?", (owner,)).fetchone()
    if row is None or row[0] is None:
        raise StoreError(Problem.UNKNOWN)
    return KeyPackageTaken(row[0], True)


def forget_idle(db: sqlite3.Connection, time: int, most: int) -> int:
    """Removes at most `most` idle owners; how many it removed."""
    idle = db.execute(
        "SELECT number FROM key_package_owners WHERE used < ? LIMIT ?", (time - OWNER_IDLE, most)
    ).fetchall()
    for (number,) in idle:
        db.execute("DELETE FROM key_packages WHERE owner = ?", (number,))
        db.execute("DELETE FROM key_package_owners WHERE number = ?", (number,))
    return len(idle)


def _number(db: sqlite3.Connection, owner: bytes) -> int | None:
    row = db.execute("SELECT number FROM key_package_owners WHERE id = ?", (owner,)).fetchone()
    return None if row is None else int(row[0])


def _count(db: sqlite3.Connection, number: int | None) -> int:
    return int(
        db.execute(
            "SELECT count(*) FROM key_packages WHERE owner = ? AND package IS NOT NULL", (number,)
        ).fetchone()[0]
    )
