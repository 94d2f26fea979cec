"""What a device keeps of a large group, and what one message costs it to save."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
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
    """Medians of the steps for one kind of message: ms to save, of the whole step, and to make one small row durable
    right after; rows and bytes written."""

    save: float
    whole: float
    least: float
    rows: float
    written: float

    @classmethod
    def of(cls, steps: Sequence[Step], least: Sequence[float]) -> Saving:
        return cls(
            statistics.median(step.save for step in steps),
            statistics.median(step.core + step.commit for step in steps),
            statistics.median(least),
            statistics.median(step.rows for step in steps),
            statistics.median(step.written for step in steps),
        )


@dataclass(slots=True)
class Kept:
    """Of one suite, by who has spoken: bytes of the group's rows and of the store's files, and what messages received
    and sent cost."""

    suite: int
    size: int
    rows: dict[str, int] = field(default_factory=dict)
    file: dict[str, int] = field(default_factory=dict)
    received: dict[str, Saving] = field(default_factory=dict)
    sent: dict[str, Saving] = field(default_factory=dict)


def measure(suite: int, size: int, tell: Callable[[str], None], *, times: int = TIMES) -> Kept:
    """`times` messages of each kind."""
    BUILD.mkdir(exist_ok=True)
    # Beside the project, as folders for temporary files are often in memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as name, ExitStack() as stack:
        folder = Path(name)
        storage, other = (
            Storage.open(folder / each, passphrase=None, random=SystemRandom()) for each in ("anna", "other")
        )
        stack.callback(storage.close)
        stack.callback(other.close)
        tell(f"making a group of {size:,} with a device in it")
        measured = _Measured(Device(storage, suite, size), storage, other, Kept(suite, size))
        first, *rest = measured.device.others
        measured.messages(NOBODY, [first] * times)
        tell(f"{size:,} members speak to a device")
        for leaf in rest:
            measured.device.hear(leaf)
        measured.messages(EVERYBODY, [rest[place * 7 % len(rest)] for place in range(times)])
        return measured.kept


@dataclass(slots=True)
class _Measured:
    device: Device
    storage: Storage
    other: Storage
    kept: Kept

    def messages(self, who: str, senders: Sequence[int]) -> None:
        """One received from each of `senders`, and as many sent."""
        kept = self.kept
        kept.received[who] = self._saving(lambda place: self.device.hear(senders[place]), len(senders))
        kept.sent[who] = self._saving(lambda _: self.device.say(), len(senders))
        kept.rows[who] = self.device.rows()
        self.storage.forget_former()
        kept.file[who] = sum(path.stat().st_size for path in self.storage.folder.glob("store.db*"))

    def _saving(self, act: Callable[[int], Step], times: int) -> Saving:
        steps, least = [], []
        for place in range(times):
            steps.append(act(place))
            least.append(self._least(place))
        # The first makes ratchets; it is no step like the others.
        return Saving.of(steps[1:], least[1:])

    def _least(self, number: int) -> float:
        """ms to make one small row durable, in another store on the same disk: what any step takes at least."""
        begun = time.perf_counter()
        self.other.commit([Save("mark", b"bench", number.to_bytes(100, "big"))], 0)
        return (time.perf_counter() - begun) * 1e3
