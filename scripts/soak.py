"""Lets random groups of our members and independent ones live, and tells every life in which something broke.

Each life is one group: a seed, a plan of who takes part, and about sixty operations. Lives have the seeds
`--seed`, `--seed` + 1 and so on.
"""

from __future__ import annotations

import argparse
import multiprocessing
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.referees.cast import MODULES, PLANS, SHARES, Cast, Plan, installed
from tests.referees.engine import LifeError, Tally
from tests.referees.life import Life

OPERATIONS = 100_000
PER_LIFE = 60
FAILURES = 10
"""After so many the rest would tell nothing more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A life's end: `failure` says everything where it broke."""

    seed: int
    plan: str
    tally: Tally
    failure: str | None


def plan_of(seed: int, name: str | None) -> Plan:
    wanted = name or SHARES[seed % len(SHARES)]
    return next(plan for plan in PLANS if plan.name == wanted)


def live(cast: Cast, seed: int, plan: Plan) -> Outcome:
    cast.tell_time()
    life = Life(cast, plan, seed)
    try:
        return Outcome(seed, plan.name, life.run(PER_LIFE), None)
    except LifeError as error:
        return Outcome(seed, plan.name, life.tally, str(error))


_folder = Path()
_cast: Cast | None = None


def begin_process(folder: str) -> None:
    global _folder
    _folder = Path(folder)


def live_in_process(task: tuple[int, str | None]) -> Outcome:
    """As `live`, in a worker, which has a cast of its own; a broken life takes its cast with it."""
    global _cast
    seed, name = task
    if _cast is None:
        _cast = Cast(_folder)
    outcome = live(_cast, seed, plan_of(seed, name))
    if outcome.failure is not None:
        _cast.close()
        _cast = None
    return outcome


def outcomes(arguments: argparse.Namespace, first: int) -> Iterator[Outcome]:
    """Lives until operations, minutes or `--lives` are up."""
    end = None if arguments.minutes is None else time.monotonic() + 60 * arguments.minutes
    done = 0

    def tasks() -> Iterator[tuple[int, str | None]]:
        number = 0
        while arguments.lives is None or number < arguments.lives:
            if end is not None and time.monotonic() > end:
                return
            if arguments.lives is None and done >= arguments.operations:
                return
            yield first + number, arguments.plan
            number += 1

    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        multiprocessing.get_context("spawn").Pool(arguments.workers, begin_process, (folder,)) as pool,
    ):
        waiting = []
        for task in tasks():
            waiting.append(pool.apply_async(live_in_process, (task,)))
            if len(waiting) >= 2 * arguments.workers:
                outcome = waiting.pop(0).get()
                done += outcome.tally.operations
                yield outcome
        for result in waiting:
            yield result.get()
        pool.close()
        pool.join()


def command(outcome: Outcome) -> str:
    return f"python -m scripts.soak --seed {outcome.seed} --plan {outcome.plan} --lives 1"


def rates(tally: Tally, seconds: float) -> str:
    return (
        f"{tally.operations:,} operations, {tally.epochs:,} epochs, {tally.messages:,} messages opened "
        f"{tally.opened:,} times, {tally.refused:,} refusals that were due, {tally.attacks:,} attempts of removed "
        f"members; up to {tally.largest} members; {tally.operations / seconds:.0f} operations/s"
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts.soak", description=__doc__)
    parser.add_argument("--operations", type=int, default=OPERATIONS, help="how many at least, in all")
    parser.add_argument("--minutes", type=float, help="stop after so long")
    parser.add_argument("--lives", type=int, help="so many groups, whatever the number of operations")
    parser.add_argument("--seed", type=int, help="of the first life; drawn and printed if not given")
    parser.add_argument("--plan", choices=[plan.name for plan in PLANS], help="who takes part in every life")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    first = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    missing = sorted(frozenset(MODULES) - installed())
    print(f"First seed {first}. Not on this machine: {', '.join(missing) or 'none of the referees missing'}.")
    started = reported = time.monotonic()
    total, failures = Tally(), 0
    for outcome in outcomes(arguments, first):
        total.add(outcome.tally)
        now = time.monotonic()
        if outcome.failure is not None:
            failures += 1
            print(f"\nFAILED: {outcome.failure}\nRun just that: {command(outcome)}\n", flush=True)
            if failures >= FAILURES:
                break
        elif now - reported > 10:
            reported = now
            print(rates(total, now - started), flush=True)
    print(rates(total, time.monotonic() - started))
    print(f"{failures} failures." if failures else "Everything held.")
    return 1 if failures or not total.operations else 0


if __name__ == "__main__":
    sys.exit(main())
