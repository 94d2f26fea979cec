"""Gives hostile bytes to the port of a relay, and to what is behind it, and tells every input on which it does wrong: an
error in its log, an exception that is not a typed one, an answer that no ordinary server gives, a connection that does
not end, memory that grows.

Inputs are made of a seed and a number, so a run can be repeated, or gone on with where it was broken off (`--first`). An
input that fails is told as the command that runs just it.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import uvloop

from tests.fuzz.frames import TARGETS, Maker, Report, place, resident, run

COUNT = 10_000_000
BATCH = 4_096
RELAY = 16
"""Batches until a worker's relay is made anew, which takes seconds: its store fills with what is published."""
FAILURES = 20
"""After so many the rest would tell nothing more."""
GROWTH = 128 << 20
"""Bytes by which a worker may grow while it has one relay: 65,536 inputs, of which a tenth leaves an encapsulation that is
remembered (110 B), and the rates of what was named (150 B each), are 8 MiB; a cache of the database is 8; the rest is
what the interpreter keeps."""


@dataclass(slots=True)
class Total:
    """Of all batches."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)
    grown: int = 0


Task = tuple[str, tuple[str, ...], range]


def work(task: Task) -> tuple[Report, int]:
    """The inputs of one relay, and by how much this process grew."""
    return uvloop.run(_work(task))


async def _work(task: Task) -> tuple[Report, int]:
    seed, targets, numbers = task
    maker = Maker(seed)
    async with place() as at:
        # What is loaded and cached once is no growth.
        await run(maker, range(numbers.start, min(numbers.start + 512, numbers.stop)), targets, at)
        before = resident()
        report = await run(maker, numbers, targets, at)
        return report, resident() - before


def tasks(arguments: argparse.Namespace, seed: str) -> Iterator[Task]:
    end = None if arguments.seconds is None else time.monotonic() + arguments.seconds
    stop = arguments.first + arguments.count
    step = BATCH * RELAY if arguments.seconds is None else BATCH
    step = min(step, max(256, arguments.count // arguments.workers))
    for first in range(arguments.first, stop, step):
        if end is not None and time.monotonic() > end:
            return
        yield seed, tuple(arguments.target or TARGETS), range(first, min(first + step, stop))


def fuzz(arguments: argparse.Namespace, seed: str) -> Total:
    total, started = Total(), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        waiting = []
        for task in tasks(arguments, seed):
            waiting.append(pool.apply_async(work, (task,)))
            if len(waiting) > arguments.workers:
                add(total, *waiting.pop(0).get(), seed, started)
            if len(total.faults) >= FAILURES:
                break
        for result in waiting:
            add(total, *result.get(), seed, started)
    return total


def add(total: Total, report: Report, grown: int, seed: str, started: float) -> None:
    total.seen += report.seen
    total.grown = max(total.grown, grown)
    if grown > GROWTH:
        report.faults.append((-1, f"a relay grew by {grown >> 20} MiB"))
    for number, what in report.faults:
        print(
            f"\nFAILED: {what}\nRun just that: python -m scripts.fuzzframes --seed {seed} --first {number} --count 1\n"
        )
    total.faults += report.faults
    inputs = total.seen.total()
    print(f"{inputs:,} inputs, {inputs / (time.monotonic() - started):,.0f}/s", flush=True)


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts.fuzzframes", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="inputs in all")
    parser.add_argument("--first", type=int, default=0, help="inputs of this seed that were tried before")
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument("--seed", type=int, help="drawn and printed if not given")
    parser.add_argument("--target", action="append", choices=TARGETS, help="only that; may be repeated")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 2, help="processes, each with relays of its own"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    print(f"Seed {seed}.", flush=True)
    started = time.monotonic()
    total = fuzz(arguments, str(seed))
    for target in TARGETS:
        kinds = {kind: n for (name, kind), n in total.seen.items() if name == target}
        if kinds:
            often = ", ".join(f"{kind} {n:,}" for kind, n in Counter(kinds).most_common(4))
            print(f"  {target:10}{sum(kinds.values()):>11,} inputs  {len(kinds):>3} outcomes: {often}")
    inputs = total.seen.total() + len(total.faults)
    rate = inputs / max(time.monotonic() - started, 0.001)
    print(
        f"{inputs:,} inputs, {rate:,.0f}/s, {len(total.faults)} failures; a relay grew by {total.grown >> 20} MiB at most"
    )
    return 1 if total.faults or not inputs else 0


if __name__ == "__main__":
    sys.exit(main())
