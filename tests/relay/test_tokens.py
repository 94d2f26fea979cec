"""Tokens at a real relay: who is issued how many, what they pay for, and that each pays once."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from polynya.relay.config import OFF, REQUIRED
from polynya.relay.limits import MIB, Limits
from polynya.relay.server import RunningRelay
from polynya.relay.store.base import DAY, Payment, Problem, StoreError, key_number
from polynya.relay.store.sqlite import SqliteStore
from polynya.wire.messages import (
    TOKEN_KEY_PERIOD,
    BlobState,
    CreateInbox,
    CreateTopic,
    DeleteInbox,
    Done,
    IssueTokens,
    JoinRelay,
    KeyPackagesStored,
    PutBlob,
    PutKeyPackages,
    Refused,
    Request,
    Response,
    TokenKind,
    TokensIssued,
)
from polynya.wire.tokens import parse_token
from tests.relay.client import Client, expect, refused
from tests.relay.purse import Purse, invitation
from tests.support.relay import running_relay

LIMITS = replace(Limits(), disk_reserve=0)
START = 740 * TOKEN_KEY_PERIOD + 5_000
"""ms: early in a period of the token keys, and in a day."""


class Clock:
    def __init__(self, now: int = START) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class World:
    """A relay that wants tokens, and one client of it."""

    def __init__(self, data: Path, running: RunningRelay, client: Client, clock: Clock) -> None:
        self.data = data
        self.running = running
        self.client = client
        self.clock = clock

    async def ask(self, request: Request) -> Response:
        return await self.client.exchange(request)

    async def member(self, token: bytes | None = None) -> Purse:
        """One who was invited, by the relay's owner if `token` says nothing else."""
        purse = Purse(self.client)
        token = token or await invitation(self.client, self.data)
        expect(Done, await self.ask(JoinRelay(purse.secret, token)))
        return purse

    async def stranger(self) -> Purse:
        """A member who has the relay's link and no more."""
        purse = Purse(self.client)
        expect(Done, await self.ask(JoinRelay(purse.secret)))
        return purse

    def spent(self, kind: TokenKind = TokenKind.USE) -> int:
        store = self.running.relay.store
        assert isinstance(store, SqliteStore)
        keys = [row[0] for row in store._writer._db.execute("SELECT key FROM spent_tokens")]
        first = key_number(kind, 0)
        return sum(key % len(TokenKind) == first for key in keys)


@asynccontextmanager
async def world(data: Path, clock: Clock | None = None, **changed: Any) -> AsyncIterator[World]:
    clock = clock or Clock()
    tokens = changed.pop("tokens", REQUIRED)
    limits = replace(LIMITS, **changed)
    async with running_relay(data, clock=clock, limits=limits, tokens=tokens, local="off") as running:
        client = Client(running.address, running.identity, clock)
        yield World(data, running, client, clock)
        await client.close()


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "data") as made:
        yield made


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


async def test_taken_key_packages_are_paid_for_again_and_full_stocks_are_not(relay: World) -> None:
    purse = await relay.member()
    tokens = await purse.tokens(8)
    owner = os.urandom(32)
    for number in range(5):
        batch = tuple(b"%d %d" % (number, at) for at in range(10))
        expect(KeyPackagesStored, await relay.ask(PutKeyPackages(owner, batch, None, tokens[number])))
    assert relay.spent() == 5
    # The stock is full: more is not kept, so it is not paid for.
    assert await relay.ask(PutKeyPackages(owner, (b"more",), None, None)) == KeyPackagesStored(50)
    assert relay.spent() == 5


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


