"""One port: what goes where, what picows is relied on for, and what hostile connections get."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import importlib.metadata
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from picows import WSListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from polynya.relay.limits import FRAME_MAX, Limits
from polynya.relay.server import RunningRelay
from polynya.wire.messages import Done, Ping
from polynya.wire.session import start_session
from tests.relay.client import RANDOM, Client
from tests.support.relay import running_relay

PATIENCE = 20.0
KEY = base64.b64encode(bytes(16)).decode()
ACCEPT = base64.b64encode(
    hashlib.sha1(KEY.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
).decode()


@asynccontextmanager
async def connected(
    running: RunningRelay,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Until the relay closes."""
    async with asyncio.timeout(PATIENCE):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


async def raw(running: RunningRelay, data: bytes) -> bytes:
    async with connected(running) as (reader, writer):
        writer.write(data)
        return await everything(reader)


def path_of(running: RunningRelay) -> str:
    return "/" + running.address.rpartition("/")[2]


def upgrade(
    running: RunningRelay, *, path: str | None = None, connection: str = "Upgrade", **headers: str
) -> bytes:
    lines = {
        "Host": "relay",
        "Upgrade": "websocket",
        "Connection": connection,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": KEY,
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = [f"GET {path or path_of(running) + '/s'} HTTP/1.1", *(f"{k}: {v}" for k, v in lines.items())]
    return ("\r\n".join(head) + "\r\n\r\n").encode()


def masked(data: bytes, *, opcode: int = 2, fin: bool = True, size: int | None = None) -> bytes:
    """A client's frame with a mask of zeros; `size` lies about the length."""
    length = len(data) if size is None else size
    head = bytes([opcode | (0x80 if fin else 0)])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 65_536:
        head += b"\xfe" + length.to_bytes(2, "big")
    else:
        head += b"\xff" + length.to_bytes(8, "big")
    return head + bytes(4) + data


def test_picows_is_the_version_that_was_read() -> None:
    """WSProtocol is not exported: another version must be read before it is pinned."""
    assert importlib.metadata.version("picows") == "2.3.1"
    assert hasattr(WSProtocol, "get_buffer")
    assert hasattr(WSProtocol, "buffer_updated")
    assert issubclass(WSProtocol, asyncio.BufferedProtocol)
    assert hasattr(WSListener, "pause_writing")


@pytest.mark.parametrize(
    "connection", ["Upgrade", "upgrade", "keep-alive, Upgrade", "Keep-Alive,upgrade", "Upgrade, keep-alive"]
)
async def test_every_browsers_upgrade_is_taken(running: RunningRelay, connection: str) -> None:
    """Firefox sends `keep-alive, Upgrade`."""
    async with connected(running) as (reader, writer):
        writer.write(upgrade(running, connection=connection, Sec_WebSocket_Extensions="permessage-deflate"))
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 101 Switching Protocols"
    assert f"Sec-WebSocket-Accept: {ACCEPT}" in lines
    assert "picows" not in head.decode().lower()
    assert "Sec-WebSocket-Extensions" not in head.decode()


@pytest.mark.parametrize("piece", [1, 7, 100_000])
async def test_a_session_begins_however_the_bytes_arrive(
    running: RunningRelay, client: Client, piece: int
) -> None:
    """Head and hello byte by byte, and all in one packet."""
    hello, handshake = start_session(await client.keys(), client.clock(), RANDOM)
    data = upgrade(running) + masked(hello)
    async with connected(running) as (reader, writer):
        for at in range(0, len(data), piece):
            writer.write(data[at : at + piece])
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"\r\n\r\n")
            head = await reader.readexactly(4)
            assert head[:2] == b"\x82\x7e"
            handshake.finish(await reader.readexactly(int.from_bytes(head[2:], "big")))


@pytest.mark.parametrize("piece", [1, 40, 100_000])
async def test_an_upgrade_may_follow_other_requests(
    running: RunningRelay, client: Client, piece: int
) -> None:
    """On one connection, as clients and proxies do that keep them."""
    hello, handshake = start_session(await client.keys(), client.clock(), RANDOM)
    data = upgrade(running) + masked(hello)
    async with connected(running) as (reader, writer), asyncio.timeout(PATIENCE):
        secret = path_of(running)
        for line, status in (("GET /", b"403"), (f"GET {secret}/keys", b"200"), (f"POST {secret}/x", b"400")):
            request = f"{line} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc".encode()
            for at in range(0, len(request), piece):
                writer.write(request[at : at + piece])
                await writer.drain()
                await asyncio.sleep(0)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split()[1] == status
            size = re.search(rb"Content-Length: (\d+)", head)
            assert size is not None
            await reader.readexactly(int(size[1]))
        for at in range(0, len(data), piece):
            writer.write(data[at : at + piece])
            await writer.drain()
            await asyncio.sleep(0)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        head = await reader.readexactly(4)
        handshake.finish(await reader.readexactly(int.from_bytes(head[2:], "big")))
        assert running.relay.metrics.sessions == 1
    while running.relay.metrics.sessions:
        await asyncio.sleep(0.01)
    while running.relay.metrics.connections > 1:  # the client's own stays
        await asyncio.sleep(0.01)


