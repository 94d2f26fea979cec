"""Coverage-guided inputs for the Python targets: atheris watches which branches of `polynya.mls` an input reaches, and
keeps what reaches a new one. `python -m tests.fuzz.coverage --runs N --seed N`.

Every other mutation is one of ours, so that what it keeps gets behind signatures. The input itself begins with the
numbers of target and scene.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

with atheris.instrument_imports(include=["polynya.mls"], enable_loader_override=False):
    import polynya.mls.group  # noqa: F401  (watched from its first import on)

from tests.fuzz import scenes, seeds
from tests.fuzz.inputs import SCENES, Source
from tests.fuzz.mutate import LARGEST, Mutator
from tests.fuzz.targets import TARGETS, Input, verdict
from tests.support.seeded import SeededRandom

PLACES = {target.name: place for place, target in enumerate(TARGETS)}


def pack(given: Input) -> bytes:
    return bytes((PLACES[given.target], given.scene)) + given.data


def unpack(data: bytes) -> Input:
    """Any bytes are an input."""
    target, scene = (*data[:2], 0, 0)[:2]
    return Input(TARGETS[target % len(TARGETS)].name, scene % len(scenes.NAMES), data[2:])


def attempt(data: bytes) -> None:
    """One input; ends the process where it brings about what none may."""
    given = unpack(data)
    said = verdict(given)
    if said.startswith("fault"):
        print(f"FAILED: {said[:2000]}\n{given.command()}", flush=True)
        raise RuntimeError(said[:200])


def mutator_of(source: Source) -> Callable[[bytes, int, int], bytes]:
    """Mutations for atheris: its own, or a new input of ours, chosen by the seed that it gives."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        random = SeededRandom(f"{source.seed}/{seed}".encode())
        if random.below(2):
            changed: bytes = atheris.Mutate(data, most)
            return changed
        mutator = Mutator(random, seeds.pool())
        number = mutator.one(SCENES)
        return pack(source.from_seed(mutator.one(source.seeds_of(number)), number, mutator))[:most]

    return mutate


def main(argv: list[str] | None = None) -> Any:
    parser = argparse.ArgumentParser(prog="tests.fuzz.coverage", description=__doc__)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--seconds", type=int, default=0, help="stop after so long; 0: never")
    arguments = parser.parse_args(argv)
    source = Source(str(arguments.seed))
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for number in range(len(scenes.NAMES)):
            for place, seed in enumerate(seeds.corpus(number)):
                data = seed.finish(seed.data, Mutator(SeededRandom(place), seeds.pool()))
                for target in seed.targets:
                    name = f"{number}-{place}-{target}"
                    (Path(folder) / name).write_bytes(pack(Input(target, number, data)))
        options = (
            f"-runs={arguments.runs}",
            # 0 would be drawn.
            f"-seed={arguments.seed % (1 << 31) + 1}",
            f"-max_len={LARGEST}",
            f"-max_total_time={arguments.seconds}",
            "-rss_limit_mb=0",
            "-print_final_stats=1",
            "-verbosity=0",
            f"-artifact_prefix={folder}/",
        )
        atheris.Setup([sys.argv[0], *options, folder], attempt, custom_mutator=mutator_of(source))
        atheris.Fuzz()


if __name__ == "__main__":
    main()
