"""One port for everything: looks at a connection's first request head and hands the connection on.

An upgrade below the secret path goes to picows, whose WebSocket protocol is the fastest there is for Python;
all else to aiohttp. picows answers nothing else than such upgrades, refuses Firefox's `Connection: keep-
alive, Upgrade` and names itself in its error pages, so it is handed a head written anew, and only one that it
accepts. `WSProtocol` is not exported by picows: `tests/relay/test_adapter.py` pins what is used of it,
pyproject pins the version."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from picows import WSAutoPingStrategy, WSListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]

from polynya.relay.admission import FORWARDED, Admission, Release, Visit, nothing
from polynya.relay.connection import QuietHandler, TakeOver
from polynya.relay.heads import Progress
from polynya.relay.limits import FRAME_MAX, HELLO_MAX
from polynya.relay.paced import Paced

logger = logging.getLogger("polynya.relay")

BUFFER = (HELLO_MAX + 8) * 100 // 89 + 256
"""Bytes of a session's read buffer, of which picows keeps 256 for itself: it doubles what is filled to 90 % and never
shrinks it. The hello, behind 8 bytes of a frame's head, is the largest that all sessions send."""
HEAD_END = b"\r\n\r\n"


class Adapter:
    """Makes the protocol of each new connection."""

    def __init__(
        self,
        admission: Admission,
        is_session_path: Callable[[str], bool],
        make_http: Callable[[Visit, TakeOver], QuietHandler],
        make_session: Callable[[Release], WSListener],
    ) -> None:
        self.admission = admission
        self.is_session_path = is_session_path
        self.make_http = make_http
        self.make_session = make_session

    def protocol(self, visit: Visit) -> asyncio.BaseProtocol:
        """Of a connection that was counted."""
        first = _FirstHead(self, visit)
        first.paced = Paced(self.admission.turns, first, visit.address)
        return first.paced

    def take_over(self, head: bytes, behind: bytes, transport: asyncio.Transport, visit: Visit) -> bool:
        """A TakeOver: whether the connection is a session's now."""
        upgrade = _upgrade(head, self.is_session_path)
        if upgrade is None:
            return False
        self.hand_over(transport, upgrade, behind, visit)
        return True

    def hand_over(self, transport: asyncio.Transport, upgrade: _Upgrade, behind: bytes, visit: Visit) -> None:
        """From now on the connection is a session's; its client's next bytes are `behind`. Where its person has too
        many, it ends."""
        person = self.admission.person(transport, upgrade.forwarded)
        if person is None:
            transport.abort()
            visit()
            return
        visit.settle()
        paced = transport.get_protocol()
        if isinstance(paced, Paced):
            paced.leave()
        session = _session_protocol(self.make_session(_both(person, visit)))
        transport.set_protocol(session)
        is_unix = transport.get_extra_info("socket").family == socket.AF_UNIX
        session.connection_made(_UnixTransport(transport) if is_unix else transport)
        _feed(session, upgrade.head + behind)


def _both(person: Release, release: Release) -> Release:
    if person is nothing:
        return release

    def released() -> None:
        person()
        release()

    return released