async def test_an_upgrade_need_not_wait_for_the_answer_before_it(
    running: RunningRelay, client: Client
) -> None:
    """All in one packet: the upgrade is there while the requests before it are still being answered."""
    hello, handshake = start_session(await client.keys(), client.clock(), RANDOM)
    before = f"GET {path_of(running)}/keys HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    async with connected(running) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(before + before + upgrade(running) + masked(hello))
        for _ in range(2):
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"Content-Length: (\d+)", head)
            assert size is not None
            await reader.readexactly(int(size[1]))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        head = await reader.readexactly(4)
        handshake.finish(await reader.readexactly(int.from_bytes(head[2:], "big")))


async def test_a_hello_in_fragments_is_taken(running: RunningRelay, client: Client) -> None:
    hello, handshake = start_session(await client.keys(), client.clock(), RANDOM)
    async with connected(running) as (reader, writer):
        writer.write(upgrade(running) + masked(hello[:100], fin=False))
        writer.write(masked(b"", opcode=9) + masked(hello[100:500], opcode=0, fin=False))
        writer.write(masked(hello[500:], opcode=0))
        async with asyncio.timeout(PATIENCE):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(2) == b"\x8a\x00"
            head = await reader.readexactly(4)
            handshake.finish(await reader.readexactly(int.from_bytes(head[2:], "big")))


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (masked(b"hello", opcode=1), 1003),
        (masked(b"hello", opcode=0), 1002),
        (masked(b"", size=FRAME_MAX + 1), 1009),
        (masked(b"", size=2**62), 1009),
        (masked(b"\x00" * 60_000, fin=False) + masked(b"\x00" * 60_000, opcode=0), 1009),
        (masked(os.urandom(1_500)), 1008),
        (b"\x82\x05hello", 1002),
        (masked(b"", opcode=5), 1002),
    ],
)
async def test_frames_outside_the_rules_end_the_session(
    running: RunningRelay, frames: bytes, code: int
) -> None:
    answer = await raw(running, upgrade(running) + frames)
    body = answer.partition(b"\r\n\r\n")[2]
    assert body[0] == 0x88
    assert int.from_bytes(body[2:4], "big") == code


async def test_upgrades_elsewhere_see_the_ordinary_site(running: RunningRelay) -> None:
    secret = path_of(running)
    for path in ("/", "/s", "/x/s", secret[:-1] + "/s", secret + "x/s"):
        answer = await raw(running, upgrade(running, path=path, connection="Upgrade, close"))
        assert answer.startswith(
            (b"HTTP/1.1 404 Not Found\r\nServer: nginx", b"HTTP/1.1 403 Forbidden\r\nServer: nginx")
        )


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_WebSocket_Version": "12"},
        {"Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Key": base64.b64encode(bytes(15)).decode()},
        {"Upgrade": "h2c"},
        {"Content_Length": "5"},
    ],
)
async def test_upgrades_that_are_none_never_reach_picows(
    running: RunningRelay, headers: dict[str, str]
) -> None:
    answer = await raw(running, upgrade(running, connection="Upgrade, close", **headers) + b"hello")
    assert answer.startswith(b"HTTP/1.1 40")
    assert b"nginx" in answer
    assert b"picows" not in answer
    assert b"aiohttp" not in answer


async def test_a_head_that_never_ends_is_cut_off(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=0, head_timeout=0.2, hello_timeout=0.2)
    async with running_relay(tmp_path, limits=limits) as running:
        for data in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n"):
            assert await raw(running, data) == b""
        answer = await raw(running, upgrade(running))
        assert answer.partition(b"\r\n\r\n")[2][:4] == b"\x88\x02" + (1008).to_bytes(2, "big")
        assert running.relay.metrics.connections == 0


async def test_a_giant_head_is_refused_as_anywhere(running: RunningRelay) -> None:
    answer = await raw(running, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\nServer: nginx")


async def test_where_one_address_has_too_many_its_oldest_stranger_gives_way(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=0, connections_per_address=3)
    async with running_relay(tmp_path, limits=limits) as running:
        async with connected(running) as (first, _), connected(running) as (second, _), connected(running):
            while running.relay.metrics.connections < 3:
                await asyncio.sleep(0.01)
            answer = await raw(running, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 403")
            assert await everything(first) == b""
            assert running.relay.metrics.turned_away == 1
            assert not second.at_eof()
        while running.relay.metrics.connections:
            await asyncio.sleep(0.01)


async def test_sessions_give_way_to_nobody(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=0, connections_per_address=1)
    async with running_relay(tmp_path, limits=limits) as running:
        client = Client(running.address, running.identity)
        await client.keys()
        await client.https.close()
        while running.relay.metrics.connections:
            await asyncio.sleep(0.01)
        async with client.session() as session:
            assert await raw(running, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == b""
            assert running.relay.metrics.turned_away == 1
            assert await session.call(Ping()) == Done()
        await client.close()


async def test_a_silent_session_is_pinged_and_closed(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=0, tick=0.05, ping_ticks=2, silent_ticks=5)
    async with running_relay(tmp_path, limits=limits) as running:
        client = Client(running.address, running.identity)
        hello, _ = start_session(await client.keys(), client.clock(), RANDOM)
        answer = await raw(running, upgrade(running) + masked(hello))
        frames = answer.partition(b"\r\n\r\n")[2]
        assert frames.endswith(b"\x89\x00" + b"\x88\x02" + (1001).to_bytes(2, "big"))
        async with client.session() as session:
            for _ in range(4):
                await asyncio.sleep(0.1)
                assert await session.call(Ping()) == Done()
        await client.close()
