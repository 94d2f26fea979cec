"""A client whose relay answers and pushes whatever it likes: it lives, and keeps what it has."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from polynya import Client
from polynya.core.events import CreateInvite
from polynya.paths import backoff
from polynya.wire.links import build_relay_link
from polynya.wire.messages import (
    PROTOCOL_VERSION,
    BlobPart,
    BlobState,
    Done,
    Entry,
    EphemeralPush,
    Head,
    Heads,
    KeyPackagesStored,
    KeyPackageTaken,
    Published,
    Push,
    Receipt,
    Records,
    RefusalCode,
    Refused,
    RelayLink,
    Request,
    Response,
)
from tests.client.peer import Peer, serving
from tests.support.seeded import SeededRandom


def any_entry(random: SeededRandom) -> Entry:
    seq, time = random.below(2**53), random.below(2**53)
    receipt = Receipt(random.below(65_536), random.bytes(64))
    match random.below(3):
        case 0:
            return Entry(seq, time, record=random.bytes(29 + random.below(600)))
        case 1:
            return Entry(seq % 5, time, record_hash=random.bytes(32), slot=random.bytes(16), receipt=receipt)
    return Entry(seq % 5, time, record=random.bytes(512), slot=random.bytes(16), receipt=receipt)


def any_response(random: SeededRandom) -> Response:
    codes = list(RefusalCode)
    entries = tuple(any_entry(random) for _ in range(random.below(4)))
    choices: tuple[Response, ...] = (
        Done(),
        Published(random.below(2**53), random.below(2**53), Receipt(0, random.bytes(64))),
        Records(entries, random.below(2**53)),
        Heads(tuple(Head(True, random.below(9)) for _ in range(3)), ()),
        KeyPackagesStored(random.below(60)),
        KeyPackageTaken(random.bytes(100), bool(random.below(2))),
        BlobState(random.below(104_857_600)),
        BlobPart(random.below(104_857_600), random.bytes(random.below(300))),
        Refused(codes[random.below(len(codes))], random.below(50)),
    )
    return choices[random.below(len(choices))]


@pytest.mark.parametrize("seed", range(4))
async def test_random_answers_and_pushes_harm_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    pause = backoff.pause
    monkeypatch.setattr(
        backoff, "pause", lambda failures, chance, **more: pause(failures, chance, first=20, largest=200)
    )
    random = SeededRandom(seed)
    peer = Peer()
    seen: list[bytes] = []

    def answer(request: Request) -> Response:
        for field in ("topic", "inbox", "id"):
            value = getattr(request, field, None)
            if isinstance(value, bytes):
                seen.append(value)
        if type(request).__name__ == "Ping":
            return Done()
        return any_response(random)

    peer.answer = answer
    async with serving(peer) as address:
        link = build_relay_link(address.url, RelayLink(PROTOCOL_VERSION, peer.identity))
        async with Client(tmp_path / "anna") as anna:
            await anna.register("Anna", link)
            identity = anna.me.identity
            for name in range(20):
                await anna.loop.do(_invite())
                await anna.set_name(f"Anna {name}")
                for _ in range(5):
                    source = seen[random.below(len(seen))] if seen and random.below(2) else random.bytes(32)
                    if peer.sessions:
                        await peer.push(
                            Push(source, any_entry(random)), EphemeralPush(source, random.bytes(99))
                        )
                await asyncio.sleep(0.01)
            if peer.sessions:
                await peer.say(random.bytes(300))
            assert anna.me.name == "Anna 19"
        async with Client(tmp_path / "anna") as anna:
            assert (anna.me.identity, anna.me.name) == (identity, "Anna 19")
            assert anna.conversations() == () and anna.contacts() == ()
    assert not [record for record in caplog.records if record.exc_info], "nothing failed as it should not"


def _invite() -> CreateInvite:
    return CreateInvite()