async def test_a_token_pays_once_within_one_transaction(relay: World) -> None:
    store = relay.running.relay.store
    assert isinstance(store, SqliteStore)
    blocked = asyncio.Event()
    loop = asyncio.get_running_loop()
    hold = store._writer.run(lambda db, _: asyncio.run_coroutine_threadsafe(blocked.wait(), loop).result(60))
    payments = [Payment(9, bytes(32), number.to_bytes(16, "big")) for number in range(40)]
    making = [
        asyncio.ensure_future(store.create_topic(payment.request * 2, 30, START, payment))
        for payment in (*payments, *payments)
    ]
    await asyncio.sleep(0)
    before = store._writer.commits
    blocked.set()
    await hold
    outcomes = await asyncio.gather(*making, return_exceptions=True)
    assert store._writer.commits - before <= 3, "they were not in one batch"
    made = [number % 40 for number, outcome in enumerate(outcomes) if outcome is None]
    assert made == [0, 0], "the first, and the same request again"
    problems = {outcome.problem for outcome in outcomes if isinstance(outcome, StoreError)}
    assert problems == {Problem.TOKEN}


async def test_spent_tokens_are_remembered_across_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock) as relay:
        purse = await relay.member()
        one, two = await purse.tokens(2)
        secret = os.urandom(32)
        expect(Done, await relay.ask(CreateTopic(secret, 30, one)))
    async with world(tmp_path / "data", clock) as relay:
        assert refused(await relay.ask(CreateTopic(os.urandom(32), 30, one))) == "TOKEN"
        expect(Done, await relay.ask(CreateTopic(secret, 30, one)))
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, two)))


async def test_a_deleted_inbox_gives_no_token_back(relay: World) -> None:
    purse = await relay.member()
    (token,) = await purse.tokens(1)
    secret = os.urandom(32)
    expect(Done, await relay.ask(CreateInbox(secret, token)))
    expect(Done, await relay.ask(DeleteInbox(secret)))
    assert refused(await relay.ask(CreateInbox(os.urandom(32), token))) == "TOKEN"


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


# ---- members


async def test_who_is_no_member_is_issued_nothing(relay: World) -> None:
    stranger = Purse(relay.client)
    pending = await stranger.begin(1)
    assert refused(await relay.ask(pending.request)) == "NO_MEMBER"


async def test_joining_again_changes_and_spends_nothing(relay: World) -> None:
    member = await relay.member()
    (join,) = await member.tokens(1, TokenKind.JOIN)
    before = await member.tokens(512)
    assert len(set(before)) == 512
    expect(Done, await relay.ask(JoinRelay(member.secret)))
    expect(Done, await relay.ask(JoinRelay(member.secret, join)))
    expect(Done, await relay.ask(JoinRelay(member.secret, os.urandom(354))))
    assert relay.spent(TokenKind.JOIN) == 1, "its own"
    assert refused(await relay.ask((await member.begin(1)).request)) == "TOO_MANY"
    friend = await relay.member(join)
    assert relay.spent(TokenKind.JOIN) == 2
    assert len(await friend.tokens(3)) == 3
    expect(Done, await relay.ask(JoinRelay(friend.secret, join)))
    assert refused(await relay.ask(JoinRelay(os.urandom(32), join))) == "TOKEN"


async def test_by_the_link_alone_so_many_join_in_a_day(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock, joins_per_day=2) as relay:
        first = await relay.stranger()
        await relay.stranger()
        response = expect(Refused, await relay.ask(JoinRelay(os.urandom(32))))
        assert response.code.name == "TOO_MANY"
        assert response.retry_after == DAY - 5_000
        # Whoever has a token joins, and whoever is a member stays one.
        await relay.member()
        expect(Done, await relay.ask(JoinRelay(first.secret)))
    async with world(tmp_path / "data", clock, joins_per_day=2) as relay:
        assert refused(await relay.ask(JoinRelay(os.urandom(32)))) == "TOO_MANY", "a restart forgets nobody"
        clock.now += DAY
        await relay.stranger()


async def test_all_new_members_of_a_day_are_bounded(tmp_path: Path) -> None:
    """Else a few who invite one another, each new one with tokens to invite more, are thousands on the same day."""
    clock = Clock()
    async with world(tmp_path / "data", clock, members_per_day=3) as relay:
        await relay.stranger()
        first = await relay.member()
        joins = await first.tokens(3, TokenKind.JOIN)
        await relay.member(joins[0])
        response = expect(Refused, await relay.ask(JoinRelay(os.urandom(32), joins[1])))
        assert (response.code.name, response.retry_after) == ("TOO_MANY", DAY - 5_000)
        assert refused(await relay.ask(JoinRelay(os.urandom(32)))) == "TOO_MANY"
        expect(Done, await relay.ask(JoinRelay(first.secret)))
        clock.now += DAY
        # What was refused has spent nothing.
        await relay.member(joins[1])


