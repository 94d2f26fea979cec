"""What all connections share: store, bus, keys, limits and counters."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from picows import WSCloseCode

from polynya.crypto.random import Random
from polynya.relay.keyring import KeyRing
from polynya.relay.limits import Limits
from polynya.relay.live.base import Live
from polynya.relay.metrics import Metrics
from polynya.relay.rates import Rate, Rates
from polynya.relay.seen import Seen
from polynya.relay.store.base import Store
from polynya.relay.tokens import Tokens
from polynya.wire.messages import REQUEST_WINDOW, RefusalCode

logger = logging.getLogger("polynya.relay")


RATES: dict[str, type[Rate | Rates]] = {
    "opens": Rate,
    "creations": Rate,
    "joins": Rate,
    "blob_bytes": Rate,
    "signatures": Rate,
    "publishes": Rates,
    "publish_bytes": Rates,
    "drops": Rates,
    "takes": Rates,
    "issues": Rates,
}
"""Attributes of `Relay`, each with two limits of its name."""


class Connected(Protocol):
    """A session, as far as all sessions together are concerned."""

    def flush(self) -> None: ...

    def tick(self) -> None: ...

    def close(self, code: WSCloseCode) -> None: ...


class Relay:
    """One relay's state. Belongs to one event loop."""

    def __init__(
        self,
        store: Store,
        live: Live,
        keyring: KeyRing,
        tokens: Tokens,
        limits: Limits,
        random: Random,
        now: Callable[[], int],
    ) -> None:
        self.store = store
        self.live = live
        self.keyring = keyring
        self.tokens = tokens
        self.private_keys = keyring.private_keys
        self.limits = limits
        self.random = random
        self.now = now
        self.metrics = Metrics()
        self.seen = Seen()
        self.sessions: dict[Connected, None] = {}
        self.slow: dict[Connected, None] = {}
        self.opens = Rate(limits.opens_per_second, limits.opens_burst)
        self.creations = Rate(limits.creations_per_second, limits.creations_burst)
        self.joins = Rate(limits.joins_per_second, limits.joins_burst)
        self.blob_bytes = Rate(limits.blob_bytes_per_second, limits.blob_bytes_burst)
        self.signatures = Rate(limits.signatures_per_second, limits.signatures_burst)
        self.publishes = Rates(limits.publishes_per_second, limits.publishes_burst)
        self.publish_bytes = Rates(limits.publish_bytes_per_second, limits.publish_bytes_burst)
        self.drops = Rates(limits.drops_per_second, limits.drops_burst)
        self.takes = Rates(limits.takes_per_second, limits.takes_burst)
        self.issues = Rates(limits.issues_per_second, limits.issues_burst)
        self._loop = asyncio.get_running_loop()
        self._waiting: list[Connected] = []
        self._turn_time = 0
        """0 where it has not been asked for in this turn"""
        self._tasks: set[asyncio.Task[None]] = set()

    def apply(self, limits: Limits) -> None:
        """Other limits, from now on. What has been used of a rate that stays as it was stays used."""
        old, self.limits = self.limits, limits
        for name, kind in RATES.items():
            values = (getattr(limits, f"{name}_per_second"), getattr(limits, f"{name}_burst"))
            if values != (getattr(old, f"{name}_per_second"), getattr(old, f"{name}_burst")):
                setattr(self, name, kind(*values))

    def refresh_keys(self) -> None:
        """Rotates keys where it is time; the old ones stay in force where the disk fails."""
        try:
            if self.keyring.refresh(self.now()):
                self.private_keys = self.keyring.private_keys
        except OSError as error:
            logger.error("keys could not be rotated: %s", error.strerror)

    def judge(self, enc: bytes, sent: int) -> RefusalCode | None:
        """Why a request or hello that was opened is refused: its clock, or an encapsulation used before."""
        if abs(sent - self.now()) > REQUEST_WINDOW:
            return RefusalCode.CLOCK
        if self.seen.is_repeated(enc, time.monotonic() * 1000):
            return RefusalCode.REPEATED
        return None

    def flush_soon(self, session: Connected) -> None:
        """Sends what `session` has to send at the end of this turn of the loop: one write for many frames."""
        if not self._waiting and not self._turn_time:
            self._loop.call_soon(self._end_turn)
        self._waiting.append(session)

    def turn_time(self) -> int:
        """ms: `now` as it was when it was first asked for in this turn of the loop."""
        if not self._turn_time:
            if not self._waiting:
                self._loop.call_soon(self._end_turn)
            self._turn_time = self.now()
        return self._turn_time

    def _end_turn(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._turn_time = 0
        for session in waiting:
            session.flush()

    @property
    def buffer_drop(self) -> int:
        """Bytes that a session may leave unread now: its share of what all slow sessions may."""
        share = self.limits.buffers_total // max(1, len(self.slow))
        return max(min(self.limits.buffer_drop, share), self.limits.buffer_pause // 8)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work`, which handles its own errors, to its end."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Waits until all work has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)
