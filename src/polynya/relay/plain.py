"""Plain HTTP beside a relay with a certificate: sends everybody to https, as ordinary sites do, and answers the
certificate authority."""

from __future__ import annotations

from aiohttp import web

from polynya.relay.challenges import Challenges
from polynya.relay.heads import Refusal
from polynya.relay.web import answer, error, moved, refuse


class PlainHttp:
    """`port` is that of https."""

    def __init__(self, challenges: Challenges, port: int) -> None:
        self._challenges = challenges
        self._port = port

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if (body := self._challenges.http_answer(path)) is not None:
            return answer(request, 200, body.encode(), "text/plain")
        if request.method not in ("GET", "HEAD"):
            return error(request, 405)
        try:
            host = request.url.host
        except ValueError:
            host = None
        if not host:
            return error(request, 400)
        where = f"[{host}]" if ":" in host else host
        if self._port != 443:
            where += f":{self._port}"
        return moved(request, f"https://{where}{request.rel_url.raw_path_qs}")


async def refuse_plain(request: web.BaseRequest) -> web.StreamResponse:
    """To who speaks plain HTTP where https is."""
    return refuse(request, Refusal(400, "The plain HTTP request was sent to HTTPS port"))
