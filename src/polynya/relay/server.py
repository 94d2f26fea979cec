"""A relay that runs: data folder, store, listeners and housekeeping, from start to end."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import ssl
import sys
import urllib.parse
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from picows import WSCloseCode

from polynya.relay.adapter import Adapter
from polynya.relay.admission import Admission
from polynya.relay.clock import SteadyClock
from polynya.relay.config import OPTIONS, REQUIRED, RelayConfig
from polynya.relay.connection import make_server
from polynya.relay.door import Door
from polynya.relay.errors import RelayError
from polynya.relay.files import write_private
from polynya.relay.folder import LINK_FILE, LOCAL_FILE, DataFolder, open_folder
from polynya.relay.history import SAMPLE, History
from polynya.relay.keyring import KeyRing
from polynya.relay.live.local import LocalLive
from polynya.relay.local import LocalServer
from polynya.relay.memory import give_back
from polynya.relay.plain import PlainHttp, refuse_plain
from polynya.relay.public import own_address
from polynya.relay.relay import Relay
from polynya.relay.routes import Routes, below
from polynya.relay.session import Session
from polynya.relay.site import PORTS, Site, origin
from polynya.relay.sockets import (
    Inherited,
    Listening,
    MakeDoor,
    inherited_sockets,
    listen,
    listen_http,
    port_of,
)
from polynya.relay.status import FILES_BESIDE, Watch
from polynya.relay.store.base import SlotPosition, StoreError
from polynya.relay.store.sqlite import open_store
from polynya.relay.system import SystemRandom
from polynya.relay.tls import Tls
from polynya.relay.tokens import Tokens
from polynya.relay.webapp import WebApp
from polynya.wire.labels import sign_receipt
from polynya.wire.links import build_relay_link
from polynya.wire.messages import PROTOCOL_VERSION, ReceiptBody, RelayLink

logger = logging.getLogger("polynya.relay")

KEYS_EVERY = 600.0
SWEEP_EVERY = 3_600.0
FIRST_SWEEP = 60.0
"""Seconds."""
GOODBYE = 5.0
"""Seconds at the end for requests that are being answered."""


@dataclass(frozen=True, slots=True)
class RunningRelay:
    """What `serving` gives. Addresses have no slash at the end."""

    relay: Relay
    address: str
    """with the secret path"""
    link: str
    identity: bytes
    port: int
    """0: a Unix socket"""
    local: str | None
    """where health and metrics are"""
    is_new: bool
    has_app: bool
    tls: Tls
    reload: Callable[[RelayConfig], list[str]]
    """takes what may change while the relay runs; the options that take a restart are named, all others are in force.
    Raises ConfigError, and nothing is changed"""


@asynccontextmanager
async def serving(
    config: RelayConfig, clock: Callable[[], int] | None = None, inherited: Inherited | None = None
) -> AsyncIterator[RunningRelay]:
    """Runs a relay until the block ends; by the computer's clock if none is given. Raises RelayError where it
    cannot start. A certificate that is obtained may come later: see `Renewals.tried`."""
    clock = clock or SteadyClock()
    http_port = config.http_port if config.obtains else None
    inherited = inherited or inherited_sockets(os.environ, os.getpid(), http_port)
    async with AsyncExitStack() as stack:
        random = SystemRandom()
        data = open_folder(config.data, random)
        stack.callback(data.close)
        has_http = bool(inherited.http) or config.http_port is not None
        tls = Tls(config, random, clock, has_http)
        keyring = KeyRing(data.folder, data.seed, random)
        try:
            keyring.refresh(clock())
        except OSError as error:
            raise RelayError(
                f"The keys cannot be written ({error.strerror}). Check the data folder's disk."
            ) from None
        store = await open_store(
            data.folder, _signer(data.seed), time=clock(), reserve=config.limits.disk_reserve
        )
        stack.push_async_callback(store.close)
        tokens = Tokens(data.seed, data.identity, config.tokens == REQUIRED, store, random, clock)
        stack.callback(tokens.close)
        relay = Relay(store, LocalLive(), keyring, tokens, config.limits, random, clock)
        admission = Admission(config.limits, relay.metrics, config.behind_proxy, _room())
        app = WebApp()
        routes = Routes(relay, data.secret_path, _site(config), app)
        is_https = (config.origin_url or "").startswith("https:")
        http, make_http = make_server(
            routes.respond, admission, behind_https=config.behind_proxy is not None and is_https
        )
        adapter = Adapter(
            admission,
            lambda path: below(data.secret_path, path.partition("?")[0]) == "/s",
            make_http,
            lambda released: Session(relay, released),
        )
        stack.push_async_callback(_end, relay, http)
        servers = await listen(config, _door_maker(stack, tls.context, admission, adapter), inherited.main)
        stack.callback(_close, servers)
        port = port_of(servers)
        if tls.renewals is not None:
            await _listen_http(stack, config, tls, admission, port, inherited)
        history = History(relay.metrics, data.folder, clock)
        local = await _start_local(config, Watch(relay, tls, admission, history, app.is_there), port)
        if local is not None:
            stack.push_async_callback(local.close)
        _write_text(data, LOCAL_FILE, local.url if local else "off")
        tasks = [*_housekeeping(relay), asyncio.create_task(_remember(relay, history))]
        stack.push_async_callback(_cancel, tasks)
        if tls.renewals is not None:
            stack.push_async_callback(_cancel, [asyncio.create_task(tls.renewals.run())])
        address = f"{config.origin_url or _origin(config, tls, port)}/{data.secret_path}"
        link = build_relay_link(address, RelayLink(PROTOCOL_VERSION, data.identity))
        _write_text(data, LINK_FILE, link)

        def reload(new: RelayConfig) -> list[str]:
            tls.reload(new)
            relay.apply(new.limits)
            admission.apply(new.limits)
            routes.site = _site(new)
            return _takes_restart(config, new)

        url = local.url if local else None
        yield RunningRelay(
            relay, address, link, data.identity, port, url, data.is_new, app.is_there, tls, reload
        )


RELOADED = ("limits", "site", "tls_cert", "tls_key")
RESTART_LIMITS = ("disk_reserve", "tick")


def _takes_restart(old: RelayConfig, new: RelayConfig) -> list[str]:
    options = [name for name in OPTIONS if name not in RELOADED and getattr(old, name) != getattr(new, name)]
    if (old.tls_cert is None) != (new.tls_cert is None):
        options.append("tls_cert")
    return options + [
        f"limits.{name}" for name in RESTART_LIMITS if getattr(old.limits, name) != getattr(new.limits, name)
    ]


def _door_maker(
    stack: AsyncExitStack, context: ssl.SSLContext | None, admission: Admission, adapter: Adapter
) -> MakeDoor:
    if context is None:
        return lambda listener: Door(listener, None, admission, adapter.protocol, adapter.protocol)
    http, make_http = make_server(refuse_plain, admission)
    stack.push_async_callback(_shut, http)
    plain = Adapter(admission, lambda _: False, make_http, no_session)
    return lambda listener: Door(listener, context, admission, adapter.protocol, plain.protocol)


def _close(servers: Sequence[Listening]) -> None:
    for server in servers:
        server.close()


async def _listen_http(
    stack: AsyncExitStack,
    config: RelayConfig,
    tls: Tls,
    admission: Admission,
    port: int,
    inherited: Inherited,
) -> None:
    """Plain HTTP beside https. A relay that cannot have its port runs without: TLS-ALPN-01 needs none."""
    http, make_http = make_server(PlainHttp(tls.challenges, tls.names[0], port).respond, admission)
    adapter = Adapter(admission, lambda _: False, make_http, no_session)
    try:
        servers = await listen_http(config, _door_maker(stack, None, admission, adapter), inherited.http)
    except OSError as error:
        tls.challenges.has_plain_http = False
        logger.warning(
            "Plain HTTP cannot listen on port %d (%s): certificates are asked for on port %d alone, and http:// "
            "addresses lead nowhere.",
            config.http_port,
            error.strerror or error,
            port,
        )
        return
    stack.push_async_callback(_shut, http)
    stack.callback(_close, servers)


def no_session(_: Callable[[], None]) -> Any:
    raise AssertionError("plain HTTP has no sessions")


async def _shut(http: Any) -> None:
    http.pre_shutdown()
    await http.shutdown(GOODBYE)


def _site(config: RelayConfig) -> Site:
    """Behind a proxy, or where an address was given, people reach it at another port than that of their connection."""
    url = urllib.parse.urlsplit(config.origin_url or "")
    own = url.port or PORTS.get(url.scheme)
    return Site(config.site, own)


def _room() -> int:
    """Connections for which there are file handles."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sys.maxsize if most == resource.RLIM_INFINITY else max(1, most - FILES_BESIDE)


