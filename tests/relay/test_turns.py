"""Strangers' work in turns, and what is read of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from polynya.relay.paced import PIECE, Paced
from polynya.relay.turns import BUDGET, Places, Turns, TwoQueues

HERE, THERE = "192.0.2.1", "192.0.2.2"


class Clock:
    """Shows what the work before took."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        self.now += seconds


async def turns_of_the_loop(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_little_is_done_in_one_turn_of_the_loop_and_all_in_the_end() -> None:
    clock, done = Clock(), 0
    turns = Turns(clock)

    def work() -> None:
        nonlocal done
        done += 1
        clock.spend(BUDGET)

    for _ in range(10):
        turns.do(HERE, work)
    assert done == 1
    await turns_of_the_loop(1)
    assert done <= 2
    await turns_of_the_loop(12)
    assert done == 10


async def test_each_address_has_its_turn() -> None:
    """A thousand pieces of one wait for themselves: another's one is done after at most one of them."""
    clock = Clock()
    turns = Turns(clock)
    order: list[str] = []

    def of(address: str) -> Callable[[], None]:
        def work() -> None:
            order.append(address)
            clock.spend(BUDGET)

        return work

    for _ in range(1_000):
        turns.do(HERE, of(HERE))
    turns.do(THERE, of(THERE))
    await turns_of_the_loop(4)
    assert THERE in order[:3]


async def test_what_is_cancelled_is_not_done_and_holds_nobody_up() -> None:
    clock, done = Clock(), []
    turns = Turns(clock)
    assert turns.do(HERE, lambda: clock.spend(BUDGET)) is None
    waiting = [turns.do(HERE, lambda number=number: done.append(number)) for number in range(3)]  # type: ignore[misc]
    first, second, _ = waiting
    assert first is not None
    assert second is not None
    first.cancel()
    second.cancel()
    second.cancel()
    await turns_of_the_loop(3)
    assert done == [2]
    first.cancel()
    assert turns.do(HERE, lambda: done.append(9)) is None


async def test_what_raises_holds_nobody_up() -> None:
    clock, done = Clock(), []
    turns = Turns(clock)
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
    turns.do(HERE, lambda: clock.spend(BUDGET))
    turns.do(HERE, lambda: [][0])
    turns.do(HERE, lambda: done.append(1))
    await turns_of_the_loop(4)
    assert done == [1]
    assert [type(error) for error in told] == [IndexError]


async def test_a_turn_that_nobody_waits_for_any_more_is_anothers() -> None:
    clock = Clock()
    turns = Turns(clock)
    for _ in range(6):
        turns.do(HERE, lambda: clock.spend(BUDGET))
    task = asyncio.ensure_future(turns.turn(HERE))
    await turns_of_the_loop(2)
    assert not task.done()
    task.cancel()
    await asyncio.wait_for(turns.turn(THERE), 5)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_places_are_given_in_turns_and_come_back() -> None:
    places, order = Places(1), []
    begun = asyncio.Event()

    async def one(name: str, address: str) -> None:
        async with places.place(address):
            order.append(name)
            await begun.wait()

    tasks = [asyncio.create_task(one(f"here {number}", HERE)) for number in range(4)]
    await turns_of_the_loop(2)
    tasks.append(asyncio.create_task(one("there", THERE)))
    await turns_of_the_loop(2)
    assert order == ["here 0"]
    tasks[1].cancel()
    begun.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert order == ["here 0", "here 2", "there", "here 3"]
    async with asyncio.timeout(5), places.place(THERE):
        pass


async def test_a_place_that_comes_as_its_waiter_ends_is_not_lost() -> None:
    places = Places(1)
    entered = places.place(HERE)
    await entered.__aenter__()

    async def wait() -> None:
        async with places.place(HERE):
            pass

    task = asyncio.create_task(wait())
    await turns_of_the_loop(2)
    await entered.__aexit__(None, None, None)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(5), places.place(THERE):
        pass


class Transport:
    def __init__(self) -> None:
        self.is_reading, self.closing = True, False

    def abort(self) -> None:
        self.closing = True

    def pause_reading(self) -> None:
        self.is_reading = False

    def resume_reading(self) -> None:
        self.is_reading = True

    def is_closing(self) -> bool:
        return self.closing


class Inner(asyncio.Protocol):
    def __init__(self) -> None:
        self.heard, self.is_lost = b"", False

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True


def feed(paced: Paced, data: bytes) -> None:
    paced.get_buffer(-1)[: len(data)] = data
    paced.buffer_updated(len(data))


def busy() -> tuple[Turns, Any]:
    """No time is left in this turn of the loop."""
    clock = Clock()
    turns = Turns(clock)
    turns.do(THERE, lambda: clock.spend(BUDGET))
    return turns, Transport()


async def test_who_waits_is_not_read_and_loses_nothing() -> None:
    turns, transport = busy()
    inner = Inner()
    paced = Paced(turns, inner, HERE)
    paced.connection_made(transport)
    feed(paced, b"a" * PIECE)
    feed(paced, b"b")
    assert inner.heard == b""
    assert not transport.is_reading
    await turns_of_the_loop(3)
    assert inner.heard == b"a" * PIECE + b"b"
    assert transport.is_reading


async def test_what_its_protocol_holds_back_stays_so() -> None:
    turns, transport = busy()
    inner = Inner()
    paced = Paced(turns, inner, HERE)
    paced.connection_made(transport)
    paced.become(inner, lambda: True)
    feed(paced, b"a")
    await turns_of_the_loop(3)
    assert inner.heard == b"a"
    assert not transport.is_reading


@pytest.mark.parametrize("how", ["lost", "closing"])
async def test_what_comes_of_a_connection_that_ended_is_for_nobody(how: str) -> None:
    turns, transport = busy()
    inner = Inner()
    paced = Paced(turns, inner, HERE)
    paced.connection_made(transport)
    feed(paced, b"a")
    transport.closing = True
    if how == "lost":
        paced.connection_lost(None)
    await turns_of_the_loop(3)
    assert inner.heard == b""
    assert inner.is_lost == (how == "lost")
    assert not transport.is_reading


async def test_a_protocol_that_fails_loses_its_connection() -> None:
    _, transport = busy()
    inner = Inner()
    paced = Paced(Turns(Clock()), inner, HERE)
    paced.connection_made(transport)
    inner.data_received = lambda _: [][0]  # type: ignore[assignment, method-assign]
    with pytest.raises(IndexError):
        feed(paced, b"a")
    assert transport.closing


async def test_a_proxy_is_not_kept_waiting() -> None:
    turns, transport = busy()
    inner = Inner()
    paced = Paced(turns, inner, None)
    paced.connection_made(transport)
    feed(paced, b"a")
    assert inner.heard == b"a"
    assert transport.is_reading


def test_who_is_known_has_every_second_turn_and_strangers_the_rest() -> None:
    order: list[str] = []
    queues = TwoQueues()

    def add(address: str, *, is_known: bool) -> None:
        queues.add(address, lambda: order.append(address), is_known=is_known)

    def serve(count: int) -> str:
        order.clear()
        for _ in range(count):
            queues.next()()
        return "".join(order)

    for stranger in "abcd":
        add(stranger, is_known=False)
    assert serve(1) == "a"
    add("X", is_known=True)
    add("Y", is_known=True)
    assert serve(3) == "XbY"
    assert serve(2) == "cd"
    assert not queues
    # Those who are known take each other's turns only where no stranger waits.
    add("X", is_known=True)
    add("Y", is_known=True)
    assert serve(2) == "XY"
