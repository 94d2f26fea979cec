"""A relay that leaks: in each place that the search looks into, a marker of its own.

Run as `python -m tests.knows.leaky up --data FOLDER ...`. The markers come in the file that POLYNYA_LEAKS names, masked, so
that each is only where it was planted.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from polynya.relay import local
from polynya.relay.cli import main
from polynya.relay.metrics import Metrics
from polynya.relay.relay import Relay
from polynya.relay.store.sqlite import DATABASE

PLACES = (
    "database cell",
    "database bytes",
    "file",
    "file name",
    "log",
    "log escaped",
    "metrics",
    "health",
    "memory raw",
    "memory hex",
    "memory base64",
    "memory wide",
)
"""Where each marker is planted."""
KEPT: list[object] = []
"""What stays in memory."""


def masked(marker: bytes) -> list[str]:
    mask = os.urandom(len(marker))
    return [mask.hex(), bytes(a ^ b for a, b in zip(mask, marker, strict=True)).hex()]


class Leaks:
    def __init__(self, path: str, data: Path) -> None:
        self._masked: dict[str, list[str]] = json.loads(Path(path).read_text())
        self._data = data

    def marker(self, place: str) -> bytes:
        mask, rest = (bytes.fromhex(each) for each in self._masked[place])
        return bytes(a ^ b for a, b in zip(mask, rest, strict=True))

    def plant(self) -> None:
        with closing(sqlite3.connect(self._data / DATABASE, isolation_level=None)) as db:
            db.execute("PRAGMA secure_delete = OFF")
            db.execute("CREATE TABLE leak (value BLOB)")
            db.execute("INSERT INTO leak VALUES (?)", (self.marker("database bytes"),))
            db.execute("DELETE FROM leak")
            db.execute("CREATE TABLE leak_of_a_cell (value TEXT)")
            db.execute("INSERT INTO leak_of_a_cell VALUES (?)", (self.marker("database cell").hex(),))
        folder = self._data / "blobs"
        folder.mkdir(exist_ok=True)
        (folder / "leak").write_bytes(b"x" + base64.b64encode(self.marker("file")))
        (folder / f"leak-{self.marker('file name').hex()}").touch()
        logging.getLogger("polynya.relay").error(
            "leak %s", base64.urlsafe_b64encode(self.marker("log")).decode()
        )
        logging.getLogger("polynya.relay").error("leak %r", self.marker("log escaped"))
        KEPT.append(b"kept " + self.marker("memory raw"))
        KEPT.append("kept " + self.marker("memory hex").hex())
        KEPT.append("kept " + base64.urlsafe_b64encode(self.marker("memory base64")).decode())
        KEPT.append("kept: это " + self.marker("memory wide").decode())


def leak(leaks: Leaks) -> None:
    """Makes the relay's own parts leak."""
    begin, render, answer = Relay.__init__, Metrics.render, local._json

    def begin_and_plant(self: Relay, *arguments: Any, **options: Any) -> None:
        begin(self, *arguments, **options)
        leaks.plant()

    def render_more(self: Metrics, *arguments: Any, **options: Any) -> str:
        return render(self, *arguments, **options) + f"# {leaks.marker('metrics').hex()}\n"

    def answer_more(value: dict[str, object], status: int) -> Any:
        return answer({**value, "leak": base64.b64encode(leaks.marker("health")).decode()}, status)

    Relay.__init__ = begin_and_plant  # type: ignore[method-assign]
    Metrics.render = render_more  # type: ignore[method-assign]
    local._json = answer_more


if __name__ == "__main__":
    leak(Leaks(os.environ["POLYNYA_LEAKS"], Path(sys.argv[sys.argv.index("--data") + 1])))
    sys.exit(main())
