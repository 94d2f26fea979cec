"""Health, metrics, status and the admin page, on an address that only this machine reaches. Nothing here changes
anything."""

from __future__ import annotations

import asyncio
import json
import time
from urllib.parse import urlsplit

from aiohttp import web

from polynya.relay.addresses import as_ip
from polynya.relay.admin import HEADERS, page
from polynya.relay.errors import RelayError
from polynya.relay.sockets import listen_unix
from polynya.relay.status import Watch
from polynya.relay.store.base import StoreError

METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SOCKET_MODE = 0o600


class LocalServer:
    """`address` is host:port or unix:path."""

    def __init__(self, watch: Watch, address: str) -> None:
        self._watch = watch
        self._relay = watch.relay
        self._address = address
        self._server: asyncio.Server | None = None
        self._http: web.Server | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        if self._server is None or self._address.startswith("unix:"):
            return self._address
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def start(self) -> None:
        """Raises RelayError."""
        self._http = web.Server(self._respond, access_log=None)
        loop = asyncio.get_running_loop()
        try:
            if self._address.startswith("unix:"):
                self._server = await listen_unix(self._address[5:], self._http, SOCKET_MODE, {})
            else:
                host, _, port = self._address.rpartition(":")
                self._server = await loop.create_server(self._http, host.strip("[]"), int(port))
        except OSError as error:
            raise RelayError(
                f"Health and metrics cannot listen on {self._address} ({error.strerror or error}). "
                "Choose another address with --local, or --local off."
            ) from None

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(1.0)

    async def _respond(self, request: web.BaseRequest) -> web.Response:
        if not is_own_name(request.headers.get("Host"), self._address):
            return web.Response(status=403, text="Ask by the address of this machine, not by a name.\n")
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405)
        if request.path == "/health":
            return await self._health()
        if request.path == "/metrics":
            return await self._metrics()
        if request.path == "/status":
            return _json((await self._watch.status()).as_json(), 200)
        if request.path == "/":
            status = await self._watch.status()
            text = page(status, self._watch.history, request.query.get("range", ""), self._relay.now())
            return web.Response(text=text, content_type="text/html", headers=HEADERS)
        return web.Response(status=404, text="Here are /, /status, /health and /metrics.\n")

    async def _health(self) -> web.Response:
        """200 where a read of the store succeeds and people can connect, else 503."""
        try:
            statistics = await self._relay.store.statistics()
        except StoreError as error:
            return _json({"status": "failing", "problem": error.problem.value}, 503)
        full = statistics.free_bytes < self._relay.limits.disk_reserve
        status = "disk nearly full" if full else "ok"
        known: dict[str, object] = {"status": status, "free_bytes": statistics.free_bytes}
        if self._watch.tls.context is None:
            return _json(known, 200)
        left = self._watch.seconds_left()
        known["certificate_seconds"] = int(left)
        if left <= 0:
            return _json({**known, "status": "failing", "problem": "certificate"}, 503)
        return _json(known, 200)

    async def _metrics(self) -> web.Response:
        statistics = await self._relay.store.statistics()
        values = {
            "topics": ("Topics", statistics.topics),
            "inboxes": ("Inboxes", statistics.inboxes),
            "blobs": ("Whole blobs", statistics.blobs),
            "database_bytes": ("Size of the database", statistics.database_bytes),
            "disk_free_bytes": ("Free on the data folder's disk", statistics.free_bytes),
            "uptime_seconds": ("Since the start", time.monotonic() - self._watch.started),
        }
        if self._watch.tls.context is not None:
            left = self._watch.seconds_left()
            values["certificate_seconds"] = ("Until the certificate is over; 0: there is none", left)
        text = self._relay.metrics.render(
            {name: (text, float(value)) for name, (text, value) in values.items()}
        )
        return web.Response(body=text.encode(), headers={"Content-Type": METRICS_TYPE})


def is_own_name(host: str | None, address: str) -> bool:
    """Whether a request asks for this machine: a page of somebody else that a browser here shows can have its own name
    lead to this address (DNS rebinding), but cannot ask by the address itself."""
    if host is None or address.startswith("unix:"):
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name in ("localhost", address.rpartition(":")[0].lower()):
        return True
    return as_ip(name) is not None


def _json(value: dict[str, object], status: int) -> web.Response:
    return web.Response(status=status, text=json.dumps(value) + "\n", content_type="application/json")
