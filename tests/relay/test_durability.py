"""What was acknowledged survives: what a killed relay leaves, a full disk, a sick database. Kills and faults under
load are in test_faults.py."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from polynya.relay.check import COUNTS, check_data
from polynya.relay.errors import DataError
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.server import RunningRelay
from polynya.relay.store import threads
from polynya.relay.store.base import Problem, StoreError
from polynya.relay.store.rows import select_by_pairs
from polynya.relay.store.sqlite import DATABASE, SqliteStore, open_store
from polynya.relay.store.threads import connect
from polynya.wire.labels import topic_id
from polynya.wire.messages import (
    BlobState,
    CreateTopic,
    Done,
    Fetch,
    Ping,
    Publish,
    Published,
    PutBlob,
    Records,
    Refused,
)
from tests.relay.client import Client, expect, refused
from tests.relay.store_conformance import append, entries, put, sign
from tests.relay.storing import NOW
from tests.support.relay import running_relay


async def stored(client: Client, topic: bytes) -> Records:
    entries: tuple[object, ...] = ()
    head = 0
    while True:
        page = expect(Records, await client.exchange(Fetch(topic, len(entries), 64)))
        head = page.head
        if not page.entries:
            return Records(entries, head)  # type: ignore[arg-type]
        entries += page.entries


# ---- what a killed relay leaves behind


async def test_what_a_killed_relay_had_not_synced_is_on_disk_before_it_serves(tmp_path: Path) -> None:
    """The log that it leaves can be read as if all of it were on disk. Once the relay answers from it, it is: a
    power cut that takes the write-ahead log takes nothing."""
    killed, left, after = (tmp_path / name for name in ("killed", "left", "after"))
    for folder in (killed, left, after):
        folder.mkdir()
    store = await open_store(killed, sign, time=NOW, reserve=0)
    topic = os.urandom(32)
    await store.create_topic(topic, 30, NOW)
    published = (await append(store, topic, b"not synced" * 10)).published
    for name in (DATABASE, f"{DATABASE}-wal"):
        shutil.copy(killed / name, left / name)
    await store.close()
    again = await open_store(left, sign, time=NOW, reserve=0)
    shutil.copy(left / DATABASE, after / DATABASE)
    await again.close()
    survivor = await open_store(after, sign, time=NOW, reserve=0)
    assert (await append(survivor, topic, b"not synced" * 10)).published == published
    assert [entry.record for entry in await entries(survivor, topic)] == [b"not synced" * 10]
    await survivor.close()


# ---- full disks


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    yield store
    await store.close()


async def test_after_the_disk_failed_everything_is_written_anew_before_more_is_taken(
    store: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failed sync the system may take pages for written that are not. The database file alone, as if the
    write-ahead log had never reached the disk, holds what was acknowledged; until that is so, nothing is taken."""
    topic = os.urandom(32)
    await store.create_topic(topic, 30, NOW)
    await append(store, topic, b"before" * 10)

    def alone(name: str) -> sqlite3.Connection:
        shutil.copy(tmp_path / DATABASE, tmp_path / name)
        return connect(tmp_path / name, now=NOW)

    def fails(db: sqlite3.Connection, _: object) -> None:
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
        raise error

    held = alone("before.db")
    assert held.execute("SELECT count(*) FROM entries").fetchone() == (0,)
    held.close()
    real = threads.make_durable

    def still_fails(*_: object) -> None:
        raise OSError(errno.EIO, "")

    monkeypatch.setattr(threads, "make_durable", still_fails)
    with pytest.raises(StoreError):
        await store._writer.run(fails)
    for record in (b"before" * 10, b"another" * 10):
        with pytest.raises(StoreError) as caught:
            await append(store, topic, record)
        assert caught.value.problem is Problem.FAILED
    assert len(await entries(store, topic)) == 1, "reading goes on"
    monkeypatch.setattr(threads, "make_durable", real)
    assert not (await append(store, topic, b"before" * 10)).fresh
    held = alone("after.db")
    assert held.execute("SELECT record FROM entries").fetchall() == [(b"before" * 10,)]
    held.close()


