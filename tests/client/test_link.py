"""A link comes back from whatever happens to it, tells every call's fate once, and trusts nothing that is not signed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from polynya.client import session, system
from polynya.client.link import Link, LinkDown
from polynya.client.links import direct_carriers
from polynya.client.sealing import Sealing
from polynya.paths import backoff
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    KEY_CONFIG_LIFETIME,
    BlobState,
    Entry,
    EphemeralPush,
    Fetch,
    Ping,
    Push,
    PutBlob,
    RefusalCode,
    Refused,
    RelayAddress,
)
from tests.client.peer import RANDOM, Peer, Sink, serving

DAY = 86_400_000


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same doubling from 20 ms."""
    pause = backoff.pause
    monkeypatch.setattr(
        backoff, "pause", lambda failures, chance, **more: pause(failures, chance, first=20, largest=2_000)
    )


@asynccontextmanager
async def linked(
    address: RelayAddress, *, clock: Callable[[], int] = system.now, memory: bytes | None = None
) -> AsyncIterator[tuple[Link, Sink]]:
    sink = Sink()
    link = Link(address, direct_carriers(address), sink, random=RANDOM, clock=clock, memory=memory)
    link.start()
    try:
        yield link, sink
    finally:
        await link.close()


async def test_calls_are_answered_and_pushes_come_in_order() -> None:
    peer = Peer()
    async with serving(peer) as address, linked(address) as (link, sink):
        await sink.wait("connected", True)
        for number in range(20):
            link.call(number, Fetch(bytes(32), number, 1))
        await sink.wait("answered", 19)
        assert [request.after for request in peer.called if isinstance(request, Fetch)] == list(range(20))
        assert [told[1] for told in sink.told if told[0] == "answered"] == list(range(20))
        await peer.push(*(push(n) for n in range(1, 6)), EphemeralPush(bytes(32), b"x"))
        await sink.wait("ephemeral")
        assert [told[1] for told in sink.told if told[0] == "pushed"] == [1, 2, 3, 4, 5]
        assert link.state.kind == "online"


def push(seq: int) -> Push:
    return Push(bytes(32), Entry(seq, 1, record=bytes(40)))


async def test_every_call_on_a_broken_session_fails_once_and_a_new_session_comes() -> None:
    peer = Peer()
    async with serving(peer) as address, linked(address) as (link, sink):
        await sink.wait("connected", True)
        peer.mute = True
        for number in range(3):
            link.call(number, Ping())
        waiting = asyncio.ensure_future(link.ask(Ping()))
        await asyncio.sleep(0.05)
        await peer.hang_up()
        peer.mute = False
        await sink.wait("connected", True, count=2)
        assert [told for told in sink.told if told[0] in ("answered", "failed")] == [
            ("failed", n) for n in range(3)
        ]
        assert sink.told.index(("failed", 2)) < sink.told.index(("disconnected",))
        with pytest.raises(LinkDown):
            await waiting
        link.call(9, Ping())
        await sink.wait("answered", 9)


async def test_without_a_connection_calls_fail_at_once() -> None:
    async with linked(RelayAddress("http://127.0.0.1:9/p", bytes(32))) as (link, sink):
        link.call(1, Ping())
        await sink.wait("failed", 1)
        with pytest.raises(LinkDown):
            await link.ask(Ping())
        await sink.wait("state", "offline", "unreachable")


async def test_where_no_socket_gets_through_single_requests_do() -> None:
    peer = Peer()
    peer.socket_status = 403
    async with serving(peer) as address, linked(address) as (link, sink):
        await sink.wait("connected", False)
        assert link.state.kind == "polling"
        for number in range(5):
            link.call(number, Fetch(bytes(32), number, 1))
        await sink.wait("answered", 4)
        assert [r.after for r in peer.exchanged if isinstance(r, Fetch)] == list(range(5))
        peer.socket_status = 0
        await sink.wait("connected", True)
        assert sink.told.index(("disconnected",)) < sink.told.index(("connected", True))
        link.call(9, Ping())
        await sink.wait("answered", 9)
        assert peer.called[-1] == Ping()


async def test_polling_that_fails_tells_it() -> None:
    peer = Peer()
    peer.socket_status = 403
    async with serving(peer) as address, linked(address) as (link, sink):
        await sink.wait("connected", False)
        peer.exchange_body = b"<html>blocked</html>"
        link.call(1, Ping())
        await sink.wait("failed", 1)
        await sink.wait("state", "offline", "not-a-relay")
        peer.exchange_body = None
        await sink.wait("connected", False, count=2)


