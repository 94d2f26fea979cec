"""What every bus must do. A new one passes by one test module:

    class TestNatsLive(LiveConformance):
        @pytest.fixture
        async def buses(self) -> AsyncIterator[tuple[Live, Live]]:
            async with a_server_of_its_own() as address, NatsLive(address) as one, NatsLive(address) as two:
                yield one, two

The two are what two processes of one relay have; a bus that lives in one process is both. The tests wait for what must
be heard, so that a bus may take its time, and what must not be heard would come before a last word that is waited for.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

import pytest

from polynya.relay.live.base import Live

PATIENCE = 20.0
Buses = tuple[Live, Live]


class Listener:
    """Notes what it is told; `then` is done at each word."""

    def __init__(self, then: Callable[[], None] | None = None) -> None:
        self.heard: list[tuple[bytes, int, bytes]] = []
        self.ephemeral: list[tuple[bytes, bytes]] = []
        self.misses = 0
        self._then = then

    def push(self, source: bytes, seq: int, padded: bytes) -> None:
        self.heard.append((source, seq, padded))
        if self._then is not None:
            self._then()

    def push_ephemeral(self, source: bytes, padded: bytes) -> None:
        self.ephemeral.append((source, padded))

    def missed(self) -> None:
        self.misses += 1

    @property
    def seqs(self) -> list[int]:
        return [seq for _, seq, _ in self.heard]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.001)


async def last_word(bus: Live, source: bytes, *listeners: Listener, origin: Listener | None = None) -> None:
    """All that was published on this bus for `source` before has been told when it returns."""
    bus.publish(source, 2**32, b"last word", origin)
    await until(lambda: all((source, 2**32, b"last word") in listener.heard for listener in listeners))


class LiveConformance:
    @pytest.fixture
    def buses(self) -> Buses:
        """Two buses between which words travel, or one twice."""
        raise NotImplementedError

    @pytest.fixture
    def source(self) -> bytes:
        return os.urandom(32)

    async def test_subscribers_hear_in_order(self, buses: Buses, source: bytes) -> None:
        here, there = buses
        one, two = Listener(), Listener()
        here.subscribe(source, one)
        there.subscribe(source, two)
        await asyncio.gather(here.ready(), there.ready())
        for seq in range(1, 201):
            here.publish(source, seq, b"frame %d" % seq, None)
        await last_word(here, source, one, two)
        wanted = [(source, seq, b"frame %d" % seq) for seq in range(1, 201)]
        assert one.heard[:-1] == two.heard[:-1] == wanted
        assert one.misses == two.misses == 0

    async def test_every_byte_of_a_frame_arrives(self, buses: Buses, source: bytes) -> None:
        here, there = buses
        listener, frame = Listener(), bytes(range(256)) * 384
        there.subscribe(source, listener)
        await there.ready()
        here.publish(source, 2**31, frame, None)
        await until(lambda: bool(listener.heard))
        assert listener.heard == [(source, 2**31, frame)]

    async def test_the_origin_is_left_out(self, buses: Buses, source: bytes) -> None:
        here, there = buses
        origin, beside, far = Listener(), Listener(), Listener()
        here.subscribe(source, origin)
        here.subscribe(source, beside)
        there.subscribe(source, far)
        await asyncio.gather(here.ready(), there.ready())
        here.publish(source, 1, b"frame", origin)
        here.publish_ephemeral(source, b"typing", origin)
        await last_word(here, source, beside, far, origin=origin)
        assert origin.heard == []
        assert origin.ephemeral == []
        assert beside.seqs[:-1] == far.seqs[:-1] == [1]
        assert beside.ephemeral == far.ephemeral == [(source, b"typing")]
        here.publish(source, 2, b"frame", beside)
        await until(lambda: bool(origin.heard))
        assert origin.seqs == [2]

    async def test_sources_are_apart(self, buses: Buses) -> None:
        here, there = buses
        sources = [os.urandom(32) for _ in range(300)]
        listeners = [Listener() for _ in sources]
        for source, listener in zip(sources, listeners, strict=True):
            there.subscribe(source, listener)
        everything = Listener()
        for source in sources:
            here.subscribe(source, everything)
        await asyncio.gather(here.ready(), there.ready())
        for seq, source in enumerate(sources):
            here.publish(source, seq, b"frame", None)
        for source, listener in zip(sources, listeners, strict=True):
            await last_word(here, source, listener, everything)
        for seq, listener in enumerate(listeners):
            assert listener.seqs == [seq, 2**32]
        assert len(everything.heard) == 2 * len(sources)

    async def test_a_source_is_bytes_of_any_kind(self, buses: Buses) -> None:
        """Ids are random: a bus that makes names of them meets dots, spaces, stars and zeros."""
        here, there = buses
        odd = [bytes(32), b"." * 32, b"*" * 32, b">" * 32, b" " * 31 + b"\n", b"\xff" * 32]
        listener = Listener()
        for source in odd:
            there.subscribe(source, listener)
        await there.ready()
        for source in odd:
            here.publish(source, 1, b"frame", None)
        await until(lambda: len(listener.heard) == len(odd))
        assert {source for source, _, _ in listener.heard} == set(odd)

    async def test_subscribing_twice_is_subscribing_once(self, buses: Buses, source: bytes) -> None:
        here, there = buses
        listener = Listener()
        for _ in range(2):
            there.subscribe(source, listener)
        await there.ready()
        here.publish(source, 1, b"frame", None)
        await last_word(here, source, listener)
        assert listener.seqs == [1, 2**32]
        other = Listener()
        there.subscribe(source, other)
        there.unsubscribe(source, listener)
        await there.ready()
        here.publish(source, 2, b"frame", None)
        await until(lambda: other.seqs == [2])
        assert listener.seqs == [1, 2**32]

    async def test_who_unsubscribed_hears_nothing_more(self, buses: Buses, source: bytes) -> None:
        here, there = buses
        gone, stays = Listener(), Listener()
        there.subscribe(source, gone)
        there.subscribe(source, stays)
        await there.ready()
        here.publish(source, 1, b"frame", None)
        await until(lambda: bool(gone.heard and stays.heard))
        there.unsubscribe(source, gone)
        here.publish(source, 2, b"frame", None)
        here.publish_ephemeral(source, b"typing", None)
        await last_word(here, source, stays)
        assert (gone.seqs, gone.ephemeral) == ([1], [])
        there.subscribe(source, gone)
        await there.ready()
        here.publish(source, 3, b"frame", None)
        await until(lambda: 3 in gone.seqs)
        assert gone.seqs == [1, 3]

    async def test_unsubscribing_what_is_not_subscribed_does_nothing(
        self, buses: Buses, source: bytes
    ) -> None:
        here, there = buses
        listener, stranger = Listener(), Listener()
        here.unsubscribe(source, stranger)
        there.subscribe(source, listener)
        there.unsubscribe(source, stranger)
        await there.ready()
        here.publish(source, 1, b"frame", None)
        await until(lambda: listener.seqs == [1])

    async def test_subscribers_may_leave_while_they_are_told(self, buses: Buses, source: bytes) -> None:
        """One that leaves at its first word takes nothing from the others; one that was made to leave by another
        hears nothing more, though its turn was still to come."""
        here, there = buses
        leaver = Listener(lambda: there.unsubscribe(source, leaver))
        pushed_out = Listener()
        pusher = Listener(lambda: there.unsubscribe(source, pushed_out))
        stays = Listener()
        for listener in (leaver, pusher, pushed_out, stays):
            there.subscribe(source, listener)
        await there.ready()
        here.publish(source, 1, b"frame", None)
        here.publish(source, 2, b"frame", None)
        await last_word(here, source, stays)
        assert leaver.seqs == [1]
        assert pushed_out.seqs in ([], [1]), "nothing after the other was told"
        assert stays.seqs == [1, 2, 2**32]

    async def test_who_comes_while_others_are_told_hears_what_follows(
        self, buses: Buses, source: bytes
    ) -> None:
        here, there = buses
        comer = Listener()
        host = Listener(lambda: there.subscribe(source, comer))
        there.subscribe(source, host)
        await there.ready()
        here.publish(source, 1, b"frame", None)
        await until(lambda: bool(host.heard))
        await there.ready()
        here.publish(source, 2, b"frame", None)
        await last_word(here, source, host, comer)
        assert [seq for seq in comer.seqs if seq != 1] == [2, 2**32]

    async def test_what_is_published_once_a_subscription_is_in_force_is_heard(
        self, buses: Buses, source: bytes
    ) -> None:
        """While both publish without a pause: from `ready` on nothing is missing of either, and nothing is there twice."""
        published: list[list[int]] = [[], []]

        async def talk(number: int) -> None:
            seq = number
            while True:
                published[number].append(seq)
                buses[number].publish(source, seq, b"frame", None)
                seq += 2
                await asyncio.sleep(0)

        talking = [asyncio.create_task(talk(number)) for number in (0, 1)]
        for there in buses:
            listener = Listener()
            there.subscribe(source, listener)
            await there.ready()
            begun = [len(seqs) for seqs in published]
            await until(lambda: all(len(seqs) > first + 100 for seqs, first in zip(published, begun)))  # noqa: B023, B905
            wanted = {seq for seqs, first in zip(published, begun, strict=True) for seq in seqs[first:]}
            await until(lambda: wanted <= set(listener.seqs))  # noqa: B023
            for number in (0, 1):
                heard = [seq for seq in listener.seqs if seq % 2 == number]
                assert heard == list(range(heard[0], heard[-1] + 1, 2))
            there.unsubscribe(source, listener)
        for task in talking:
            task.cancel()

    async def test_who_changes_its_mind_before_it_is_in_force(self, buses: Buses, source: bytes) -> None:
        here, there = buses
        gone, back, stays = Listener(), Listener(), Listener()
        for listener in (gone, back, stays):
            there.subscribe(source, listener)
            there.unsubscribe(source, listener)
        for listener in (back, stays):
            there.subscribe(source, listener)
        there.unsubscribe(source, back)
        there.subscribe(source, back)
        await there.ready()
        here.publish(source, 1, b"frame", None)
        await last_word(here, source, back, stays)
        assert gone.heard == []
        assert back.seqs == stays.seqs == [1, 2**32]

    async def test_whether_anybody_waits(self, buses: Buses, source: bytes) -> None:
        """It may be unknown, and then the answer is yes; it is never no while somebody waits."""
        here, there = buses
        one, two = Listener(), Listener()
        there.subscribe(source, one)
        await there.ready()
        assert here.is_wanted(source, None)
        assert there.is_wanted(source, None)
        assert there.is_wanted(source, two)
        here.subscribe(source, two)
        await here.ready()
        assert here.is_wanted(source, two)
        assert there.is_wanted(source, one)

    async def test_what_nobody_waits_for_may_be_published(self, buses: Buses, source: bytes) -> None:
        here, there = buses
        here.publish(source, 1, b"frame", None)
        here.publish_ephemeral(source, b"typing", None)
        listener = Listener()
        there.subscribe(source, listener)
        await there.ready()
        await last_word(here, source, listener)
        assert listener.seqs in ([2**32], [1, 2**32])

    async def test_hints_and_entries_are_told_apart(self, buses: Buses, source: bytes) -> None:
        here, there = buses
        listener = Listener()
        there.subscribe(source, listener)
        await there.ready()
        here.publish_ephemeral(source, b"typing", None)
        here.publish(source, 1, b"typing", None)
        await last_word(here, source, listener)
        assert listener.ephemeral == [(source, b"typing")]
        assert listener.seqs == [1, 2**32]
