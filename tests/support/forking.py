"""Relays that start without importing their program anew: half a second for each, which tests that kill a thousand
would wait for.

A server imports the program and forks for each start; from there on it is the program, with a process, a command line
and a standard output of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.relay import ROOT, START_TIMEOUT, RelayProcess

SERVER = "from tests.support.forking import serve; serve()"


def serve() -> None:
    """Forks for each message (the command line, as JSON, with the descriptor that becomes standard output), and
    answers with the process id and a descriptor of the process; until the channel, its standard input, is closed."""
    import uvloop  # noqa: F401 - what the program imports when it runs

    from polynya.relay.cli import main

    channel = socket.socket(fileno=os.dup(0))
    while True:
        message, (*descriptors,), _, _ = socket.recv_fds(channel, 65_536, 1)
        if not message:
            return
        _reap()
        pid = os.fork()
        if pid == 0:
            channel.close()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(descriptors[0], 1)
            os.close(descriptors[0])
            os._exit(main(json.loads(message)))
        os.close(descriptors[0])
        # Until it is waited for, nobody else gets its number.
        process = os.pidfd_open(pid)
        socket.send_fds(channel, [str(pid).encode()], [process])
        os.close(process)


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


class ForkServer:
    """Made by `fork_server`."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel

    def fork(self, arguments: list[str], stdout: int) -> tuple[int, int]:
        """The process id, and a descriptor that stands for this process and no later one. Blocks for about a
        millisecond, and until the program is imported the first time."""
        socket.send_fds(self._channel, [json.dumps(arguments).encode()], [stdout])
        number, (process,), _, _ = socket.recv_fds(self._channel, 64, 1)
        return int(number), process


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=theirs.fileno(), env=environment, cwd=ROOT
    )
    theirs.close()
    try:
        yield ForkServer(ours)
    finally:
        ours.close()
        process.wait(START_TIMEOUT)


class ForkedRelay(RelayProcess):
    """As RelayProcess, started by a server."""

    def __init__(self, server: ForkServer, data: Path, *arguments: str) -> None:
        super().__init__(data, *arguments)
        self._server = server
        self._pid: int | None = None
        self._descriptor = -1
        self._output: asyncio.StreamReader | None = None
        self._transport: asyncio.ReadTransport | None = None

    @property
    def pid(self) -> int:
        assert self._pid is not None
        return self._pid

    async def start(self) -> None:
        reading, writing = os.pipe()
        try:
            self._pid, self._descriptor = self._server.fork(self._command_line(), writing)
        finally:
            os.close(writing)
        self._output = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._output or asyncio.StreamReader()),
            os.fdopen(reading, "rb"),
        )
        async with asyncio.timeout(START_TIMEOUT):
            line = await self._output.readline()
        self._started(line)

    async def _end(self, number: signal.Signals) -> int:
        """0 whatever the exit code: the process is another one's child."""
        pid, self._pid = self._pid, None
        if pid is None:
            return 0
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._descriptor, number)
        os.close(self._descriptor)
        while self._output is None:
            await asyncio.sleep(0.001)
        # Its end closes its standard output.
        async with asyncio.timeout(START_TIMEOUT):
            while not self._output.at_eof():
                await asyncio.sleep(0.001)
        if self._transport is not None:
            self._transport.close()
        return 0