@pytest.mark.parametrize("days", [-30, 30])
async def test_a_wrong_clock_is_learnt_from_an_exchange(days: int) -> None:
    peer = Peer()
    async with (
        serving(peer) as address,
        linked(address, clock=lambda: system.now() + days * DAY) as (link, sink),
    ):
        await sink.wait("connected", True)
        assert abs(link.sealing.difference + days * DAY) < 60_000
        assert peer.hellos == 2


async def test_a_relay_that_renewed_its_key_is_asked_for_it() -> None:
    peer = Peer()
    async with serving(peer) as address, linked(address) as (_, sink):
        await sink.wait("connected", True)
        peer.rotate()
        await peer.hang_up()
        await sink.wait("connected", True, count=2)
        assert peer.keys_asked >= 2


async def test_a_key_past_two_thirds_of_its_life_is_not_used_without_asking() -> None:
    peer = Peer()
    peer.not_before = system.now() - KEY_CONFIG_LIFETIME * 3 // 4
    sealing = Sealing(peer.identity, random=RANDOM, clock=system.now)
    async with serving(peer) as address:
        carrier = direct_carriers(address)["https"]
        await sealing.exchange(carrier, Ping())
        await sealing.exchange(carrier, Ping())
        assert peer.keys_asked == 2
        peer.not_before = system.now()
        await sealing.exchange(carrier, Ping())
        await sealing.exchange(carrier, Ping())
        assert peer.keys_asked == 3
        await carrier.close()


# ---- what must not be trusted ----


async def test_keys_of_another_identity_are_never_used() -> None:
    peer = Peer()
    peer.signer = bytes(32)
    async with serving(peer) as address, linked(address) as (link, sink):
        await sink.wait("state", "offline", "not-a-relay")
        await asyncio.sleep(0.3)
        assert not peer.exchanged and not peer.hellos and not link.sealing.told
        peer.signer = peer.seed
        await sink.wait("connected", True)


async def test_a_clock_that_was_wrong_for_a_moment_shuts_nobody_out() -> None:
    """What it said of the time counts up to the end of the key that it answered under."""
    peer = Peer()
    sealing = Sealing(peer.identity, random=RANDOM, clock=system.now)
    async with serving(peer) as address:
        carrier = direct_carriers(address)["https"]
        peer.clock = lambda: system.now() + 500 * KEY_CONFIG_LIFETIME
        await sealing.exchange(carrier, Ping())
        assert sealing.told == peer.not_before + KEY_CONFIG_LIFETIME
        assert sealing.difference > 499 * KEY_CONFIG_LIFETIME
        peer.clock = system.now
        sealing.forget_keys()
        await sealing.exchange(carrier, Ping())
        assert abs(sealing.difference) < KEY_CONFIG_LIFETIME
        await carrier.close()


async def test_outdated_keys_are_refused_also_after_a_restart() -> None:
    peer = Peer()
    old = peer.signed_keys()
    later = system.now() + 2 * KEY_CONFIG_LIFETIME
    peer.clock = lambda: later
    peer.not_before = later
    async with serving(peer) as address:
        async with linked(address) as (link, sink):
            await sink.wait("connected", True)
            memory = link.memory()
        peer.keys_body = old
        async with linked(address, memory=memory) as (link, sink):
            await sink.wait("state", "offline", "not-a-relay")
            assert link.sealing.told >= later
    sealing = Sealing(peer.identity, random=RANDOM, clock=system.now)
    sealing.recall(memory)

    class Replayed:
        async def keys(self) -> bytes:
            return old

    with pytest.raises(WireError) as refused:
        await sealing.key(Replayed())  # type: ignore[arg-type]
    assert refused.value.rule == "keys-expired"


GARBAGE = [b"", b"\x00", b"<html>blocked</html>", bytes(1_200), bytes(98_320)]


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_in_any_place_ends_in_another_attempt(garbage: bytes) -> None:
    peer = Peer()
    peer.keys_body = garbage
    async with serving(peer) as address, linked(address) as (_, sink):
        await sink.wait("state", "offline", "not-a-relay")
        peer.keys_body = None
        peer.exchange_body = garbage
        peer.accept = lambda frame: garbage
        hellos = peer.hellos
        async with asyncio.timeout(30):
            while peer.hellos < hellos + 2:
                await asyncio.sleep(0.01)
        peer.accept = lambda frame: frame
        peer.first_reply = lambda frame: garbage
        hellos = peer.hellos
        async with asyncio.timeout(30):
            while peer.hellos < hellos + 2:
                await asyncio.sleep(0.01)
        assert not [told for told in sink.told if told[0] == "connected"]
        peer.first_reply = lambda frame: frame
        peer.exchange_body = None
        await sink.wait("connected", True)
        await peer.say(garbage)
        await sink.wait("disconnected")
        await sink.wait("connected", True, count=2)


