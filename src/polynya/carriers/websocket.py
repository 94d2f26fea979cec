"""One WebSocket per sealed session: each binary message of `<address>/s` is one frame."""

from __future__ import annotations

import asyncio

import aiohttp

from polynya.carriers._http import CONNECT_TIMEOUT, make_session, mapped
from polynya.carriers.base import MAX_FRAME, CarrierError, CarrierProblem, CarrierProperties, Stream

PROPERTIES = CarrierProperties(
    max_frame=MAX_FRAME,
    latency=60,
    exchanges=False,
    streams=True,
    needs_udp=False,
    in_browser=True,
    store_and_forward=False,
)

SEND_TIMEOUT = 45.0
"""Seconds until a frame must have left our buffers: 100 KB at 24 kbit/s is 33 s."""
CLOSE_TIMEOUT = 2.0
"""Seconds for the other side to answer our close; nothing is lost when it does not."""


class WebSocketStream:
    """Frames over one WebSocket; ended by anything that is not a binary message."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, frame: bytes) -> None:
        if len(frame) > MAX_FRAME:
            raise CarrierError(CarrierProblem.TOO_LARGE, f"{len(frame)} bytes")
        with mapped():
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._socket.send_bytes(frame)

    async def receive(self) -> bytes:
        with mapped():
            message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.BINARY:
            data = message.data
            assert isinstance(data, bytes)  # noqa: S101 - aiohttp's own promise
            return data
        code = self._socket.close_code
        await self.close()
        raise CarrierError(CarrierProblem.CLOSED, f"WebSocket code {code}", close_code=code)

    async def close(self) -> None:
        with mapped():
            await self._socket.close()


class WebSocketCarrier:
    """Streams to the relay at `url` (http(s)://host[:port]/path, no slash at the end)."""

    name = "websocket"
    properties = PROPERTIES

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None

    async def keys(self) -> bytes:
        raise CarrierError(CarrierProblem.CANNOT, "a WebSocket has no exchange")

    async def exchange(self, body: bytes) -> bytes:
        raise CarrierError(CarrierProblem.CANNOT, "a WebSocket has no exchange")

    async def stream(self) -> Stream:
        if self._session is None or self._session.closed:
            self._session = make_session()
        with mapped():
            async with asyncio.timeout(CONNECT_TIMEOUT):
                socket = await self._session.ws_connect(
                    f"{self._url}/s",
                    max_msg_size=MAX_FRAME + 1,  # aiohttp takes messages below this
                    compress=0,
                    timeout=aiohttp.ClientWSTimeout(ws_receive=None, ws_close=CLOSE_TIMEOUT),
                )
        return WebSocketStream(socket)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
