"""Reading what people without a session send: a piece at a time, each connection in its address's turn. Loops read as much
as there is, from all at once, and hold it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from polynya.relay.turns import Turns, Waiting

PIECE = 16_384
"""Bytes that are read at once: 4,096 connections of an address hold 64 MiB."""
_buffer = memoryview(bytearray(PIECE))
"""All connections' own: what is read is copied before the loop goes on."""


class Paced(asyncio.BufferedProtocol):
    """Stands between a connection and what it speaks, `inner`, until it has a session. `address`: whose turn it takes;
    None: a proxy's, which is not kept waiting."""

    __slots__ = ("_address", "_held", "_inner", "_is_held", "_transport", "_turns", "_waiting")

    def __init__(self, turns: Turns, inner: asyncio.BaseProtocol, address: str | None) -> None:
        self._turns = turns
        self._inner: Any = inner
        self._is_held: Callable[[], bool] = _never
        self._transport: asyncio.Transport | None = None
        self._held = b""
        """what was read and waits"""
        self._waiting: Waiting | None = None
        self._address = address

    def become(self, inner: asyncio.BaseProtocol, is_held: Callable[[], bool]) -> None:
        """What comes is for `inner` from now on; `is_held`: whether it has the transport read nothing."""
        self._inner, self._is_held = inner, is_held

    def leave(self) -> None:
        """The connection has a session, whose protocol others set."""
        self._forget()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        inner = self._inner
        self._forget()
        inner.connection_lost(exc)

    def _forget(self) -> None:
        """What holds this in turn: such garbage is only found while all else waits, 0.3 s where there are thousands."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._inner = self._transport = self._waiting = None
        self._is_held = _never

    def get_buffer(self, sizehint: int) -> memoryview:
        return _buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(_buffer[:nbytes])
        if self._address is None:
            self._inner.data_received(data)
            return
        self._held += data
        if self._waiting is None:
            self._waiting = self._turns.do(self._address, self._hand_on)
        if self._waiting is not None and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _hand_on(self) -> None:
        data, self._held = self._held, b""
        waited, self._waiting = self._waiting is not None, None
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        try:
            self._inner.data_received(data)
        except BaseException:
            # As loops do where a protocol fails.
            transport.abort()
            raise
        if waited and not transport.is_closing() and not self._is_held():
            transport.resume_reading()

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()  # type: ignore[no-any-return]

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


def _never() -> bool:
    return False
