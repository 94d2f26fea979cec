"""Work for people who have no session: each address in its turn, and little in one turn of the loop, so that sessions do
not wait for what strangers ask, nor one address for all that another asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

BUDGET = 0.0005
"""Seconds of work in one turn of the loop, for which sessions wait."""
ELSEWHERE = 0.0003
"""Seconds that are reckoned for what goes on outside of here: an HTTP request takes about as many."""
AFTERWARDS = 0.0001
"""Seconds that are reckoned for what a piece of work wakes: a task that reads on, an answer that is written."""
Work: TypeAlias = Callable[[], None]


class Queue:
    """Work that waits: each address has one piece done in its turn."""

    def __init__(self) -> None:
        self._rows: dict[str | None, dict[Waiting, None]] = {}
        """by address, whose turn is next first"""

    def __bool__(self) -> bool:
        return bool(self._rows)

    def add(self, address: str | None, work: Work) -> Waiting:
        waiting = Waiting(self, address, work)
        self._rows.setdefault(address, {})[waiting] = None
        return waiting

    def remove(self, waiting: Waiting) -> None:
        """Of no effect where it is not there."""
        row = self._rows.get(waiting.address)
        if row is not None and row.pop(waiting, waiting) is None and not row:
            del self._rows[waiting.address]

    def next(self) -> Work:
        """Takes it out; there must be one."""
        address = next(iter(self._rows))
        row = self._rows.pop(address)
        waiting = next(iter(row))
        del row[waiting]
        if row:
            # To the end of the queue.
            self._rows[address] = row
        return waiting.work


class TwoQueues:
    """Of those whom the relay knows and of strangers: where both wait, each has every second turn, so that many strangers
    with an address each do not keep others waiting."""

    def __init__(self) -> None:
        self._queues = {True: Queue(), False: Queue()}
        self._is_next_known = True

    def __bool__(self) -> bool:
        return any(self._queues.values())

    def add(self, address: str | None, work: Work, *, is_known: bool) -> Waiting:
        return self._queues[is_known].add(address, work)

    def next(self) -> Work:
        """Takes it out; there must be one."""
        is_known = self._is_next_known if self._queues[self._is_next_known] else not self._is_next_known
        self._is_next_known = not is_known
        return self._queues[is_known].next()


class Waiting:
    """A piece of work that waits for its turn."""

    __slots__ = ("_queue", "address", "work")

    def __init__(self, queue: Queue, address: str | None, work: Work) -> None:
        self._queue = queue
        self.address = address
        self.work = work

    def cancel(self) -> None:
        """It is not done any more; of no effect where it was."""
        self._queue.remove(self)


class Turns:
    """Work in the event loop, to which this belongs."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._spent = 0.0
        """seconds in this turn of the loop"""
        self._is_planned = False
        self._queue = Queue()

    def do(self, address: str | None, work: Work) -> Waiting | None:
        """Does it at once where nobody waits and there is time for it, which gives None; else in the address's turn."""
        if self._queue or self._spent >= BUDGET:
            waiting = self._queue.add(address, work)
            self._plan()
            return waiting
        self._plan()
        self._run(work)
        return None

    async def turn(self, address: str | None) -> None:
        """Returns when it is the address's turn."""
        if not self._queue and self._spent < BUDGET:
            self._spent += ELSEWHERE
            self._plan()
            return
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle() -> None:
            if not ready.done():
                self._spent += ELSEWHERE - AFTERWARDS
                ready.set_result(None)

        waiting = self._queue.add(address, settle)
        self._plan()
        try:
            await ready
        finally:
            waiting.cancel()

    def _run(self, work: Work) -> None:
        begun = self._clock()
        work()
        self._spent += self._clock() - begun + AFTERWARDS

    def _plan(self) -> None:
        if not self._is_planned:
            self._is_planned = True
            asyncio.get_running_loop().call_soon(self._serve)

    def _serve(self) -> None:
        """The next turn of the loop."""
        self._is_planned = False
        self._spent = 0.0
        try:
            while self._queue and self._spent < BUDGET:
                self._run(self._queue.next())
        finally:
            # What raises holds nobody else up.
            if self._queue:
                self._plan()


class Places:
    """Work of which so much goes on at the same time."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._queue = Queue()

    @asynccontextmanager
    async def place(self, address: str | None) -> AsyncIterator[None]:
        """The block begins when it is the address's turn."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(address)
        try:
            yield
        finally:
            self._leave()

    async def _wait(self, address: str | None) -> None:
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def give() -> None:
            if given.done():
                self._leave()
            else:
                given.set_result(None)

        waiting = self._queue.add(address, give)
        try:
            await given
        except asyncio.CancelledError:
            waiting.cancel()
            if given.done() and not given.cancelled():
                self._leave()
            raise

    def _leave(self) -> None:
        """Gives the place to whose turn it is."""
        if self._queue:
            self._queue.next()()
        else:
            self._free += 1
