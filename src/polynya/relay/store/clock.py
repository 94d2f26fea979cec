"""Whether retention may go by the relay's clock. A machine that starts with a wrong clock must not destroy in a
minute what is to be kept for a month."""

from __future__ import annotations

import sqlite3

from polynya.relay.store.base import AWAY, BACKWARDS, DOUBT


def trusts(db: sqlite3.Connection, time: int) -> bool:
    """See Store.trusts."""
    row = db.execute("SELECT seen, doubted FROM clock").fetchone()
    seen, doubted = (time, 0) if row is None else row
    if not goes_on(seen, time):
        doubted = time
    elif doubted and time - doubted >= DOUBT:
        doubted = 0
    db.execute("INSERT OR REPLACE INTO clock VALUES (1, ?, ?)", (time, doubted))
    return not doubted


def goes_on(seen: int, time: int) -> bool:
    """Whether a clock that showed `seen` (ms) when it was looked at last may show `time` now."""
    return -BACKWARDS <= time - seen <= AWAY
