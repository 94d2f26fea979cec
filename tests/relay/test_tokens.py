"""Tokens at a real relay: what they pay for, that each pays once, and whose keys count."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from polynya.relay.config import OFF
from polynya.relay.limits import MIB
from polynya.relay.store.sqlite import SqliteStore
from polynya.wire.messages import (
    TOKEN_KEY_PERIOD,
    BlobState,
    CreateInbox,
    CreateTopic,
    Done,
    JoinRelay,
    KeyPackagesStored,
    PutBlob,
    PutKeyPackages,
    Refused,
    Response,
    TokenKind,
)
from polynya.wire.tokens import parse_token
from tests.relay.client import expect, refused
from tests.relay.purse import Purse
from tests.relay.tokenworld import Clock, World, world


def blob_of(size: int) -> tuple[bytes, bytes]:
    data = os.urandom(size)
    return hashlib.sha256(data).digest(), data


# ---- what is paid for


async def test_without_a_token_nothing_is_made(relay: World) -> None:
    secret = os.urandom(32)
    blob, data = blob_of(100)
    for request in (
        CreateTopic(secret, 30),
        CreateInbox(secret),
        PutKeyPackages(secret, (b"package",)),
        PutKeyPackages(secret, (), b"last resort"),
        PutKeyPackages(secret, ()),
        PutBlob(blob, 100, 0, data),
    ):
        assert refused(await relay.ask(request)) == "TOKEN", request
    # Asking how much of a blob is there makes nothing, not even a row.
    assert await relay.ask(PutBlob(blob, 100, 0, b"")) == BlobState(0)
    statistics = await relay.running.relay.store.statistics()
    assert (statistics.topics, statistics.inboxes, statistics.blobs) == (0, 0, 0)
    store = relay.running.relay.store
    assert isinstance(store, SqliteStore)
    for query in (
        "SELECT count(*) FROM logs",
        "SELECT count(*) FROM key_package_owners",
        "SELECT count(*) FROM blobs",
        "SELECT count(*) FROM visits",
    ):
        assert store._writer._db.execute(query).fetchone() == (0,), query


async def test_who_has_no_token_uses_up_nobodys_rate(tmp_path: Path) -> None:
    slow: dict[str, Any] = {
        "creations_per_second": 0.001,
        "creations_burst": 2,
        "blob_bytes_per_second": 0.1,
        "blob_bytes_burst": 250,
    }
    async with world(tmp_path / "data", **slow) as relay:
        member = await relay.member()
        first, second, third, fourth = await member.tokens(4)
        blob, data = blob_of(100)
        for _ in range(3):
            for request in (
                CreateTopic(os.urandom(32), 30),
                CreateInbox(os.urandom(32)),
                PutKeyPackages(os.urandom(32), (b"package",)),
                PutBlob(blob, 100, 0, data),
            ):
                assert refused(await relay.ask(request)) == "TOKEN", request
            assert await relay.ask(PutBlob(blob, 100, 50, data[50:])) == BlobState(0)
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, first)))
        expect(Done, await relay.ask(CreateInbox(os.urandom(32), second)))
        assert await relay.ask(PutBlob(blob, 100, 0, data, third)) == BlobState(100)
        assert refused(await relay.ask(CreateTopic(os.urandom(32), 30, fourth))) == "TOO_MANY"
        other, data = blob_of(100)
        assert await relay.ask(PutBlob(other, 100, 0, data, fourth)) == BlobState(100)
        more, data = blob_of(100)
        assert refused(await relay.ask(PutBlob(more, 100, 0, data))) == "TOO_MANY"


async def test_joining_has_a_rate_of_its_own(tmp_path: Path) -> None:
    slow: dict[str, Any] = {"joins_per_second": 0.001, "joins_burst": 2, "joins_per_day": 1}
    async with world(tmp_path / "data", **slow) as relay:
        member = await relay.member()
        (token,) = await member.tokens(1)
        expect(Done, await relay.ask(JoinRelay(os.urandom(32))))
        response = expect(Refused, await relay.ask(JoinRelay(os.urandom(32))))
        assert response.code.name == "TOO_MANY" and (response.retry_after or 0) <= 1_000_000
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, token)))


async def test_a_token_pays_once_and_only_for_what_is_new(relay: World) -> None:
    purse = await relay.member()
    one, two, three, four = await purse.tokens(4)
    topic, inbox, owner = os.urandom(32), os.urandom(32), os.urandom(32)
    blob, data = blob_of(100)
    paid: list[tuple[CreateTopic | CreateInbox | PutKeyPackages | PutBlob, Response]] = [
        (CreateTopic(topic, 30, one), Done()),
        (CreateInbox(inbox, two), Done()),
        (PutKeyPackages(owner, (b"package",), b"last", three), KeyPackagesStored(1)),
        (PutBlob(blob, 100, 0, data, four), BlobState(100)),
    ]
    for number, (request, answer) in enumerate(paid, 1):
        assert await relay.ask(request) == answer
        assert relay.spent() == number
    # The same again, with the same token, with none and with another: it is there, and nothing is spent.
    (spare,) = await purse.tokens(1)
    for token in (None, spare, b"x" * 354):
        for request, answer in paid:
            assert await relay.ask(request) == answer
            assert await relay.ask(replace(request, token=token)) == answer
    assert relay.spent() == 4
    # Each is worth nothing for anything else.
    for token in (one, two, three, four):
        assert refused(await relay.ask(CreateTopic(os.urandom(32), 30, token))) == "TOKEN"
        assert refused(await relay.ask(CreateInbox(os.urandom(32), token))) == "TOKEN"
        assert refused(await relay.ask(PutKeyPackages(owner, (b"more",), None, token))) == "TOKEN"
        assert refused(await relay.ask(PutKeyPackages(owner, (), b"other", token))) == "TOKEN"
        assert (
            refused(await relay.ask(PutBlob(hashlib.sha256(token).digest(), 100, 0, data, token))) == "TOKEN"
        )
    expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, spare)))
    assert relay.spent() == 5


async def test_what_is_refused_for_another_reason_spends_nothing(relay: World) -> None:
    purse = await relay.member()
    one, two = await purse.tokens(2)
    topic = os.urandom(32)
    expect(Done, await relay.ask(CreateTopic(topic, 30, one)))
    assert refused(await relay.ask(CreateTopic(topic, 7, two))) == "EXISTS"
    blob, data = blob_of(100)
    assert refused(await relay.ask(PutBlob(blob, 10, 0, data, two))) == "BAD_REQUEST"
    assert relay.spent() == 1
    expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, two)))


async def test_each_mib_of_a_blob_is_paid_for_before_it_is_written(relay: World) -> None:
    purse = await relay.member()
    tokens = await purse.tokens(4)
    blob, data = blob_of(2 * MIB + 50_000)
    part = 60_000

    async def put(at: int, token: bytes | None) -> Response:
        return await relay.ask(PutBlob(blob, len(data), at, data[at : at + part], token))

    at, used = 0, 0
    while at < len(data):
        end = min(at + part, len(data))
        begins = -(-at // MIB) * MIB < end
        if begins:
            assert refused(await put(at, None)) == "TOKEN"
            if used:
                assert refused(await put(at, tokens[used - 1])) == "TOKEN"
            assert await relay.ask(PutBlob(blob, len(data), at, b"")) == BlobState(at)
        assert await put(at, tokens[used] if begins else None) == BlobState(end)
        used += begins
        at = end
        assert relay.spent() == used
    assert used == 3
    assert await put(0, None) == BlobState(len(data))
    assert await put(0, tokens[3]) == BlobState(len(data))
    assert relay.spent() == 3


async def test_a_blob_begun_with_one_token_goes_on_after_it_was_forgotten(relay: World) -> None:
    """A wrong hash at the end: the relay forgets it all, and the same tokens still pay for the same bytes."""
    purse = await relay.member()
    (token,) = await purse.tokens(1)
    blob, data = blob_of(1_000)
    assert await relay.ask(PutBlob(blob, 1_000, 0, data[:500], token)) == BlobState(500)
    assert refused(await relay.ask(PutBlob(blob, 1_000, 500, bytes(500)))) == "BAD_REQUEST"
    assert await relay.ask(PutBlob(blob, 1_000, 0, data[:500], token)) == BlobState(500)
    assert await relay.ask(PutBlob(blob, 1_000, 500, data[500:])) == BlobState(1_000)
    assert relay.spent() == 1


async def test_tokens_of_another_kind_relay_or_making_pay_for_nothing(tmp_path: Path) -> None:
    async with world(tmp_path / "one") as one, world(tmp_path / "two") as two:
        purse, other = await one.member(), await two.member()
        (use,) = await purse.tokens(1)
        (join,) = await purse.tokens(1, TokenKind.JOIN)
        (foreign,) = await other.tokens(1)
        wrong = {
            "another kind": join,
            "another relay": foreign,
            "a bit of the nonce": flipped(use, 2),
            "a bit of the challenge": flipped(use, 34),
            "a bit of the key": flipped(use, 66),
            "a bit of the signature": flipped(use, 353),
            "another type": b"\0\1" + use[2:],
            "noise": os.urandom(354),
            # A signature of this key, and the other kind's or relay's words around it.
            "this key, the foreign challenge": use[:34] + foreign[34:66] + use[66:],
            "this key, the challenge of a join": use[:34] + join[34:66] + use[66:],
        }
        for name, token in wrong.items():
            assert refused(await one.ask(CreateTopic(os.urandom(32), 30, token))) == "TOKEN", name
        assert refused(await one.ask(JoinRelay(os.urandom(32), use))) == "TOKEN"
        assert one.spent() == 0
        expect(Done, await one.ask(CreateTopic(os.urandom(32), 30, use)))
        expect(Done, await two.ask(CreateTopic(os.urandom(32), 30, foreign)))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


async def test_a_token_for_use_signed_with_the_key_for_joining_is_refused(relay: World) -> None:
    """The relay signs blindly: what the words inside say must not count where the key is another kind's."""
    purse = await relay.member()
    keys = await purse.keys()
    join_key = keys.newest(TokenKind.JOIN)
    pending = await purse.begin(1, TokenKind.JOIN, key=replace(join_key, kind=TokenKind.USE))
    request = replace(pending.request, kind=TokenKind.JOIN)
    (token,) = pending.finish(await relay.ask(request))
    assert refused(await relay.ask(CreateTopic(os.urandom(32), 30, token))) == "TOKEN"
    assert refused(await relay.ask(JoinRelay(os.urandom(32), token))) == "TOKEN"


