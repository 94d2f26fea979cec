"""Inputs that once were wrong, with the verdict that both languages give of them; TypeScript's tests read the file too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import scenes
from tests.fuzz.targets import Input

FILE = Path(__file__).parent / "regressions.json"


@dataclass(frozen=True, slots=True)
class Regression:
    """`verdict` without the digest of what was accepted."""

    why: str
    given: Input
    verdict: str


def regressions() -> list[Regression]:
    """In the order of the file."""
    return [
        Regression(
            entry["why"],
            Input(entry["target"], scenes.NAMES.index(entry["scene"]), bytes.fromhex(entry["input"])),
            entry["verdict"],
        )
        for entry in json.loads(FILE.read_text())
    ]
