"""What a device keeps of a large group, and what one message costs it to save."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.mls.device import Device, Step
from polynya.client.storage import Storage
from polynya.client.system import SystemRandom
from polynya.core.commands import Save
from scripts.webapp import STATE as BUILD

NOBODY = "nobody else"
EVERYBODY = "everybody"
TIMES = 40
"""Messages of each kind."""


@dataclass(frozen=True, slots=True)
class Saving:
    """Medians of the steps for one kind of message: ms to save, ms of the whole step, rows and bytes written."""

    save: float
    whole: float
    rows: float
    written: float
    count: int

    @classmethod
    def of(cls, steps: Sequence[Step]) -> Saving:
        return cls(
            statistics.median(step.save for step in steps),
            statistics.median(step.core + step.commit for step in steps),
            statistics.median(step.rows for step in steps),
            statistics.median(step.written for step in steps),
            len(steps),
        )


@dataclass(slots=True)
class Kept:
    """Of one suite, by who has spoken: bytes of the group's rows, and what messages received and sent cost."""

    suite: int
    size: int
    rows: dict[str, int] = field(default_factory=dict)
    file: dict[str, int] = field(default_factory=dict)
    received: dict[str, Saving] = field(default_factory=dict)
    sent: dict[str, Saving] = field(default_factory=dict)


def _file(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("store.db*"))


def measure(suite: int, size: int, tell: Callable[[str], None], *, times: int = TIMES) -> Kept:
    kept = Kept(suite, size)
    BUILD.mkdir(exist_ok=True)
    # Beside the project, as folders for temporary files are often in memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as name:
        folder = Path(name)
        storage = Storage.open(folder, passphrase=None, random=SystemRandom())
        try:
            tell(f"making a group of {size:,} with a device in it")
            device = Device(storage, suite, size)
            first, *rest = device.others
            _measure(device, storage, folder, kept, NOBODY, [first] * times, times)
            tell(f"{size:,} members speak to a device")
            for leaf in rest:
                device.hear(leaf)
            spread = [rest[place * 7 % len(rest)] for place in range(times)]
            _measure(device, storage, folder, kept, EVERYBODY, spread, times)
        finally:
            storage.close()
    return kept


def _measure(
    device: Device,
    storage: Storage,
    folder: Path,
    kept: Kept,
    who: str,
    senders: Sequence[int],
    times: int,
) -> None:
    received = [device.hear(leaf) for leaf in senders]
    sent = [device.say() for _ in range(times)]
    # The first makes ratchets; it is no step like the others.
    kept.received[who] = Saving.of(received[1:] or received)
    kept.sent[who] = Saving.of(sent[1:] or sent)
    kept.rows[who] = device.rows()
    storage.forget_former()
    kept.file[who] = _file(folder)


def flush_time(*, times: int = TIMES) -> float:
    """ms to make one small row durable in a store: what any step takes at least."""
    import time

    took = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as name:
        storage = Storage.open(Path(name), passphrase=None, random=SystemRandom())
        try:
            for number in range(times):
                begun = time.perf_counter()
                storage.commit([Save("mark", b"flush", number.to_bytes(100, "big"))], 0)
                took.append((time.perf_counter() - begun) * 1e3)
        finally:
            storage.close()
    return statistics.median(took)