async def test_a_relay_that_drops_everybody_is_not_hammered() -> None:
    peer = Peer()
    peer.close_after_accept = True
    peer.exchange_body = b"no"
    async with serving(peer) as address, linked(address) as (_, sink):
        await asyncio.sleep(1.5)
        # Pauses of at least 10, 20, 40, 80 ... ms: seven attempts take more than a second.
        assert 2 <= peer.hellos <= 8
        assert not [told for told in sink.told if told[0] == "connected"]


async def test_replies_that_nobody_asked_for_are_ignored() -> None:
    from polynya.wire.messages import Done, Reply

    peer = Peer()
    async with serving(peer) as address, linked(address) as (link, sink):
        await sink.wait("connected", True)
        await peer.push(*(Reply(n, system.now(), Done()) for n in (0, 1, 77)))
        link.call(5, Ping())
        await sink.wait("answered", 5)
        assert [told for told in sink.told if told[0] == "answered"] == [("answered", 5)]


async def test_a_relay_that_refuses_every_time_is_given_up_for_a_while() -> None:
    peer = Peer()
    peer.socket_status = 404
    peer.answer = lambda request: Refused(RefusalCode.REPEATED)
    async with serving(peer) as address, linked(address) as (_, sink):
        await sink.wait("state", "offline", "not-a-relay")
        assert not [told for told in sink.told if told[0] == "connected"]
        assert len(peer.exchanged) <= 3


# ---- silence and floods ----


async def test_a_silent_relay_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SILENCE", 0.1)
    monkeypatch.setattr(session, "LAST_WAIT", 0.2)
    peer = Peer()
    async with serving(peer) as address, linked(address) as (_, sink):
        await sink.wait("connected", True)
        await asyncio.sleep(0.5)
        assert len(peer.called) >= 4, "asked for signs of life, which came"
        assert ("disconnected",) not in sink.told
        peer.mute = True
        await sink.wait("disconnected")
        peer.mute = False
        await sink.wait("connected", True, count=2)


async def test_one_answer_kept_back_is_asked_for_in_a_new_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SILENCE", 0.05)
    monkeypatch.setattr(session, "ANSWER_WAIT", 0.3)
    peer = Peer()
    peer.withheld = lambda request: isinstance(request, PutBlob)
    async with serving(peer) as address, linked(address) as (link, sink):
        await sink.wait("connected", True)
        link.call(7, PutBlob(bytes(32), 9, 0, b""))
        link.call(8, Ping())
        await sink.wait("answered", 8)
        await sink.wait("failed", 7)
        await sink.wait("connected", True, count=2)
        peer.withheld = lambda request: False
        link.call(9, PutBlob(bytes(32), 9, 0, b""))
        await sink.wait("answered", 9)


async def test_a_flood_waits_in_the_network() -> None:
    peer = Peer()
    async with serving(peer) as address, linked(address) as (_, sink):
        await sink.wait("connected", True)
        sink.open.clear()
        flood = asyncio.ensure_future(peer.push(*(push(n) for n in range(1, 5_000))))
        await asyncio.sleep(0.3)
        assert len([told for told in sink.told if told[0] == "pushed"]) <= 1
        sink.open.set()
        await sink.wait("pushed", 4_999)
        await flood


async def test_what_is_remembered_is_no_more_than_it_says() -> None:
    sealing = Sealing(bytes(32), random=RANDOM, clock=lambda: 5_000_000)
    sealing.learn(3_000_000)
    memory = sealing.remember(b"paths")
    again = Sealing(bytes(32), random=RANDOM, clock=lambda: 5_000_000)
    assert again.recall(memory) == b"paths"
    assert (again.difference, again.told) == (-2_000_000, 3_000_000)
    for broken in (None, b"", b"\xff", memory[:-1]):
        assert Sealing(bytes(32), random=RANDOM, clock=system.now).recall(broken) is None


async def test_ask_gives_the_answer_itself() -> None:
    peer = Peer()
    peer.answer = lambda request: BlobState(7)
    async with serving(peer) as address, linked(address) as (link, _):
        await link.wait_up()
        assert await link.ask(PutBlob(bytes(32), 9, 0, b"")) == BlobState(7)
