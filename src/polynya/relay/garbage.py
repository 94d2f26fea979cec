"""Objects that hold one another and nobody else holds. Python looks for them whenever there are so many more objects than
were freed: where as many connections end as begin the new ones grow meanwhile to hundreds of thousands, and looking
through them holds everybody up for a tenth of a second. Here a little is looked through often."""

from __future__ import annotations

import asyncio
import gc
import sys

EVERY = 0.05
"""Seconds. What is new since and was not freed is looked through: ~1 ms under a flood, 0.01 ms where nothing goes on."""
GROWTH = 1_500_000
"""Blocks of memory (~100 B each, 150 MB) by which the process grows until all is looked through, which takes 0.25 s where
4,000 people ask: what became garbage later is only found then. An idle session has 56 of them, with TLS 64: all 20,000 are
1,280,000."""


class Garbage:
    """Looks for it in the event loop in which it is made, instead of Python, until `close`. `growth`: as GROWTH."""

    def __init__(self, growth: int = GROWTH) -> None:
        self._growth = growth
        self._loop = asyncio.get_running_loop()
        gc.disable()
        self._look_everywhere()
        self._timer = self._loop.call_later(EVERY, self.look)

    def close(self) -> None:
        self._timer.cancel()
        gc.unfreeze()
        gc.enable()

    def look(self) -> None:
        """Through what is new since the last time, or through everything; and again after EVERY."""
        self._timer.cancel()
        if sys.getallocatedblocks() > self._blocks + self._growth:
            self._look_everywhere()
        else:
            gc.collect(0)
            gc.freeze()
        self._timer = self._loop.call_later(EVERY, self.look)

    def _look_everywhere(self) -> None:
        gc.unfreeze()
        gc.collect()
        self._blocks = sys.getallocatedblocks()
        # What is left is not looked at until the next time.
        gc.freeze()
