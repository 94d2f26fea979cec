"""Ways to wear a relay out from its network side, each by as many connections as one likes. Every connection that ends is
made anew until the attack is stopped."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.abuse.hellos import hello
from tests.abuse.probes import get
from tests.relay.test_adapter import KEY, masked

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
FAILED = (OSError, asyncio.IncompleteReadError)
PAUSE = 0.05
"""Seconds after a connection that failed or ended."""
TRICKLE = 1.0
"""Seconds between the bytes of who writes slowly."""


@dataclass(slots=True)
class Target:
    """`path` is the relay's secret one; `file` a large file of its site. `sources`: addresses to come from."""

    port: int
    path: str
    file: str = "/"
    context: ssl.SSLContext | None = None
    sources: tuple[str, ...] = ("127.0.0.1",)
    made: int = 0
    """connections so far"""
    ended: int = field(default=0)
    """of them, by the relay"""

    @asynccontextmanager
    async def connected(self, number: int, *, raw: bool = False) -> AsyncIterator[Streams]:
        source = self.sources[number % len(self.sources)]
        # Of all ports that there are: each source has its own.
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            self.port,
            local_addr=None if source == "127.0.0.1" else (source, 0),
            ssl=None if raw else self.context,
            server_hostname="bakery.example" if self.context and not raw else None,
            limit=1 << 12,
        )
        self.made += 1
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


Attack = Callable[[Target, int], Awaitable[None]]


async def _hold(reader: asyncio.StreamReader) -> None:
    """Until the relay ends it."""
    with suppress(OSError):
        while await reader.read(4096):
            pass


async def silent(target: Target, number: int) -> None:
    """Half-open: connected, and nothing more."""
    async with target.connected(number, raw=True) as (reader, _):
        await _hold(reader)


async def half_hello(target: Target, number: int) -> None:
    """Half of a TLS handshake."""
    async with target.connected(number, raw=True) as (reader, writer):
        writer.write(hello()[:200])
        await _hold(reader)


async def handshakes(target: Target, number: int) -> None:
    """TLS handshakes, one after another, none of them used."""
    async with target.connected(number):
        pass


async def slow_head(target: Target, number: int) -> None:
    """A head that comes byte by byte."""
    async with target.connected(number) as (reader, writer):
        held = asyncio.ensure_future(_hold(reader))
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        while not held.done():
            writer.write(b"a")
            await asyncio.wait((held,), timeout=TRICKLE)


async def endless_head(target: Target, number: int) -> None:
    """A head without an end, as fast as it goes."""
    async with target.connected(number) as (_, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
        while True:
            writer.write(b"X: y\r\n" * 1_000)
            await writer.drain()


async def slow_reader(target: Target, number: int) -> None:
    """Asks for a large file and takes nothing of it."""
    async with target.connected(number) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(get(target.file.encode()))
        await asyncio.sleep(3600)


async def pipeline(target: Target, number: int) -> None:
    """Requests without an end, whose answers nobody takes."""
    async with target.connected(number) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        while True:
            writer.write(get() * 100)
            await writer.drain()


async def endless_body(target: Target, number: int) -> None:
    """A body without an end."""
    async with target.connected(number) as (_, writer):
        writer.write(get(b"/", b"Transfer-Encoding: chunked", method=b"POST"))
        while True:
            writer.write(b"1000\r\n" + bytes(4096) + b"\r\n")
            await writer.drain()


def session_head(path: str) -> bytes:
    return (
        f"GET {path}/s HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    ).encode()


async def upgrades(target: Target, number: int) -> None:
    """WebSocket handshakes below the secret path, one after another, each with a hello that cannot be opened."""
    async with target.connected(number) as (reader, writer):
        writer.write(session_head(target.path) + masked(os.urandom(1_300)))
        await _hold(reader)


async def half_sessions(target: Target, number: int) -> None:
    """WebSockets without a hello."""
    async with target.connected(number) as (reader, writer):
        writer.write(session_head(target.path))
        await _hold(reader)


async def pings(target: Target, number: int) -> None:
    """Pings without an end, whose answers nobody takes."""
    async with target.connected(number) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(session_head(target.path))
        while True:
            writer.write(masked(bytes(125), opcode=9) * 100)
            await writer.drain()


async def giant_frames(target: Target, number: int) -> None:
    """Fragments of a frame that never ends."""
    async with target.connected(number) as (_, writer):
        writer.write(session_head(target.path) + masked(bytes(1_000), fin=False))
        while True:
            writer.write(masked(bytes(1_000), opcode=0, fin=False) * 10)
            await writer.drain()


ATTACKS: dict[str, Attack] = {
    attack.__name__.replace("_", "-"): attack
    for attack in (
        silent,
        half_hello,
        handshakes,
        slow_head,
        endless_head,
        slow_reader,
        pipeline,
        endless_body,
        upgrades,
        half_sessions,
        pings,
        giant_frames,
    )
}


async def _again(attack: Attack, target: Target, number: int) -> None:
    while True:
        with suppress(*FAILED):
            await attack(target, number)
        target.ended += 1
        await asyncio.sleep(PAUSE)


@asynccontextmanager
async def attacked(attack: Attack, target: Target, count: int) -> AsyncIterator[None]:
    """So many connections attack until the block ends."""
    tasks = [asyncio.create_task(_again(attack, target, number)) for number in range(count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
