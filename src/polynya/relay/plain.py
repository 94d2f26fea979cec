"""Plain HTTP beside a relay with a certificate: sends everybody to https, as ordinary sites do, and answers the
certificate authority."""

from __future__ import annotations

from aiohttp import web

from polynya.relay.challenges import Challenges
from polynya.relay.heads import Refusal
from polynya.relay.site import host_of, names_of, origin
from polynya.relay.web import answer, error, moved, refuse


class PlainHttp:
    """`name` and `port` are those of https."""

    def __init__(self, challenges: Challenges, name: str, port: int) -> None:
        self._challenges = challenges
        self._name = name
        self._port = port

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        if (body := self._challenges.http_answer(path)) is not None:
            return answer(request, 200, body.encode(), "text/plain")
        target, names = names_of(request.raw_path)
        if names is None:
            return error(request, 400)
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        response = moved(request, origin("https", host_of(request, self._name), self._port) + target)
        # An ordinary site's `return 301` names the place last.
        response.headers["Location"] = response.headers.pop("Location")
        return response


async def refuse_plain(request: web.BaseRequest) -> web.StreamResponse:
    """To who speaks plain HTTP where https is."""
    return refuse(request, Refusal(400, "The plain HTTP request was sent to HTTPS port"))
