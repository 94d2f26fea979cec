"""What tokens are for: a power cut spends none in vain, and strangers do not fill the disk."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from polynya.carriers.base import CarrierError
from polynya.crypto.signature import public_key
from polynya.relay.check import check_data
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.limits import MIB, Limits
from polynya.relay.store.sqlite import DATABASE
from polynya.wire.labels import inbox_id, topic_id
from polynya.wire.messages import (
    BLOB_PART,
    BlobState,
    CreateInbox,
    CreateTopic,
    Done,
    Drop,
    JoinRelay,
    Publish,
    PutBlob,
    PutKeyPackages,
    TokenKind,
)
from polynya.wire.tokens import parse_token
from tests.relay.client import Client, expect, refused
from tests.relay.purse import Purse, invitation
from tests.support.relay import RelayProcess, running_relay

KILLS = 4


async def test_a_killed_relay_has_spent_a_token_if_and_only_if_it_did_what_that_paid_for(
    tmp_path: Path,
) -> None:
    dice = random.Random(11)  # noqa: S311 - when to kill
    relay = RelayProcess(tmp_path / "data", "--local", "off", "--tokens", "required")
    done: set[bytes] = set()
    given: dict[bytes, bytes] = {}
    await relay.start()
    client = Client(relay.address, public_key((relay.data / IDENTITY_FILE).read_bytes()))
    purse = Purse(client)
    expect(Done, await client.exchange(JoinRelay(purse.secret, await invitation(client, relay.data))))
    tokens = await purse.tokens(200)
    for _ in range(KILLS):
        await _spend_until_killed(relay, client, tokens, given, done, dice.randrange(3, 25))
        assert check_data(relay.data) == []
        db = sqlite3.connect(relay.data / DATABASE)
        topics = {row[0] for row in db.execute("SELECT id FROM logs")}
        nonces = {row[0] for row in db.execute("SELECT nonce FROM spent_tokens")}
        db.close()
        assert done <= topics
        for token, secret in given.items():
            assert (topic_id(secret) in topics) == (parse_token(token).nonce in nonces)
        await relay.start()
    # Whatever was left open is asked again and done, each with its own token, as if nothing had been.
    for token, secret in given.items():
        expect(Done, await client.exchange(CreateTopic(secret, 30, token)))
        assert refused(await client.exchange(CreateTopic(os.urandom(32), 30, token))) == "TOKEN"
    assert len(done) > 3 * KILLS
    await relay.stop()
    await client.close()


async def _spend_until_killed(
    relay: RelayProcess,
    client: Client,
    tokens: list[bytes],
    given: dict[bytes, bytes],
    done: set[bytes],
    enough: int,
) -> None:
    """Four at a time, until the relay is killed after so many answers."""
    goal = len(done) + enough
    await client.keys()

    async def spend() -> None:
        while tokens:
            token, secret = tokens.pop(), os.urandom(32)
            given[token] = secret
            try:
                expect(Done, await client.exchange(CreateTopic(secret, 30, token)))
            except (CarrierError, asyncio.CancelledError):
                return
            done.add(topic_id(secret))

    tasks = [asyncio.create_task(spend()) for _ in range(4)]
    while len(done) < goal:
        await asyncio.sleep(0.001)
    await relay.kill()
    await asyncio.gather(*tasks)


# ---- strangers

SCARCE = Limits(
    disk_reserve=0,
    members_per_day=4,
    joins_per_day=2,
    open_use_tokens_first=2,
    use_tokens_first=2,
    join_tokens_first=3,
    publish_bytes_per_second=1e-6,
    publish_bytes_burst=6 * MIB,
    publishes_burst=4_000,
    publishes_per_second=1e-6,
    drops_per_second=1e6,
    drops_burst=10**6,
    calls_per_second=1e6,
    calls_burst=10**6,
)


async def join(client: Client, tokens: Sequence[bytes | None]) -> list[Purse]:
    """Those of as many as there are tokens, or none instead, who become members."""
    purses = [(Purse(client), token) for token in tokens]
    return [
        purse for purse, token in purses if await client.exchange(JoinRelay(purse.secret, token)) == Done()
    ]


def written(data: Path) -> int:
    """Bytes on the disk, when what the relay writes back beside its work is written back."""
    db = sqlite3.connect(data / DATABASE)
    while True:
        busy, pages, back = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if not busy and pages == back:
            break
    db.close()
    return sum(path.stat().st_blocks * 512 for path in data.rglob("*") if path.is_file())


def test_the_bounds_of_a_day_are_what_its_members_can_write() -> None:
    one = SCARCE.token_bytes + 512
    rows = 4 * 512
    assert SCARCE.open_bytes_per_day == 2 * (2 * one + rows)
    assert SCARCE.new_bytes_per_day == SCARCE.open_bytes_per_day + 2 * (2 * one + rows)
    few = replace(SCARCE, members_per_day=1)
    assert few.new_bytes_per_day == few.open_bytes_per_day == 2 * one + rows
    assert replace(SCARCE, joins_per_day=0).open_bytes_per_day == 0


async def test_new_members_write_no_more_than_the_limits_say(tmp_path: Path) -> None:
    """All that can be tried: as many members as the link makes, one whom somebody invited and all whom it invites in turn,
    each with all its tokens, each token for what takes most; and everything else without."""
    assert SCARCE.token_bytes == 6 * MIB > 1_000 * (4_096 + 1_024)
    async with running_relay(tmp_path / "data", limits=SCARCE, tokens="required", local="off") as running:
        client = Client(running.address, running.identity)
        before = written(tmp_path / "data")
        (first,) = await join(client, [await invitation(client, tmp_path / "data")])
        joined = await join(client, [None] * 8)
        assert len(joined) == SCARCE.joins_per_day
        for purse in joined:
            pending = await purse.begin(1, TokenKind.JOIN)
            assert refused(await client.exchange(pending.request)) == "TOO_LARGE"
        invited = await join(client, await first.tokens(3, TokenKind.JOIN))
        invited += await join(client, [await invitation(client, tmp_path / "data")])
        joined += [first, *invited]
        assert len(joined) == SCARCE.members_per_day
        tokens = [token for purse in joined for token in await purse.tokens(2)]
        for purse in joined:
            assert refused(await client.exchange((await purse.begin(1)).request)) == "TOO_MANY"
        async with client.session() as session:

            async def fill(token: bytes) -> None:
                """A topic, with records until no more are taken."""
                secret = os.urandom(32)
                expect(Done, await session.call(CreateTopic(secret, 365, token)))
                while True:
                    answers = [await session.send(Publish(secret, os.urandom(4_096))) for _ in range(64)]
                    codes = {type(await answer).__name__ for answer in answers}
                    if codes == {"Refused"}:
                        return

            for token in tokens[:5]:
                await fill(token)
            inbox = os.urandom(32)
            expect(Done, await session.call(CreateInbox(inbox, tokens[5])))
            for _ in range(16):
                drops = [await session.send(Drop(inbox_id(inbox), os.urandom(4_096))) for _ in range(64)]
                await asyncio.gather(*drops)
            for token in tokens[6:8]:
                data = os.urandom(MIB)
                blob = hashlib.sha256(data).digest()
                for at in range(0, MIB, BLOB_PART):
                    part = PutBlob(blob, 2 * MIB, at, data[at : at + BLOB_PART], None if at else token)
                    assert await session.call(part) == BlobState(at + BLOB_PART)
                assert refused(await session.call(PutBlob(blob, 2 * MIB, MIB, b"more"))) == "TOKEN"
            # Nothing is left: whatever else is tried takes no room.
            full = written(tmp_path / "data")
            for number in range(300):
                secret = os.urandom(32)
                for request in (
                    CreateTopic(secret, 30, tokens[number % 8]),
                    CreateInbox(secret),
                    PutKeyPackages(secret, (os.urandom(8_000),) * 2, os.urandom(8_000)),
                    PutBlob(secret, BLOB_PART, 0, os.urandom(BLOB_PART)),
                    JoinRelay(secret),
                ):
                    assert refused(await session.call(request)) in ("TOKEN", "TOO_MANY")
                expect(BlobState, await session.call(PutBlob(secret, 100, 0, b"")))
            await client.close()
        assert written(tmp_path / "data") - full <= 64 * 1_024
        grown = written(tmp_path / "data") - before
    bound = SCARCE.new_bytes_per_day
    # Of the write-ahead log the database keeps 16 MiB at most (PAGES_MOST), whatever was written.
    assert 5 * 5 * MIB + 2 * MIB < grown <= bound + 18 * MIB