class _FirstHead(asyncio.Protocol):
    """Reads until the first head is whole, or can be none, and no further."""

    __slots__ = ("_adapter", "_head", "_progress", "_timer", "_transport", "_visit", "paced")

    paced: Paced
    """what reads for it"""

    def __init__(self, adapter: Adapter, visit: Visit) -> None:
        self._adapter = adapter
        self._head = bytearray()
        self._progress = Progress()
        self._visit: Visit | None = visit
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if self._visit is not None:
            self._visit.abort = transport.abort
        self._transport = transport
        timeout = self._adapter.admission.limits.head_timeout
        self._timer = asyncio.get_running_loop().call_later(timeout, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        del self.paced
        self._transport = None
        if self._visit is not None:
            self._visit()
            self._visit = None

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def data_received(self, data: bytes) -> None:
        transport, visit = self._transport, self._visit
        if transport is None or visit is None:
            return
        self._head += data
        if self._progress.is_fresh:
            del self._head[: len(self._head) - len(self._head.lstrip(b"\r\n"))]
        found = self._progress.advance(self._head) if self._head else None
        if found is None:
            return
        end = found if isinstance(found, int) else -1
        self._stop_timer()
        self._visit = self._transport = None
        upgrade = None if end < 0 else _upgrade(bytes(self._head[:end]), self._adapter.is_session_path)
        if upgrade is None:
            http = self._adapter.make_http(visit, self._adapter.take_over)
            paced = self.paced
            del self.paced
            paced.become(http, http.is_held)
            http.connection_made(transport)
            # A head that is whole is seen anew, for which there is a faster way.
            http.begin(bytes(self._head), Progress() if isinstance(found, int) else self._progress)
        else:
            self._adapter.hand_over(transport, upgrade, bytes(self._head[end:]), visit)


class _UnixTransport:
    """A Unix socket's transport for picows, which sets TCP's options on every socket, and where that fails crashes
    with all of the process when the connection ends."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        value = self._transport.get_extra_info(name, default)
        return _UnixSocket(value) if name == "socket" else value


class _UnixSocket:
    def __init__(self, unix: Any) -> None:
        self._unix = unix

    def fileno(self) -> int:
        return int(self._unix.fileno())

    def setsockopt(self, level: int, option: int, value: int) -> None:
        if level != socket.IPPROTO_TCP:
            self._unix.setsockopt(level, option, value)

    def getsockopt(self, level: int, option: int) -> int:
        return 0 if level == socket.IPPROTO_TCP else int(self._unix.getsockopt(level, option))


class _Upgrade(NamedTuple):
    head: bytes
    """what picows is given"""
    forwarded: str
    """what the client or a proxy says of who asks"""


def _upgrade(head: bytes, is_session_path: Callable[[str], bool]) -> _Upgrade | None:
    """None where this is not an upgrade to a session."""
    lines = head.rstrip(b"\r\n").split(b"\r\n")
    words = lines[0].split(b" ")
    if len(words) != 3 or words[0] != b"GET" or words[2] != b"HTTP/1.1":
        return None
    if not is_session_path(words[1].decode("latin-1")):
        return None
    headers: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        name, value = name.strip().lower(), value.strip()
        headers[name] = headers[name] + b"," + value if name in headers else value
    key = headers.get(b"sec-websocket-key", b"")
    if (
        b"websocket" not in _tokens(headers.get(b"upgrade", b""))
        or b"upgrade" not in _tokens(headers.get(b"connection", b""))
        or headers.get(b"sec-websocket-version") != b"13"
        or headers.get(b"content-length", b"0") != b"0"
        or b"transfer-encoding" in headers
        or not _is_key(key)
    ):
        return None
    return _Upgrade(
        b"GET /s HTTP/1.1\r\nHost: relay\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + HEAD_END,
        headers.get(FORWARDED.lower().encode(), b"").decode("latin-1"),
    )


def _tokens(value: bytes) -> list[bytes]:
    return [token.strip().lower() for token in value.split(b",")]


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except binascii.Error:
        return False


def _session_protocol(listener: WSListener) -> WSProtocol:
    return WSProtocol(
        None,
        None,
        False,
        lambda _request: listener,
        _NoLog,
        True,
        None,
        False,
        0,
        0,
        WSAutoPingStrategy.PING_WHEN_IDLE,
        False,
        FRAME_MAX,
        None,
        BUFFER,
    )


def _feed(protocol: WSProtocol, data: bytes) -> None:
    while data:
        buffer = protocol.get_buffer(len(data))
        size = min(len(buffer), len(data))
        buffer[:size] = data[:size]
        protocol.buffer_updated(size)
        data = data[size:]


class _NoLogger:
    """picows tells its logger addresses and headers; of its troubles the session hears anyway."""

    name = "picows"

    def isEnabledFor(self, _level: int) -> bool:
        return False

    def log(self, *_args: object, **_kw: object) -> None: ...

    debug = info = warning = error = log

    def exception(self, *_args: object, **_kw: object) -> None:
        logger.error("a session failed: %s", getattr(sys.exc_info()[0], "__name__", "unknown"))


_NoLog = _NoLogger()
