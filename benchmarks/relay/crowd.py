"""Publishers and readers of a few topics, who keep a relay busy."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass

from benchmarks.relay.device import Device, Entrance
from benchmarks.relay.process import cpu
from polynya.wire.labels import topic_id
from polynya.wire.messages import CreateTopic, Published, Push, Reply, Subscribe
from tests.support.relay import RelayProcess

BODY = 512
"""Bytes of a record: the smallest step, and the prototype's."""
UNLIMITED = """
[limits]
publishes_per_second = 1000000
publishes_burst = 10000000
publish_bytes_per_second = 1000000000
publish_bytes_burst = 10000000000
calls_per_second = 1000000
calls_burst = 10000000
creations_burst = 1000000
opens_per_second = 100000
opens_burst = 1000000
connections_per_address = 20000
"""


@dataclass(frozen=True, slots=True)
class Load:
    """`pairs` topics with one publisher each that keeps `window` records on their way, `fan` readers each."""

    pairs: int
    records: int
    window: int
    fan: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cpu`: seconds of the server's processor, `took`: by the clock, for all records with their deliveries."""

    cpu: float
    took: float


class Crowd:
    def __init__(self, load: Load) -> None:
        self.load = load
        self.publishers: list[Device] = []
        self.readers: list[list[Device]] = []
        self._records: list[list[bytes]] = []

    async def gather(self, entrance: Entrance) -> None:
        """Topics are made, readers have subscribed, and records are sealed."""
        for publisher in await Device.connect_many(entrance, self.load.pairs):
            secret = os.urandom(32)
            await publisher.call(CreateTopic(secret, 30))
            records = [os.urandom(BODY) for _ in range(self.load.records // self.load.pairs)]
            publisher.prepare(secret, records)
            readers = await Device.connect_many(entrance, self.load.fan)
            await asyncio.gather(*(one.call(Subscribe((topic_id(secret),), ())) for one in readers))
            self.publishers.append(publisher)
            self.readers.append(readers)
            self._records.append(records)

    async def run(self, pid: int) -> Outcome:
        """Publishes all records; ends when every reader has heard all of its topic's."""
        left = self.load.records * self.load.fan
        done = asyncio.get_running_loop().create_future()

        def heard() -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set_result(None)

        def lost() -> None:
            if not done.done():
                done.set_exception(ConnectionError("the relay closed a session of the load"))

        for publisher, readers in zip(self.publishers, self.readers, strict=True):
            publisher.hears = publisher.publish
            for reader in readers:
                reader.hears = heard
            for device in (publisher, *readers):
                device.lost = lost
        before, begun = cpu(pid), time.perf_counter()
        for publisher in self.publishers:
            for _ in range(self.load.window):
                publisher.publish()
        await done
        took = time.perf_counter() - begun
        return Outcome(cpu(pid) - before, took)

    def verify(self) -> None:
        """Opens all that was heard: every record was acknowledged, and came to every reader once and in order. Raises
        AssertionError."""
        for publisher, readers, records in zip(self.publishers, self.readers, self._records, strict=True):
            replies = [frame.response for frame in publisher.opened() if isinstance(frame, Reply)]
            seqs = [reply.seq for reply in replies if isinstance(reply, Published)]
            assert seqs == list(range(1, len(records) + 1)), "a publish was not acknowledged"
            for reader in readers:
                pushed = [frame.entry.record for frame in reader.opened() if isinstance(frame, Push)]
                assert pushed == records, "a reader did not hear all"

    def leave(self) -> None:
        for device in [*self.publishers, *(one for readers in self.readers for one in readers)]:
            device.leave()


async def measure(relay: RelayProcess, entrance: Entrance, load: Load) -> Outcome:
    """One run against a relay that serves, verified."""
    crowd = Crowd(load)
    await crowd.gather(entrance)
    outcome = await crowd.run(relay.pid)
    crowd.verify()
    crowd.leave()
    return outcome
