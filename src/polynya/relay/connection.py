"""One connection that speaks HTTP: aiohttp's, with each head judged before, and with bounds on those who read or write
slowly."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion11, RawRequestMessage, StreamWriter
from aiohttp.web_protocol import RequestHandler

from polynya.relay.admission import FORWARDED, Admission, Visit
from polynya.relay.gate import Gate
from polynya.relay.heads import LARGE_BUFFER, LINES, Progress, Refusal
from polynya.relay.web import ADDRESS, IS_SECURE, error, refuse

logger = logging.getLogger("polynya.relay")

LINGERING = 5.0
"""Seconds that an unread request body is read and dropped, as ordinary servers do."""
UNREAD = 16_384
"""Bytes of an answer that wait for who reads it before the next piece of a file is read."""
DROPPED = 262_144
"""Bytes behind a head that is refused which are taken, so that the answer arrives: ordinary servers take what is there."""
QUEUED = 2
"""Requests of a connection that are parsed before their turn; the rest waits as bytes. aiohttp parses 32: thousands of
connections would hold a million objects that the collector of garbage visits while all else waits."""
REQUESTS = 1_000
"""Of one connection; ordinary servers close then."""
UPGRADE = web.RequestKey("upgrade", bytes)
"""Of a request that asks for another protocol: its head."""
TakeOver: TypeAlias = Callable[[bytes, bytes, asyncio.Transport, Visit], bool]
"""From a request's head without its end, the bytes behind the head, the connection, and its visit: whether the
connection has another protocol now."""


class _Nothing(web.StreamResponse):
    """What stands for an answer where nothing is written any more: the connection ends, or is another protocol's now."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        raise ConnectionResetError


class _BareWriter(StreamWriter):
    """For HTTP/0.9: the body alone."""

    async def write_headers(self, status_line: str, headers: Any) -> None:
        self._headers_written = True


class QuietHandler(RequestHandler):
    """aiohttp's connection without its own error pages, and without a word about requests in the log."""

    __slots__ = (
        "_answered",
        "_gate",
        "_head_timer",
        "_is_half",
        "_limits",
        "_refusal",
        "_slow_timer",
        "_take_over",
        "_unread",
        "_visit",
    )

    def __init__(
        self, manager: web.Server, visit: Visit, take_over: TakeOver, admission: Admission, **arguments: Any
    ) -> None:
        super().__init__(manager, **arguments)
        self._max_msg_queue_size, self._msg_queue_resume_size = QUEUED, QUEUED // 2
        self._visit = visit
        self._take_over = take_over
        self._limits = admission.limits
        self._gate = Gate()
        self._refusal: Refusal | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._slow_timer: asyncio.TimerHandle | None = None
        self._unread = 0
        self._is_half = False
        self._answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if isinstance(transport, asyncio.WriteTransport):
            transport.set_write_buffer_limits(high=UNREAD)
            # As of sessions: the system would let it grow to megabytes for who does not read.
            link = transport.get_extra_info("socket")
            link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.kernel_buffer)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_timers()
        super().connection_lost(exc)
        self._visit()

    def _stop_timers(self) -> None:
        for timer in (self._head_timer, self._slow_timer):
            if timer is not None:
                timer.cancel()
        self._head_timer = self._slow_timer = None

    # ---- requests in

    def begin(self, head: bytes, progress: Progress) -> None:
        """`head` is all that has come, of which `progress` was made."""
        self._gate.know(progress)
        self.data_received(head)

    def data_received(self, data: bytes) -> None:
        if self._force_close or self._close:
            return
        self._gate.feed(data)
        # What the parser holds is older.
        if not data:
            super().data_received(b"")
        self._pass_on()

    def _pass_on(self) -> None:
        """Gives the parser, piece by piece, as much as it will have: the rest waits, and with it the sender."""
        while not (self._upgraded or self._buffer_paused or self._reading_paused or self._force_close):
            piece = self._gate.next()
            if piece is None:
                break
            if isinstance(piece, Refusal):
                self._refusal = piece
                # No parser takes this: the error is answered in its turn, behind the requests before it.
                super().data_received(b"\0")
                break
            super().data_received(piece)
        self._watch_head()

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Who says that nothing more comes is still answered, except over TLS, where loops do not wait."""
        transport = self.transport
        is_waiting = self._answered < self._request_count
        if transport is None or not is_waiting or transport.get_extra_info("sslcontext") is not None:
            return None
        self._is_half = True
        return True

    def _resume_reading_for_buffer(self) -> None:
        super()._resume_reading_for_buffer()
        self._pass_on()

    def _watch_head(self) -> None:
        """A head that has begun comes to its end in time."""
        if not self._gate.is_waiting:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None
        elif self._head_timer is None:
            self._head_timer = self._loop.call_later(self._limits.head_timeout, self.force_close)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        self._answered += 1
        if self._answered >= REQUESTS:
            resp.force_close()
            resp.headers["Connection"] = "close"
        if self._is_half and self._answered == self._request_count:
            resp.force_close()
        done = await super().finish_response(request, resp, start_time)
        if self._refusal is not None:
            _drop_unread(self.transport)
        # Behind an upgrade that was not taken: the connection goes on.
        self._pass_on()
        return done

    def is_held(self) -> bool:
        """Whether nothing is to be read until what has come is done."""
        return self._reading_paused or self._buffer_paused

    @property
    def address(self) -> str | None:
        """As Visit.address."""
        return self._visit.address

    def is_bare(self) -> bool:
        """Whether the request that is begun now is of HTTP/0.9; it is a connection's last."""
        return self._gate.is_bare and not self._messages

    def let_go(self, head: bytes) -> bool:
        """Gives the connection away where the request that is being answered is an upgrade to a session: clients
        and proxies that keep connections send it behind other requests. aiohttp has then read no further."""
        transport = self.transport
        if transport is None or self._messages:
            return False
        behind = self._message_tail + self._gate.take_rest()
        if not self._take_over(head, behind, transport, self._visit):
            self._gate.feed(behind)
            return False
        self._stop_timers()
        if self._buffer_paused:
            transport.resume_reading()
        self._visit = Visit()
        self.transport = None
        self.connection_lost(None)
        return True

    # ---- answers out

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = 0
        if self.transport is not None:
            self._visit.leave_unread(self.transport.get_write_buffer_size())
        self._watch_reader()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._visit.leave_unread(0)
        if self._slow_timer is not None:
            self._slow_timer.cancel()
            self._slow_timer = None

    def _watch_reader(self) -> None:
        """Ends the connection of whom nothing could be sent to for Limits.send_timeout."""
        transport = self.transport
        if transport is None:
            return
        unread = transport.get_write_buffer_size()
        if unread == self._unread:
            transport.abort()
            return
        self._unread = unread
        self._slow_timer = self._loop.call_later(self._limits.send_timeout, self._watch_reader)

    # ---- errors

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            # The answer has begun. An exception would hold this connection too, through its task.
            return _Nothing()
        if status >= 500 and exc is not None:
            logger.error("an HTTP request failed: %s", type(exc).__name__)
        if status == 400 and self._refusal is not None:
            return refuse(request, self._refusal)
        return error(request, status)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        # What is left of a body cannot be read where the connection ended: aiohttp takes that for an error.
        if self.transport is None and isinstance(kw.get("exc_info"), RuntimeError):
            return
        logger.error("an HTTP connection failed: %s", type(kw.get("exc_info")).__name__)


