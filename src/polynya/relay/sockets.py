"""Where the relay listens: addresses and ports that it opens, Unix sockets, and sockets that the system has opened for
it (sd_listen_fds(3)), so that ports below 1024 take no rights."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from polynya.relay.config import RelayConfig
from polynya.relay.errors import ConfigError, RelayError

BACKLOG = 1_024
"""Connections that wait for the loop: 20,000 devices that come back within 40 s are 500 a second."""
FIRST_FD = 3
HTTP_NAME = "http"
"""The name (FileDescriptorName=) of a socket for plain HTTP."""
SOCKET_MODE = 0o660
"""Of a Unix socket: its owner and group, which the proxy can be in."""
Factory = Callable[[], asyncio.Protocol]


class Listening(Protocol):
    """An asyncio.Server, or what stands in for one."""

    @property
    def sockets(self) -> tuple[Any, ...]: ...

    def close(self) -> None: ...


MakeDoor = Callable[[socket.socket], Listening]


@dataclass(slots=True)
class Inherited:
    """Listening sockets that were there when the program started."""

    main: list[socket.socket] = field(default_factory=list)
    http: list[socket.socket] = field(default_factory=list)


def inherited_sockets(
    environment: MutableMapping[str, str], pid: int, http_port: int | None = None
) -> Inherited:
    """Takes them, and the variables that tell of them, so that no child does. Those named http, or on `http_port`, are
    for plain HTTP. Raises ConfigError."""
    names = environment.pop("LISTEN_FDNAMES", "").split(":")
    count, owner = environment.pop("LISTEN_FDS", ""), environment.pop("LISTEN_PID", "")
    found = Inherited()
    if owner != str(pid) or not count.isdigit():
        return found
    for number in range(int(count)):
        os.set_inheritable(FIRST_FD + number, False)
        try:
            listener = socket.socket(fileno=FIRST_FD + number)
            is_listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        except OSError:
            is_listening = 0
        if not is_listening or listener.type != socket.SOCK_STREAM:
            raise ConfigError(
                "A socket of the socket unit is not one that listens for connections. Use ListenStream= there."
            )
        listener.setblocking(False)
        name = names[number] if number < len(names) else ""
        is_http = name == HTTP_NAME or (http_port is not None and _port(listener) == http_port)
        (found.http if is_http else found.main).append(listener)
    if found.http and not found.main:
        raise ConfigError("All sockets of the socket unit are for plain HTTP: there is none for the relay.")
    return found


async def listen(config: RelayConfig, make_door: MakeDoor, inherited: list[socket.socket]) -> list[Listening]:
    """The relay's own listeners. Raises RelayError."""
    try:
        return [make_door(one) for one in inherited or await _open(config.host, config.port)]
    except OSError as error:
        raise RelayError(_why_not(config, error)) from None


async def _open(where: str, port: int) -> list[socket.socket]:
    """The listening sockets of an address, as a loop's create_server makes them. Raises OSError."""
    if where.startswith("unix:"):
        path = Path(where[5:])
        remove_old_socket(path)
        found: list[tuple[int, Any]] = [(socket.AF_UNIX, str(path))]
    else:
        infos = await asyncio.get_running_loop().getaddrinfo(
            None if where == "*" else where, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        found = [(info[0], info[4]) for info in infos]
    opened: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys(found):
            try:
                listener = socket.socket(family, socket.SOCK_STREAM)
            except OSError:
                continue  # a system without IPv6
            opened.append(listener)
            listener.setblocking(False)
            if family != socket.AF_UNIX:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
            if family == socket.AF_UNIX:
                Path(address).chmod(SOCKET_MODE)
    except OSError:
        for listener in opened:
            listener.close()
        raise
    return opened


async def listen_http(
    config: RelayConfig, make_door: MakeDoor, inherited: list[socket.socket]
) -> list[Listening]:
    """The listeners for plain HTTP; none where it is switched off. Raises OSError."""
    if not inherited and config.http_port is None:
        return []
    return [make_door(one) for one in inherited or await _open(config.host, config.http_port or 0)]


async def listen_unix(name: str, make: Factory, mode: int, arguments: dict[str, Any]) -> asyncio.Server:
    """On a Unix socket of this path and mode. Raises OSError, where another program listens on it too."""
    path = Path(name)
    remove_old_socket(path)
    server = await asyncio.get_running_loop().create_unix_server(make, name, **arguments)
    path.chmod(mode)
    return server


def remove_old_socket(path: Path) -> None:
    """The name of a socket on which nobody listens any more. Raises OSError where somebody does."""
    if not path.is_socket():
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink()
        else:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _port(listener: socket.socket) -> int:
    name = listener.getsockname()
    return int(name[1]) if isinstance(name, tuple) else 0


def port_of(servers: Sequence[Listening]) -> int:
    """The first listener's port; 0 for a Unix socket."""
    return _port(servers[0].sockets[0])


def _why_not(config: RelayConfig, error: OSError) -> str:
    if config.host.startswith("unix:"):
        busy = error.errno == errno.EADDRINUSE
        reason = "another program listens on it" if busy else error.strerror or error
        return f"The relay cannot listen on {config.host} ({reason}). Choose another path with --host."
    where = f"{config.host}, port {config.port}"
    if error.errno == errno.EADDRINUSE:
        behind = (
            " If it is a web server, the relay can stand behind it: --behind-proxy." if config.obtains else ""
        )
        return f"Port {config.port} is in use. Stop what uses it, or choose another port with --port.{behind}"
    if error.errno == errno.EACCES:
        return (
            f"Port {config.port} needs more rights than this user has. Run the relay as a service (polynya relay "
            "systemd), or choose a port above 1023 with --port."
        )
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{config.host} is not an address of this machine. Choose one with --host: * means all."
    why = error.strerror or error
    return f"The relay cannot listen on {where} ({why}). Choose others with --host and --port."
