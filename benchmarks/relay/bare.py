"""The prototype that the relay is measured beside: a WebSocket server that writes each record to SQLite and fans it
out, without encryption, identity, de-duplication or limits. It and its load are programs outside of this repository:
`bare_relay.py` and `bare_load.py` in POLYNYA_BENCH, or in ../shared/bench."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
from pathlib import Path

from benchmarks.relay.crowd import Load, Outcome
from scripts.webapp import ROOT

STARTS = 10.0
"""Seconds."""


def folder() -> Path:
    """Where the peers' programs and settings are."""
    return Path(os.environ.get("POLYNYA_BENCH", ROOT.parent / "shared" / "bench")).resolve()


def missing() -> str | None:
    """Why it cannot be measured."""
    wanted = folder() / "bare_relay.py"
    return None if wanted.is_file() else f"no {wanted.name} in {folder()}; set POLYNYA_BENCH"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def listening(port: int, timeout: float = STARTS) -> None:
    """Returns when something listens on the port; raises TimeoutError."""
    async with asyncio.timeout(timeout):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def measure(load: Load, work: Path) -> Outcome:
    """One run of the prototype, started for it in `work`."""
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        sys.executable, folder() / "bare_relay.py", str(port), cwd=work
    )
    try:
        await listening(port)
        numbers = (port, load.pairs, load.records, load.window, load.fan, server.pid)
        client = await asyncio.create_subprocess_exec(
            sys.executable, folder() / "bare_load.py", *map(str, numbers), stdout=asyncio.subprocess.PIPE
        )
        out, _ = await client.communicate()
    finally:
        server.terminate()
        await server.wait()
    found = re.search(r": (\d+) pub/s .*cpu/pub ([\d.]+)us", out.decode())
    if found is None:
        raise RuntimeError(f"the prototype's load said nothing that is known: {out.decode()!r}")
    return Outcome(float(found[2]) * load.records / 1e6, load.records / float(found[1]))
