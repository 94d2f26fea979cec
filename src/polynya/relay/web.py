"""HTTP answers in the manner of an ordinary web server: the same headers in the same order, the same error
pages."""

from __future__ import annotations

import asyncio
import email.utils
import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from http import HTTPStatus
from typing import Any, TypeAlias

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import HttpVersion10, HttpVersion11, RawRequestMessage
from aiohttp.web_protocol import RequestHandler

logger = logging.getLogger("polynya.relay")

LINGERING = 5.0
"""Seconds that an unread request body is read and dropped, as ordinary servers do."""
IS_ANCIENT = web.RequestKey("ancient", bool)
"""Of a request: whether it is older than HTTP/1.0."""
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
    response = error(request, 301)
    scheme = "https" if request.secure else "http"
    response.headers["Location"] = f"{scheme}://{request.host}{target}"
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


class Verdict(Enum):
    """On the first bytes of a connection's next request."""

    TAKEN = "taken"
    """the connection has another protocol now"""
    WAIT = "wait"
    """it may be an upgrade: more is needed"""
    HTTP = "http"


TakeOver: TypeAlias = Callable[[bytes, "asyncio.Transport | None", Callable[[], None]], Verdict]
"""From the bytes, the connection, and what is to be called when the connection is gone."""


class QuietHandler(RequestHandler):
    """aiohttp's connection without its own error pages, and without a word about requests in the log. Where a
    later request of the connection is an upgrade, `take_over` gets the connection."""

    __slots__ = ("_held", "_is_partial", "_on_lost", "_take_over")

    def __init__(
        self, manager: web.Server, on_lost: Callable[[], None], take_over: TakeOver, **arguments: Any
    ) -> None:
        super().__init__(manager, **arguments)
        self._on_lost = on_lost
        self._take_over = take_over
        self._held = b""
        self._is_partial = False

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._on_lost()

    def data_received(self, data: bytes) -> None:
        is_idle = self._is_idle()
        if self._held or (is_idle and not self._is_partial):
            data = self._held + data
            self._held = b""
            transport = self.transport
            verdict = self._take_over(data, transport, self._on_lost)
            if verdict is Verdict.WAIT:
                self._held = data
                return
            if verdict is Verdict.TAKEN:
                self._let_go()
                return
        count = self._request_count
        super().data_received(data)
        if is_idle:
            self._is_partial = self._request_count == count

    def _is_idle(self) -> bool:
        """Whether the last request has been answered and the next has no whole head yet."""
        waiter = self._waiter
        return waiter is not None and not waiter.done() and not self._messages

    def _let_go(self) -> None:
        """The connection is another protocol's now; this one ends without closing it."""
        self._on_lost = lambda: None
        self.transport = None
        self.connection_lost(None)

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


def make_server(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], keep_alive: float
) -> tuple[web.Server, Callable[[Callable[[], None], TakeOver], QuietHandler]]:
    """(server, maker of one connection's protocol from what is called when the connection is gone, and a
    TakeOver)."""

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
        return request

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return error(request, 400) if request[IS_ANCIENT] else await handler(request)

    server = web.Server(handle, request_factory=request, access_log=None)
    arguments: dict[str, Any] = {
        "keepalive_timeout": keep_alive,
        "access_log": None,
        "auto_decompress": False,
        "tcp_keepalive": True,
        "lingering_time": LINGERING,
    }

    def connection(on_lost: Callable[[], None], take_over: TakeOver) -> QuietHandler:
        return QuietHandler(server, on_lost, take_over, loop=asyncio.get_running_loop(), **arguments)

    return server, connection
