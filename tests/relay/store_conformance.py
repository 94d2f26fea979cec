"""What every store must do. A new store passes by one test module, with the classes of store_full.py and, where several
processes may share it, store_shared.py beside this one:

    class TestPostgresStore(StoreConformance):
        @pytest.fixture
        async def open_again(self) -> AsyncIterator[Opener]:
            async with a_database_of_its_own() as database:
                opened: list[PostgresStore] = []

                async def opener() -> PostgresStore:
                    while opened:
                        await opened.pop().close()
                    opened.append(await PostgresStore.open(database, sign))
                    return opened[-1]

                yield opener
                while opened:
                    await opened.pop().close()

Nothing here looks at how a store keeps what it keeps.
"""

from __future__ import annotations

import asyncio
import hashlib
import os

import pytest

from polynya.relay.store.base import (
    AWAY,
    BACKWARDS,
    DAY,
    DOUBT,
    Appended,
    CalledBack,
    Kind,
    Problem,
    SlotPosition,
    Store,
    StoreError,
)
from polynya.wire.messages import COMMIT_RETENTION_DAYS, KEY_PACKAGES_STORED, Entry, Published
from tests.relay.store_members import MemberConformance
from tests.relay.store_payment import PaymentConformance
from tests.relay.storing import NOW, Opener, raises

SIZE = 98_304


def sign(position: SlotPosition) -> bytes:
    """Stands for the relay's signature: another one for every part of what it speaks of."""
    parts = (
        position.topic,
        position.slot,
        position.seq,
        position.position,
        position.record_hash,
        position.blobs,
    )
    return hashlib.sha512(repr(parts).encode()).digest()


async def append(
    store: Store,
    log: bytes,
    record: bytes,
    *,
    kind: Kind = Kind.TOPIC,
    slot: bytes | None = None,
    blobs: tuple[bytes, ...] | None = None,
    time: int = NOW,
) -> Appended:
    """One record, as the relay appends it; raises StoreError."""
    future: asyncio.Future[Appended] = asyncio.get_running_loop().create_future()

    def done(outcome: Appended | StoreError) -> None:
        if isinstance(outcome, StoreError):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    store.append(CalledBack(kind, log, record, hashlib.sha256(record).digest(), slot, blobs, time, done))
    return await future


async def entries(
    store: Store, log: bytes, after: int = 0, *, kind: Kind = Kind.TOPIC, time: int = NOW
) -> tuple[Entry, ...]:
    return (await store.fetch(kind, log, after, 64, SIZE, time)).entries


async def put(store: Store, data: bytes, time: int = NOW) -> bytes:
    """A whole blob in parts of 1,000 bytes; its id."""
    blob = hashlib.sha256(data).digest()
    for at in range(0, len(data), 1_000):
        await store.put_blob(blob, len(data), at, data[at : at + 1_000], time)
    return blob