async def test_who_came_by_the_link_alone_has_little_and_invites_nobody(tmp_path: Path) -> None:
    clock = Clock()
    small: dict[str, Any] = {
        "open_use_tokens_first": 4,
        "open_use_tokens_per_day": 2,
        "open_use_tokens_saved": 5,
    }
    async with world(tmp_path / "data", clock, **small) as relay:
        stranger = await relay.stranger()
        for count in (1, 64):
            pending = await stranger.begin(count, TokenKind.JOIN)
            assert refused(await relay.ask(pending.request)) == "TOO_LARGE"
        assert len(await stranger.tokens(4)) == 4
        assert refused(await relay.ask((await stranger.begin(1)).request)) == "TOO_MANY"
    async with world(tmp_path / "data", clock, **small) as relay:
        stranger.client = relay.client
        clock.now += 30 * DAY
        relay.client.config = None
        relay.running.relay.refresh_keys()
        assert refused(await relay.ask((await stranger.begin(6)).request)) == "TOO_LARGE"
        assert len(await stranger.tokens(5)) == 5
        assert refused(await relay.ask((await stranger.begin(1, TokenKind.JOIN)).request)) == "TOO_LARGE"


async def test_a_closed_relay_takes_those_with_a_token(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock) as relay:
        (join,) = await (await relay.member()).tokens(1, TokenKind.JOIN)
    async with world(tmp_path / "data", clock, joins_per_day=0) as relay:
        assert refused(await relay.ask(JoinRelay(os.urandom(32)))) == "TOKEN"
        await relay.member(join)
    assert Limits(joins_per_day=0).open_bytes_per_day == 0


async def test_a_member_is_issued_what_it_has_saved(tmp_path: Path) -> None:
    small: dict[str, Any] = {
        "use_tokens_first": 5,
        "use_tokens_per_day": 2,
        "use_tokens_saved": 6,
        "join_tokens_first": 1,
        "join_tokens_per_day": 0,
        "join_tokens_saved": 1,
        "issues_burst": 1_000,
    }
    clock = Clock()
    async with world(tmp_path / "data", clock, **small) as relay:
        member = await relay.member()

        async def wait_for(count: int, kind: TokenKind = TokenKind.USE) -> int | None:
            response = expect(Refused, await relay.ask((await member.begin(count, kind)).request))
            assert response.code.name == "TOO_MANY"
            return response.retry_after

        assert len(await member.tokens(3)) == 3
        assert await wait_for(3) == DAY - 5_000
        assert await wait_for(6) == 2 * DAY - 5_000
        assert refused(await relay.ask((await member.begin(7)).request)) == "TOO_LARGE"
        assert len(await member.tokens(1, TokenKind.JOIN)) == 1
        assert await wait_for(1, TokenKind.JOIN) is None, "never again"
        clock.now += DAY - 5_001
        assert await wait_for(3) == 1
        clock.now += 1
        assert len(await member.tokens(4)) == 4
        assert await wait_for(1) == DAY
        clock.now += 30 * DAY
        relay.running.relay.refresh_keys()
        relay.client.config = None
        assert len(await member.tokens(6)) == 6
        assert await wait_for(1) == DAY
        # A clock that was a year ahead when tokens were asked for holds nobody up later.
        clock.now += 200 * DAY
        relay.client.config = None
        relay.running.relay.refresh_keys()
        assert len(await member.tokens(6)) == 6
        clock.now -= 200 * DAY
        relay.client.config = None
        relay.running.relay.refresh_keys()
        assert await wait_for(1) == DAY
        clock.now += DAY
        assert len(await member.tokens(2)) == 2