async def test_a_relay_that_wants_no_tokens_ignores_them_and_issues_them_all_the_same(tmp_path: Path) -> None:
    async with world(tmp_path / "data", tokens=OFF) as relay:
        purse = await relay.member()
        (token,) = await purse.tokens(1)
        for given in (None, token, os.urandom(354)):
            expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, given)))
        assert relay.spent() == 0
    async with world(tmp_path / "data") as relay:
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, token)))
        assert relay.spent() == 1


# ---- each pays once


async def test_a_token_that_pays_for_many_at_once_pays_for_one(relay: World) -> None:
    purse = await relay.member()
    (token,) = await purse.tokens(1)
    secrets = [os.urandom(32) for _ in range(30)]
    answers = await asyncio.gather(*(relay.ask(CreateTopic(secret, 30, token)) for secret in secrets))
    done = [secret for secret, answer in zip(secrets, answers, strict=True) if answer == Done()]
    assert len(done) == 1
    assert {refused(answer) for answer in answers if isinstance(answer, Refused)} == {"TOKEN"}
    assert (await relay.running.relay.store.statistics()).topics == 1


# ---- keys


async def test_tokens_are_taken_for_eight_weeks_and_issued_with_the_newest_key(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock) as relay:
        purse = await relay.member()
        old_key = (await purse.keys()).newest(TokenKind.USE)
        early, late, over = await purse.tokens(3)
        assert parse_token(early).key_id == hashlib.sha256(old_key.spki).digest()
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, early)))
        clock.now += TOKEN_KEY_PERIOD
        relay.client.config = None
        relay.running.relay.refresh_keys()
        pending = await purse.begin(1, key=old_key)
        assert refused(await relay.ask(pending.request)) == "TOKEN_KEY"
        assert (await purse.keys()).newest(TokenKind.USE) != old_key
        (new,) = await purse.tokens(1)
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, late)))
        clock.now = old_key.not_after - 1
        relay.running.relay.refresh_keys()
        relay.client.config = None
        assert refused(await relay.ask(CreateTopic(os.urandom(32), 30, late))) == "TOKEN"
        clock.now = old_key.not_after
        assert refused(await relay.ask(CreateTopic(os.urandom(32), 30, over))) == "TOKEN"
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, new)))


async def test_an_unknown_key_is_told(relay: World) -> None:
    purse = await relay.member()
    pending = await purse.begin(1)
    for wrong in (
        replace(pending.request, key_id=os.urandom(32)),
        replace(pending.request, kind=TokenKind.JOIN),
    ):
        assert refused(await relay.ask(wrong)) == "TOKEN_KEY"


async def test_keys_of_a_relay_are_the_same_for_all_and_across_restarts(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock) as relay:
        seen = await Purse(relay.client).keys()
        assert await Purse(relay.client).keys() == seen
    clock.now += TOKEN_KEY_PERIOD
    async with world(tmp_path / "data", clock) as relay:
        again = await Purse(relay.client).keys()
        assert set(again.keys) & set(seen.keys) == {
            key for key in seen.keys if key.not_before == 740 * TOKEN_KEY_PERIOD
        }
