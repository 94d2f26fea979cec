"""Where an HTTP request goes: below the secret path to the relay, all else to the ordinary site."""

from __future__ import annotations

import asyncio

from aiohttp import web

from polynya.crypto.compare import equal
from polynya.relay.bodies import Bodies
from polynya.relay.exchange import Overloaded, answer_exchange
from polynya.relay.limits import REQUEST_MAX
from polynya.relay.relay import Relay
from polynya.relay.site import Site
from polynya.relay.web import answer, error, redirect
from polynya.relay.webapp import WebApp

BYTES = "application/octet-stream"
CROSS_ORIGIN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}
PREFLIGHT = {
    **CROSS_ORIGIN,
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "content-type",
    "Access-Control-Max-Age": "86400",
}


class Routes:
    """Answers every request but the upgrade to a session, which the adapter takes out before."""

    def __init__(self, relay: Relay, secret_path: str, site: Site, app: WebApp) -> None:
        self._relay = relay
        self._secret_path = secret_path
        self.site = site
        self._app = app
        self._bodies = Bodies()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        rest = below(self._secret_path, request.rel_url.raw_path)
        if rest is None:
            return await self.site.respond(request)
        if rest in ("/x", "/keys"):
            return await self._bytes(request, rest)
        if request.method not in ("GET", "HEAD"):
            return error(request, 405)
        if rest == "":
            return redirect(request, f"/{self._secret_path}/")
        response = self._app.respond(request, rest[1:])
        return error(request, 404) if response is None else response

    async def _bytes(self, request: web.BaseRequest, rest: str) -> web.Response:
        if request.method == "OPTIONS":
            return answer(request, 204, headers=PREFLIGHT)
        if rest == "/keys" and request.method in ("GET", "HEAD"):
            return answer(request, 200, self._relay.keyring.signed, BYTES, CROSS_ORIGIN)
        if rest == "/x" and request.method == "POST":
            return await self._exchange(request)
        return error(request, 405)

    async def _exchange(self, request: web.BaseRequest) -> web.Response:
        try:
            async with asyncio.timeout(self._relay.limits.body_timeout):
                body = await self._bodies.read(request, REQUEST_MAX, self._relay.limits.bodies_total)
        except TimeoutError:
            return error(request, 408)
        if body is None:
            return answer(request, 413, headers={**CROSS_ORIGIN, "Connection": "close"})
        try:
            sealed = await answer_exchange(self._relay, body)
        except Overloaded as overloaded:
            wait = str(-(-overloaded.wait // 1000))
            return answer(request, 503, headers={**CROSS_ORIGIN, "Retry-After": wait})
        if sealed is None:
            return answer(request, 400, headers=CROSS_ORIGIN)
        return answer(request, 200, sealed, BYTES, CROSS_ORIGIN)


def below(secret_path: str, path: str) -> str | None:
    """What follows "/<secret path>" in `path`: "" or "/...". None outside; the time taken shows nothing of
    it."""
    end = 1 + len(secret_path)
    is_below = equal(path[1:end].encode("utf-8", "replace"), secret_path.encode())
    rest = path[end:]
    return rest if is_below and path[:1] == "/" and rest[:1] in ("", "/") else None
