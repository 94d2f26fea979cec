"""MLS beside its peers in one run, and what a device keeps of a large group.

    python -m benchmarks.mls [--sizes 2,32] [--kinds python,mls-rs] [--no-storing]

The whole run writes its tables into docs/performance.md as well; with any option they are only shown.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from benchmarks.document import put
from benchmarks.machine import describe, load
from benchmarks.mls import report, storing
from benchmarks.mls.browser import Browser
from benchmarks.mls.figures import Figures
from benchmarks.mls.measure import WARM_UP, effort_for, run_size
from benchmarks.mls.members import KINDS, X25519, X_WING, Member, missing, program
from benchmarks.mls.tables import Table
from scripts.webapp import MODULES

SIZES = (2, 32, 256, 1000, 5000)
XWING_SIZES = (2, 32, 256)
STORED_SIZE = 1000
SECTION = "MLS"


def tell(text: str) -> None:
    """What is going on, on a line of its own that the next one takes."""
    if sys.stderr.isatty():
        print(f"\r\033[K  {text} ...", end="", file=sys.stderr, flush=True)


def quiet() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)


@contextmanager
def members(kinds: Sequence[str]) -> Iterator[dict[str, Member]]:
    """Started, by kind; those that this machine cannot have are left out."""
    made: dict[str, Member] = {}
    try:
        for kind in KINDS:
            if kind.key in kinds and kind.key not in missing():
                made[kind.key] = Browser() if kind.key == "chromium" else program(kind.key)
        yield made
    finally:
        for member in made.values():
            member.close()


def versions(present: Mapping[str, Member]) -> str:
    """Of everything that was measured."""
    told = []
    for key in ("python", "node", "chromium"):
        if key in present:
            told.append(present[key].ask("about").data[0].decode())
    if "python" in present:
        told.append(f"cryptography {importlib.metadata.version('cryptography')}")
    if "ts-mls" in present:
        package = json.loads((MODULES / "ts-mls" / "package.json").read_text("utf-8"))
        told.append(f"ts-mls {package['version']} in the same Node")
    if "mls-rs" in present:
        version = importlib.metadata.version("agentvault-mls-rs-uniffi")
        told.append(f"mls-rs by agentvault-mls-rs-uniffi {version}")
    return ", ".join(told)


def document(software: str, took: float, loads: tuple[str, str], tables: Sequence[Table]) -> str:
    """`took` in s; `loads` before and after."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    busy = f"Load {loads[0]} before, {loads[1]} after"
    head = f"{day}, in {took / 60:.0f} minutes on {describe()}. {software}. {busy}."
    return "\n\n".join((head, report.LEGEND, *(table.markdown() for table in tables)))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))))
    parser.add_argument("--kinds", type=lambda text: tuple(text.split(",")))
    parser.add_argument("--no-storing", action="store_true")
    arguments = parser.parse_args()
    partial = bool(arguments.sizes or arguments.kinds or arguments.no_storing)
    kinds = arguments.kinds or tuple(kind.key for kind in KINDS)
    if unknown := set(kinds) - {kind.key for kind in KINDS}:
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    begun, before = time.monotonic(), load()
    figures, recipients = Figures(), {}
    with members(kinds) as present:
        software = versions(present)
        print(f"MLS on {describe()}; load {before}\n{software}\n", flush=True)
        for key, why in missing().items():
            if key in kinds:
                print(f"Without {key}: {why}.", flush=True)
        for suite, sizes in ((X25519, SIZES), (X_WING, XWING_SIZES)):
            run_size(present, suite, 2, WARM_UP, Figures(), tell)
            for size in arguments.sizes or sizes:
                if size <= max(sizes):
                    recipients[suite, size] = run_size(present, suite, size, effort_for(size), figures, tell)
    kept = []
    if not arguments.no_storing:
        kept = [storing.measure(suite, STORED_SIZE, tell) for suite in (X25519, X_WING)]
    quiet()
    made = report.tables(figures, recipients, kept)
    print(report.LEGEND, end="\n\n")
    for table in made:
        print(table.text(), end="\n\n")
    print(report.verdict(figures, kept))
    if not partial:
        put(SECTION, document(software, time.monotonic() - begun, (before, load()), made))
        print("\nThese tables are in docs/performance.md now.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