async def test_a_writer_that_cannot_go_on_says_so(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    """A thread that ended in silence would leave every device waiting for an answer."""
    topic = os.urandom(32)
    await store.create_topic(topic, 30, NOW)

    def fails() -> None:
        raise ZeroDivisionError

    await append(store, topic, b"taken" * 10)
    store._writer._empty_log = fails  # type: ignore[method-assign]
    await store._writer.run(lambda *_: store._writer.erase())
    for _ in range(3):
        with pytest.raises(StoreError) as caught:
            await append(store, topic, b"refused" * 10)
        assert caught.value.problem is Problem.FAILED
    assert "start the relay again" in caplog.text
    assert [entry.record for entry in await entries(store, topic)] == [b"taken" * 10]


def fill(store: SqliteStore, pages: int | None) -> None:
    """From now on the database may hold `pages` more pages of 4 KiB; None: as many as ever."""
    db = store._writer._db
    most = 2**31 if pages is None else db.execute("PRAGMA page_count").fetchone()[0] + pages
    db.execute(f"PRAGMA max_page_count = {most}")


async def test_a_full_disk_refuses_all_or_nothing_and_recovers(store: SqliteStore) -> None:
    topic = os.urandom(32)
    await store.create_topic(topic, 30, NOW)
    await append(store, topic, b"before" * 20)
    fill(store, 8)
    results = await asyncio.gather(
        *(append(store, topic, b"%04d" % index * 500) for index in range(200)), return_exceptions=True
    )
    problems = {result.problem for result in results if isinstance(result, StoreError)}
    assert problems == {Problem.FULL}
    fill(store, None)
    after = await append(store, topic, b"after" * 20)
    records = await store.fetch(0 + 1, topic, 0, 64, 10**6, NOW)  # type: ignore[arg-type]
    taken = [result for result in results if not isinstance(result, BaseException)]
    assert after.published.seq == len(taken) + 2
    assert records.head == after.published.seq


async def test_a_relay_on_a_full_disk_says_so_and_recovers(running: RunningRelay, client: Client) -> None:
    store = running.relay.store
    assert isinstance(store, SqliteStore)
    secret = os.urandom(32)
    async with client.session() as session:
        await session.call(CreateTopic(secret, 30))
        first = expect(Published, await session.call(Publish(secret, b"first" * 100)))
        fill(store, 0)
        answers = [await session.call(Publish(secret, os.urandom(4_000))) for _ in range(12)]
        assert "FULL" in {refused(answer) for answer in answers if isinstance(answer, Refused)}
        taken = [answer for answer in answers if isinstance(answer, Published)]
        expect(Records, await session.call(Fetch(topic_id(secret), 0, 64)))
        assert await session.call(Publish(secret, b"first" * 100)) == first
        fill(store, None)
        assert expect(Published, await session.call(Publish(secret, b"last" * 100))).seq == len(taken) + 2


async def test_blobs_leave_the_reserve_free(tmp_path: Path) -> None:
    store = await open_store(tmp_path, sign, time=NOW, reserve=2**60)
    with pytest.raises(StoreError) as caught:
        await put(store, b"x" * 1_500)
    assert caught.value.problem is Problem.FULL
    await store.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small disk of its own needs root")
async def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """A file system of 3 MiB, with blobs and records until it is full; then space is made."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = await asyncio.create_subprocess_exec(
        "mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)
    )
    if await mounted.wait() != 0:
        pytest.skip("this machine lets nobody mount")
    try:
        async with running_relay(disk / "data") as running:
            client = Client(running.address, running.identity)
            secret, ballast = os.urandom(32), disk / "ballast"
            expect(Done, await client.exchange(CreateTopic(secret, 30)))
            ballast.write_bytes(bytes(2**20))
            acknowledged = []
            codes = set()
            for index in range(2_000):
                record = b"%06d" % index * 600
                answer = await client.exchange(Publish(secret, record))
                if isinstance(answer, Published):
                    acknowledged.append((answer.seq, record))
                else:
                    codes.add(refused(answer))
                    break
            assert codes == {"FULL"}
            data = os.urandom(50_000)
            blob = hashlib.sha256(data).digest()
            assert refused(await client.exchange(PutBlob(blob, 50_000, 0, data))) == "FULL"
            expect(Done, await client.exchange(Ping()))
            ballast.unlink()
            assert await client.exchange(PutBlob(blob, 50_000, 0, data)) == BlobState(50_000)
            seq = expect(Published, await client.exchange(Publish(secret, b"after" * 50))).seq
            assert seq == len(acknowledged) + 1
            log = await stored(client, topic_id(secret))
            assert [(entry.seq, entry.record) for entry in log.entries[:-1]] == acknowledged
            await client.close()
        assert check_data(disk / "data") == []
    finally:
        await (await asyncio.create_subprocess_exec("umount", str(disk))).wait()


# ---- a sick database


async def test_a_change_that_fails_takes_no_other_with_it(store: SqliteStore) -> None:
    topic = os.urandom(32)
    await store.create_topic(topic, 30, NOW)

    def fails(db: sqlite3.Connection, _: object) -> None:
        db.execute("INSERT INTO logs (id, kind, retention_days, created, used) VALUES (x'00', 1, 1, 1, 1)")
        raise ZeroDivisionError

    results = await asyncio.gather(
        append(store, topic, b"one" * 20),
        store._writer.run(fails),
        append(store, topic, b"two" * 20),
        return_exceptions=True,
    )
    assert isinstance(results[1], StoreError)
    assert results[1].problem is Problem.FAILED
    assert (await store.heads([topic, b"\x00"], [], NOW))[0] == [2, None]


async def test_damage_is_found(tmp_path: Path) -> None:
    """Of every kind, and nothing where there is none."""
    async with running_relay(tmp_path) as running:
        client = Client(running.address, running.identity)
        secret, slot, data = os.urandom(32), os.urandom(16), b"a blob" * 300
        blob = hashlib.sha256(data).digest()
        expect(Done, await client.exchange(CreateTopic(secret, 30)))
        expect(BlobState, await client.exchange(PutBlob(blob, len(data), 0, data)))
        for index in range(6):
            expect(Published, await client.exchange(Publish(secret, b"%d" % index * 50, slot, (blob,))))
        await client.close()
    assert check_data(tmp_path) == []
    place = tmp_path / "blobs" / blob.hex()[:2] / blob.hex()
    damages: dict[str, str | Callable[[], object]] = {
        "neither record nor hash (1 times)": "UPDATE entries SET record = NULL WHERE id & 255 = 1",
        "missing from the index of records (1 times)": "DELETE FROM record_index WHERE seq = 2",
        "missing from the index of records (2 times)": "UPDATE record_index SET hash = hash + 1 WHERE seq < 3",
        "a topic has a gap (1 times)": "DELETE FROM entries WHERE id & 255 = 3",
        "a topic holds a record twice (1 times)": "INSERT INTO record_index "
        "SELECT log, hash, 5 FROM record_index WHERE seq = 4; "
        "UPDATE entries SET record = (SELECT record FROM entries WHERE id & 255 = 4) WHERE id & 255 = 5",
        "a slot has a gap or a doubled position (1 times)": "UPDATE entries SET position = 1 WHERE id & 255 = 6",
        "receipts: 1 are not signed": "UPDATE entries SET signature = zeroblob(64) WHERE id & 255 = 6",
        "a record names a blob that is not whole (6 times)": "UPDATE blobs SET state = 0",
        "the bytes of 1 are not what they were": lambda: place.write_bytes(b"b blob" * 300),
        "the bytes of 1 are missing": place.unlink,
        "identity.key is damaged": lambda: (tmp_path / IDENTITY_FILE).write_bytes(b"short"),
        "identity.key is missing": (tmp_path / IDENTITY_FILE).unlink,
        "database: file is not a database": lambda: (tmp_path / DATABASE).write_bytes(b"no" * 5_000),
    }
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path, whole)
    for told, damage in damages.items():
        for name in (DATABASE, IDENTITY_FILE):
            shutil.copy(whole / name, tmp_path / name)
        place.write_bytes(data)
        if isinstance(damage, str):
            db = sqlite3.connect(tmp_path / DATABASE)
            db.executescript(damage)
            db.close()
        else:
            damage()
        problems = "\n".join(check_data(tmp_path))
        assert told in problems, (told, problems)
        assert blob.hex() not in problems


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database, but long enough to look like something" * 100)
    with pytest.raises(DataError, match="cannot be opened"):
        connect(tmp_path / DATABASE, now=NOW)


def test_a_check_looks_each_entry_up(tmp_path: Path) -> None:
    """Through all of a topic's hashes for each of its entries a check would take hours of a large one."""
    db = connect(tmp_path / DATABASE, now=NOW)
    db.create_function("record_key", 2, lambda *_: 0)
    (query,) = (query for told, query in COUNTS.items() if "missing from the index" in told)
    plan = "\n".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}"))
    assert "SEARCH record_index USING PRIMARY KEY (log=? AND hash=? AND seq=?)" in plan
    db.close()


