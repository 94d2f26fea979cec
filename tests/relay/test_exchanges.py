"""Sealed exchanges over real HTTP."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from polynya.carriers.base import CarrierError, CarrierProblem
from polynya.relay.limits import REQUEST_MAX, Limits
from polynya.relay.server import RunningRelay
from polynya.wire.exchange import seal_request
from polynya.wire.labels import inbox_id, owner_id, topic_id
from polynya.wire.messages import (
    BLOB_PART,
    PROTOCOL_VERSION,
    BlobPart,
    BlobState,
    CreateInbox,
    CreateTopic,
    DeleteInbox,
    Done,
    Drop,
    Exchange,
    Fetch,
    FetchInbox,
    GetBlob,
    KeyPackagesStored,
    KeyPackageTaken,
    Ping,
    Publish,
    Published,
    PutBlob,
    PutKeyPackages,
    Records,
    Subscribe,
    TakeKeyPackage,
    TrimInbox,
)
from tests.relay.client import RANDOM, Client, expect, refused
from tests.support.relay import running_relay


async def test_every_verb_works_without_a_session(client: Client) -> None:
    secret, read_secret, owner = os.urandom(32), os.urandom(32), os.urandom(32)
    topic, inbox = topic_id(secret), inbox_id(read_secret)
    ask = client.exchange
    assert refused(await ask(Publish(secret, b"x" * 40))) == "UNKNOWN_TOPIC"
    expect(Done, await ask(CreateTopic(secret, 30)))
    assert refused(await ask(CreateTopic(secret, 7))) == "EXISTS"
    assert expect(Published, await ask(Publish(secret, b"x" * 40))).seq == 1
    assert expect(Records, await ask(Fetch(topic, 0, 64))).entries[0].record == b"x" * 40
    assert refused(await ask(Drop(inbox, b"x" * 40))) == "UNKNOWN_INBOX"
    expect(Done, await ask(CreateInbox(read_secret)))
    expect(Published, await ask(Drop(inbox, b"x" * 40)))
    assert len(expect(Records, await ask(FetchInbox(read_secret, 0, 64))).entries) == 1
    expect(Done, await ask(TrimInbox(read_secret, 1)))
    assert expect(Records, await ask(FetchInbox(read_secret, 0, 64))) == Records((), 1)
    expect(Done, await ask(DeleteInbox(read_secret)))
    assert refused(await ask(FetchInbox(read_secret, 0, 64))) == "UNKNOWN_INBOX"
    assert refused(await ask(TakeKeyPackage(owner_id(owner)))) == "NO_KEY_PACKAGE"
    assert await ask(PutKeyPackages(owner, (b"one",), b"last")) == KeyPackagesStored(1)
    assert await ask(TakeKeyPackage(owner_id(owner))) == KeyPackageTaken(b"one", False)
    assert await ask(TakeKeyPackage(owner_id(owner))) == KeyPackageTaken(b"last", True)
    assert refused(await ask(Subscribe((topic,), ()))) == "SESSION_ONLY"
    expect(Done, await ask(Ping()))


async def test_blobs_of_the_largest_parts(client: Client) -> None:
    data = os.urandom(BLOB_PART + 1_000)
    blob = hashlib.sha256(data).digest()
    assert refused(await client.exchange(GetBlob(blob, 0, 10))) == "UNKNOWN_BLOB"
    first = PutBlob(blob, len(data), 0, data[:BLOB_PART])
    assert await client.exchange(first) == BlobState(BLOB_PART)
    assert await client.exchange(first) == BlobState(BLOB_PART)
    assert await client.exchange(PutBlob(blob, len(data), BLOB_PART, data[BLOB_PART:])) == BlobState(
        len(data)
    )
    assert await client.exchange(GetBlob(blob, 0, BLOB_PART)) == BlobPart(len(data), data[:BLOB_PART])
    secret = os.urandom(32)
    await client.exchange(CreateTopic(secret, 30))
    assert (
        refused(await client.exchange(Publish(secret, b"x" * 40, None, (os.urandom(32),)))) == "UNKNOWN_BLOB"
    )
    expect(Published, await client.exchange(Publish(secret, b"x" * 40, None, (blob,))))
    wrong = PutBlob(os.urandom(32), 5, 0, b"other")
    assert refused(await client.exchange(wrong)) == "BAD_REQUEST"


async def test_a_page_of_the_largest_records_fits_an_answer(client: Client) -> None:
    secret = os.urandom(32)
    async with client.session() as session:
        await session.call(CreateTopic(secret, 30))
        for _ in range(40):
            expect(Published, await session.call(Publish(secret, os.urandom(4096), os.urandom(16))))
    seen: list[int] = []
    while True:
        records = expect(Records, await client.exchange(Fetch(topic_id(secret), len(seen), 64)))
        if not records.entries:
            break
        seen += [entry.seq for entry in records.entries]
    assert seen == list(range(1, 41))


async def test_a_wrong_clock_is_refused_with_the_relays_time(client: Client) -> None:
    for wrong in (client.clock() - 700_000, client.clock() + 700_000):
        answer = await client.answer(Ping(), time=wrong)
        assert refused(answer.response) == "CLOCK"
        assert abs(answer.time - client.clock()) < 60_000
        assert (await client.answer(Ping(), time=answer.time)).response == Done()


async def test_a_recorded_request_is_refused(client: Client) -> None:
    body, opener = seal_request(
        await client.keys(), Exchange(PROTOCOL_VERSION, client.clock(), Ping()), RANDOM
    )
    assert opener.open(await client.https.exchange(body)).response == Done()
    assert refused(opener.open(await client.https.exchange(body)).response) == "REPEATED"


async def test_a_version_from_the_future_is_refused(client: Client) -> None:
    answer = await client.answer(Ping(), version=PROTOCOL_VERSION + 1)
    assert refused(answer.response) == "BAD_REQUEST"


async def test_what_cannot_be_opened_is_400_and_nothing_more(running: RunningRelay, client: Client) -> None:
    body, _ = seal_request(await client.keys(), Exchange(PROTOCOL_VERSION, client.clock(), Ping()), RANDOM)
    damaged = [
        b"",
        b"\x00",
        os.urandom(1_400),
        body[:-1],
        body[:-1] + bytes([body[-1] ^ 1]),
        bytes([body[0] ^ 1]) + body[1:],
        body[:200] + bytes([body[200] ^ 1]) + body[201:],
        body + b"\x00",
    ]
    answers = set()
    async with aiohttp.ClientSession() as http:
        for data in damaged:
            async with http.post(f"{running.address}/x", data=data) as response:
                headers = tuple(sorted(set(response.headers) - {"Date"}))
                answers.add((response.status, await response.read(), headers))
        async with http.post(f"{running.address}/x", data=bytes(REQUEST_MAX + 1)) as response:
            assert response.status == 413
    assert len(answers) == 1
    assert next(iter(answers))[:2] == (400, b"")


async def test_any_type_is_taken_and_browsers_elsewhere_may_read(
    running: RunningRelay, client: Client
) -> None:
    config = await client.keys()
    async with aiohttp.ClientSession() as http:
        for kind in ("text/plain", "application/octet-stream", "message/ohttp-req"):
            body, opener = seal_request(config, Exchange(PROTOCOL_VERSION, client.clock(), Ping()), RANDOM)
            async with http.post(
                f"{running.address}/x", data=body, headers={"Content-Type": kind, "Origin": "null"}
            ) as response:
                assert response.headers["Access-Control-Allow-Origin"] == "*"
                assert response.headers["Cache-Control"] == "no-store"
                assert opener.open(await response.read()).response == Done()
        async with http.options(f"{running.address}/x", headers={"Origin": "null"}) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Headers"] == "content-type"


async def test_too_many_requests_are_told_when_to_come_back(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=0, opens_per_second=0.01, opens_burst=3)
    async with running_relay(tmp_path, limits=limits) as running:
        client = Client(running.address, running.identity)
        for _ in range(3):
            await client.exchange(Ping())
        with pytest.raises(CarrierError) as caught:
            await client.exchange(Ping())
        assert caught.value.problem is CarrierProblem.NOT_A_RELAY
        assert "503" in caught.value.detail
        await client.close()


async def test_rates_are_refused_with_a_time(tmp_path: Path) -> None:
    limits = replace(
        Limits(),
        disk_reserve=0,
        publishes_per_second=0.01,
        publishes_burst=2,
        creations_per_second=0.01,
        creations_burst=2,
        takes_per_second=0.01,
        takes_burst=1,
        drops_per_second=0.01,
        drops_burst=1,
        blob_bytes_per_second=1.0,
        blob_bytes_burst=1_000,
    )
    secret, other, owner = os.urandom(32), os.urandom(32), os.urandom(32)
    async with running_relay(tmp_path, limits=limits) as running:
        client = Client(running.address, running.identity)
        ask = client.exchange
        expect(Done, await ask(CreateTopic(secret, 30)))
        expect(KeyPackagesStored, await ask(PutKeyPackages(owner, (b"one", b"two"), b"last")))
        response = await ask(CreateTopic(other, 30))
        assert refused(response) == "TOO_MANY"
        assert 0 < (getattr(response, "retry_after", None) or 0) <= 100_000
        for _ in range(2):
            expect(Published, await ask(Publish(secret, os.urandom(40))))
        assert refused(await ask(Publish(secret, os.urandom(40)))) == "TOO_MANY"
        # One-time packages cannot be drained: beyond the rate the last-resort one is handed out.
        assert await ask(TakeKeyPackage(owner_id(owner))) == KeyPackageTaken(b"one", False)
        assert await ask(TakeKeyPackage(owner_id(owner))) == KeyPackageTaken(b"last", True)
        assert refused(await ask(Drop(os.urandom(32), b"x" * 40))) == "UNKNOWN_INBOX"
        blob = hashlib.sha256(bytes(2_000)).digest()
        expect(BlobState, await ask(PutBlob(blob, 2_000, 0, bytes(1_000))))
        assert refused(await ask(PutBlob(blob, 2_000, 1_000, bytes(1_000)))) == "TOO_MANY"
        await client.close()
