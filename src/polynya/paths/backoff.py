"""Growing pauses with jitter. Pure: chance and time are arguments."""

from __future__ import annotations

FIRST = 1_000
"""ms after the first failure"""
LARGEST = 300_000
"""ms at most: a relay that returns after a day finds its clients within five minutes"""


def pause(failures: int, chance: int, *, first: int = FIRST, largest: int = LARGEST) -> int:
    """ms to wait after `failures` failures in a row (1 or more), doubled each time up to `largest`.

    `chance` (0..65535) spreads the pause over its upper half, so that the clients of a relay that restarts
    do not all come back at once.
    """
    # 2**20 pauses of a second are twelve days: the cap always applies before the shift grows large.
    whole = min(largest, first << min(max(failures, 1) - 1, 20))
    half = whole // 2
    return half + (whole - half) * (chance & 0xFFFF) // 0xFFFF
