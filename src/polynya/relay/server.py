"""A relay that runs: data folder, store, listeners and housekeeping, from start to end."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from picows import WSCloseCode

from polynya.relay.adapter import Adapter
from polynya.relay.clock import SteadyClock
from polynya.relay.config import RelayConfig
from polynya.relay.errors import ConfigError, RelayError
from polynya.relay.files import write_private
from polynya.relay.folder import LINK_FILE, DataFolder, open_folder
from polynya.relay.keyring import KeyRing
from polynya.relay.live.local import LocalLive
from polynya.relay.local import LocalServer
from polynya.relay.relay import Relay
from polynya.relay.routes import Routes, below
from polynya.relay.session import Session
from polynya.relay.site import Site
from polynya.relay.store.base import SlotPosition, StoreError
from polynya.relay.store.sqlite import open_store
from polynya.relay.system import SystemRandom
from polynya.relay.web import make_server
from polynya.relay.webapp import WebApp
from polynya.wire.labels import sign_receipt
from polynya.wire.links import build_relay_link
from polynya.wire.messages import PROTOCOL_VERSION, ReceiptBody, RelayLink

logger = logging.getLogger("polynya.relay")

BACKLOG = 1_024
"""Connections that wait for the loop: 20,000 devices that come back within 40 s are 500 a second."""
KEYS_EVERY = 600.0
SWEEP_EVERY = 3_600.0
FIRST_SWEEP = 60.0
"""Seconds."""
GOODBYE = 5.0
"""Seconds at the end for requests that are being answered."""
TLS_TIMEOUT = 20.0
"""Seconds for a TLS handshake: 4 KB at 2 kbit/s is 16."""


@dataclass(frozen=True, slots=True)
class RunningRelay:
    """What `serving` gives. Addresses have no slash at the end."""

    relay: Relay
    address: str
    """with the secret path"""
    link: str
    identity: bytes
    port: int
    local: str | None
    """where health and metrics are"""
    is_new: bool
    has_app: bool


@asynccontextmanager
async def serving(config: RelayConfig, clock: Callable[[], int] | None = None) -> AsyncIterator[RunningRelay]:
    """Runs a relay until the block ends; by the computer's clock if none is given. Raises RelayError where it
    cannot start."""
    clock = clock or SteadyClock()
    tls = _tls(config)
    async with AsyncExitStack() as stack:
        random = SystemRandom()
        data = open_folder(config.data, random)
        stack.callback(data.close)
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
        relay = Relay(store, LocalLive(), keyring, config.limits, random, clock)
        app = WebApp()
        routes = Routes(relay, data.secret_path, Site(config.site), app)
        http, make_http = make_server(routes.respond, config.limits.keep_alive)
        adapter = Adapter(
            config.limits,
            relay.metrics,
            lambda path: below(data.secret_path, path.partition("?")[0]) == "/s",
            make_http,
            lambda released: Session(relay, released),
        )
        stack.push_async_callback(_end, relay, http)
        server = await _listen(config, adapter, tls)
        stack.callback(server.close)
        port = int(server.sockets[0].getsockname()[1])
        local = await _start_local(config, relay, port)
        if local is not None:
            stack.push_async_callback(local.close)
        stack.push_async_callback(_cancel, _housekeeping(relay))
        address = f"{config.origin_url or _origin(config, port)}/{data.secret_path}"
        link = build_relay_link(address, RelayLink(PROTOCOL_VERSION, data.identity))
        _write_link(data, link)
        yield RunningRelay(
            relay, address, link, data.identity, port, local.url if local else None, data.is_new, app.is_there
        )


def _signer(seed: bytes) -> Callable[[SlotPosition], bytes]:
    def sign(at: SlotPosition) -> bytes:
        body = ReceiptBody(at.topic, at.slot, at.position, at.seq, at.record_hash, at.blobs)
        return sign_receipt(seed, body).signature

    return sign


def _write_link(data: DataFolder, link: str) -> None:
    """For scripts; a relay on a full disk starts all the same."""
    try:
        write_private(data.folder / LINK_FILE, link.encode() + b"\n")
    except OSError as error:
        logger.error("%s could not be written: %s", LINK_FILE, error.strerror)


def _tls(config: RelayConfig) -> ssl.SSLContext | None:
    if config.tls_cert is None or config.tls_key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    for path, option in ((config.tls_cert, "--tls-cert"), (config.tls_key, "--tls-key")):
        if not os.access(path, os.R_OK):
            raise ConfigError(f"The file {path} cannot be read. Check {option}.")
    try:
        context.load_cert_chain(config.tls_cert, config.tls_key)
    except (ssl.SSLError, OSError, ValueError):
        raise ConfigError(
            f"{config.tls_cert} and {config.tls_key} are not a certificate and its key without a passphrase, "
            "both in PEM. Check --tls-cert and --tls-key."
        ) from None
    return context


async def _listen(config: RelayConfig, adapter: Adapter, tls: ssl.SSLContext | None) -> asyncio.Server:
    arguments: dict[str, Any] = {} if tls is None else {"ssl_handshake_timeout": TLS_TIMEOUT}
    try:
        return await asyncio.get_running_loop().create_server(
            adapter.protocol, config.host, config.port, ssl=tls, backlog=BACKLOG, **arguments
        )
    except OSError as error:
        raise RelayError(_why_not(config, error)) from None


def _why_not(config: RelayConfig, error: OSError) -> str:
    where = f"{config.host}, port {config.port}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {config.port} is in use. Stop what uses it, or choose another port with --port."
    if error.errno == errno.EACCES:
        return f"Port {config.port} needs more rights than this user has. Choose one above 1023 with --port."
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{config.host} is not an address of this machine. Choose one with --host: 0.0.0.0 means all."
    why = error.strerror or error
    return f"The relay cannot listen on {where} ({why}). Choose others with --host and --port."


async def _start_local(config: RelayConfig, relay: Relay, port: int) -> LocalServer | None:
    if config.local == "off":
        return None
    next_port = 0 if config.port == 0 else port + 1
    local = LocalServer(relay, config.local or f"127.0.0.1:{next_port}")
    await local.start()
    return local


def _origin(config: RelayConfig, port: int) -> str:
    host = own_address() if config.host in ("0.0.0.0", "::") else config.host  # noqa: S104 - compared only
    if ":" in host:
        host = f"[{host}]"
    usual = port == (443 if config.scheme == "https" else 80)
    return f"{config.scheme}://{host}" + ("" if usual else f":{port}")


def own_address() -> str:
    """The address of this machine that its network knows, without sending anything; else the loopback
    address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _housekeeping(relay: Relay) -> list[asyncio.Task[None]]:
    async def tick() -> None:
        for session in tuple(relay.sessions):
            session.tick()

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
