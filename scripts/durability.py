"""Kills a relay at random moments under load, then takes away its disk, its file handles and its clock.

A relay lives for `--life` kills and is held to all that it promised after each: every acknowledged record once and in
order, no gap, receipts and files whole, no key package handed out twice. Seeds are printed; lives have the seeds
`--seed`, `--seed` + 1 and so on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from polynya.carriers.base import CarrierError
from tests.relay.faults import FAULTS, missing
from tests.relay.killing import Tally, live
from tests.support.forking import ForkServer, fork_server

KILLS = 1_000
LIFE = 25
FAILURES = (AssertionError, TimeoutError, CarrierError)
"""A broken promise, and a relay that does not start, hangs or does not answer."""
TOO_LONG = "nothing happened any more"
OWN_MOUNTS = "POLYNYA_OWN_MOUNTS"


async def kill(arguments: argparse.Namespace, folder: Path, seed: int, server: ForkServer) -> bool:
    """Whether all lives kept all promises; several go on side by side."""
    total, failures, started = Tally(), 0, time.monotonic()

    def lives() -> Iterator[tuple[int, int]]:
        for number in range(-(-arguments.kills // arguments.life)):
            yield seed + number, min(arguments.life, arguments.kills - number * arguments.life)

    left = lives()

    async def worker() -> None:
        nonlocal failures
        for own, kills in left:
            data = folder / f"life-{own}"
            try:
                tally = await live(data, own, kills, server)
            except FAILURES as error:
                failures += 1
                print(
                    f"FAILED: {reason(error)}\nIts data: {data}\n{command('--kills', kills, '--seed', own)}",
                    flush=True,
                )
                continue
            shutil.rmtree(data)
            total.kills += tally.kills
            total.at_start += tally.at_start
            total.promises += tally.promises
            rate = total.kills / (time.monotonic() - started)
            print(f"{total.kills:,} kills, {total.promises:,} promises, {rate:.2f} kills/s", flush=True)

    await asyncio.gather(*(worker() for _ in range(arguments.workers)))
    seconds = time.monotonic() - started
    print(
        f"{total.kills:,} kills ({total.at_start} of them while starting) in {seconds:.0f} s, "
        f"{seconds / max(1, total.kills):.2f} s each: {total.promises:,} promises, {failures} lives broken."
    )
    return not failures


async def faults(arguments: argparse.Namespace, folder: Path, seed: int, server: ForkServer) -> bool:
    """Whether all promises were kept; several faults at a time, each with a relay of its own."""
    is_kept = True
    left = iter([(name, own) for name in arguments.faults for own in range(seed, seed + arguments.rounds)])

    async def worker() -> None:
        nonlocal is_kept
        for name, own in left:
            lacking = missing(name)
            if lacking is None:
                # Not `&=`: what others found meanwhile would be forgotten.
                if not await fail(name, folder / f"{name}-{own}", own, server):
                    is_kept = False
            elif own == seed:
                print(f"{name}: not tried, as this machine lacks {lacking}.", flush=True)

    await asyncio.gather(*(worker() for _ in range(arguments.workers)))
    return is_kept


async def fail(name: str, place: Path, seed: int, server: ForkServer) -> bool:
    place.mkdir()
    started = time.monotonic()
    try:
        seen = await FAULTS[name](place, seed, server)
    except FAILURES as error:
        print(f"FAILED: {name}: {reason(error)}", flush=True)
        print(command("--kills", 0, "--faults", name, "--rounds", 1, "--seed", seed), flush=True)
        return False
    print(f"{name}: {seen} ({time.monotonic() - started:.1f} s).", flush=True)
    shutil.rmtree(place)
    return True


def reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return str(error) or TOO_LONG
    return str(error) or type(error).__name__


def command(*arguments: object) -> str:
    return "Run just that: python -m scripts.durability " + " ".join(map(str, arguments))


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts.durability", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help="how many in all")
    parser.add_argument("--life", type=int, default=LIFE, help="kills of one data folder")
    parser.add_argument("--workers", type=int, default=3, help="relays side by side")
    parser.add_argument("--seed", type=int, help="of the first life; drawn and printed if not given")
    parser.add_argument(
        "--faults", nargs="*", choices=tuple(FAULTS), default=tuple(FAULTS), help="which, in order"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of each fault")
    return parser.parse_args(argv)


def take_own_mounts() -> None:
    """Goes on in a mount namespace of its own, so that disks of tests are nobody else's, and gone with it."""
    unshare = shutil.which("unshare")
    if os.geteuid() == 0 and unshare is not None and OWN_MOUNTS not in os.environ:
        os.environ[OWN_MOUNTS] = "1"
        os.execv(  # noqa: S606 - this program again
            unshare, [unshare, "--mount", sys.executable, "-m", "scripts.durability", *sys.argv[1:]]
        )


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    take_own_mounts()
    seed = secrets.randbelow(10**9) if arguments.seed is None else arguments.seed
    print(f"First seed {seed}.", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="durability-"))
    with fork_server() as server:
        is_kept = asyncio.run(kill(arguments, folder, seed, server)) if arguments.kills else True
        is_kept &= asyncio.run(faults(arguments, folder, seed, server))
    if is_kept:
        shutil.rmtree(folder)
    print("Every promise was kept." if is_kept else "Promises were broken.")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
