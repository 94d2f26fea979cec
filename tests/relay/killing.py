"""A relay that is killed at random moments under load, and held to its promises each time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from polynya.crypto.signature import public_key
from polynya.relay.check import check_data
from polynya.relay.config import CONFIG_FILE
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.system import now
from tests.relay.client import Client
from tests.relay.load import Broken, Load
from tests.support.forking import ForkedRelay, ForkServer
from tests.support.relay import RelayProcess

MOST = 40
"""Promises between a start and a kill, at most."""
LATER = 0.02
"""Seconds: the kill comes at any moment of what the relay does then."""
AT_START = 0.1
"""Share of kills while the relay starts: it may be making, migrating or recovering its data."""
STARTING = 0.15
"""Seconds within which a start is interrupted: what it takes, imports aside."""


@dataclass
class Tally:
    kills: int = 0
    at_start: int = 0
    promises: int = 0


LIMITS = """[limits]
disk_reserve = 0
publishes_per_second = 10000.0
publishes_burst = 10000
drops_per_second = 10000.0
drops_burst = 10000
"""
"""Devices here work faster than people do, and on small disks."""
PATIENCE = 60.0
"""Seconds after which something that must happen has not."""


class Life:
    """One data folder, and what happens to it."""

    def __init__(
        self, data: Path, seed: int, server: ForkServer | None = None, program: tuple[str, ...] = ()
    ) -> None:
        """`server` starts the relay quickly; `program` runs it in another way than usual."""
        data.mkdir(parents=True)
        (data / CONFIG_FILE).write_text(LIMITS)
        self.relay: RelayProcess
        if server is not None:
            self.relay = ForkedRelay(server, data, "--local", "off")
        else:
            self.relay = RelayProcess(data, "--local", "off", program=program)
        self.load = Load(seed)
        self.tally = Tally()
        self._dice = random.Random(~seed)  # noqa: S311 - when to kill

    @contextmanager
    def _told(self, where: str) -> Iterator[None]:
        try:
            yield
        except AssertionError as error:
            raise Broken(f"{where}, after {self.tally.kills} kills: {error}") from error

    @asynccontextmanager
    async def client(self, clock: Callable[[], int] = now) -> AsyncIterator[Client]:
        """A device's connections to the relay that runs."""
        identity = public_key((self.relay.data / IDENTITY_FILE).read_bytes())
        client = Client(self.relay.address, identity, clock)
        try:
            yield client
        finally:
            await client.close()

    @asynccontextmanager
    async def loaded(
        self, client: Client
    ) -> AsyncIterator[Callable[[Callable[[], bool], str], Awaitable[None]]]:
        """All devices work within the block, in which what it gives waits until a condition holds."""
        work = asyncio.create_task(self.load.run(client))

        async def until(holds: Callable[[], bool], what: str) -> None:
            async with asyncio.timeout(PATIENCE):
                while not holds():
                    if work.done():
                        raise Broken(f"all connections ended before {what}") from work.exception()
                    await asyncio.sleep(0.005)

        try:
            yield until
        finally:
            work.cancel()
            (ended,) = await asyncio.gather(work, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended

    async def work(self, promises: int, clock: Callable[[], int] = now) -> None:
        """Until so many more promises were made."""
        goal = self.load.promises + promises
        async with self.client(clock) as client, self.loaded(client) as until:
            await until(lambda: self.load.promises >= goal, f"{promises} promises were made")

    async def settle(self) -> None:
        """Until nothing that was asked for lacks its answer."""
        async with self.client() as client:
            await self.load.settle(client)

    async def kill_once(self) -> None:
        """Starts the relay, holds it to what was promised, loads it, and kills it."""
        if self._dice.random() < AT_START:
            await self._kill_at_start()
        await self.relay.start()
        try:
            async with self.client() as client:
                await self.verify(client)
                goal = self.load.promises + self._dice.randrange(MOST)
                with self._told("under load"):
                    async with self.loaded(client) as until:
                        await until(lambda: self.load.promises >= goal, "a promise was made")
                        await asyncio.sleep(self._dice.uniform(0, LATER))
                        await self.relay.kill()
        finally:
            await self.relay.kill()
        self.tally.kills += 1
        self.tally.promises = self.load.promises
        await self.check()

    async def _kill_at_start(self) -> None:
        start = asyncio.create_task(self.relay.start())
        await asyncio.sleep(self._dice.uniform(0, STARTING))
        await self.relay.kill()
        await asyncio.gather(start, return_exceptions=True)
        await self.relay.kill()
        self.tally.kills += 1
        self.tally.at_start += 1

    async def verify(self, client: Client | None = None) -> None:
        """What is stored, by reading it over the protocol; nobody may write meanwhile."""
        with self._told("at start"):
            if client is not None:
                await self.load.verify(client)
                return
            async with self.client() as own:
                await self.load.verify(own)

    async def check(self) -> None:
        """The data at rest."""
        problems = await asyncio.to_thread(check_data, self.relay.data)
        with self._told("at rest"):
            if problems:
                raise Broken("; ".join(problems))

    async def kill_and_verify(self) -> None:
        """After a fault has passed: the relay is killed, and what it left is held to all promises."""
        await self.relay.kill()
        self.tally.kills += 1
        await self.check()
        await self.end()

    async def end(self) -> None:
        """One more start, of a program of its own, all promises, an ordinary stop, and a last check."""
        self.relay = RelayProcess(self.relay.data, "--local", "off")
        await self.relay.start()
        await self.verify()
        code = await self.relay.stop()
        with self._told("at the end"):
            if code != 0:
                raise Broken(f"the relay ended with code {code}")
        await self.check()


async def live(data: Path, seed: int, kills: int, server: ForkServer) -> Tally:
    """A relay's life until so many kills; raises Broken."""
    life = Life(data, seed, server)
    try:
        while life.tally.kills < kills:
            await life.kill_once()
        await life.end()
    finally:
        await life.relay.kill()
    return life.tally
