"""A listener that counts who comes before anything is done for them, takes few in one turn of the loop, and does TLS
handshakes at a bounded pace.

What comes first is looked at and left where it is: plain HTTP is told so, as ordinary servers do; who offers only protocols
that nobody speaks here is refused as they do, which Python's `ssl` cannot."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

from polynya.relay.admission import Admission, Visit
from polynya.relay.hello import HANDSHAKE, refusal, size_of
from polynya.relay.rates import Rate
from polynya.relay.tlstransport import TlsTransport, drop, shake_hands, wrap
from polynya.relay.turns import TwoQueues, Waiting

logger = logging.getLogger("polynya.relay")

ACCEPTING = 0.0005
"""Seconds in one turn of the loop in which connections are taken or turned away: a dozen, 35 us each."""
PAUSE = 0.5
"""Seconds without taking any, where the system has no file handle left."""
PEEKED = 17_000
"""Bytes of a first record with its head, at most (RFC 8446 section 5.1)."""
MakeProtocol = Callable[[Visit], asyncio.BaseProtocol]


class Door:
    """One listening socket. `make` is for connections with TLS, `make_plain` for those without; no `context`: nobody has
    TLS here. Stands in for an asyncio.Server."""

    def __init__(
        self,
        listener: socket.socket,
        context: ssl.SSLContext | None,
        admission: Admission,
        make: MakeProtocol,
        make_plain: MakeProtocol,
    ) -> None:
        self.sockets = (listener,)
        self._listener = listener
        self._admission = admission
        self._make = make
        self._make_plain = make_plain
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._guests: set[_Guest] = set()
        self._is_open = True
        self._context = context
        self._handshakes = _Handshakes(admission, lambda guest: self._spawn(guest, context))
        listener.setblocking(False)
        self._loop.add_reader(listener.fileno(), self._accept)

    def close(self) -> None:
        """Takes nobody any more; those who are inside stay."""
        if not self._is_open:
            return
        self._is_open = False
        self._loop.remove_reader(self._listener.fileno())
        self._listener.close()
        for guest in tuple(self._guests):
            guest.leave()
        for task in self._tasks:
            task.cancel()

    def _accept(self) -> None:
        end = time.perf_counter() + ACCEPTING
        while time.perf_counter() < end:
            try:
                connection, peer = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                logger.error("no connection can be taken: %s", error.strerror)
                self._loop.remove_reader(self._listener.fileno())
                self._loop.call_later(PAUSE, self._again)
                return
            visit = self._admission.visit(peer, lambda one=connection: _shut(one))  # type: ignore[misc]
            if visit is None:
                connection.close()
                continue
            connection.setblocking(False)
            if self._context is None:
                self._let_in(connection, visit, None)
            else:
                guest = _Guest(self, connection, visit)
                self._guests.add(guest)
                guest.begin()

    def _again(self) -> None:
        if self._is_open:
            self._loop.add_reader(self._listener.fileno(), self._accept)

    def enter(self, guest: _Guest, *, is_plain: bool) -> None:
        """`guest` has said what it wants."""
        if is_plain:
            self._spawn(guest, None)
        else:
            self._handshakes.wait(guest)

    def _spawn(self, guest: _Guest, context: ssl.SSLContext | None) -> None:
        self._guests.discard(guest)
        self._let_in(*guest.let_in(), context)

    def _let_in(self, connection: socket.socket, visit: Visit, context: ssl.SSLContext | None) -> None:
        task = self._loop.create_task(self._enter(connection, visit, context))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _enter(self, connection: socket.socket, visit: Visit, context: ssl.SSLContext | None) -> None:
        visit.abort = lambda: _shut(connection)
        try:
            if context is None:
                await self._loop.connect_accepted_socket(lambda: self._make_plain(visit), connection)
            else:
                connection = link = wrap(connection, context)
                await shake_hands(link, self._admission.limits.head_timeout)
                TlsTransport(link, self._make(visit))
        except OSError:
            visit()
        except asyncio.CancelledError:
            visit()
            raise

    def forget(self, guest: _Guest) -> None:
        self._guests.discard(guest)


def _shut(connection: socket.socket) -> None:
    """Ends a connection that the loop has: closed by others, its number could be another's while the loop uses it."""
    with suppress(OSError):
        # Not SSLSocket's, which would go on without TLS.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Handshakes:
    """Who waits for a handshake: each address in its turn, Limits.handshakes_per_second in all, so that those of one who
    asks for many wait for each other; half of them are of addresses that have a session."""

    def __init__(self, admission: Admission, begin: Callable[[_Guest], None]) -> None:
        self._admission = admission
        self._begin = begin
        self._waiting = TwoQueues()
        self._timer: asyncio.TimerHandle | None = None
        self._limits = admission.limits
        self._rate = self._new_rate()

    def _new_rate(self) -> Rate:
        limits = self._limits = self._admission.limits
        return Rate(limits.handshakes_per_second, limits.handshakes_burst)

    def wait(self, guest: _Guest) -> None:
        """It begins when it is its address's turn, at once where nobody waits."""
        address = guest.visit.address
        guest.waiting = self._waiting.add(
            address, lambda: self._begin(guest), is_known=self._admission.knows(address)
        )
        if self._timer is None:
            self._serve()

    def _serve(self) -> None:
        self._timer = None
        if self._admission.limits is not self._limits:
            self._rate = self._new_rate()
        if not self._waiting:
            return
        wait = self._rate.take(time.monotonic())
        if not wait:
            self._waiting.next()()
        # Where there is no wait: in the next turn of the loop.
        self._timer = asyncio.get_running_loop().call_later(wait / 1000, self._serve)


