"""The relay beside its peers, and what sessions, readers and stored records cost it.

    python -m benchmarks.relay [--parts beside,idle,latency,fanout,stored] [--peers prototype,Prosody,ejabberd]
                               [--rounds 3] [--sessions 2000] [--readers 2,100] [--records 10000000]

The whole run writes its tables into docs/performance.md as well; with any option but --records they are only shown.
`--records` adds a last step to the stored records, which takes minutes and gigabytes.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import importlib.metadata
import sqlite3
import sys
import time

import uvloop

from benchmarks.document import put
from benchmarks.machine import describe, load
from benchmarks.mls.__main__ import quiet, tell
from benchmarks.mls.tables import Table
from benchmarks.relay import beside, fanout, idle, latency, report, stored

SECTION = "relay"
PARTS = ("beside", "idle", "latency", "fanout", "stored")
ROUNDS = 3
SESSIONS = 2_000
SECONDS = 8.0
READERS = (2, 10, 100, 1_000, 10_000)
RECORDS = (10_000, 100_000, 1_000_000)


async def measure(part: str, arguments: argparse.Namespace) -> list[Table]:
    if part == "beside":
        return report.beside(
            await beside.measure(arguments.rounds or ROUNDS, arguments.peers or beside.PEERS, tell)
        )
    if part == "idle":
        found = []
        for has_tls in (False, True):
            tell(f"idle sessions{', TLS' if has_tls else ''}")
            found.append(await idle.measure(arguments.sessions or SESSIONS, has_tls))
        return report.idle(found)
    if part == "latency":
        return report.latency(await latency.measure(SECONDS, tell))
    if part == "fanout":
        return report.fanout(await fanout.measure(arguments.readers or READERS, tell))
    return report.stored(await stored.measure((*RECORDS, *arguments.records), tell))


def versions() -> str:
    told = [f"Python {sys.version.split()[0]}", f"SQLite {sqlite3.sqlite_version}"]
    return ", ".join(told + [f"{name} {importlib.metadata.version(name)}" for name in ("picows", "uvloop")])


def document(took: float, loads: tuple[str, str], tables: list[Table]) -> str:
    """`took` in s; `loads` before and after."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    head = f"{day}, in {took / 60:.0f} minutes on {describe()}. {versions()}. Load {loads[0]} before, {loads[1]} after."
    return "\n\n".join((head, report.LEGEND, *(table.markdown() for table in tables)))


def numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", type=lambda text: tuple(text.split(",")))
    parser.add_argument("--peers", type=lambda text: tuple(text.split(",")))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--sessions", type=int)
    parser.add_argument("--readers", type=numbers)
    parser.add_argument("--records", type=numbers, default=())
    arguments = parser.parse_args()
    if unknown := set(arguments.parts or ()) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    fanout.most()
    begun, before, tables = time.monotonic(), load(), []
    print(f"The relay on {describe()}; load {before}\n{versions()}\n\n{report.LEGEND}\n", flush=True)
    for part in arguments.parts or PARTS:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            made = runner.run(measure(part, arguments))
        quiet()
        for table in made:
            print(table.text(), end="\n\n", flush=True)
        tables += made
    if not any((arguments.parts, arguments.peers, arguments.rounds, arguments.sessions, arguments.readers)):
        put(SECTION, document(time.monotonic() - begun, (before, load()), tables))
        print("These tables are in docs/performance.md now.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