async def test_the_same_request_gives_the_same_signatures_and_counts_once(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock, use_tokens_first=4, use_tokens_per_day=0) as relay:
        member = await relay.member()
        pending = await member.begin(3)
        first = expect(TokensIssued, await relay.ask(pending.request))
        assert await relay.ask(pending.request) == first
        # One of another kind between does not make it another one.
        await member.tokens(2, TokenKind.JOIN)
    async with world(tmp_path / "data", clock, use_tokens_first=4, use_tokens_per_day=0) as relay:
        member.client = relay.client
        assert await relay.ask(pending.request) == first
        clock.now += TOKEN_KEY_PERIOD
        relay.client.config = None
        relay.running.relay.refresh_keys()
        assert await relay.ask(pending.request) == first, "a newer key changes nothing"
        (token, *_) = pending.finish(first)
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, token)))
        shorter = replace(pending.request, blinded=pending.request.blinded[:2])
        assert refused(await relay.ask(shorter)) == "TOKEN_KEY"
        assert len(await member.tokens(1)) == 1
        assert refused(await relay.ask((await member.begin(1)).request)) == "TOO_MANY"


async def test_what_cannot_be_signed_is_refused_and_not_counted(tmp_path: Path) -> None:
    async with world(tmp_path / "data", use_tokens_first=2) as relay:
        member = await relay.member()
        pending = await member.begin(1)
        (good,) = pending.request.blinded
        for wrong in (bytes(256), b"\xff" * 256):
            bad = replace(pending.request, blinded=(good, wrong))
            assert refused(await relay.ask(bad)) == "BAD_REQUEST"
        assert expect(TokensIssued, await relay.ask(replace(pending.request, blinded=()))).signatures == ()
        assert len(await member.tokens(2)) == 2


async def test_requests_and_signatures_have_their_pace(tmp_path: Path) -> None:
    slow: dict[str, Any] = {
        "signatures_per_second": 0.01,
        "signatures_burst": 5,
        "issues_per_second": 0.01,
        "issues_burst": 4,
    }
    async with world(tmp_path / "data", **slow) as relay:
        member, other = await relay.member(), await relay.member()
        assert len(await member.tokens(3)) == 3
        pending = await other.begin(3)
        response = expect(Refused, await relay.ask(pending.request))
        assert response.code.name == "TOO_MANY"
        assert 0 < (response.retry_after or 0) <= 100_000
        # A stranger uses up nobody's pace.
        for _ in range(3):
            assert refused(await relay.ask((await Purse(relay.client).begin(64)).request)) == "NO_MEMBER"
        assert len(await other.tokens(2)) == 2
        for _ in range(2):
            await relay.ask(pending.request)
        response = expect(Refused, await relay.ask(replace(pending.request, blinded=())))
        assert response.code.name == "TOO_MANY"
        expect(
            TokensIssued,
            await relay.ask(IssueTokens(member.secret, TokenKind.USE, pending.request.key_id, ())),
        )


async def test_members_and_spent_tokens_are_forgotten(tmp_path: Path) -> None:
    clock = Clock()
    async with world(tmp_path / "data", clock) as relay:
        store = relay.running.relay.store
        assert isinstance(store, SqliteStore)
        idle, busy = await relay.member(), await relay.member()
        (token,) = await idle.tokens(1)
        expect(Done, await relay.ask(CreateTopic(os.urandom(32), 30, token)))

        async def after(days: int) -> None:
            clock.now = START + days * DAY
            relay.client.config = None
            relay.running.relay.refresh_keys()
            await store.sweep(clock.now)

        await after(8 * 7)
        assert relay.spent() == 1, "a clock that is ahead for a while makes no token good again"
        await after(20 * 7)
        assert relay.spent() == 0
        await after(300)
        await busy.tokens(1)
        await after(365)
        expect(Done, await relay.ask(JoinRelay(idle.secret)))
        await after(365 + 366)
        assert refused(await relay.ask((await busy.begin(1)).request)) == "NO_MEMBER"
        rows = store._writer._db.execute("SELECT count(*) FROM members").fetchone()
        assert rows == store._writer._db.execute("SELECT count(*) FROM allowances").fetchone() == (0,)
