"""The same bytes to both languages: the same verdict, the same rule, the same encoding, and nothing worse."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.fuzz import scenes
from tests.fuzz.peer import Peer, PeerError
from tests.fuzz.targets import BY_NAME, Input, verdict

MEASURED = 512
"""One in so many inputs has its memory measured: that makes it five times as slow."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What two languages say of one input, or `python` alone where only one was asked."""

    given: Input
    python: str
    typescript: str | None

    def __str__(self) -> str:
        other = "" if self.typescript is None else f"\n  TypeScript: {self.typescript}"
        data = (
            f"{len(self.given.data)} bytes for {self.given.target} in scene {scenes.NAMES[self.given.scene]}"
        )
        return f"{data}:\n  Python:     {self.python}{other}\n  {self.given.command()}"


@dataclass(frozen=True, slots=True)
class Allowed:
    """A difference that is right as it is."""

    why: str
    holds: Callable[[Difference], bool]


def is_suite_of_python_alone(difference: Difference) -> bool:
    """TypeScript knows no suite, and 0x0003 is among the bytes."""
    return difference.typescript == "refused mls 5.1-suite" and b"\x00\x03" in difference.given.data


ALLOWED = (
    Allowed("the library has the suite 0x0003, which the browser does without", is_suite_of_python_alone),
)


@dataclass(slots=True)
class Report:
    """`seen`: (target, the verdict without its digest) to how often; `spent` are Python's seconds by target."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    spent: dict[str, float] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)
    allowed: Counter[str] = field(default_factory=Counter)

    @property
    def inputs(self) -> int:
        return self.seen.total()


class Differential:
    """Compares; keeps score in `report`."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.report = Report()
        self._count = 0
        self._before = {number: scenes.scene(number).group.encode() for number in range(len(scenes.NAMES))}

    def run(self, inputs: Sequence[Input]) -> list[Difference]:
        """The differences that are not allowed."""
        shared = [given for given in inputs if BY_NAME[given.target].shared]
        if shared:
            self.peer.begin(shared)
        mine = [self._own(given) for given in inputs]
        theirs = iter(self._finish(shared))
        found = []
        for given, python in zip(inputs, mine, strict=True):
            typescript = next(theirs) if BY_NAME[given.target].shared else None
            kind = python if python.startswith("refused") else python.partition(" ")[0]
            self.report.seen[given.target, kind] += 1
            difference = Difference(given, python, typescript)
            if not self._is_right(difference):
                found.append(difference)
        self._check_unchanged(inputs)
        self.report.differences += found
        return found

    def _own(self, given: Input) -> str:
        self._count += 1
        if self._count % MEASURED == 0:
            return verdict(given, measured=True)
        started = time.process_time()
        said = verdict(given)
        before = self.report.spent.get(given.target, 0.0)
        self.report.spent[given.target] = before + time.process_time() - started
        return said

    def _finish(self, shared: Sequence[Input]) -> list[str]:
        if not shared:
            return []
        verdicts = self.peer.finish()
        if len(verdicts) != len(shared):
            raise PeerError(f"{len(verdicts)} verdicts for {len(shared)} inputs")
        return verdicts

    def _is_right(self, difference: Difference) -> bool:
        python, typescript = difference.python, difference.typescript
        if python.startswith("fault") or (typescript or "").startswith("fault"):
            return False
        if typescript is None or python == typescript:
            return True
        for allowed in ALLOWED:
            if allowed.holds(difference):
                self.report.allowed[allowed.why] += 1
                return True
        return False

    def _check_unchanged(self, inputs: Sequence[Input]) -> None:
        """Nothing that was received changed a group: states are values, and a new one comes only with success."""
        for number, blob in self._before.items():
            if scenes.scene(number).group.encode() != blob:
                targets = sorted({given.target for given in inputs if given.scene == number})
                raise AssertionError(f"one of {targets} changed the group of scene {scenes.NAMES[number]}")