def _signer(seed: bytes) -> Callable[[SlotPosition], bytes]:
    def sign(at: SlotPosition) -> bytes:
        body = ReceiptBody(at.topic, at.slot, at.position, at.seq, at.record_hash, at.blobs)
        return sign_receipt(seed, body).signature

    return sign


def _write_text(data: DataFolder, name: str, text: str) -> None:
    """For scripts and commands; a relay on a full disk starts all the same."""
    try:
        write_private(data.folder / name, text.encode() + b"\n")
    except OSError as error:
        logger.error("%s could not be written: %s", name, error.strerror)


async def _start_local(config: RelayConfig, watch: Watch, port: int) -> LocalServer | None:
    if config.local == "off":
        return None
    local = LocalServer(watch, config.local or f"127.0.0.1:{_local_port(config, port)}")
    await local.start()
    return local


def _local_port(config: RelayConfig, port: int) -> int:
    """The next one; below 1024 it would take rights, and of a Unix socket there is none."""
    if config.port == 0:
        return 0
    return port + 1 if port >= 1024 else RelayConfig().port + 1


def _origin(config: RelayConfig, tls: Tls, port: int) -> str:
    host = tls.names[0] if tls.names else config.host
    if host in ("0.0.0.0", "::", "*"):  # noqa: S104 - compared only
        host = own_address()
    if ":" in host:
        host = f"[{host}]"
    return origin(config.scheme, host, port)