def _drop_unread(transport: asyncio.BaseTransport | None) -> None:
    """What has come and is not read any more: a connection that is closed with it is reset, and the answer may be lost."""
    if transport is None or transport.is_closing() or transport.get_extra_info("sslcontext") is not None:
        return  # TlsTransport does so itself
    with suppress(OSError):
        os.read(transport.get_extra_info("socket").fileno(), DROPPED)


def _head(message: RawRequestMessage) -> bytes:
    lines = [f"{message.method} {message.path} HTTP/1.1".encode("latin-1", "replace")]
    return b"\r\n".join(lines + [name + b": " + value for name, value in message.raw_headers])


def make_server(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    admission: Admission,
    *,
    behind_https: bool = False,
) -> tuple[web.Server, Callable[[Visit, TakeOver], QuietHandler]]:
    """(server, maker of one connection's protocol from its visit and a TakeOver). `behind_https`: people reach it by
    https, of which a proxy takes care."""

    def request(
        message: RawRequestMessage,
        payload: StreamReader,
        protocol: RequestHandler,
        writer: AbstractStreamWriter,
        task: asyncio.Task[None],
    ) -> web.BaseRequest:
        """Ordinary servers answer in HTTP/1.1 whatever was asked in; aiohttp repeats the request's
        version."""
        version = message.version
        message = message._replace(version=HttpVersion11)
        loop = asyncio.get_running_loop()
        if isinstance(protocol, QuietHandler) and protocol.is_bare():
            writer = _BareWriter(protocol, loop)
        request = web.BaseRequest(message, payload, protocol, writer, task, loop)
        request[IS_SECURE] = behind_https or request.secure
        if message.upgrade and version == HttpVersion11:
            request[UPGRADE] = _head(message)
        return request

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        if (
            UPGRADE in request
            and isinstance(connection, QuietHandler)
            and connection.let_go(request[UPGRADE])
        ):
            return _Nothing()
        if isinstance(connection, QuietHandler) and connection.address is not None:
            request[ADDRESS] = connection.address
            await admission.turns.turn(connection.address)
        done = admission.person(request.transport, ",".join(request.headers.getall(FORWARDED, ())))
        if done is None:
            return error(request, 503)
        try:
            return await handler(request)
        finally:
            done()

    server = web.Server(handle, request_factory=request, access_log=None)
    arguments: dict[str, Any] = {
        "access_log": None,
        "auto_decompress": False,
        "tcp_keepalive": True,
        "lingering_time": LINGERING,
        "max_line_size": LARGE_BUFFER,
        "max_field_size": LARGE_BUFFER,
        "max_headers": LINES,
    }

    def connection(visit: Visit, take_over: TakeOver) -> QuietHandler:
        loop, keep_alive = asyncio.get_running_loop(), admission.limits.keep_alive
        return QuietHandler(
            server, visit, take_over, admission, loop=loop, keepalive_timeout=keep_alive, **arguments
        )

    return server, connection
