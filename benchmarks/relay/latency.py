"""How long a record takes from its publisher to its reader, at parts of the load that the relay can bear."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.relay import crowd, device
from benchmarks.relay.crowd import Crowd, Load
from benchmarks.relay.process import cpu
from tests.support.relay import RelayProcess

PAIRS = 16
FULL = Load(pairs=PAIRS, records=8_000, window=8, fan=1)
SHARES = (0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Latency:
    """Of `rate` records a second; percentiles in ms from just before the send until the reader heard."""

    share: float
    rate: float
    reached: float
    busy: float
    """share of one core that the relay used"""
    p50: float
    p99: float
    p999: float


async def measure(seconds: float, tell: Callable[[str], None]) -> list[Latency]:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        data.mkdir(mode=0o700)
        (data / "relay.toml").write_text(crowd.UNLIMITED)
        async with RelayProcess(data, "--local", "off") as relay:
            entrance = await device.entrance(relay)
            tell("how much the relay bears")
            outcomes = [await crowd.measure(relay, entrance, FULL) for _ in range(2)]
            full = FULL.records / min(outcome.took for outcome in outcomes)
            found = []
            for share in SHARES:
                tell(f"latency at {share:.0%} of {full:,.0f} records a second")
                found.append(await _at(relay, entrance, share, full * share, seconds))
            return found


async def _at(
    relay: RelayProcess, entrance: device.Entrance, share: float, rate: float, seconds: float
) -> Latency:
    """Publishers send when it is time, whether earlier records have come through or not."""
    count = int(rate * seconds) // PAIRS * PAIRS
    gathering = Crowd(Load(PAIRS, count, 0, 1))
    await gathering.gather(entrance)
    took: list[float] = []
    done = asyncio.get_running_loop().create_future()

    def hears(sent: deque[float]) -> Callable[[], None]:
        def heard() -> None:
            took.append(time.perf_counter() - sent.popleft())
            if len(took) == count:
                done.set_result(None)

        return heard

    queues: list[deque[float]] = []
    for publisher, readers in zip(gathering.publishers, gathering.readers, strict=True):
        queue: deque[float] = deque()
        queues.append(queue)
        publisher.hears = lambda: None
        readers[0].hears = hears(queue)
    before, begun = cpu(relay.pid), time.perf_counter()
    sent = 0
    while sent < count:
        due = min(count, int((time.perf_counter() - begun) * rate))
        while sent < due:
            place = sent % PAIRS
            # From when it was due, not from when a load that is late came to send it.
            queues[place].append(begun + sent / rate)
            gathering.publishers[place].publish()
            sent += 1
        await asyncio.sleep(0.001)
    async with asyncio.timeout(60 + 10 * seconds):
        await done
    lasted = time.perf_counter() - begun
    busy = (cpu(relay.pid) - before) / lasted
    gathering.verify()
    gathering.leave()
    took.sort()

    def percentile(part: float) -> float:
        return took[min(len(took) - 1, int(len(took) * part))] * 1000

    return Latency(share, rate, count / lasted, busy, percentile(0.5), percentile(0.99), percentile(0.999))
