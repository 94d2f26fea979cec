"""Members and what they may still be issued, in SQLite. Days, not times: the relay has no use for more."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from polynya.crypto.compare import equal
from polynya.relay.store.base import DAY, Allowance, Payment, Problem, StoreError
from polynya.relay.store.payments import spend
from polynya.wire.messages import TokenKind

IDLE_DAYS = 365
"""A member who asks for nothing for so long is forgotten."""


def join(
    db: sqlite3.Connection,
    member: bytes,
    payment: Payment | None,
    joins_per_day: int,
    allowances: Mapping[TokenKind, Allowance],
    time: int,
) -> None:
    """See Store.join."""
    day = time // DAY
    if _touch(db, member, day):
        return
    if payment is None:
        _count_open_join(db, joins_per_day, day, time)
    else:
        spend(db, payment)
    number = db.execute(
        "INSERT INTO members (id, joined, used) VALUES (?, ?, ?)", (member, day, day)
    ).lastrowid
    for kind, allowance in allowances.items():
        db.execute(
            "INSERT INTO allowances (member, kind, left, day) VALUES (?, ?, ?, ?)",
            (number, kind, allowance.first, day),
        )


def _count_open_join(db: sqlite3.Connection, joins_per_day: int, day: int, time: int) -> None:
    """Another one of this day's joins without a token. Raises StoreError."""
    if joins_per_day == 0:
        raise StoreError(Problem.TOKEN)
    row = db.execute("SELECT day, count FROM open_joins").fetchone()
    count = row[1] if row is not None and row[0] == day else 0
    if count >= joins_per_day:
        raise StoreError(Problem.CROWDED, wait=(day + 1) * DAY - time)
    db.execute("INSERT OR REPLACE INTO open_joins VALUES (1, ?, ?)", (day, count + 1))


def draw(
    db: sqlite3.Connection,
    member: bytes,
    kind: TokenKind,
    count: int,
    request: bytes,
    is_new_allowed: bool,
    allowance: Allowance,
    time: int,
) -> bool:
    """See Store.draw."""
    day = time // DAY
    if not _touch(db, member, day):
        raise StoreError(Problem.UNKNOWN)
    number, left, since, last = db.execute(
        "SELECT member, left, day, request FROM allowances JOIN members ON number = member WHERE id = ? AND kind = ?",
        (member, kind),
    ).fetchone()
    if last is not None and equal(last, request):
        return True
    if not is_new_allowed:
        return False
    if count > allowance.saved:
        raise StoreError(Problem.LARGE)
    if since > day:
        # Written under a clock that was ahead: from today on it counts again.
        db.execute("UPDATE allowances SET day = ? WHERE member = ? AND kind = ?", (day, number, kind))
        since = day
    left = max(left, min(left + (day - since) * allowance.per_day, allowance.saved))
    if count > left:
        raise StoreError(Problem.CROWDED, wait=_wait(count - left, allowance, day, time))
    db.execute(
        "UPDATE allowances SET left = ?, day = ?, request = ? WHERE member = ? AND kind = ?",
        (left - count, day, request, number, kind),
    )
    return True


def _wait(missing: int, allowance: Allowance, day: int, time: int) -> int | None:
    """ms until so many more are saved; None where that is never."""
    if allowance.per_day == 0:
        return None
    return (day - (-missing // allowance.per_day)) * DAY - time


def _touch(db: sqlite3.Connection, member: bytes, day: int) -> bool:
    """Whether there is such a member; then it was used today."""
    row = db.execute("SELECT number, used FROM members WHERE id = ?", (member,)).fetchone()
    if row is not None and row[1] != day:
        db.execute("UPDATE members SET used = ? WHERE number = ?", (day, row[0]))
    return row is not None


def forget_idle(db: sqlite3.Connection, time: int, most: int) -> int:
    """Removes at most `most` idle members; how many it removed."""
    idle = db.execute(
        "SELECT number FROM members WHERE used < ? LIMIT ?", (time // DAY - IDLE_DAYS, most)
    ).fetchall()
    for row in idle:
        db.execute("DELETE FROM allowances WHERE member = ?", row)
        db.execute("DELETE FROM members WHERE number = ?", row)
    return len(idle)
