"""What is to be done at relays: work items, each with at most one call on its way, and timers.

A work item is `kind:key`. Waking one lets the dispatcher look at it before the step ends; its module then compares the
state with what the relay should have and makes the next call. All requests are idempotent, so after a lost answer, a
lost connection or a crash the same look makes the same call again.
"""

from __future__ import annotations

from dataclasses import replace

from polynya.core.state import (
    CALL,
    COUNT,
    FLIGHT,
    LINK,
    PAUSE,
    SCALAR,
    TIMER,
    CallContext,
    Pause,
    number,
)
from polynya.core.transaction import Transaction
from polynya.wire.messages import RefusalCode, Refused, Request, Response

PAUSE_FIRST = 2_000
PAUSE_MAX = 300_000
"""ms: 2, 4, 8 ... seconds up to 5 minutes: a relay that is full for an hour is asked about 20 times."""

PLACED_PAUSE = 30_000
"""ms until a record that the relay has taken is published again: long before, the log has brought it back."""

AGAIN_LATER = (
    RefusalCode.TOO_MANY,
    RefusalCode.FULL,
    RefusalCode.INTERNAL,
    RefusalCode.CLOCK,
    RefusalCode.REPEATED,
    RefusalCode.SESSION_ONLY,
)


def item(kind: bytes, key: bytes = b"") -> bytes:
    return kind + b":" + key


def split(name: bytes) -> tuple[bytes, bytes]:
    """(kind, key) of an item or timer."""
    at = name.index(b":")
    return name[:at], name[at + 1 :]


def wake(t: Transaction, kind: bytes, key: bytes = b"") -> None:
    t.wake(item(kind, key))


def may_call(t: Transaction, relay: bytes, name: bytes) -> bool:
    """Whether the item can make its next call now."""
    if t.get(LINK, relay) is None or t.get(FLIGHT, name) is not None:
        return False
    pause = t.get(PAUSE, name)
    return pause is None or pause.until <= t.now


def call(t: Transaction, relay: bytes, name: bytes, request: Request) -> None:
    call_id = (t.get(SCALAR, b"next-call") or 0) + 1
    t.put(SCALAR, b"next-call", call_id)
    t.put(CALL, number(call_id), CallContext(relay, name, request))
    t.put(FLIGHT, name, call_id)
    t.call(call_id, relay, request)


def finish_call(t: Transaction, call_id: int) -> CallContext | None:
    """The call is over; None where it was given up before."""
    context = t.get(CALL, number(call_id))
    if context is not None:
        t.remove(CALL, number(call_id))
        t.remove(FLIGHT, context.item)
    return context


def give_up_calls(t: Transaction, relay: bytes) -> None:
    """The connection is gone, and the answers with it."""
    for key in t.keys(CALL):
        context = t.get(CALL, key)
        if context is not None and context.relay == relay:
            t.remove(CALL, key)
            t.remove(FLIGHT, context.item)


def in_flight(t: Transaction, kind: bytes, key: bytes = b"") -> bool:
    return t.get(FLIGHT, item(kind, key)) is not None


# ---- pauses ----


def pause(t: Transaction, kind: bytes, key: bytes, wait: int | None = None) -> None:
    """Looks at the item again after `wait` ms, or after a growing pause."""
    name = item(kind, key)
    before = t.get(PAUSE, name)
    attempts = 0 if before is None else before.attempts
    if wait is None:
        wait = min(PAUSE_MAX, PAUSE_FIRST * 2 ** min(attempts, 10))
    t.put(PAUSE, name, Pause(attempts + 1, t.now + wait))
    set_timer(t, b"retry", name, t.now + wait)


def placed(t: Transaction, kind: bytes, key: bytes) -> None:
    """The relay has taken the item's record: it is published again only if the log does not bring it."""
    pause(t, kind, key, PLACED_PAUSE)
    name = item(kind, key)
    waiting = t.get(PAUSE, name)
    if waiting is not None:
        t.put(PAUSE, name, replace(waiting, placed=True))


def is_placed(t: Transaction, name: bytes) -> bool:
    waiting = t.get(PAUSE, name)
    return waiting is not None and waiting.placed and waiting.until > t.now


def succeeded(t: Transaction, kind: bytes, key: bytes = b"") -> None:
    """The item's next refusal starts with the shortest pause again."""
    name = item(kind, key)
    t.remove(PAUSE, name)
    stop_timer(t, b"retry", name)


def retry(t: Transaction, name: bytes) -> None:
    """A pause is over."""
    before = t.get(PAUSE, name)
    if before is not None:
        t.put(PAUSE, name, replace(before, until=t.now))
    t.wake(name)


def postponed(t: Transaction, kind: bytes, key: bytes, response: Response) -> bool:
    """Whether the relay refused for a reason that passes; then the item pauses."""
    if not isinstance(response, Refused) or response.code not in AGAIN_LATER:
        return False
    pause(t, kind, key, response.retry_after)
    return True


# ---- timers ----


def set_timer(t: Transaction, kind: bytes, key: bytes, at: int) -> None:
    """`at` in ms of the device's clock; replaces the timer of that name."""
    t.put(TIMER, item(kind, key), at)


def set_timer_by_relay(t: Transaction, kind: bytes, key: bytes, at: int) -> None:
    """`at` in ms of the relay's clock."""
    set_timer(t, kind, key, at - (t.time - t.now))


def stop_timer(t: Transaction, kind: bytes, key: bytes) -> None:
    t.remove(TIMER, item(kind, key))


def has_timer(t: Transaction, kind: bytes, key: bytes) -> bool:
    return t.get(TIMER, item(kind, key)) is not None


def due_timers(t: Transaction) -> list[bytes]:
    """Names of the timers whose time has come, earliest first; they are gone from then on."""
    due = [(at, name) for name in t.keys(TIMER) if (at := t.get(TIMER, name)) is not None and at <= t.now]
    for _, name in due:
        t.remove(TIMER, name)
    return [name for _, name in sorted(due)]


def ask_for_timer(t: Transaction) -> None:
    """Tells the client the earliest timer, if it is another one than told before."""
    earliest = min((at for name in t.keys(TIMER) if (at := t.get(TIMER, name)) is not None), default=None)
    if earliest is not None and earliest != t.get(SCALAR, b"timer"):
        t.put(SCALAR, b"timer", earliest)
        t.set_timer(earliest)


# ---- counters ----


def count(t: Transaction, reason: str) -> None:
    """Something was skipped, for one of the reasons that `Core.counters` shows."""
    key = reason.encode()
    t.put(COUNT, key, (t.get(COUNT, key) or 0) + 1)
