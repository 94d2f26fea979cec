"""What a store must do that the processes of several relays share. One that can be shared passes by one more class:

    class TestPostgresStoreShared(SharedStoreConformance):
        @pytest.fixture
        async def stores(self) -> AsyncIterator[tuple[Store, Store]]:
            async with a_database_of_its_own() as database:
                one = await PostgresStore.open(database, sign)
                two = await PostgresStore.open(database, sign)
                yield one, two
                ...

Each test does at one what the other must see, or the same at both at once. What was answered by one is seen by every
call of the other that begins after: a relay listens first and asks for heads then, so that a copy which lags behind
would lose entries.
"""

from __future__ import annotations

import asyncio
import hashlib
import os

import pytest

from polynya.relay.store.base import DAY, Appended, Joins, Kind, Problem, Store
from polynya.wire.messages import KeyPackageTaken
from tests.relay.store_conformance import append, entries
from tests.relay.store_members import draw, join
from tests.relay.store_payment import a_payment
from tests.relay.storing import NOW, problem_of, raises

Stores = tuple[Store, Store]


class SharedStoreConformance:
    @pytest.fixture
    def stores(self) -> Stores:
        """Two open stores on the same data."""
        raise NotImplementedError

    @pytest.fixture
    async def topic(self, stores: Stores) -> bytes:
        topic = os.urandom(32)
        await stores[0].create_topic(topic, 30, NOW)
        return topic

    async def test_what_one_answered_the_other_sees(self, stores: Stores, topic: bytes) -> None:
        for number in range(1, 21):
            here, there = stores if number % 2 else stores[::-1]
            record = b"%06d" % number * 8
            published = (await append(here, topic, record)).published
            assert published.seq == number
            assert await there.heads([topic], [], NOW) == ([number], [])
            assert (await entries(there, topic, number - 1))[0].record == record
            assert await append(there, topic, record) == Appended(published, False)

    async def test_seqs_and_positions_have_no_gap_and_none_twice(self, stores: Stores, topic: bytes) -> None:
        """Two receipts for one position would prove that the relay lies."""
        slot = os.urandom(16)
        records = [b"%06d" % number * 8 for number in range(200)]
        results = await asyncio.gather(
            *(append(stores[number % 2], topic, record, slot=slot) for number, record in enumerate(records))
        )
        seqs = [result.published.seq for result in results]
        assert sorted(seqs) == list(range(1, 201))
        for first in (0, 1):
            assert seqs[first::2] == sorted(seqs[first::2]), "each one's in order of arrival"
        receipts = [result.published.receipt for result in results]
        assert [receipt and receipt.position for receipt in receipts] == [seq - 1 for seq in seqs]
        for store in stores:
            stored = [entry for after in (0, 64, 128, 192) for entry in await entries(store, topic, after)]
            assert [(entry.seq, entry.record, entry.receipt) for entry in stored] == sorted(
                zip(seqs, records, receipts, strict=True), key=lambda one: one[0]
            )

    async def test_no_entry_is_seen_before_the_one_in_front_of_it(self, stores: Stores, topic: bytes) -> None:
        """Whoever has fetched up to a seq never asks for what is below: an entry that comes to light later is lost."""
        going_on = True

        async def follow(store: Store) -> list[int]:
            seen: list[int] = []
            while going_on or len(seen) < 300:
                page = await store.fetch(Kind.TOPIC, topic, len(seen), 64, 10**6, NOW)
                seen += [entry.seq for entry in page.entries]
                assert page.head >= len(seen)
                assert seen == list(range(1, len(seen) + 1))
            return seen

        followers = [asyncio.ensure_future(follow(store)) for store in stores]
        await asyncio.gather(
            *(append(stores[number % 2], topic, b"%06d" % number * 8) for number in range(300))
        )
        going_on = False
        assert [len(seen) for seen in await asyncio.gather(*followers)] == [300, 300]

    async def test_equal_records_are_stored_once(self, stores: Stores, topic: bytes) -> None:
        results = await asyncio.gather(
            *(append(stores[number % 2], topic, b"x" * 40, slot=bytes(16)) for number in range(20))
        )
        assert len({result.published for result in results}) == 1
        assert [result.fresh for result in results].count(True) == 1
        assert len(await entries(stores[0], topic)) == 1

    async def test_time_does_not_go_back_where_clocks_differ(self, stores: Stores, topic: bytes) -> None:
        here, there = stores
        await append(here, topic, b"ahead" * 10, time=NOW + 500)
        assert (await append(there, topic, b"behind" * 10)).published.time == NOW + 500

    async def test_an_inbox_is_bounded_trimmed_and_deleted_for_both(self, stores: Stores) -> None:
        here, there = stores
        inbox = os.urandom(32)
        await here.create_inbox(inbox, NOW)
        outcomes = await asyncio.gather(
            *(
                append(stores[number % 2], inbox, b"%06d" % number * 8, kind=Kind.INBOX)
                for number in range(1_010)
            ),
            return_exceptions=True,
        )
        problems = [problem_of(outcome) for outcome in outcomes]
        assert (problems.count(None), problems.count(Problem.CROWDED)) == (1_000, 10)
        await here.trim_inbox(inbox, 1_000, NOW)
        assert (await append(there, inbox, b"after" * 10, kind=Kind.INBOX)).published.seq == 1_001
        await there.delete_inbox(inbox, NOW)
        with raises(Problem.UNKNOWN):
            await append(here, inbox, b"gone" * 10, kind=Kind.INBOX)

    async def test_a_payment_pays_at_one_of_them(self, stores: Stores) -> None:
        payment = a_payment()
        payments = [payment._replace(request=number.to_bytes(16, "big")) for number in range(20)]
        outcomes = await asyncio.gather(
            *(
                stores[number % 2].create_topic(one.request * 2, 30, NOW, one)
                for number, one in enumerate(payments)
            ),
            return_exceptions=True,
        )
        problems = [problem_of(outcome) for outcome in outcomes]
        assert (problems.count(None), problems.count(Problem.TOKEN)) == (1, 19)
        made = payments[problems.index(None)]
        for store in stores:
            await store.create_topic(made.request * 2, 30, NOW, made)

    async def test_members_are_counted_by_both(self, stores: Stores) -> None:
        outcomes = await asyncio.gather(
            *(join(stores[number % 2], os.urandom(32), None, Joins(5, 5)) for number in range(20)),
            return_exceptions=True,
        )
        assert [problem_of(outcome) for outcome in outcomes].count(None) == 5
        member = await join(stores[0], os.urandom(32), a_payment())
        drawn = await asyncio.gather(
            *(draw(stores[number % 2], member, 1) for number in range(20)), return_exceptions=True
        )
        assert [problem_of(outcome) for outcome in drawn].count(None) == 5

    async def test_the_same_request_for_tokens_at_both_counts_once(self, stores: Stores) -> None:
        """A client whose connection broke comes back to another process."""
        member, request = await join(stores[0], os.urandom(32), a_payment()), os.urandom(16)
        drawn = await asyncio.gather(*(draw(store, member, 3, request=request) for store in stores * 3))
        assert drawn == [True] * 6
        assert await draw(stores[1], member, 2)

    async def test_key_packages_are_handed_out_once(self, stores: Stores) -> None:
        owner, packages = os.urandom(32), [b"package %d" % number for number in range(40)]
        await stores[0].put_key_packages(owner, packages, b"last", NOW)
        taken: list[KeyPackageTaken] = await asyncio.gather(
            *(stores[number % 2].take_key_package(owner, True, NOW) for number in range(50))
        )
        assert sorted(one.package for one in taken if not one.last_resort) == sorted(packages)
        assert sum(one.last_resort for one in taken) == 10

    async def test_parts_of_a_blob_are_taken_one_after_another(self, stores: Stores) -> None:
        """Both are given every part, in order: what one has taken the other need not."""
        data = os.urandom(20_000)
        blob = hashlib.sha256(data).digest()

        async def upload(store: Store) -> None:
            at = 0
            while at < len(data):
                at = await store.put_blob(blob, len(data), at, data[at : at + 1_000], NOW)

        await asyncio.gather(*(upload(store) for store in stores))
        for store in stores:
            assert await store.get_blob(blob, 0, len(data)) == (len(data), data)

    async def test_both_may_sweep_at_once_and_while_records_come(self, stores: Stores, topic: bytes) -> None:
        await asyncio.gather(*(append(stores[0], topic, b"%06d" % number * 8) for number in range(600)))
        later = NOW + 32 * DAY
        swept = asyncio.gather(*(store.sweep(later) for store in stores))
        results = await asyncio.gather(
            *(append(stores[n % 2], topic, b"young %06d" % n * 8, time=later) for n in range(60))
        )
        await swept
        assert sorted(result.published.seq for result in results) == list(range(601, 661))
        for store in stores:
            kept = [entry.record is not None for entry in await entries(store, topic, 596)]
            assert kept == [False] * 4 + [True] * 60
