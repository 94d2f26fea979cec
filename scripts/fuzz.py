"""Gives hostile bytes to our MLS in both languages, and tells every input on which they differ or one does wrong.

Inputs are made of a seed and a number, so a run can be repeated, or gone on with where it was broken off (`--first`). An
input that fails is told as the command that runs just it. One in ten is found by coverage in Python alone (`--atheris`:
all of them), where atheris has wheels.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import os
import re
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz import scenes
from tests.fuzz.differential import Difference, Differential, Report
from tests.fuzz.inputs import BATCH, Source
from tests.fuzz.peer import Peer, PeerError
from tests.fuzz.targets import BY_NAME, Input, verdict

ROOT = Path(__file__).resolve().parents[1]
COUNT = 10_000_000
BY_COVERAGE = 10
"""One in so many inputs."""
FAILURES = 20
"""After so many the rest would tell nothing more."""
SHOWN = 4000
"""Characters of an input's command that are printed; longer ones go to a file whole."""


@dataclass(slots=True)
class Total:
    """The reports of all batches."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    spent: dict[str, float] = field(default_factory=dict)
    allowed: Counter[str] = field(default_factory=Counter)
    failures: int = 0

    @property
    def inputs(self) -> int:
        return self.seen.total()

    def add(self, report: Report) -> None:
        self.seen += report.seen
        for name, seconds in report.spent.items():
            self.spent[name] = self.spent.get(name, 0.0) + seconds
        self.allowed += report.allowed
        self.failures += len(report.differences)


_differential: Differential | None = None
_sources: dict[tuple[str, tuple[str, ...]], Source] = {}


def run_batch(task: tuple[str, tuple[str, ...], int]) -> Report:
    """One batch in a worker, which keeps its Node and its corpus."""
    global _differential
    seed, targets, number = task
    if (seed, targets) not in _sources:
        _sources[seed, targets] = Source(seed, targets)
    inputs = _sources[seed, targets].batch(number)
    if _differential is None:
        _differential = Differential(Peer())
    _differential.report = Report()
    try:
        _differential.run(inputs)
    except PeerError:
        # Which of them it was: each alone, by a Node of its own where one ends.
        _differential.report = Report()
        for given in inputs:
            _differential = one(_differential, given)
    return _differential.report


def one(differential: Differential, given: Input) -> Differential:
    """Tries an input that may end Node; gives the Differential to go on with."""
    report = differential.report
    try:
        differential.run([given])
    except PeerError as error:
        differential = Differential(Peer())
        differential.report = report
        report.differences.append(Difference(given, verdict(given), f"fault {error}"))
    return differential


def tell(difference: Difference) -> None:
    text = str(difference)
    if len(text) > SHOWN:
        path = ROOT / "build" / f"fuzz-{secrets.token_hex(4)}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")
        text = f"{text[:300]} ...\n  whole in {path}"
    print(f"\nFAILED: {text}\n", flush=True)


def batches(arguments: argparse.Namespace, seed: str, count: int) -> Iterator[Report]:
    end = None if arguments.seconds is None else time.monotonic() + arguments.seconds
    first = arguments.first // BATCH
    numbers = range(first, first + -(-count // BATCH))
    tasks = ((seed, tuple(arguments.target or BY_NAME), number) for number in numbers)
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        waiting = []
        for task in tasks:
            if end is not None and time.monotonic() > end:
                break
            waiting.append(pool.apply_async(run_batch, (task,)))
            if len(waiting) > arguments.workers:
                yield waiting.pop(0).get()
        for result in waiting:
            yield result.get()


def compare(arguments: argparse.Namespace, seed: str, count: int) -> Total:
    """Both languages."""
    total, started = Total(), time.monotonic()
    reported = started
    for report in batches(arguments, seed, count):
        total.add(report)
        for difference in report.differences:
            tell(difference)
        if total.failures >= FAILURES:
            break
        if time.monotonic() - reported > 30:
            reported = time.monotonic()
            print(f"{total.inputs:,} inputs, {total.inputs / (reported - started):,.0f}/s", flush=True)
    show(total, time.monotonic() - started)
    return total


def show(total: Total, seconds: float) -> None:
    for name in BY_NAME:
        kinds = {kind: n for (target, kind), n in total.seen.items() if target == name}
        if kinds:
            inputs, spent = sum(kinds.values()), total.spent.get(name, 0.0)
            rate = f"{inputs / spent:>9,.0f}/s of Python" if spent else ""
            rules = len([kind for kind in kinds if kind.startswith("refused")])
            accepted = kinds.get("accepted", 0)
            print(
                f"  {name:22}{inputs:>11,} inputs{accepted:>10,} accepted  {rules:>3} ways to refuse {rate}"
            )
    for why, n in total.allowed.items():
        print(f"  {n} differences as they should be: {why}")
    print(f"{total.inputs:,} inputs, {total.inputs / max(seconds, 0.001):,.0f}/s, {total.failures} failures")


def by_coverage(arguments: argparse.Namespace, seed: int, count: int) -> int:
    """Runs atheris; gives how many failures it found, which is one at most: it ends there."""
    command = [sys.executable, "-m", "tests.fuzz.coverage", "--runs", str(count), "--seed", str(seed)]
    if arguments.seconds is not None:
        command += ["--seconds", str(max(1, round(arguments.seconds)))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
    units = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    if done.returncode != 0 or units is None:
        print(f"{done.stdout}\n{done.stderr[-2000:]}", flush=True)
        return 1
    print(f"{int(units[1]):,} inputs by coverage, nothing found", flush=True)
    return 0


def just(arguments: argparse.Namespace) -> int:
    """One input by hand."""
    data = b"" if arguments.input == "-" else bytes.fromhex(arguments.input)
    given = Input(arguments.target[0], scenes.NAMES.index(arguments.scene), data)
    print(f"Python:     {verdict(given)}")
    with Peer() as peer:
        differential = Differential(peer)
        if BY_NAME[given.target].shared:
            peer.begin([given])
            print(f"TypeScript: {peer.finish()[0]}")
        return 1 if differential.run([given]) else 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=COUNT, help="inputs in all")
    parser.add_argument("--first", type=int, default=0, help="inputs of this seed that were compared before")
    parser.add_argument("--seconds", type=float, help="stop after so long, by comparing and by coverage each")
    parser.add_argument("--seed", type=int, help="drawn and printed if not given")
    parser.add_argument("--target", action="append", choices=list(BY_NAME), help="only that; may be repeated")
    parser.add_argument("--atheris", action="store_true", help="all inputs by coverage")
    # A worker is a Python and a Node that work at the same time.
    workers = max(1, (os.cpu_count() or 2) // 2)
    parser.add_argument("--workers", type=int, default=workers, help="processes, each with a Node beside it")
    parser.add_argument("--scene", choices=scenes.NAMES, default=scenes.NAMES[0], help="for --input")
    parser.add_argument("--input", help="just these bytes, in hexadecimal, for the target in the scene")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    if arguments.input is not None:
        return just(arguments)
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    print(f"Seed {seed}.", flush=True)
    has_atheris = importlib.util.find_spec("atheris") is not None
    if arguments.atheris:
        if not has_atheris:
            print("atheris has no wheels for this Python: leave out --atheris")
            return 1
        return by_coverage(arguments, seed, arguments.count)
    guided = arguments.count // BY_COVERAGE if has_atheris and not arguments.target else 0
    total = compare(arguments, str(seed), arguments.count - guided)
    failures = total.failures
    if guided:
        failures += by_coverage(arguments, seed, guided)
    return 1 if failures or not total.inputs else 0


if __name__ == "__main__":
    sys.exit(main())
