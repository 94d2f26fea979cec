"""What a relay and its store refuse in corners that no ordinary client gets to."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from polynya.carriers.base import CarrierError
from polynya.relay.limits import HELLO_MAX, Limits
from polynya.relay.store import blobs
from polynya.relay.store.base import FREE, Problem, StoreError
from polynya.relay.store.sqlite import SqliteStore, open_store
from polynya.wire import session
from polynya.wire.labels import inbox_id
from polynya.wire.messages import PROTOCOL_VERSION, CreateInbox, Done, Drop
from polynya.wire.session import start_session
from tests.relay.client import RANDOM, Client, expect, refused
from tests.relay.store_conformance import sign
from tests.relay.storing import NOW
from tests.support.relay import running_relay

EVERYTHING = 2**62
"""Bytes of the disk that are kept free: no disk has so many."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    yield store
    await store.close()


def blob_of(size: int) -> tuple[bytes, bytes]:
    data = os.urandom(size)
    return hashlib.sha256(data).digest(), data


async def fails(problem: Problem, work: object) -> None:
    with pytest.raises(StoreError) as caught:
        await work  # type: ignore[misc]
    assert caught.value.problem == problem


# ---- the store ----


async def test_a_blob_of_no_bytes(store: SqliteStore) -> None:
    await fails(Problem.WRONG, store.put_blob(hashlib.sha256(b"").digest(), 0, 0, b"", NOW))


async def test_no_blob_is_begun_or_goes_on_where_the_disk_is_full(tmp_path: Path) -> None:
    blob, data = blob_of(2_000)
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    assert await store.put_blob(blob, 2_000, 0, data[:1_000], NOW) == 1_000
    await store.close()
    store = await open_store(tmp_path, sign, time=NOW, reserve=EVERYTHING)
    await fails(Problem.FULL, store.put_blob(blob, 2_000, 1_000, data[1_000:], NOW))
    await fails(Problem.FULL, store.put_blob(os.urandom(32), 2_000, 0, data[:1_000], NOW))
    assert await store.put_blob(blob, 2_000, 0, b"", NOW) == 1_000, "asking how far it came costs nothing"
    await store.close()


async def test_a_growing_blob_that_lost_bytes(store: SqliteStore) -> None:
    blob, data = blob_of(2_000)
    await store.put_blob(blob, 2_000, 0, data[:1_000], NOW)
    os.truncate(store._files._growing(blob), 10)
    await fails(Problem.FAILED, store.put_blob(blob, 2_000, 1_000, data[1_000:], NOW))


async def test_a_blob_that_is_not_known_to_be_whole_is_not_read(tmp_path: Path) -> None:
    """The power failed between the file's move and the word of it."""
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    blob, data = blob_of(2_000)
    await store.put_blob(blob, 2_000, 0, data[:1_000], NOW)
    store._files.write(blob, 1_000, data[1_000:])
    assert store._files.finish(blob, 2_000)
    await fails(Problem.UNKNOWN, store.get_blob(blob, 0, 10))
    await store.close()


@pytest.mark.parametrize("first", [0, 1_000])
async def test_a_crash_between_a_blobs_file_and_its_row(tmp_path: Path, first: int) -> None:
    """The file is in its place, the row knows all but the last part: who sends that part again has a whole blob."""
    blob, data = blob_of(2_000)
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    await store.put_blob(blob, 2_000, 0, data[:first], NOW)
    store._files.write(blob, first, data[first:])
    assert store._files.finish(blob, 2_000)
    await store.close()
    store = await open_store(tmp_path, sign, time=NOW, reserve=0)
    assert await store.put_blob(blob, 2_000, first, data[first:], NOW) == 2_000
    assert await store.get_blob(blob, 0, 2_000) == (2_000, data)
    assert not list((tmp_path / "blobs" / "incoming").iterdir())
    await store.close()


async def test_a_blob_whose_file_is_gone(store: SqliteStore) -> None:
    blob, data = blob_of(500)
    await store.put_blob(blob, 500, 0, data, NOW)
    store._files._place(blob).unlink()
    await fails(Problem.UNKNOWN, store.get_blob(blob, 0, 10))


async def test_a_blob_has_one_size(store: SqliteStore) -> None:
    blob, data = blob_of(500)
    await store.put_blob(blob, 500, 0, data[:100], NOW)
    await fails(Problem.EXISTS, store._writer.run(lambda db, _: blobs.begin(db, blob, 501, 100, NOW, FREE)))
    await fails(Problem.EXISTS, store.put_blob(blob, 501, 100, data[100:], NOW))


async def test_an_inbox_that_is_not_there_is_not_trimmed(store: SqliteStore) -> None:
    await fails(Problem.UNKNOWN, store.trim_inbox(os.urandom(32), 5, NOW))


# ---- the relay ----


@pytest.mark.parametrize("version", [0, PROTOCOL_VERSION + 1])
async def test_a_session_of_another_version(
    client: Client, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = await client.keys()
    monkeypatch.setattr(session, "PROTOCOL_VERSION", version)
    hello, _ = start_session(config, client.clock(), RANDOM)
    stream = await client.websocket.stream()
    await stream.send(hello)
    with pytest.raises(CarrierError) as caught:
        await stream.receive()
    assert caught.value.close_code == 1008


async def test_a_hello_that_is_longer_than_any_is_not_opened(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    monkeypatch.setattr("polynya.relay.session.open_hello", lambda keys, data: opened.append(len(data)))
    hello, _ = start_session(await client.keys(), client.clock(), RANDOM)
    stream = await client.websocket.stream()
    await stream.send(hello + bytes(HELLO_MAX + 1 - len(hello)))
    with pytest.raises(CarrierError) as caught:
        await stream.receive()
    assert (caught.value.close_code, opened) == (1008, [])


async def test_drops_into_one_inbox_are_bounded(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=0, drops_per_second=0.01, drops_burst=2)
    async with running_relay(tmp_path, limits=limits) as running:
        client = Client(running.address, running.identity)
        inboxes = [os.urandom(32), os.urandom(32)]
        for secret in inboxes:
            expect(Done, await client.exchange(CreateInbox(secret)))
        for _ in range(2):
            await client.exchange(Drop(inbox_id(inboxes[0]), os.urandom(512)))
        assert refused(await client.exchange(Drop(inbox_id(inboxes[0]), os.urandom(512)))) == "TOO_MANY"
        await client.exchange(Drop(inbox_id(inboxes[1]), os.urandom(512)))
        await client.close()
