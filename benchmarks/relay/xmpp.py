"""XMPP servers that carry the same text between the same number of people: Prosody with its archive in SQLite, ejabberd
without one. Settings and load (`prosody.cfg.lua`, `ejabberd.yml`, `xmpp_load.py`) are where the prototype is, see
`bare`."""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.relay.bare import folder, free_port, listening

STARTS = 60.0
LOADED = 120.0
"""Seconds."""
KEPT = (
    "import asyncio, gc, runpy, sys; gc.disable(); asyncio.StreamWriter.__del__ = lambda self: None; "
    "del sys.argv[0]; runpy.run_path(sys.argv[0], run_name='__main__')"
)
"""Nothing in the load holds its readers' tasks, which a collection of garbage ends, nor the writers of those who only
listen, with which Python closes their connections."""
PAIRS = 8
WINDOW = 8
MESSAGES = {"Prosody": 400, "ejabberd": 6_000}
"""Prosody waits for the disk with each message."""


def missing(name: str) -> str | None:
    """Why this server cannot be measured."""
    if not (folder() / "xmpp_load.py").is_file():
        return f"no xmpp_load.py in {folder()}; set POLYNYA_BENCH"
    if name == "Prosody":
        found = shutil.which("prosody") is not None
    else:
        found = shutil.which("erl") is not None and _ejabberd() is not None
    return None if found else "not on this machine"


def _ejabberd() -> Path | None:
    places = [
        *Path("/usr/lib").glob("*/ejabberd-*/ebin"),
        *Path("/usr/lib/erlang/lib").glob("ejabberd-*/ebin"),
    ]
    return places[0] if places else None


@asynccontextmanager
async def server(name: str, work: Path) -> AsyncIterator[tuple[int, int]]:
    """(process id, port) of a server that keeps its data in `work`."""
    port = free_port()
    command = _prosody(work, port) if name == "Prosody" else _erlang(work, port)
    with (work / "said").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=work, stdin=asyncio.subprocess.DEVNULL, stdout=said, stderr=said
        )
        try:
            await listening(port, STARTS)
            yield process.pid, port
        finally:
            process.kill()
            await process.wait()


def _prosody(work: Path, port: int) -> list[str]:
    settings = re.sub(
        r"(?m)^c2s_ports.*$", f"c2s_ports = {{ {port} }}", (folder() / "prosody.cfg.lua").read_text()
    )
    (work / "data").mkdir()
    (work / "certs").mkdir()
    (work / "prosody.cfg.lua").write_text(settings)
    return ["prosody", "--config", str(work / "prosody.cfg.lua"), "-F"]


def _erlang(work: Path, port: int) -> list[str]:
    settings = re.sub(r"(?m)^(\s*- port: ).*$", rf"\g<1>{port}", (folder() / "ejabberd.yml").read_text())
    settings = re.sub(r"(?m)^\s*mod_mam:.*\n", "", settings).replace("mam: true", "mam: false")
    (work / "ejabberd.yml").write_text(settings)
    place = ["-pa", str(_ejabberd()), "-mnesia", "dir", f'"{work / "db"}"']
    return ["erl", "-noinput", *place, "-ejabberd", "config", f'"{work / "ejabberd.yml"}"', "-s", "ejabberd"]


async def measure(name: str, pid: int, port: int) -> float:
    """us of the server's processor for one message from person to person."""
    numbers = (port, PAIRS, MESSAGES[name], WINDOW, pid)
    client = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        KEPT,
        folder() / "xmpp_load.py",
        *map(str, numbers),
        "chat",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(LOADED):
            out, _ = await client.communicate()
    finally:
        if client.returncode is None:
            client.kill()
            await client.wait()
    found = re.search(r"cpu/msg (\d+)us", out.decode())
    if found is None or "timeout" in out.decode():
        raise RuntimeError(f"{name} did not carry the load: {out.decode().strip()!r}")
    return float(found[1])
