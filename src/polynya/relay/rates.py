"""Rate limits: the generic cell rate algorithm, one float each."""

from __future__ import annotations

ROUNDING = 1e-6
"""Seconds: what a clock of 10^7 seconds loses in floating point is 2e-9, and a whole burst must fit in its room."""
TRACKED = 100_000
"""Keys of one `Rates` that are remembered: 100,000 x ~150 B = 15 MB. Beyond, those that are full again are
dropped."""


class Rate:
    """`per_second` on the long run, `burst` at once. Times are seconds of a monotonic clock."""

    __slots__ = ("_due", "_interval", "_room")

    def __init__(self, per_second: float, burst: float) -> None:
        self._interval = 1.0 / per_second
        self._room = burst / per_second + ROUNDING
        self._due = 0.0

    def take(self, now: float, amount: float = 1.0) -> int:
        """0 if it may be done now, and then it counts; else the ms after which it may."""
        due = (self._due if self._due > now else now) + amount * self._interval
        if due - now > self._room:
            return int((due - now - self._room) * 1000) + 1
        self._due = due
        return 0

    def give_back(self, amount: float) -> None:
        """What was taken and not used."""
        self._due -= amount * self._interval


class Rates:
    """The same limit for each of many keys."""

    __slots__ = ("_due", "_interval", "_room")

    def __init__(self, per_second: float, burst: float) -> None:
        self._interval = 1.0 / per_second
        self._room = burst / per_second + ROUNDING
        self._due: dict[bytes, float] = {}

    def take(self, key: bytes, now: float, amount: float = 1.0) -> int:
        """As Rate.take."""
        last = self._due.get(key, 0.0)
        due = (last if last > now else now) + amount * self._interval
        if due - now > self._room:
            return int((due - now - self._room) * 1000) + 1
        if len(self._due) >= TRACKED and key not in self._due:
            self._drop(now)
        self._due[key] = due
        return 0

    def _drop(self, now: float) -> None:
        self._due = {key: due for key, due in self._due.items() if due > now}
        while len(self._due) >= TRACKED:
            del self._due[next(iter(self._due))]
