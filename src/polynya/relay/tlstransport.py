"""TLS on a socket, in the event loop, without buffers of its own: OpenSSL reads and writes the socket itself, and an idle
connection holds what OpenSSL holds (~15 KiB). Transports of event loops feed it from memory and keep those buffers as long
as the connection."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from contextlib import suppress
from typing import Any

RECORD = 16_384
"""Bytes of a TLS record, at most (RFC 8446 section 5.1): a piece that is one record is sent whole or not at all."""
READS = 16
"""Records that are read in one turn of the loop, at most."""
HIGH = 65_536
"""Bytes that wait to be sent before the protocol is asked to pause: as of other transports."""
GOODBYE = 30.0
"""Seconds in which the other side of a closed connection takes some of what is still to be sent."""


def wrap(connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
    """The same connection before its handshake; `connection` is no more."""
    return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)


async def shake_hands(link: ssl.SSLSocket, timeout: float) -> None:
    """Raises OSError, of which ssl.SSLError and TimeoutError are, and has closed `link` then: what was wrong has been said
    to the other side, as the alert that TLS has for it."""
    try:
        async with asyncio.timeout(timeout):
            while True:
                try:
                    link.do_handshake()
                except ssl.SSLWantReadError:
                    await _is_ready(link, is_for_writing=False)
                except ssl.SSLWantWriteError:
                    await _is_ready(link, is_for_writing=True)
                else:
                    return
    except BaseException:
        drop(link)
        raise


async def _is_ready(link: ssl.SSLSocket, *, is_for_writing: bool) -> None:
    loop, fd = asyncio.get_running_loop(), link.fileno()
    ready: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not ready.done():
            ready.set_result(None)

    if is_for_writing:
        loop.add_writer(fd, settle)
    else:
        loop.add_reader(fd, settle)
    try:
        await ready
    finally:
        if is_for_writing:
            loop.remove_writer(fd)
        else:
            loop.remove_reader(fd)


def drop(link: socket.socket) -> None:
    """Closes it, so that what was sent last arrives: bytes that nobody has read would be answered with a reset."""
    with suppress(OSError):
        # Not SSLSocket's, which decrypts.
        socket.socket.recv(link, 2 * RECORD)
    link.close()


class TlsTransport(asyncio.Transport):
    """What asyncio documents of a transport, over a socket that has shaken hands. Reading begins in the next turn of the
    loop."""

    __slots__ = (
        "_backlog",
        "_fd",
        "_high",
        "_is_buffered",
        "_is_closing",
        "_is_lost",
        "_is_protocol_paused",
        "_is_reading",
        "_is_watching_writes",
        "_link",
        "_loop",
        "_low",
        "_protocol",
        "_read_waits",
        "_size",
    )

    def __init__(self, link: ssl.SSLSocket, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._link = link
        self._fd = link.fileno()
        self._backlog: deque[memoryview] | None = None
        """what could not be sent yet, piece by piece"""
        self._size = 0
        """bytes of it"""
        self._high, self._low = HIGH, HIGH // 4
        self._is_reading = True
        self._is_watching_writes = False
        self._read_waits = False
        """whether reading goes on only when something can be written (RFC 8446 section 4.6.3)"""
        self._is_protocol_paused = False
        self._is_closing = False
        self._is_lost = False
        self.set_protocol(protocol)
        self._loop.add_reader(self._fd, self._on_readable)
        protocol.connection_made(self)
        # Bytes behind the handshake may have been decrypted with it.
        self._loop.call_soon(self._on_readable)

    # ---- what it is

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        link = self._link
        if name in ("socket", "ssl_object"):
            return link
        if name == "sslcontext":
            return link.context
        with suppress(OSError):
            if name == "peername":
                return link.getpeername()
            if name == "sockname":
                return link.getsockname()
        return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol: Any = protocol
        self._is_buffered = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._protocol  # type: ignore[no-any-return]

    # ---- bytes in

    def is_reading(self) -> bool:
        return self._is_reading and not self._is_closing

    def pause_reading(self) -> None:
        if self.is_reading():
            self._is_reading = False
            self._loop.remove_reader(self._fd)

    def resume_reading(self) -> None:
        if not self._is_reading and not self._is_closing:
            self._is_reading = True
            self._loop.add_reader(self._fd, self._on_readable)
            # What is decrypted already wakes nobody.
            self._loop.call_soon(self._on_readable)

    def _on_readable(self) -> None:
        for _ in range(READS):
            if not self.is_reading():
                return
            try:
                if not self._read():
                    return
            except ssl.SSLWantReadError:
                return
            except ssl.SSLWantWriteError:
                self._read_waits = True
                self._watch_writes()
                return
            except OSError as error:
                self._lose(error)
                return
            except Exception as error:
                self._fail(error)
                return
        self._loop.call_soon(self._on_readable)

    def _read(self) -> bool:
        """False where nothing more comes. Raises OSError, and what the protocol raises."""
        if self._is_buffered:
            buffer = self._protocol.get_buffer(-1)
            size = self._link.recv_into(buffer, len(buffer))
            if size:
                self._protocol.buffer_updated(size)
                return True
        else:
            data = self._link.recv(RECORD)
            if data:
                self._protocol.data_received(data)
                return True
        self._protocol.eof_received()
        # TLS ends both ways at once, as far as protocols can tell.
        self.close()
        return False

    # ---- bytes out

    def get_write_buffer_size(self) -> int:
        return self._size

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        if high is None:
            high = HIGH if low is None else 4 * low
        if low is None:
            low = high // 4
        if not 0 <= low <= high:
            raise ValueError("the limits are not 0 <= low <= high")
        self._high, self._low = high, low
        self._tell_protocol()

    def can_write_eof(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._is_closing or not data:
            return
        rest = memoryview(data)
        if not self._backlog:
            try:
                rest = rest[self._send(rest) :]
            except OSError as error:
                self._lose(error)
                return
            if not rest:
                return
        if self._backlog is None:
            self._backlog = deque()
        # A copy of what the caller may use again.
        self._backlog.append(rest if isinstance(data, bytes) else memoryview(bytes(rest)))
        self._size += len(rest)
        self._watch_writes()
        self._tell_protocol()

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def _send(self, data: memoryview) -> int:
        """How much of it was sent. What is sent next must begin with the rest (SSL_write(3)). Raises OSError."""
        sent = 0
        try:
            while sent < len(data):
                sent += self._link.send(data[sent : sent + RECORD])
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            pass
        return sent

    def _watch_writes(self) -> None:
        if not self._is_watching_writes:
            self._is_watching_writes = True
            self._loop.add_writer(self._fd, self._on_writable)

    def _on_writable(self) -> None:
        if self._read_waits:
            self._read_waits = False
            self._on_readable()
        try:
            self._send_backlog()
        except OSError as error:
            self._lose(error)
            return
        if self._is_lost:
            return
        if not self._backlog and not self._read_waits:
            self._is_watching_writes = False
            self._loop.remove_writer(self._fd)
        self._tell_protocol()
        if self._is_closing and not self._backlog:
            self._say_goodbye()

    def _send_backlog(self) -> None:
        while self._backlog:
            first = self._backlog[0]
            sent = self._send(first)
            self._size -= sent
            if sent < len(first):
                self._backlog[0] = first[sent:]
                return
            self._backlog.popleft()
        self._backlog = None

    def _tell_protocol(self) -> None:
        """Asks it to pause or to go on."""
        try:
            if self._is_protocol_paused and self._size <= self._low:
                self._is_protocol_paused = False
                self._protocol.resume_writing()
            elif not self._is_protocol_paused and self._size > self._high:
                self._is_protocol_paused = True
                self._protocol.pause_writing()
        except Exception as error:
            self._fail(error)

    # ---- the end

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        """When all is sent, as long as some of it is taken within each GOODBYE."""
        if self._is_closing:
            return
        if self._is_reading:
            self._loop.remove_reader(self._fd)
        self._is_closing = True
        if self._backlog:
            self._loop.call_later(GOODBYE, self._insist, self._size)
        else:
            self._say_goodbye()

    def _insist(self, before: int) -> None:
        """`before`: bytes that waited a GOODBYE ago."""
        if self._size == before:
            self._lose(None)
        elif not self._is_lost:
            self._loop.call_later(GOODBYE, self._insist, self._size)

    def abort(self) -> None:
        self._lose(None)

    def _say_goodbye(self) -> None:
        """As TLS has it (RFC 8446 section 6.1); nobody waits for the answer."""
        with suppress(OSError, ValueError):
            self._link.unwrap()
        self._lose(None)

    def _fail(self, error: Exception) -> None:
        """The protocol raised `error`."""
        self._loop.call_exception_handler(
            {
                "message": "a protocol failed",
                "exception": error,
                "transport": self,
                "protocol": self._protocol,
            }
        )
        self._lose(error)

    def _lose(self, error: Exception | None) -> None:
        """Nothing goes in or out any more; the protocol is told in the next turn of the loop."""
        if self._is_lost:
            return
        if self._is_reading and not self._is_closing:
            self._loop.remove_reader(self._fd)
        if self._is_watching_writes:
            self._loop.remove_writer(self._fd)
        self._is_lost = self._is_closing = True
        self._backlog, self._size = None, 0
        self._loop.call_soon(self._end, error)

    def _end(self, error: Exception | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            drop(self._link)
