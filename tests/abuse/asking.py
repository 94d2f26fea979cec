"""Sends a probe and writes down all that can be seen of the answer, without what differs between two machines or
moments."""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass

from tests.abuse.probes import HOST, Probe

PATIENCE = 30.0
FOLLOW = b"GET /follow HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
"""Asked on a connection that stays open, to see that it does."""
_DATE = re.compile(rb"(Date: )[^\r]+")
_LENGTH = re.compile(rb"Content-Length: (\d+)", re.I)
_BOUNDARY = re.compile(rb"(?<!\d)\d{20}(?!\d)")


@dataclass(frozen=True, slots=True)
class Place:
    """One server. `context`: of a client, where it speaks TLS."""

    port: int
    context: ssl.SSLContext | None = None


async def ask(place: Place, probe: Probe) -> str:
    """All that came, and how the connection ended."""
    async with asyncio.timeout(PATIENCE):
        name = "bakery.example" if place.context else None
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", place.port, ssl=place.context, server_hostname=name
        )
        try:
            return await _ask(reader, writer, probe)
        finally:
            writer.close()
            with suppress(OSError, ssl.SSLError):
                await writer.wait_closed()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, probe: Probe) -> str:
    heard = b""
    end = "closed"
    writer.write(probe.data)
    if probe.is_half:
        writer.write_eof()
    is_followed = probe.waits or probe.is_half
    while True:
        if not is_followed and answered(heard, probe.data) and _stays(heard):
            is_followed = True
            writer.write(FOLLOW)
        try:
            piece = await reader.read(65_536)
        except ConnectionResetError:
            # A server that closed before it saw the further request resets when it comes, or did not see it.
            end = "closed" if is_followed else "reset"
            break
        if not piece:
            break
        heard += piece
    port = writer.get_extra_info("peername")[1]
    return f"{plain(heard.replace(b':%d/' % port, b':<port>/'))}\n[{end}]"


def answered(heard: bytes, asked: bytes) -> bool:
    """Whether at least one answer is there whole, and the second one too where two were asked."""
    wanted = 2 if asked.count(HOST) == 2 else 1
    is_head = asked.startswith(b"HEAD ")
    while wanted:
        head, end, rest = heard.partition(b"\r\n\r\n")
        if not end:
            return False
        if not re.match(rb"HTTP/1.1 1\d\d ", head):
            wanted -= 1
        size = _LENGTH.search(head)
        if size is not None and not is_head:
            if len(rest) < int(size[1]):
                return False
            rest = rest[int(size[1]) :]
        heard = rest
    return True


def _stays(heard: bytes) -> bool:
    return re.search(rb"\r\nConnection: close\r\n", heard) is None


def plain(heard: bytes) -> str:
    """The same at any time."""
    heard = _DATE.sub(rb"\1...", heard)
    heard = _BOUNDARY.sub(b"<boundary>", heard)
    return heard.decode("latin-1").replace("\r\n", "\n")
