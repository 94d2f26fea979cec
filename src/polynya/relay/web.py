"""HTTP answers in the manner of an ordinary web server: the same headers in the same order, the same error
pages."""

from __future__ import annotations

import asyncio
import email.utils
import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion10, HttpVersion11, RawRequestMessage
from aiohttp.web_protocol import RequestHandler

from polynya.relay.admission import FORWARDED, Admission, Release

logger = logging.getLogger("polynya.relay")

LINGERING = 5.0
"""Seconds that an unread request body is read and dropped, as ordinary servers do."""
IS_ANCIENT = web.RequestKey("ancient", bool)
"""Of a request: whether it is older than HTTP/1.0."""
IS_SECURE = web.RequestKey("secure", bool)
"""Of a request: whether it came by https, a proxy's included."""
UPGRADE = web.RequestKey("upgrade", bytes)
"""Of a request that asks for another protocol: its head."""
SERVER = "nginx"
"""What the most common web server says of itself with its version switched off."""
PHRASES = {
    405: "Not Allowed",
    408: "Request Time-out",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
}


def answer(
    request: web.BaseRequest,
    status: int,
    body: bytes = b"",
    kind: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A whole answer; `kind` is its media type."""
    response = web.Response(
        status=status, reason=_phrase(status), headers=_ordered(request, len(body), kind, headers), body=body
    )
    if status == HTTPStatus.NO_CONTENT:
        response.headers.popall("Content-Length", None)
    return response


def begin(
    request: web.BaseRequest, status: int, size: int, kind: str, headers: Mapping[str, str] | None = None
) -> web.StreamResponse:
    """An answer whose body of `size` bytes follows in pieces."""
    return web.StreamResponse(
        status=status, reason=_phrase(status), headers=_ordered(request, size, kind, headers)
    )


def error(request: web.BaseRequest, status: int) -> web.Response:
    """An error page; the connection stays open where an ordinary server's would."""
    title = f"{status} {_phrase(status)}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        f"<hr><center>{SERVER}</center>\r\n</body>\r\n</html>\r\n"
    )
    response = answer(request, status, page.encode(), "text/html")
    if status in (400, 408, 413, 414, 431, 500):
        response.force_close()
        response.headers["Connection"] = "close"
    return response


def redirect(request: web.BaseRequest, target: str) -> web.Response:
    """301 to a path on the same host."""
    return moved(request, f"{'https' if request[IS_SECURE] else 'http'}://{request.host}{target}")


def moved(request: web.BaseRequest, location: str) -> web.Response:
    """301 to anywhere."""
    response = error(request, 301)
    response.headers["Location"] = location
    return response


def http_date(seconds: float) -> str:
    return email.utils.formatdate(seconds, usegmt=True)


def _phrase(status: int) -> str:
    return PHRASES.get(status) or HTTPStatus(status).phrase


def _ordered(
    request: web.BaseRequest, size: int, kind: str | None, headers: Mapping[str, str] | None
) -> dict[str, str]:
    ordered = {"Server": SERVER, "Date": email.utils.formatdate(usegmt=True)}
    if kind is not None:
        ordered["Content-Type"] = kind
    ordered["Content-Length"] = str(size)
    last = dict(headers or {})
    if "Last-Modified" in last:
        ordered["Last-Modified"] = last.pop("Last-Modified")
    ordered["Connection"] = "keep-alive" if request.keep_alive else "close"
    return ordered | last


TakeOver: TypeAlias = Callable[[bytes, bytes, asyncio.Transport, Release], bool]
"""From a request's head without its end, the bytes behind the head, the connection, and what is to be called when the
connection is gone: whether the connection has another protocol now."""


class _Taken(web.StreamResponse):
    """What stands for an answer on a connection that is another protocol's now: nothing is written."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        raise ConnectionResetError


class QuietHandler(RequestHandler):
    """aiohttp's connection without its own error pages, and without a word about requests in the log."""

    __slots__ = ("_on_lost", "_take_over")

    def __init__(self, manager: web.Server, on_lost: Release, take_over: TakeOver, **arguments: Any) -> None:
        super().__init__(manager, **arguments)
        self._on_lost = on_lost
        self._take_over = take_over

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._on_lost()

    def let_go(self, head: bytes) -> bool:
        """Gives the connection away where the request that is being answered is an upgrade to a session: clients
        and proxies that keep connections send it behind other requests. aiohttp has then read no further."""
        transport = self.transport
        if (
            transport is None
            or self._messages
            or not self._take_over(head, self._message_tail, transport, self._on_lost)
        ):
            return False
        if self._buffer_paused:
            transport.resume_reading()
        self._on_lost = lambda: None
        self.transport = None
        self.connection_lost(None)
        return True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        if status >= 500 and exc is not None:
            logger.error("an HTTP request failed: %s", type(exc).__name__)
        return error(request, status)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        logger.error("an HTTP connection failed: %s", type(kw.get("exc_info")).__name__)


def _head(message: RawRequestMessage) -> bytes:
    lines = [f"{message.method} {message.path} HTTP/1.1".encode("latin-1", "replace")]
    return b"\r\n".join(lines + [name + b": " + value for name, value in message.raw_headers])


def make_server(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
    admission: Admission,
    *,
    behind_https: bool = False,
) -> tuple[web.Server, Callable[[Release, TakeOver], QuietHandler]]:
    """(server, maker of one connection's protocol from what is called when the connection is gone, and a
    TakeOver). `behind_https`: people reach it by https, of which a proxy takes care."""

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
        request = web.BaseRequest(message, payload, protocol, writer, task, asyncio.get_running_loop())
        request[IS_ANCIENT] = version < HttpVersion10
        request[IS_SECURE] = behind_https or request.secure
        if message.upgrade and version == HttpVersion11:
            request[UPGRADE] = _head(message)
        return request

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request[IS_ANCIENT]:
            return error(request, 400)
        connection = request.protocol
        if (
            UPGRADE in request
            and isinstance(connection, QuietHandler)
            and connection.let_go(request[UPGRADE])
        ):
            return _Taken()
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
    }

    def connection(on_lost: Release, take_over: TakeOver) -> QuietHandler:
        loop, keep_alive = asyncio.get_running_loop(), admission.limits.keep_alive
        return QuietHandler(server, on_lost, take_over, loop=loop, keepalive_timeout=keep_alive, **arguments)

    return server, connection