def _housekeeping(relay: Relay) -> list[asyncio.Task[None]]:
    async def tick() -> None:
        for session in tuple(relay.sessions):
            session.tick()
        give_back()

    async def keys() -> None:
        relay.refresh_keys()

    async def sweep() -> None:
        try:
            if not await relay.store.trusts(relay.now()):
                logger.warning(
                    "the clock jumped, or the relay was off for days: nothing is destroyed for a day"
                )
                return
            swept = await relay.store.sweep(relay.now())
        except StoreError as error:
            logger.error("the sweep stopped: %s", error.problem.value)
        else:
            if swept.records or swept.logs or swept.blobs:
                logger.info("swept: %d records, %d logs, %d blobs", swept.records, swept.logs, swept.blobs)

    limits = relay.limits
    plan = (
        (limits.tick, limits.tick, tick),
        (KEYS_EVERY, KEYS_EVERY, keys),
        (FIRST_SWEEP, SWEEP_EVERY, sweep),
    )
    return [asyncio.create_task(_every(first, pause, work)) for first, pause, work in plan]


async def _remember(relay: Relay, history: History) -> None:
    """Samples when the clock shows a multiple of SAMPLE."""
    while True:
        await asyncio.sleep((SAMPLE - relay.now() % SAMPLE) / 1000 + 0.05)
        with suppress(StoreError):
            history.sample(await relay.store.statistics())


async def _every(first: float, pause: float, work: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(first)
    while True:
        try:
            await work()
        except Exception as error:
            logger.error("housekeeping failed: %s", type(error).__name__)
        await asyncio.sleep(pause)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with suppress(asyncio.CancelledError):
            await task


async def _end(relay: Relay, http: Any) -> None:
    """Sessions are told that the relay restarts; what has been asked is still answered."""
    for session in tuple(relay.sessions):
        session.close(WSCloseCode.SERVICE_RESTART)
    http.pre_shutdown()
    await http.shutdown(GOODBYE)
    with suppress(TimeoutError):
        async with asyncio.timeout(GOODBYE):
            await relay.drain()
