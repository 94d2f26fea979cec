"""What one delivery costs where a topic has few or many readers."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.relay import crowd, device
from benchmarks.relay.crowd import Load
from tests.support.relay import RelayProcess

DELIVERIES, RECORDS = 20_000, 4_000
"""In each run, about, and at most."""
WINDOW = 8
FILES = 400
"""Open files beside the load's connections."""


@dataclass(frozen=True, slots=True)
class Fan:
    """us of the relay's processor for one record with all of its deliveries, and what each reader but the first adds."""

    readers: int
    record: float
    each: float


def most() -> int:
    """Readers for whom this process may open connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - FILES


async def measure(sizes: Sequence[int], tell: Callable[[str], None]) -> list[Fan]:
    """`sizes` ascending; those for whom there are no connections are left out."""
    found: list[Fan] = []
    limit = most()
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "data"
        data.mkdir(mode=0o700)
        (data / "relay.toml").write_text(crowd.UNLIMITED)
        async with RelayProcess(data, "--local", "off") as relay:
            entrance = await device.entrance(relay)
            alone = await _record(relay, entrance, 1)
            for size in sizes:
                if size > limit:
                    continue
                tell(f"{size:,} readers of one topic")
                record = await _record(relay, entrance, size)
                found.append(Fan(size, record, (record - alone) / (size - 1)))
    return found


async def _record(relay: RelayProcess, entrance: device.Entrance, readers: int) -> float:
    """us; several records are on their way at a time, as many as in `beside`."""
    load = Load(
        pairs=1, records=min(RECORDS, max(WINDOW * 2, DELIVERIES // readers)), window=WINDOW, fan=readers
    )
    outcome = await crowd.measure(relay, entrance, load)
    return outcome.cpu / load.records * 1e6
