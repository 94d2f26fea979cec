"""Bodies of requests while they arrive: what all of them hold together is bounded."""

from __future__ import annotations

import asyncio

from aiohttp import web


class _Body:
    """One that is not whole yet; it may be told to go."""

    __slots__ = ("size", "transport")

    def __init__(self, transport: asyncio.Transport | None) -> None:
        self.transport = transport
        self.size = 0


class Bodies:
    """Those that arrive now, by when they began."""

    def __init__(self) -> None:
        self._arriving: dict[_Body, None] = {}
        self._held = 0

    async def read(self, request: web.BaseRequest, most: int, total: int) -> bytes | None:
        """The body; None for more than `most` bytes, of which no more are held than that. Where all that arrive hold more
        than `total`, the connection that began first ends: who sends slowest, among others."""
        if request.content_length is not None and request.content_length > most:
            return None
        body = _Body(request.transport)
        self._arriving[body] = None
        pieces: list[bytes] = []
        try:
            while piece := await request.content.readany():
                if body not in self._arriving:
                    return None
                body.size += len(piece)
                self._held += len(piece)
                if body.size > most:
                    return None
                pieces.append(piece)
                self._make_room(total)
            return b"".join(pieces)
        except ConnectionError:
            if body in self._arriving:
                raise
            return None
        finally:
            self._forget(body)

    def _make_room(self, total: int) -> None:
        while self._held > total:
            first = next(iter(self._arriving))
            self._forget(first)
            if first.transport is not None:
                first.transport.abort()

    def _forget(self, body: _Body) -> None:
        if body in self._arriving:
            del self._arriving[body]
            self._held -= body.size
