"""What was measured: many samples of one thing, or why there are none."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.mls.members import Sample

COMMIT = "path commit"
PROCESS = "process a path commit"
JOIN = "join by a Welcome"
ENCRYPT = "encrypt"
DECRYPT = "decrypt"
ENCRYPT_FIRST = "encrypt, first of an epoch"
DECRYPT_FIRST = "decrypt, first of a sender"
DECRYPT_ALL = "decrypt, when all have spoken"
COMMIT_FRESH = "path commit just after a mass add"
PROCESS_FRESH = "process a path commit just after a mass add"


@dataclass(frozen=True, slots=True)
class Place:
    """A cell: `operation` is one of the constants above."""

    suite: int
    size: int
    kind: str
    operation: str


@dataclass(slots=True)
class Figures:
    """Samples by place; notes, for a suite, size and kind, say why what is missing is missing."""

    samples: dict[Place, list[Sample]] = field(default_factory=dict)
    notes: dict[tuple[int, int, str], str] = field(default_factory=dict)

    def add(self, place: Place, samples: Iterable[Sample]) -> None:
        self.samples.setdefault(place, []).extend(samples)

    def note(self, suite: int, size: int, kind: str, text: str) -> None:
        self.notes.setdefault((suite, size, kind), text)

    def wall(self, place: Place) -> float | None:
        """The median in ms."""
        found = self.samples.get(place)
        return statistics.median(sample.wall for sample in found) if found else None

    def cpu(self, place: Place) -> float | None:
        """The median in ms of all threads; None also where the member cannot tell."""
        known = [sample.cpu for sample in self.samples.get(place, ()) if sample.cpu is not None]
        return statistics.median(known) if known else None

    def count(self, place: Place) -> int:
        return len(self.samples.get(place, ()))
