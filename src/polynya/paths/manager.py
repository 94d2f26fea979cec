"""Chooses the carrier to a relay. Holds what was seen of each; never touches the network itself.

The best-scored carrier that is not in a pause is tried; one that fails pauses for a growing time, and
the next is tried at once. So a blocked WebSocket costs one attempt before exchanges take over, and is
tried again when its pause is over. Times are milliseconds of a clock that nobody sets (monotonic).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from polynya.carriers.base import CarrierProperties
from polynya.paths import backoff
from polynya.wire import cbor
from polynya.wire.errors import WireError


@dataclass(frozen=True, slots=True)
class PathRecord:
    """What was seen of one carrier."""

    failures: int = 0
    """In a row; 0 after a success."""
    retry_at: int = 0
    """ms; not before."""
    worked: bool = False
    """Whether it ever did."""


Score = Callable[[CarrierProperties, PathRecord], float]
"""(What it is good for, what was seen of it) -> higher is tried first."""


def default_score(properties: CarrierProperties, record: PathRecord) -> float:
    """Streams before exchanges, then what works, then the quicker."""
    works = record.worked and not record.failures
    return 100 * properties.streams + 10 * works - properties.latency / 1_000


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing may be tried before `until` (ms)."""

    until: int


class PathManager:
    """The carriers to one relay by name; where scores are equal, in the order given."""

    def __init__(
        self,
        carriers: Mapping[str, CarrierProperties],
        *,
        score: Score = default_score,
        memory: bytes | None = None,
    ) -> None:
        self._carriers = dict(carriers)
        self._score = score
        self._records: dict[str, PathRecord] = dict.fromkeys(self._carriers, PathRecord())
        if memory is not None:
            self._recall(memory)

    def record(self, name: str) -> PathRecord:
        return self._records[name]

    def choose(self, now: int, *, fits: Callable[[CarrierProperties], bool] = lambda _: True) -> str | Wait:
        """The carrier to try, among those whose properties `fits` accepts, or how long all of them pause."""
        names = [name for name, properties in self._carriers.items() if fits(properties)]
        ready = [name for name in names if self._records[name].retry_at <= now]
        if ready:
            return max(ready, key=lambda name: self._score(self._carriers[name], self._records[name]))
        return Wait(min((self._records[name].retry_at for name in names), default=now + backoff.LARGEST))

    def succeeded(self, name: str) -> None:
        self._records[name] = PathRecord(worked=True)

    def failed(self, name: str, now: int, chance: int) -> None:
        """Notes a failure; `chance` (0..65535) is the jitter."""
        record = self._records[name]
        failures = record.failures + 1
        self._records[name] = replace(
            record, failures=failures, retry_at=now + backoff.pause(failures, chance)
        )

    def retry_now(self) -> None:
        """The person asks, or the network changed: all pauses end."""
        for name, record in self._records.items():
            self._records[name] = replace(record, retry_at=0)

    def remember(self) -> bytes:
        """What the next run should know: which carriers work. Pauses are not kept: a start is the wish
        to try."""
        rows: list[cbor.Value] = [
            [name, record.failures, record.worked] for name, record in sorted(self._records.items())
        ]
        return cbor.encode(rows)

    def _recall(self, memory: bytes) -> None:
        """Takes what `remember` made; anything else is forgotten, as that costs one attempt only."""
        try:
            rows = cbor.decode(memory)
        except WireError:
            return
        for row in rows if isinstance(rows, list) else []:
            match row:
                case [str(name), int(failures), bool(worked)] if name in self._records:
                    self._records[name] = PathRecord(failures=min(failures, 20), worked=worked)