class StoreConformance(PaymentConformance, MemberConformance):
    @pytest.fixture
    async def topic(self, store: Store) -> bytes:
        topic = os.urandom(32)
        await store.create_topic(topic, 30, NOW)
        return topic

    @pytest.fixture
    async def inbox(self, store: Store) -> bytes:
        inbox = os.urandom(32)
        await store.create_inbox(inbox, NOW)
        return inbox

    # ---- topics

    async def test_seqs_count_from_one_in_order_of_arrival(self, store: Store, topic: bytes) -> None:
        records = [os.urandom(100) for _ in range(200)]
        results = await asyncio.gather(*(append(store, topic, record) for record in records))
        assert [result.published.seq for result in results] == list(range(1, 201))
        assert all(result.fresh for result in results)
        page = await store.fetch(Kind.TOPIC, topic, 0, 64, SIZE, NOW)
        assert page.head == 200
        assert [entry.record for entry in page.entries] == records[:64]
        assert [entry.record for entry in await entries(store, topic, 190)] == records[190:]
        assert await entries(store, topic, 200) == ()
        assert await entries(store, topic, 2**53 - 1) == ()

    async def test_answers_come_in_order_and_once(self, store: Store, topic: bytes) -> None:
        """A session answers its calls in the order of these, and tells others of an entry from within."""
        answers: list[int] = []

        # Every third one's blob is missing, every third one is there already.
        plan = [(n if n % 3 else 0, (os.urandom(32),) if n % 3 == 1 else None) for n in range(300)]
        await append(store, topic, b"%06d" % 0 * 8)

        async def do(number: int) -> Problem | None:
            same, blobs = plan[number]
            try:
                await append(store, topic, b"%06d" % same * 8, blobs=blobs)
            except StoreError as error:
                return error.problem
            finally:
                answers.append(number)
            return None

        problems = await asyncio.gather(*(do(number) for number in range(300)))
        assert answers == list(range(300))
        assert problems == [Problem.BLOB if number % 3 == 1 else None for number in range(300)]
        assert (await store.heads([topic], [], NOW))[0] == [101]

    async def test_topics_are_apart(self, store: Store, topic: bytes) -> None:
        other = os.urandom(32)
        await store.create_topic(other, 30, NOW)
        await append(store, topic, b"a" * 50)
        await append(store, other, b"a" * 50)
        await append(store, other, b"b" * 50)
        assert [entry.seq for entry in await entries(store, topic)] == [1]
        assert [entry.seq for entry in await entries(store, other)] == [1, 2]

    async def test_a_page_ends_at_its_size_but_has_one_entry(self, store: Store, topic: bytes) -> None:
        for index in range(4):
            await append(store, topic, bytes([index]) * 4_000)
        page = await store.fetch(Kind.TOPIC, topic, 0, 64, 9_000, NOW)
        assert [entry.seq for entry in page.entries] == [1, 2]
        page = await store.fetch(Kind.TOPIC, topic, 0, 64, 1, NOW)
        assert [entry.seq for entry in page.entries] == [1]
        page = await store.fetch(Kind.TOPIC, topic, 0, 3, SIZE, NOW)
        assert [entry.seq for entry in page.entries] == [1, 2, 3]

    async def test_unknown_logs_are_refused(self, store: Store, topic: bytes, inbox: bytes) -> None:
        nothing = os.urandom(32)
        for log, kind in (
            (nothing, Kind.TOPIC),
            (nothing, Kind.INBOX),
            (topic, Kind.INBOX),
            (inbox, Kind.TOPIC),
        ):
            with raises(Problem.UNKNOWN):
                await append(store, log, b"x" * 40, kind=kind)
            with raises(Problem.UNKNOWN):
                await store.fetch(kind, log, 0, 64, SIZE, NOW)
        assert await store.heads([nothing, topic, inbox], [nothing, inbox, topic], NOW) == (
            [None, 0, None],
            [None, 0, None],
        )

    async def test_making_a_topic_again_changes_nothing(self, store: Store, topic: bytes) -> None:
        await append(store, topic, b"x" * 40)
        await store.create_topic(topic, 30, NOW + 1)
        assert len(await entries(store, topic)) == 1
        with raises(Problem.EXISTS):
            await store.create_topic(topic, 31, NOW + 1)

    async def test_a_record_that_is_there_is_answered_as_the_first_time(
        self, store: Store, topic: bytes
    ) -> None:
        slot = os.urandom(16)
        first = await append(store, topic, b"x" * 40, slot=slot)
        await append(store, topic, b"y" * 40)
        again = await append(store, topic, b"x" * 40, time=NOW + 5_000)
        assert again == Appended(first.published, False)
        assert again.published.receipt is not None
        assert len(await entries(store, topic)) == 2

    async def test_no_entry_is_seen_before_the_one_in_front_of_it(self, store: Store, topic: bytes) -> None:
        """Whoever has fetched up to a seq never asks for what is below: an entry that comes to light later is lost."""
        coming = asyncio.gather(*(append(store, topic, b"%06d" % number * 8) for number in range(400)))
        seen: list[int] = []
        while len(seen) < 400:
            page = await store.fetch(Kind.TOPIC, topic, len(seen), 64, SIZE, NOW)
            seen += [entry.seq for entry in page.entries]
            assert page.head >= len(seen)
        assert seen == list(range(1, 401))
        await coming

    async def test_closing_waits_for_what_was_handed_in(
        self, store: Store, topic: bytes, open_again: Opener
    ) -> None:
        coming = [asyncio.ensure_future(append(store, topic, b"%06d" % n * 8)) for n in range(300)]
        await asyncio.sleep(0)
        store = await open_again()
        assert all(one.done() for one in coming), "each was answered before it was closed"
        assert [one.result().published.seq for one in coming] == list(range(1, 301))
        assert (await store.heads([topic], [], NOW))[0] == [300]

    async def test_equal_records_that_arrive_together_are_stored_once(
        self, store: Store, topic: bytes
    ) -> None:
        results = await asyncio.gather(*(append(store, topic, b"x" * 40) for _ in range(20)))
        assert {result.published for result in results} == {Published(1, NOW)}
        assert [result.fresh for result in results] == [True] + [False] * 19
        assert len(await entries(store, topic)) == 1

    async def test_positions_count_within_topic_and_slot(self, store: Store, topic: bytes) -> None:
        other = os.urandom(32)
        await store.create_topic(other, 30, NOW)
        one, two = os.urandom(16), os.urandom(16)
        plan = [(topic, one), (topic, None), (topic, two), (topic, one), (other, one), (topic, one)]
        results = await asyncio.gather(
            *(append(store, log, bytes([n]) * 40, slot=slot) for n, (log, slot) in enumerate(plan))
        )
        receipts = [result.published.receipt for result in results]
        assert [receipt and receipt.position for receipt in receipts] == [0, None, 0, 1, 0, 2]
        later = await append(store, topic, b"later" * 10, slot=one)
        assert later.published.receipt is not None
        assert later.published.receipt.position == 3
        for log in (topic, other):
            for entry in await entries(store, log):
                assert (entry.slot is None) == (entry.receipt is None)
                if entry.slot is None or entry.receipt is None or entry.record is None:
                    continue
                digest = hashlib.sha256(entry.record).digest()
                said = SlotPosition(log, entry.slot, entry.receipt.position, entry.seq, digest, None)
                assert entry.receipt.signature == sign(said)

    async def test_heads_tell_the_newest_seq(self, store: Store, topic: bytes, inbox: bytes) -> None:
        for index in range(3):
            await append(store, topic, bytes([index]) * 40)
        await append(store, inbox, b"x" * 40, kind=Kind.INBOX)
        assert await store.heads([topic], [inbox], NOW) == ([3], [1])

    async def test_everything_is_there_after_opening_again(
        self, store: Store, topic: bytes, open_again: Opener
    ) -> None:
        slot = os.urandom(16)
        before = [await append(store, topic, bytes([n]) * 40, slot=slot) for n in range(3)]
        stored = await entries(store, topic)
        store = await open_again()
        assert await entries(store, topic) == stored
        assert await append(store, topic, bytes([1]) * 40) == Appended(before[1].published, False)
        after = await append(store, topic, b"new" * 20, slot=slot)
        assert after.published.seq == 4
        assert after.published.receipt is not None
        assert after.published.receipt.position == 3

    async def test_time_does_not_go_back_within_a_log(
        self, store: Store, topic: bytes, open_again: Opener
    ) -> None:
        """Members judge lifetimes by entries' times: a clock that is set back leaves them in order."""
        await append(store, topic, b"first" * 10)
        behind = await append(store, topic, b"behind" * 10, time=NOW - BACKWARDS)
        assert behind.published.time == NOW
        store = await open_again()
        after = await append(store, topic, b"after" * 10, time=NOW - 5)
        assert after.published.time == NOW
        again = await append(store, topic, b"after" * 10, time=NOW + 7)
        assert again.published == after.published
        stored = [entry.time for entry in await entries(store, topic)]
        assert stored == [NOW] * 3

    async def test_a_wrong_clock_leaves_no_mark_on_later_times(self, store: Store, topic: bytes) -> None:
        await append(store, topic, b"a year ahead" * 5, time=NOW + 365 * DAY)
        right = await append(store, topic, b"right" * 10)
        later = await append(store, topic, b"later" * 10, time=NOW + 1)
        assert (right.published.time, later.published.time) == (NOW, NOW + 1)

    # ---- the clock

    async def test_retention_goes_by_a_clock_that_goes_on(self, store: Store, open_again: Opener) -> None:
        assert await store.trusts(NOW)
        assert await store.trusts(NOW + 5_000)
        assert await store.trusts(NOW + 4_000), "set right by a second"
        store = await open_again()
        assert await store.trusts(NOW + AWAY), "the relay was off for a while"

    @pytest.mark.parametrize("jump", [AWAY + 1, -BACKWARDS - 1, 9_000 * DAY])
    async def test_a_clock_that_jumped_is_not_trusted_for_a_day(
        self, store: Store, open_again: Opener, jump: int
    ) -> None:
        await store.trusts(NOW)
        assert not await store.trusts(NOW + jump)
        store = await open_again()
        assert not await store.trusts(NOW + jump + DOUBT - 1)
        assert await store.trusts(NOW + jump + DOUBT)
        assert await store.trusts(NOW + jump + DOUBT + 1)

    async def test_a_clock_that_came_back_is_trusted_a_day_later(self, store: Store) -> None:
        await store.trusts(NOW)
        assert not await store.trusts(NOW + 365 * DAY)
        assert not await store.trusts(NOW + 60_000)
        assert not await store.trusts(NOW + DOUBT)
        assert await store.trusts(NOW + DOUBT + 60_000)

    # ---- inboxes

    async def test_an_inbox_is_trimmed_for_good(self, store: Store, inbox: bytes, open_again: Opener) -> None:
        for index in range(5):
            await append(store, inbox, bytes([index]) * 40, kind=Kind.INBOX)
        await store.trim_inbox(inbox, 3, NOW)
        await store.trim_inbox(inbox, 3, NOW)
        assert [entry.seq for entry in await entries(store, inbox, kind=Kind.INBOX)] == [4, 5]
        await store.trim_inbox(inbox, 2**53 - 1, NOW)
        assert await entries(store, inbox, kind=Kind.INBOX) == ()
        store = await open_again()
        assert (await append(store, inbox, b"new" * 20, kind=Kind.INBOX)).published.seq == 6

    async def test_a_repeated_drop_is_known_after_a_trim(self, store: Store, inbox: bytes) -> None:
        first = await append(store, inbox, b"x" * 40, kind=Kind.INBOX)
        await store.trim_inbox(inbox, 1, NOW)
        assert await append(store, inbox, b"x" * 40, kind=Kind.INBOX) == Appended(first.published, False)
        assert await entries(store, inbox, kind=Kind.INBOX) == ()

    async def test_an_inbox_holds_a_thousand_records(self, store: Store, inbox: bytes) -> None:
        records = [b"%06d" % index * 8 for index in range(1_001)]
        results = await asyncio.gather(
            *(append(store, inbox, record, kind=Kind.INBOX) for record in records), return_exceptions=True
        )
        assert all(isinstance(result, Appended) for result in results[:1_000])
        assert isinstance(results[1_000], StoreError)
        assert results[1_000].problem is Problem.CROWDED
        await store.trim_inbox(inbox, 1, NOW)
        assert (await append(store, inbox, records[1_000], kind=Kind.INBOX)).published.seq == 1_001

    async def test_a_deleted_inbox_takes_nothing(self, store: Store, inbox: bytes) -> None:
        await append(store, inbox, b"x" * 40, kind=Kind.INBOX)
        await store.delete_inbox(inbox, NOW)
        await store.delete_inbox(inbox, NOW)
        with raises(Problem.UNKNOWN):
            await append(store, inbox, b"y" * 40, kind=Kind.INBOX)
        await store.create_inbox(inbox, NOW)
        assert await entries(store, inbox, kind=Kind.INBOX) == ()

    # ---- key packages

    async def test_key_packages_are_handed_out_once_in_order(self, store: Store, open_again: Opener) -> None:
        owner = os.urandom(32)
        with raises(Problem.UNKNOWN):
            await store.take_key_package(owner, True, NOW)
        assert await store.put_key_packages(owner, [b"one", b"two"], b"last", NOW) == 2
        assert await store.put_key_packages(owner, [b"two", b"three"], None, NOW) == 3
        taken = [await store.take_key_package(owner, True, NOW) for _ in range(2)]
        assert [(package.package, package.last_resort) for package in taken] == [
            (b"one", False),
            (b"two", False),
        ]
        store = await open_again()
        assert await store.put_key_packages(owner, [b"one", b"two"], None, NOW) == 1
        rest = [await store.take_key_package(owner, True, NOW) for _ in range(3)]
        assert [package.package for package in rest] == [b"three", b"last", b"last"]
        assert rest[1].last_resort

    async def test_one_time_packages_can_be_spared(self, store: Store) -> None:
        owner = os.urandom(32)
        await store.put_key_packages(owner, [b"one"], None, NOW)
        with raises(Problem.UNKNOWN):
            await store.take_key_package(owner, False, NOW)
        await store.put_key_packages(owner, [], b"last", NOW)
        assert (await store.take_key_package(owner, False, NOW)).package == b"last"
        assert (await store.take_key_package(owner, True, NOW)).package == b"one"

    async def test_packages_over_the_limit_are_not_kept(self, store: Store) -> None:
        owner = os.urandom(32)
        packages = [b"package %d" % index for index in range(KEY_PACKAGES_STORED + 5)]
        assert await store.put_key_packages(owner, packages, None, NOW) == KEY_PACKAGES_STORED

    async def test_an_idle_owner_is_forgotten(self, store: Store) -> None:
        owner, user = os.urandom(32), os.urandom(32)
        await store.put_key_packages(owner, [b"one"], b"last", NOW)
        await store.put_key_packages(user, [b"one"], b"last", NOW + 200 * DAY)
        await store.sweep(NOW + 366 * DAY)
        with raises(Problem.UNKNOWN):
            await store.take_key_package(owner, True, NOW)
        assert (await store.take_key_package(user, True, NOW)).package == b"one"

    # ---- blobs

    async def test_a_blob_grows_in_order(self, store: Store, open_again: Opener) -> None:
        data = os.urandom(2_500)
        blob = hashlib.sha256(data).digest()
        assert await store.put_blob(blob, 2_500, 0, b"", NOW) == 0
        assert await store.put_blob(blob, 2_500, 0, data[:1_000], NOW) == 1_000
        assert await store.put_blob(blob, 2_500, 0, data[:1_000], NOW) == 1_000
        assert await store.put_blob(blob, 2_500, 2_000, data[2_000:], NOW) == 1_000
        with raises(Problem.UNKNOWN):
            await store.get_blob(blob, 0, 10)
        with raises(Problem.EXISTS):
            await store.put_blob(blob, 2_501, 1_000, data[1_000:], NOW)
        with raises(Problem.WRONG):
            await store.put_blob(blob, 2_500, 2_000, data[1_000:], NOW)
        store = await open_again()
        assert await store.put_blob(blob, 2_500, 0, b"", NOW) == 1_000
        assert await store.put_blob(blob, 2_500, 1_000, data[1_000:], NOW) == 2_500
        assert await store.put_blob(blob, 2_500, 1_000, data[1_000:], NOW) == 2_500
        assert await store.get_blob(blob, 0, 65_536) == (2_500, data)
        assert await store.get_blob(blob, 900, 200) == (2_500, data[900:1_100])
        assert await store.get_blob(blob, 3_000, 10) == (2_500, b"")

    async def test_a_blob_with_another_hash_is_forgotten(self, store: Store) -> None:
        data = os.urandom(2_000)
        blob = hashlib.sha256(data).digest()
        await store.put_blob(blob, 2_000, 0, data[:1_000], NOW)
        with raises(Problem.WRONG):
            await store.put_blob(blob, 2_000, 1_000, os.urandom(1_000), NOW)
        assert await store.put_blob(blob, 2_000, 0, b"", NOW) == 0
        assert await put(store, data) == blob
        assert (await store.get_blob(blob, 0, 65_536))[1] == data

    async def test_parts_that_arrive_together_are_taken_one_after_another(self, store: Store) -> None:
        data = os.urandom(4_000)
        blob = hashlib.sha256(data).digest()
        parts = [store.put_blob(blob, 4_000, at, data[at : at + 1_000], NOW) for at in range(0, 4_000, 1_000)]
        assert await asyncio.gather(*parts) == [1_000, 2_000, 3_000, 4_000]
        assert (await store.get_blob(blob, 0, 65_536))[1] == data

    async def test_a_record_waits_for_its_blobs(self, store: Store, topic: bytes) -> None:
        data = os.urandom(1_500)
        blob = hashlib.sha256(data).digest()
        await store.put_blob(blob, 1_500, 0, data[:1_000], NOW)
        with raises(Problem.BLOB):
            await append(store, topic, b"x" * 40, blobs=(blob,))
        await put(store, data)
        await append(store, topic, b"x" * 40, blobs=(blob, blob))
        assert (await entries(store, topic))[0].blobs == (blob, blob)

    async def test_blobs_go_when_nothing_names_them(self, store: Store, topic: bytes) -> None:
        named, unnamed, growing = (
            await put(store, b"a" * 1_500),
            await put(store, b"b" * 1_500),
            os.urandom(32),
        )
        await append(store, topic, b"x" * 40, blobs=(named,))
        await store.put_blob(growing, 1_500, 0, b"c" * 1_000, NOW)
        assert (await store.sweep(NOW + 2 * DAY)).blobs == 1
        assert await store.put_blob(growing, 1_500, 0, b"", NOW) == 0
        await store.sweep(NOW + 30 * DAY + 1)
        with raises(Problem.UNKNOWN):
            await store.get_blob(unnamed, 0, 10)
        expired = NOW + 32 * DAY
        assert (await store.sweep(expired)).records == 1
        assert (await store.get_blob(named, 0, 3))[1] == b"aaa"
        await store.sweep(expired + 29 * DAY)
        assert (await store.get_blob(named, 0, 3))[1] == b"aaa"
        await store.sweep(expired + 31 * DAY)
        with raises(Problem.UNKNOWN):
            await store.get_blob(named, 0, 10)

    # ---- retention

    async def test_bytes_go_and_hashes_stay(self, store: Store, topic: bytes, open_again: Opener) -> None:
        slot = os.urandom(16)
        await append(store, topic, b"old" * 20)
        commit = await append(store, topic, b"commit" * 10, slot=slot)
        await append(store, topic, b"young" * 10, time=NOW + 20 * DAY)
        assert (await store.sweep(NOW + 29 * DAY)).records == 0
        assert (await store.sweep(NOW + 32 * DAY)).records == 1
        store = await open_again()
        old, kept, young = await entries(store, topic)
        assert (old.record, old.record_hash) == (None, hashlib.sha256(b"old" * 20).digest())
        assert (kept.record, kept.receipt) == (b"commit" * 10, commit.published.receipt)
        assert young.record == b"young" * 10
        assert (await append(store, topic, b"old" * 20)).fresh is False
        await append(store, topic, b"keeps the topic" * 3, time=NOW + 300 * DAY)
        await store.sweep(NOW + (COMMIT_RETENTION_DAYS + 2) * DAY)
        stored = (await entries(store, topic))[1]
        assert (stored.record, stored.slot, stored.receipt) == (None, slot, commit.published.receipt)
        assert stored.record_hash == hashlib.sha256(b"commit" * 10).digest()

    async def test_many_records_expire_in_steps(self, store: Store, topic: bytes) -> None:
        await asyncio.gather(*(append(store, topic, b"%06d" % index * 8) for index in range(1_300)))
        await append(store, topic, b"young" * 10, time=NOW + 20 * DAY)
        assert (await store.sweep(NOW + 32 * DAY)).records == 1_300
        assert [entry.record for entry in await entries(store, topic, 1_290)] == [None] * 10 + [b"young" * 10]

    async def test_a_record_from_the_future_keeps_no_older_one(self, store: Store, topic: bytes) -> None:
        await append(store, topic, b"under a wrong clock" * 2, time=NOW + 9_000 * DAY)
        await append(store, topic, b"old" * 20)
        await store.sweep(NOW + 32 * DAY)
        assert [entry.record is None for entry in await entries(store, topic)] == [False, True]

    async def test_inbox_records_go_after_thirty_days(self, store: Store, inbox: bytes) -> None:
        await append(store, inbox, b"old" * 20, kind=Kind.INBOX)
        await append(store, inbox, b"young" * 10, kind=Kind.INBOX, time=NOW + 20 * DAY)
        await store.sweep(NOW + 32 * DAY)
        assert [entry.seq for entry in await entries(store, inbox, kind=Kind.INBOX)] == [2]
        await store.sweep(NOW + 60 * DAY)
        assert (
            await append(store, inbox, b"new" * 20, kind=Kind.INBOX, time=NOW + 60 * DAY)
        ).published.seq == 3

    async def test_logs_that_nobody_uses_are_forgotten(
        self, store: Store, topic: bytes, inbox: bytes
    ) -> None:
        used, read = os.urandom(32), os.urandom(32)
        await store.create_topic(used, 30, NOW)
        await store.create_inbox(read, NOW)
        await append(store, topic, b"x" * 40, slot=os.urandom(16))
        await append(store, used, b"x" * 40)
        for day in range(1, 367):
            if day == 200:
                await append(store, used, b"y" * 40, time=NOW + day * DAY)
                await store.heads([], [read], NOW + day * DAY)
            if day % 3 == 0:
                await store.sweep(NOW + day * DAY)
        assert await store.heads([topic, used], [inbox, read], NOW + 366 * DAY) == ([None, 2], [None, 0])
        await store.sweep(NOW + 800 * DAY)
        assert await store.heads([topic, used], [inbox, read], NOW + 800 * DAY) == (
            [None, None],
            [None, None],
        )
        statistics = await store.statistics()
        assert (statistics.topics, statistics.inboxes) == (0, 0)
        await store.create_topic(topic, 30, NOW + 800 * DAY)
        assert await entries(store, topic) == ()
