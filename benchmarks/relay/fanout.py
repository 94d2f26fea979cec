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

DELIVERIES = 20_000
"""In each run, at least."""
FILES = 400
"""Open files beside the load's connections."""


@dataclass(frozen=True, slots=True)
class Fan:
    """us of the relay's processor for one delivery, its share of the publish within it."""

    readers: int
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
            for size in sizes:
                if size > limit:
                    continue
                tell(f"{size:,} readers of one topic")
                # Readers hear of records one at a time: what many records share in one write is another saving.
                load = Load(pairs=1, records=max(4, -(-DELIVERIES // size)), window=1, fan=size)
                outcome = await crowd.measure(relay, entrance, load)
                found.append(Fan(size, outcome.cpu / load.records / size * 1e6))
    return found
