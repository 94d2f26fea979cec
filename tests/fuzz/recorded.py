"""What of the scenes is kept in a file: for TypeScript's own tests, and what no seed makes again.

`python -m tests.fuzz.recorded` writes it anew.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "scenes.json"
LARGEST_SEED = 1000
"""Bytes: so that the file stays under 200 KB."""


@functools.cache
def _content() -> dict[str, Any]:
    if not FILE.exists():
        return {"encapsulations": {}}
    content: dict[str, Any] = json.loads(FILE.read_text())
    return content


def encapsulations() -> dict[str, tuple[str, str]]:
    """(ciphertext, secret) in hexadecimal, by the start of the key's hash."""
    found: dict[str, tuple[str, str]] = _content()["encapsulations"]
    return found


def content() -> dict[str, Any]:
    """What the file should hold."""
    from tests.fuzz import scenes, seeds
    from tests.fuzz.mutate import Mutator
    from tests.support.seeded import SeededRandom

    made = [scenes.scene(number) for number in range(len(scenes.NAMES))]
    described = [{"name": scene.name, **scene.describe()} for scene in made]
    kept = {name: value for scene in made for name, value in scene.encapsulations.items()}
    good = []
    mutator = Mutator(SeededRandom(1), [b""])
    # Good messages of each kind once, in the scenes where there is most to refuse.
    names: set[str] = set()
    for number in (scenes.NAMES.index("pair"), scenes.NAMES.index("crowd"), scenes.NAMES.index("waiting")):
        for seed in seeds.corpus(number):
            data = seed.finish(seed.data, mutator)
            if len(data) <= LARGEST_SEED and seed.name not in names:
                names.add(seed.name)
                good += [[target, number, data.hex()] for target in seed.targets[-1:]]
    return {"scenes": described, "encapsulations": kept, "seeds": good}


def text() -> str:
    value = content()
    lines = [f'"{name}": {json.dumps(value[name])}' for name in ("scenes", "encapsulations", "seeds")]
    return "{" + ",\n".join(lines) + "}\n"


if __name__ == "__main__":
    FILE.write_text(text())
