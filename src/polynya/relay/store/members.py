"""Members and what they may still be issued, in SQLite. Days, not times: the relay has no use for more."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from polynya.crypto.compare import equal
from polynya.relay.store.base import DAY, Allowance, Budget, Joins, Payment, Problem, StoreError
from polynya.relay.store.payments import spend
from polynya.wire.messages import TokenKind

IDLE_DAYS = 365
"""A member who asks for nothing for so long is forgotten."""


def join(
    db: sqlite3.Connection,
    member: bytes,
    payment: Payment | None,
    per_day: Joins,
    budgets: Mapping[TokenKind, Budget],
    time: int,
) -> None:
    """See Store.join."""
    day = time // DAY
    if _touch(db, member, day):
        return
    joined, joined_open = _joined(db, day)
    is_invited = payment is not None or _is_first(db)
    _check_may_join(joined, joined_open, is_invited, per_day, (day + 1) * DAY - time)
    if payment is not None:
        spend(db, payment)
    db.execute(
        "INSERT OR REPLACE INTO joins VALUES (1, ?, ?, ?)", (day, joined + 1, joined_open + (payment is None))
    )
    number = db.execute(
        "INSERT INTO members (id, invited, joined, used) VALUES (?, ?, ?, ?)", (member, is_invited, day, day)
    ).lastrowid
    for kind, budget in budgets.items():
        db.execute(
            "INSERT INTO allowances (member, kind, left, day) VALUES (?, ?, ?, ?)",
            (number, kind, _allowance(budget, is_invited).first, day),
        )


def _joined(db: sqlite3.Connection, day: int) -> tuple[int, int]:
    """How many became members on this day, and how many of them without a token."""
    row = db.execute("SELECT members, open FROM joins WHERE day = ?", (day,)).fetchone()
    return (0, 0) if row is None else (row[0], row[1])


def _is_first(db: sqlite3.Connection) -> bool:
    """Whether nobody has ever become a member: who runs the relay is the first to use its link, and invites the rest."""
    return db.execute("SELECT 1 FROM joins").fetchone() is None


def _check_may_join(joined: int, joined_open: int, is_invited: bool, per_day: Joins, wait: int) -> None:
    """Raises StoreError where this day's members, or those of them without a token, are enough; `wait`: ms until
    the next day."""
    if not is_invited and per_day.open == 0:
        raise StoreError(Problem.TOKEN)
    if joined >= per_day.all or (not is_invited and joined_open >= per_day.open):
        raise StoreError(Problem.CROWDED, wait=wait)


def _allowance(budget: Budget, is_invited: bool) -> Allowance:
    return budget.invited if is_invited else budget.open


def draw(
    db: sqlite3.Connection,
    member: bytes,
    kind: TokenKind,
    count: int,
    request: bytes,
    is_new_allowed: bool,
    budget: Budget,
    time: int,
) -> bool:
    """See Store.draw."""
    day = time // DAY
    if not _touch(db, member, day):
        raise StoreError(Problem.UNKNOWN)
    number, is_invited, left, since, last = db.execute(
        "SELECT member, invited, left, day, request FROM allowances JOIN members ON number = member "
        "WHERE id = ? AND kind = ?",
        (member, kind),
    ).fetchone()
    allowance = _allowance(budget, is_invited)
    if last is not None and equal(last, request):
        return True
    if not is_new_allowed:
        return False
    if count > max(allowance.saved, left):
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
