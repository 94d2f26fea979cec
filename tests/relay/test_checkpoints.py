"""What commits leave in the write-ahead log comes to its place beside them."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from polynya.relay.store import threads
from polynya.relay.store.checkpoints import COMMITS_MOST, Checkpoints
from polynya.relay.store.rows import CHUNK, insert_rows, select_by_pairs
from polynya.relay.store.sqlite import DATABASE, SqliteStore, open_store
from polynya.relay.store.threads import connect
from tests.relay.store_conformance import append, sign
from tests.relay.storing import NOW

PATIENCE = 30.0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.005)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    yield store
    await store.close()


async def fill(store: SqliteStore, commits: int) -> bytes:
    """Each commit has a record alone. The first one."""
    topic, first = os.urandom(32), os.urandom(1_000)
    await store.create_topic(topic, 30, NOW)
    await append(store, topic, first)
    for _ in range(commits):
        await append(store, topic, os.urandom(1_000))
    return first


async def test_records_come_into_the_database_while_it_is_in_use(store: SqliteStore, tmp_path: Path) -> None:
    first = await fill(store, 0)
    assert first not in (tmp_path / DATABASE).read_bytes()
    await fill(store, 2 * COMMITS_MOST)
    await until(lambda: first in (tmp_path / DATABASE).read_bytes())


async def test_the_log_begins_anew_under_an_unbroken_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it there is always something newer: the writer does the rest."""
    monkeypatch.setattr(threads, "PAGES_MOST", 200)
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    await fill(store, 500)
    # A commit has 4 pages or more: 2,000 in all.
    assert (tmp_path / f"{DATABASE}-wal").stat().st_size < 2 * 200 * 4_120
    await store.close()


async def test_emptying_the_log_waits_for_it(store: SqliteStore, tmp_path: Path) -> None:
    """SQLite would find the database busy, and destroyed bytes would stay in the log."""
    await fill(store, 10)
    topic = os.urandom(32)
    await store.create_topic(topic, 30, NOW)
    with store._writer._checkpoints.alone:
        store._writer.erase()
        # The writer comes to it before the first or behind it, and does nothing else until it is free.
        first = asyncio.ensure_future(append(store, topic, b"first" * 10))
        await asyncio.wait([first], timeout=0.2)
        second = asyncio.ensure_future(append(store, topic, b"second" * 10))
        done, _ = await asyncio.wait([second], timeout=0.2)
        assert not done
        assert (tmp_path / f"{DATABASE}-wal").stat().st_size > 0
    await asyncio.gather(first, second)
    # What came behind it.
    assert (tmp_path / f"{DATABASE}-wal").stat().st_size < 10 * 4 * 4_120


def test_a_failure_is_told_once_and_it_is_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    connect(tmp_path / DATABASE, now=NOW).close()
    db = connect(tmp_path / DATABASE, now=None)
    db.close()
    checkpoints = Checkpoints(db)
    with caplog.at_level(logging.ERROR):
        for _ in range(3 * COMMITS_MOST):
            checkpoints.committed()
        checkpoints.close()
        other = Checkpoints(db)
        for _ in range(COMMITS_MOST):
            other.committed()
        other.close()
    assert [record.getMessage() for record in caplog.records] == [
        "the write-ahead log could not be written back: ProgrammingError"
    ] * 2


@pytest.mark.parametrize("rows", [0, 1, 2, 3, 5, 64, 65, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7])
def test_any_number_of_rows_takes_few_statements(rows: int) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE numbers (a INTEGER PRIMARY KEY, b)")
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    values = [value for row in range(rows) for value in (row, None if row % 2 else b"%d" % row)]
    insert_rows(db, "INSERT INTO numbers", 2, values)
    pairs = [value for row in range(rows) for value in (row, row + 1)]
    found = select_by_pairs(db, "SELECT a, pairs.b FROM pairs JOIN numbers USING (a)", pairs)
    db.set_trace_callback(None)
    assert sorted(found) == [(row, row + 1) for row in range(rows)]
    kept = db.execute("SELECT a, b FROM numbers ORDER BY a").fetchall()
    assert [value for row in kept for value in row] == values
    assert len([one for one in asked if not one.startswith("BEGIN")]) == 2 * -(-rows // CHUNK)
