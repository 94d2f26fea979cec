"""`polynya relay backup` and `polynya relay restore`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from polynya.relay.backup import BackedUp, make_backup
from polynya.relay.config import load_config
from polynya.relay.errors import RelayError
from polynya.relay.restore import restore_backup
from polynya.relay.system import now
from polynya.relay.words import amount

FAILED = 2
SECONDS = 0.5
"""Between two words of progress."""


def add_maintenance(commands: Any) -> None:
    """Adds the commands to those of `polynya relay`; each sets `run`, from the arguments to the exit code."""
    backup = commands.add_parser(
        "backup",
        help="copy the data of a relay, running or not",
        description="Copy the data of a relay, running or not, to a folder. Made again to the same folder, it copies "
        "only what is new.",
    )
    backup.add_argument(
        "folder", metavar="FOLDER", help="new, empty, or an earlier backup; best on another disk"
    )
    backup.set_defaults(run=run_backup)
    restore = commands.add_parser(
        "restore",
        help="bring a backup back",
        description="Bring a backup back into the data folder of a relay that does not run.",
    )
    restore.add_argument("folder", metavar="FOLDER", help="the backup")
    restore.add_argument("--replace", action="store_true", help="move aside what is in the data folder")
    restore.set_defaults(run=run_restore)
    for parser in (backup, restore):
        parser.add_argument("--data", metavar="FOLDER", help="folder of the relay's data")
        parser.add_argument(
            "--config", metavar="FILE", help="configuration file (relay.toml in the data folder)"
        )


class Teller:
    """Progress on one line of a terminal; nothing where there is none."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._next = 0.0
        self._width = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._is_shown and time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS
            line = f"{what}: {100 * done // max(1, total)} %"
            print("\r" + line.ljust(self._width), end="", file=sys.stderr, flush=True)
            self._width = len(line)

    def end(self) -> None:
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)


def run_backup(arguments: argparse.Namespace) -> int:
    teller = Teller()
    folder = Path(arguments.folder).expanduser()
    try:
        made = make_backup(_data(arguments), folder, now(), teller)
    except RelayError as error:
        return _failed(teller, error)
    teller.end()
    for line in described(made, folder):
        print(line)
    return 0


def described(made: BackedUp, folder: Path) -> list[str]:
    return [
        f"Database: {amount(made.database)}, {made.records:,} records in {made.topics:,} topics.",
        f"Files: {made.blobs:,} ({amount(made.blob_bytes)}); new since the last backup {made.new_blobs:,} "
        f"({amount(made.new_bytes)}), gone {made.removed_blobs:,}.",
        f"Checked: the backup in {folder} is in order. It holds the relay's identity: keep it where only you can read.",
    ]


def run_restore(arguments: argparse.Namespace) -> int:
    teller = Teller()
    data = _data(arguments)
    try:
        done = restore_backup(
            Path(arguments.folder).expanduser(), data, now(), replace=arguments.replace, progress=teller
        )
    except RelayError as error:
        return _failed(teller, error)
    teller.end()
    if done.finished:
        print("A restore had been interrupted here. It is finished now; this one was not begun.")
    print(f"The relay's data is in {data}, checked. Start it with: polynya up")
    print(
        "Group changes are refused in chats that were in the backup: their people can write on, "
        "and make a new group where they need one. See docs/operating.md."
    )
    if done.replaced is not None:
        print(f"What was there before is in {done.replaced}. Delete it when you need it no more.")
    return 0


def _data(arguments: argparse.Namespace) -> Path:
    file = None if arguments.config is None else Path(arguments.config).expanduser()
    return load_config({"data": arguments.data}, os.environ, file).data


def _failed(teller: Teller, error: RelayError) -> int:
    teller.end()
    print(f"polynya: {error}", file=sys.stderr)
    return FAILED
