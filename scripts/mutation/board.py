"""What is known so far, in `build/mutation/`: records of which test each site matters to, and verdicts.

Both hold only for the very sources and tests that they were made with, whose digest is in the file's name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "mutation"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`killed`: the test that failed while the site was off, or "time"; None: all passed. `reached`: tests in which the
    site matters; none: nothing could have failed."""

    site: str
    killed: str | None
    reached: int


@dataclass(frozen=True, slots=True)
class Record:
    """`tests`: seconds and sites of each test that some site matters to. `failed`: tests that fail as things are."""

    tests: Mapping[str, Mapping[str, Any]]
    failed: tuple[str, ...]

    def reaching(self, site: str, first: Iterable[str] = ()) -> list[str]:
        """The tests that a site matters to: those of `first`, then the others, the quickest ahead."""
        ahead = tuple(first)
        found = [name for name, test in self.tests.items() if site in test["sites"]]
        return sorted(
            found, key=lambda n: (not n.startswith(ahead) if ahead else 0, self.tests[n]["seconds"], n)
        )

    def seconds(self, tests: Iterable[str]) -> float:
        return sum(float(self.tests[name]["seconds"]) for name in tests)


MACHINERY = tuple(FOLDER.parents[1] / "scripts" / "mutation" / name for name in (
    "hook.py", "scope.json", "sites.py", "suite.py", "switch.py",
))  # fmt: skip
"""What decides which sites there are and how they are switched off."""


def digest(places: Iterable[Path], suffixes: frozenset[str]) -> str:
    """Of the names and contents of these files and of all files below these folders, shortened."""
    hash_ = hashlib.sha256()
    for place in (*MACHINERY, *places):
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix in suffixes and "node_modules" not in path.parts:
                hash_.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return hash_.hexdigest()[:16]


class Board:
    """The files of one language and one state of the tree."""

    def __init__(self, language: str, state: str) -> None:
        FOLDER.mkdir(parents=True, exist_ok=True)
        self.state = state
        self._record = FOLDER / f"{language}-{state}.json"
        self._verdicts = FOLDER / f"{language}-{state}.jsonl"

    @property
    def record_path(self) -> Path:
        return self._record

    def record(self) -> Record | None:
        if not self._record.is_file():
            return None
        data = json.loads(self._record.read_text())
        return Record(data["tests"], tuple(data["failed"]))

    def verdicts(self) -> dict[str, Verdict]:
        """By site; a last line that was cut off is left out."""
        found = {}
        lines = self._verdicts.read_text().splitlines() if self._verdicts.is_file() else []
        for line in lines:
            try:
                verdict = Verdict(**json.loads(line))
            except (ValueError, TypeError):
                continue
            found[verdict.site] = verdict
        return found

    def add(self, verdict: Verdict) -> None:
        with self._verdicts.open("a") as file:
            file.write(json.dumps(asdict(verdict)) + "\n")

    def forget(self) -> None:
        self._record.unlink(missing_ok=True)
        self._verdicts.unlink(missing_ok=True)