def test_every_hot_query_searches_and_none_scans(tmp_path: Path) -> None:
    """A look-up without its index is right on ten records and useless on a million."""
    db = connect(tmp_path / DATABASE, now=NOW)
    asked: list[str] = []
    db.set_trace_callback(asked.append)
    pairs = "SELECT log, hash, seq FROM pairs CROSS JOIN record_index ON log = a AND hash = b"
    select_by_pairs(db, pairs, [1, 2, 3, 4])
    db.set_trace_callback(None)
    queries = [
        asked[0],
        "SELECT number, retention_days, head FROM logs WHERE id = x'00' AND kind = 1",
        "SELECT max(id) FROM entries WHERE id > 5 AND id < 7",
        "SELECT id, time FROM entries WHERE id > 5 AND id < 7 ORDER BY id LIMIT 64",
        "SELECT position FROM entries WHERE slot = x'00' AND id > 5 AND id < 7 ORDER BY id DESC LIMIT 1",
        "SELECT day, log FROM visits WHERE day <= 9 ORDER BY day, log LIMIT 1",
        "SELECT 1 FROM visits WHERE log = 1 AND day > 9",
        "SELECT id, time FROM entries WHERE id > 5 AND id < 7 AND slot IS NOT NULL AND record IS NOT NULL "
        "ORDER BY id LIMIT 64",
        "DELETE FROM blob_names WHERE entry > 5 AND entry <= 6",
        "SELECT 1 FROM blob_names WHERE blob = x'00'",
        "SELECT number FROM key_packages WHERE owner = 1 AND package IS NOT NULL ORDER BY number LIMIT 1",
    ]
    for query in queries:
        plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {query}")]
        steps = [step for step in plan if step.startswith(("SCAN", "SEARCH", "USE TEMP"))]
        assert steps, query
        assert all(re.match(r"SEARCH|SCAN pairs|SCAN \d+ CONSTANT", step) for step in steps), query
