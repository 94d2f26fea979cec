"""HTTP answers in the manner of an ordinary web server: the same headers in the same order, the same error
pages."""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from polynya.relay.heads import Refusal

IS_SECURE = web.RequestKey("secure", bool)
"""Of a request: whether it came by https, a proxy's included."""
ADDRESS = web.RequestKey("address", str)
"""Of a request: who has to wait for its turn; proxies' have none."""
SERVER = "nginx"
"""What the most common web server says of itself with its version switched off."""
PHRASES = {
    405: "Not Allowed",
    408: "Request Time-out",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    416: "Requested Range Not Satisfiable",
    503: "Service Temporarily Unavailable",
}
CLOSING = frozenset((400, 408, 413, 414, 431, 500, 501, 505))
"""Statuses after which an ordinary server closes."""


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


def error(
    request: web.BaseRequest, status: int, detail: str = "", headers: Mapping[str, str] | None = None
) -> web.Response:
    """An error page; the connection stays open where an ordinary server's would."""
    response = answer(request, status, error_page(status, detail), "text/html", headers)
    if status in CLOSING or request.content.exception() is not None:
        _close(response)
    elif status == 412:
        # So does nginx: it says that the connection stays, and closes it.
        response.force_close()
    return response


def error_page(status: int, detail: str = "") -> bytes:
    """`detail`: what that server says besides of some errors."""
    title = f"{status} {_phrase(status)}"
    more = f"<center>{detail}</center>\r\n" if detail else ""
    return (
        f"<html>\r\n<head><title>{f'{status} {detail}' if detail else title}</title></head>\r\n<body>\r\n"
        f"<center><h1>{title}</h1></center>\r\n{more}<hr><center>{SERVER}</center>\r\n</body>\r\n</html>\r\n"
    ).encode()


def refuse(request: web.BaseRequest, refusal: Refusal) -> web.Response:
    """The answer to a head that is none; it is the last."""
    response = error(request, refusal.status, refusal.detail)
    _close(response)
    return response


def _close(response: web.Response) -> None:
    response.force_close()
    response.headers["Connection"] = "close"


def redirect(request: web.BaseRequest, target: str) -> web.Response:
    """301 to a path on the same host, as the client names it."""
    return moved(request, f"{scheme(request)}://{request.host}{target}")


def address_of(request: web.BaseRequest) -> str | None:
    """Whose turn it takes; None: a proxy's."""
    return request.get(ADDRESS)


def scheme(request: web.BaseRequest) -> str:
    return "https" if request[IS_SECURE] else "http"


def moved(request: web.BaseRequest, location: str) -> web.Response:
    """301 to anywhere."""
    return error(request, 301, headers={"Location": location})


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
    for name in ("Last-Modified", "Location"):
        if name in last:
            ordered[name] = last.pop(name)
    ordered["Connection"] = "keep-alive" if request.keep_alive else "close"
    return ordered | last
