"""The SQLite store: held to the suites of all stores, and to what only it has."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from polynya.relay.store.base import DAY, Payment, Problem, StoreError
from polynya.relay.store.sqlite import SqliteStore, open_store
from polynya.relay.store.threads import Writer
from tests.relay.store_conformance import StoreConformance, append, sign
from tests.relay.store_full import Full, FullStoreConformance
from tests.relay.store_members import draw, join
from tests.relay.store_shared import SharedStoreConformance
from tests.relay.storing import NOW, Opener, problem_of


class TestSqliteStore(StoreConformance):
    @pytest.fixture
    async def open_again(self, tmp_path: Path) -> AsyncIterator[Opener]:
        opened: list[SqliteStore] = []

        async def opener() -> SqliteStore:
            while opened:
                await opened.pop().close()
            opened.append(await open_store(tmp_path, sign, time=NOW, reserve=0))
            return opened[-1]

        yield opener
        while opened:
            await opened.pop().close()


@contextmanager
def no_more_pages(store: SqliteStore) -> Iterator[None]:
    """The database grows by 25 pages of 4 KiB and no further."""
    db = store._writer._db
    most = db.execute("PRAGMA page_count").fetchone()[0] + 25
    db.execute(f"PRAGMA max_page_count = {most}")
    try:
        yield
    finally:
        db.execute(f"PRAGMA max_page_count = {2**31}")


class TestSqliteStoreFull(FullStoreConformance):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqliteStore]:
        store = await open_store(tmp_path, sign, time=NOW, reserve=0)
        yield store
        await store.close()

    @pytest.fixture
    def full(self, store: SqliteStore) -> Full:
        def within() -> AbstractContextManager[None]:
            return no_more_pages(store)

        return within


@pytest.fixture
async def two_stores(tmp_path: Path) -> AsyncIterator[tuple[SqliteStore, SqliteStore]]:
    """On one file, which a lock on the data folder otherwise prevents."""
    one = await open_store(tmp_path, sign, time=NOW, reserve=0)
    two = await open_store(tmp_path, sign, time=NOW, reserve=0)
    yield one, two
    await one.close()
    await two.close()


class TestSqliteStoresThatRememberNothing(SharedStoreConformance):
    """What keeps this store from being shared is what it remembers between transactions, of logs and of uploads that go
    on. Without that it does all that a shared store must: so the suite holds, and what it asks can be done."""

    @pytest.fixture
    def stores(
        self, two_stores: tuple[SqliteStore, SqliteStore], monkeypatch: pytest.MonkeyPatch
    ) -> tuple[SqliteStore, SqliteStore]:
        apply = Writer._apply

        def forgetting(writer: Writer, batch: Any) -> list[Any]:
            writer._cache.clear()
            return apply(writer, batch)

        monkeypatch.setattr(Writer, "_apply", forgetting)
        one, two = two_stores
        two._uploads = one._uploads
        return one, two


async def test_the_store_is_for_one_process(two_stores: tuple[SqliteStore, SqliteStore]) -> None:
    """And the suite of shared stores would say so."""
    with pytest.raises(Exception) as caught:
        topic = os.urandom(32)
        await two_stores[0].create_topic(topic, 30, NOW)
        await SharedStoreConformance().test_what_one_answered_the_other_sees(two_stores, topic)
    assert problem_of(caught.value) is Problem.FAILED


async def test_of_a_forgotten_member_no_row_is_left(tmp_path: Path) -> None:
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    await draw(store, await join(store, os.urandom(32)), 1)
    await store.sweep(NOW + 367 * DAY)
    for table in ("members", "allowances"):
        assert store._writer._db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608
    await store.close()


async def test_a_slot_has_a_last_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 65,536, of which the first two are all that there are here."""
    monkeypatch.setattr("polynya.relay.store.append.LAST_POSITION", 1)
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    topic, one, other = os.urandom(32), os.urandom(16), os.urandom(16)
    await store.create_topic(topic, 30, NOW)

    async def place(slot: bytes) -> int | Problem | None:
        try:
            done = await append(store, topic, os.urandom(40), slot=slot)
        except StoreError as error:
            return error.problem
        return done.published.receipt.position if done.published.receipt else None

    places = [await place(one), await place(one), await place(one), await place(other)]
    assert places == [0, 1, Problem.CROWDED, 0]
    assert (await append(store, topic, os.urandom(40))).published.seq == 4, (
        "nothing was written for the third"
    )
    await store.close()


async def test_a_token_pays_once_within_one_transaction(tmp_path: Path) -> None:
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    blocked = asyncio.Event()
    loop = asyncio.get_running_loop()
    hold = store._writer.run(lambda db, _: asyncio.run_coroutine_threadsafe(blocked.wait(), loop).result(60))
    payments = [Payment(9, bytes(32), number.to_bytes(16, "big")) for number in range(40)]
    making = [
        asyncio.ensure_future(store.create_topic(payment.request * 2, 30, NOW, payment))
        for payment in (*payments, *payments)
    ]
    await asyncio.sleep(0)
    before = store._writer.commits
    blocked.set()
    await hold
    problems = [problem_of(outcome) for outcome in await asyncio.gather(*making, return_exceptions=True)]
    assert store._writer.commits - before <= 3, "they were not in one batch"
    made = [number % 40 for number, problem in enumerate(problems) if problem is None]
    assert made == [0, 0], "the first, and the same request again"
    assert set(problems) == {None, Problem.TOKEN}
    await store.close()


async def test_no_two_write_one_blob_when_one_has_ended_and_the_next_has_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    data = os.urandom(4_000)
    blob = hashlib.sha256(data).digest()
    write, at_once, most = store._put_blob, 0, 0

    async def counted(*arguments: Any) -> int:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await write(*arguments)
        finally:
            at_once -= 1

    async def put(*parts: int) -> None:
        for part in parts:
            await store.put_blob(blob, 4_000, part * 1_000, data[part * 1_000 : part * 1_000 + 1_000], NOW)

    monkeypatch.setattr(store, "_put_blob", counted)
    # The first one comes back at once, while the second, which has waited for it, is only woken.
    await asyncio.gather(put(0, 2), put(1, 3))
    assert await store.put_blob(blob, 4_000, 4_000, b"", NOW) == 4_000
    assert most == 1
    assert not store._uploads
    await store.close()
