"""A real relay for tests: in this process with `running_relay`, or as a program of its own with
`RelayProcess`."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from polynya.relay.config import OFF, RelayConfig
from polynya.relay.folder import LINK_FILE
from polynya.relay.limits import Limits
from polynya.relay.server import RunningRelay, serving

START_TIMEOUT = 60.0
ROOT = Path(__file__).resolve().parents[2]
GENEROUS = replace(Limits(), disk_reserve=0, open_use_tokens_first=1_024, joins_per_day=200)
"""Whoever comes by the relay's link gets as many tokens as whoever was invited, and more."""


@asynccontextmanager
async def running_relay(
    data: Path,
    *,
    port: int = 0,
    clock: Callable[[], int] | None = None,
    limits: Limits | None = None,
    **options: Any,
) -> AsyncIterator[RunningRelay]:
    """A relay in this event loop, unless `port` says otherwise on a free port of the loopback address; data
    of an earlier one is taken up.

    `options` are those of RelayConfig. Health and metrics are on another free port: `local="off"` for none.
    """
    options["limits"] = limits or replace(Limits(), disk_reserve=0)
    options.setdefault("tokens", OFF)
    config = RelayConfig(data=data, port=port, **options)
    async with serving(config, clock) as running:
        yield running


class RelayProcess:
    """`polynya up` as a program. Starting it again takes up the same data, on the same port if that is
    free."""

    def __init__(self, data: Path, *arguments: str, port: int = 0, program: tuple[str, ...] = ()) -> None:
        self.data = data
        self.link = ""
        self.port = port
        self._arguments = arguments
        self._program = program or (sys.executable, "-m", "polynya.relay")
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> RelayProcess:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def address(self) -> str:
        """http(s)://host:port/secret-path"""
        return self.link.partition("/#")[0]

    async def start(self) -> None:
        """Returns when the relay serves; raises AssertionError with what it said where it does not."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"}
        self._process = await asyncio.create_subprocess_exec(
            *self._program,
            *self._command_line(),
            stdout=subprocess.PIPE,
            stderr=None,
            env=environment,
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(START_TIMEOUT):
            line = await self._process.stdout.readline()
        self._started(line)

    def _command_line(self) -> list[str]:
        chosen = ("--data", str(self.data), "--port", str(self.port), "--tokens", OFF)
        return ["up", "--print-link", *chosen, *self._arguments]

    def _started(self, line: bytes) -> None:
        """`line` is what it said first."""
        assert line.startswith(b"http"), f"the relay did not start: {line!r}"
        self.link = line.decode().strip()
        assert (self.data / LINK_FILE).read_text().strip() == self.link
        self.port = int(self.address.split("/")[2].rpartition(":")[2])

    async def kill(self) -> None:
        """As a power cut: nothing is said, nothing is finished."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        return await process.wait()
