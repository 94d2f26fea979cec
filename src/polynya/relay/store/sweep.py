"""Retention: each step is one short transaction, so that appends wait for milliseconds only."""

from __future__ import annotations

import sqlite3

from polynya.relay.store.base import DAY, Kind
from polynya.relay.store.logs import (
    IDLE_DAYS,
    INBOX_DAYS,
    SEQ_MASK,
    LogCache,
    drop_names,
    first_id,
    newest_seq,
    remove_entries,
)
from polynya.wire.messages import COMMIT_RETENTION_DAYS

STEP = 500
"""Entries of one transaction: ~10 us each, 5 ms."""
FUTURE = DAY
"""ms: a record from further ahead was taken under a wrong clock, and keeps no older record alive."""


def due(db: sqlite3.Connection, time: int) -> tuple[int, int] | None:
    """The oldest visit (day, log) that is due, or None."""
    row = db.execute(
        "SELECT day, log FROM visits WHERE day <= ? ORDER BY day, log LIMIT 1", (time // DAY,)
    ).fetchone()
    return None if row is None else (row[0], row[1])


def visit(db: sqlite3.Connection, cache: LogCache, day: int, number: int, time: int) -> tuple[int, bool]:
    """One step of a visit: (records destroyed, whether the log was forgotten now). The visit is struck off
    when nothing is left to do."""
    row = db.execute(
        "SELECT id, kind, retention_days, created, used, swept, head FROM logs WHERE number = ?", (number,)
    ).fetchone()
    if row is None:
        count = _clear(db, number, time)
        if count < STEP:
            db.execute("DELETE FROM visits WHERE log = ?", (number,))
        return count, False
    log, kind, retention_days, created, used, swept, head = row
    if _last_use(db, number, kind, created, used) < time - IDLE_DAYS * DAY:
        db.execute("DELETE FROM logs WHERE number = ?", (number,))
        cache.forget(log)
        return 0, True
    if kind == Kind.INBOX:
        count = _expire_inbox(db, number, max(head, newest_seq(db, number)), time)
    else:
        count = _expire_topic(db, number, swept, time - retention_days * DAY, time)
    if count:
        cache.forget(log)
    if count < STEP:
        db.execute("DELETE FROM visits WHERE day = ? AND log = ?", (day, number))
        _plan_next(db, number, kind, retention_days, time)
    return count, False


def _last_use(db: sqlite3.Connection, number: int, kind: int, created: int, used: int) -> int:
    """ms: of a topic the last record's time, of an inbox the last read or drop too."""
    row = db.execute(
        "SELECT time FROM entries WHERE id > ? AND id < ? ORDER BY id DESC LIMIT 1",
        (first_id(number), first_id(number + 1)),
    ).fetchone()
    last = created if row is None else max(created, int(row[0]))
    return max(last, used) if kind == Kind.INBOX else last


def _clear(db: sqlite3.Connection, number: int, time: int) -> int:
    """Removes the next entries of a log that is forgotten."""
    start = first_id(number)
    last = db.execute(
        "SELECT max(id), count(*) FROM (SELECT id FROM entries WHERE id > ? AND id < ? ORDER BY id LIMIT ?)",
        (start, first_id(number + 1), STEP),
    ).fetchone()
    if last[0] is not None:
        drop_names(db, start, last[0], time)
        remove_entries(db, number, start, last[0])
    return int(last[1])


def _expire_topic(db: sqlite3.Connection, number: int, swept: int, before: int, time: int) -> int:
    """Destroys bytes of records that are over their time; their hashes stay. At most STEP."""
    start, end = first_id(number), first_id(number + 1)
    content = db.execute(
        "SELECT id, time FROM entries WHERE id > ? AND id < ? AND slot IS NULL AND record IS NOT NULL "
        "ORDER BY id LIMIT ?",
        (start + swept, end, STEP + 1),
    ).fetchall()
    slots = db.execute(
        "SELECT id, time FROM entries WHERE id > ? AND id < ? AND slot IS NOT NULL AND record IS NOT NULL "
        "ORDER BY id LIMIT ?",
        (start, end, STEP + 1),
    ).fetchall()
    over = _over(content, before, time)
    ids = (over + _over(slots, time - COMMIT_RETENTION_DAYS * DAY, time))[:STEP]
    for id_ in ids:
        drop_names(db, id_ - 1, id_, time)
        db.execute("UPDATE entries SET record_hash = sha256(record), record = NULL WHERE id = ?", (id_,))
    if over:
        taken = set(ids)
        left = next((id_ for id_, _ in content if id_ not in taken), over[-1] + 1)
        db.execute("UPDATE logs SET swept = max(swept, ?) WHERE number = ?", ((left - 1) & SEQ_MASK, number))
    return len(ids)


def _over(entries: list[tuple[int, int]], before: int, time: int) -> list[int]:
    """Ids of the entries that are over their time: those in front of the first that is not."""
    over = []
    for id_, taken in entries:
        if taken < before:
            over.append(id_)
        elif taken <= time + FUTURE:
            break
    return over


def _expire_inbox(db: sqlite3.Connection, number: int, newest: int, time: int) -> int:
    """Removes what is over its time, hashes too: nobody follows a chain in an inbox. At most STEP."""
    old = db.execute(
        "SELECT id FROM entries WHERE id > ? AND id < ? AND time < ? ORDER BY id LIMIT ?",
        (first_id(number), first_id(number + 1), time - INBOX_DAYS * DAY, STEP),
    ).fetchall()
    for (id_,) in old:
        drop_names(db, id_ - 1, id_, time)
        remove_entries(db, number, id_ - 1, id_)
    if old:
        db.execute("UPDATE logs SET head = max(head, ?) WHERE number = ?", (newest, number))
    return len(old)


def _plan_next(db: sqlite3.Connection, number: int, kind: int, retention_days: int, time: int) -> None:
    """Every log has a visit ahead: without one it would never be forgotten."""
    ahead = db.execute("SELECT 1 FROM visits WHERE log = ? AND day > ?", (number, time // DAY)).fetchone()
    if ahead is None:
        days = INBOX_DAYS if kind == Kind.INBOX else max(retention_days, 1)
        db.execute("INSERT OR IGNORE INTO visits VALUES (?, ?)", (time // DAY + days + 1, number))