class _Guest:
    """A connection that has not begun TLS. It is read by nobody: what it sent is only looked at."""

    __slots__ = ("_connection", "_door", "_timer", "is_there", "visit", "waiting")

    def __init__(self, door: Door, connection: socket.socket, visit: Visit) -> None:
        self._door = door
        self._connection = connection
        self._timer: asyncio.TimerHandle | None = None
        self.is_there = True
        self.visit = visit
        self.waiting: Waiting | None = None
        """for a handshake"""
        visit.abort = self.leave

    def begin(self) -> None:
        loop, timeout = self._door._loop, self._door._admission.limits.head_timeout
        self._timer = loop.call_later(timeout, self.leave)
        loop.add_reader(self._connection.fileno(), self._look)

    def _look(self) -> None:
        try:
            first = self._connection.recv(PEEKED, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        if not first:
            self.leave()
            return
        if first[0] == HANDSHAKE:
            size = size_of(first)
            if size > len(first):
                # To be woken again when that much is there; a connection that ends before wakes as well.
                if not self._wait_for(size):
                    self._pass(is_plain=False)
            elif (alert := refusal(first)) is not None:
                self._say(alert)
            else:
                self._pass(is_plain=False)
        else:
            # SSLv2's hello begins with this bit: OpenSSL refuses it.
            self._pass(is_plain=not first[0] & 0x80)

    def _wait_for(self, size: int) -> bool:
        option = socket.SO_RCVLOWAT
        if self._connection.getsockopt(socket.SOL_SOCKET, option) >= size:
            return False
        self._connection.setsockopt(socket.SOL_SOCKET, option, size)
        return True

    def _pass(self, *, is_plain: bool) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self._stop_looking()
        self._door.enter(self, is_plain=is_plain)

    def _say(self, alert: bytes) -> None:
        with suppress(OSError):
            self._connection.send(alert)
        self.leave()

    def _stop_looking(self) -> None:
        self._door._loop.remove_reader(self._connection.fileno())

    def let_in(self) -> tuple[socket.socket, Visit]:
        """It is nobody's guest any more."""
        self.is_there = False
        if self._timer is not None:
            self._timer.cancel()
        return self._connection, self.visit

    def leave(self) -> None:
        if not self.is_there:
            return
        self._stop_looking()
        if self.waiting is not None:
            self.waiting.cancel()
        connection, visit = self.let_in()
        self._door.forget(self)
        drop(connection)
        visit()
