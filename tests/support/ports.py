"""Ports of the loopback address, from the system."""

from __future__ import annotations

import socket


def bound() -> socket.socket:
    """A listening socket on a free port of the loopback address."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    listener.setblocking(False)
    return listener


def closed_port() -> int:
    """A port on which nobody listens: bound for as long as the process lives, so that nobody else gets it."""
    holder = socket.socket()
    holder.bind(("127.0.0.1", 0))
    _HELD.append(holder)
    return int(holder.getsockname()[1])


_HELD: list[socket.socket] = []
