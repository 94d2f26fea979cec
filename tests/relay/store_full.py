"""What a store must do while its disk is full. A store passes by one more class:

class TestPostgresStoreFull(FullStoreConformance):
    @pytest.fixture
    async def store(self) -> AsyncIterator[Store]: ...

    @pytest.fixture
    def full(self, store: Store) -> Callable[[], AbstractContextManager[None]]:
        return a context manager within which the store finds no more room than some 100 KiB
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager

import pytest

from polynya.relay.store.base import Appended, Payment, Problem, Store
from polynya.wire.messages import KEY_PACKAGES_STORED
from tests.relay.store_conformance import append, entries
from tests.relay.store_payment import a_payment, is_spent
from tests.relay.storing import NOW, problem_of

Full = Callable[[], AbstractContextManager[None]]
TRIES = 100
AT_ONCE = 50
"""Small rows find room for a while in pages that are there already."""
Made = dict[tuple[bytes, Payment], Problem | None]


async def until_full(make: Callable[[bytes, Payment], Awaitable[object]]) -> Made:
    """How making things went, each with an id and a payment of its own, until there was no room for some."""
    made: Made = {}
    for _ in range(TRIES):
        these = [(os.urandom(32), a_payment()) for _ in range(AT_ONCE)]
        outcomes = await asyncio.gather(*(make(*one) for one in these), return_exceptions=True)
        made.update(zip(these, map(problem_of, outcomes), strict=True))
        if Problem.FULL in made.values():
            assert set(made.values()) <= {None, Problem.FULL}
            return made
    raise AssertionError("it was never full")


class FullStoreConformance:
    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def full(self, store: Store) -> Full:
        raise NotImplementedError

    async def test_records_that_found_no_room_left_nothing(self, store: Store, full: Full) -> None:
        topic, slot = os.urandom(32), os.urandom(16)
        await store.create_topic(topic, 30, NOW)
        before = await append(store, topic, b"before" * 20, slot=slot)
        records = [b"%04d" % number * 900 for number in range(100)]
        with full():
            outcomes = await asyncio.gather(
                *(append(store, topic, record, slot=slot) for record in records), return_exceptions=True
            )
            problems = [problem_of(outcome) for outcome in outcomes]
            assert problems.count(Problem.FULL) >= 1
            assert set(problems) <= {None, Problem.FULL}
            taken = [record for record, problem in zip(records, problems, strict=True) if problem is None]
            # What is there can be read, and its repetition is answered.
            assert [entry.record for entry in await entries(store, topic)] == [b"before" * 20, *taken][:64]
            assert await append(store, topic, b"before" * 20) == Appended(before.published, False)
        after = await append(store, topic, b"after" * 20, slot=slot)
        assert after.fresh and after.published.seq == len(taken) + 2
        assert after.published.receipt is not None
        assert after.published.receipt.position == len(taken) + 1
        for record, problem in zip(records, problems, strict=True):
            assert (await append(store, topic, record)).fresh == (problem is not None)

    async def test_what_found_no_room_is_not_paid_for(self, store: Store, full: Full) -> None:
        packages = [os.urandom(4_000) for _ in range(KEY_PACKAGES_STORED)]
        with full():
            owners = await until_full(
                lambda owner, payment: store.put_key_packages(owner, packages, None, NOW, payment)
            )
            topics = await until_full(lambda topic, payment: store.create_topic(topic, 30, NOW, payment))
        for (topic, payment), problem in topics.items():
            head = None if problem is Problem.FULL else 0
            assert await store.heads([topic], [], NOW) == ([head], [])
            assert await is_spent(store, payment) == (problem is None)
        for (owner, payment), problem in owners.items():
            count = 0 if problem is Problem.FULL else len(packages)
            assert await store.put_key_packages(owner, [], b"last", NOW, payment) == count
