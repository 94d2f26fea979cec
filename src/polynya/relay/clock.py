"""The relay's clock: the computer's, but a jump is followed only when it has lasted.

Entries' times, key configurations and answers carry it, and clients remember what they were told: a clock that
is a year ahead for a minute would do harm for a year.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from polynya.relay.system import now as wall_now

STEP = 60_000
"""ms: up to here a difference is an ordinary correction, and is followed at once."""
PATIENCE = 600_000
"""ms that a larger difference must last: a clock is wrong for a minute, or right after a virtual machine slept."""


def steady_now() -> int:
    """ms since some moment; counts on while the computer sleeps, where the system can tell."""
    which = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.monotonic_ns() if which is None else time.clock_gettime_ns(which)) // 1_000_000


class SteadyClock:
    """Call it for milliseconds since the Unix epoch. Goes back only when it follows a jump back."""

    def __init__(self, wall: Callable[[], int] = wall_now, steady: Callable[[], int] = steady_now) -> None:
        self._wall = wall
        self._steady = steady
        self._offset = wall() - steady()
        self._last = 0
        self._jump: tuple[int, int] | None = None
        """(offset, since when by `steady`) of a clock that is not followed yet"""

    def __call__(self) -> int:
        steady = self._steady()
        offset = self._wall() - steady
        if abs(offset - self._offset) <= STEP:
            self._offset, self._jump = offset, None
        elif self._jump is None or abs(offset - self._jump[0]) > STEP:
            self._jump = (offset, steady)
        elif steady - self._jump[1] >= PATIENCE:
            self._offset, self._jump, self._last = offset, None, 0
        self._last = max(self._last, steady + self._offset)
        return self._last
