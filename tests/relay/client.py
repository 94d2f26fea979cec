"""The smallest client of a relay: real carriers, the wire's client side, no state."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from polynya.carriers.base import CarrierError, Stream
from polynya.carriers.https import HttpsCarrier
from polynya.carriers.websocket import WebSocketCarrier
from polynya.relay.system import SystemRandom, now
from polynya.wire.exchange import seal_request
from polynya.wire.keys import verify_key_configs
from polynya.wire.messages import (
    PROTOCOL_VERSION,
    Answer,
    Call,
    EphemeralPush,
    Exchange,
    KeyConfig,
    Push,
    Refused,
    Reply,
    Request,
    Response,
)
from polynya.wire.session import ClientSession, start_session

R = TypeVar("R")
RANDOM = SystemRandom()
PATIENCE = 20.0
"""Seconds after which a test has failed; nothing waits that long when all is well."""


class Client:
    """One device at one relay."""

    def __init__(self, address: str, identity: bytes, clock: Callable[[], int] = now) -> None:
        self.identity = identity
        self.clock = clock
        self.https = HttpsCarrier(address)
        self.websocket = WebSocketCarrier(address)
        self.config: KeyConfig | None = None

    async def keys(self) -> KeyConfig:
        self.config = verify_key_configs(self.identity, await self.https.keys()).newest
        return self.config

    async def answer(
        self, request: Request, *, time: int | None = None, version: int = PROTOCOL_VERSION
    ) -> Answer:
        """One exchange; the whole answer."""
        config = self.config or await self.keys()
        body, opener = seal_request(
            config, Exchange(version, self.clock() if time is None else time, request), RANDOM
        )
        return opener.open(await self.https.exchange(body))

    async def exchange(self, request: Request) -> Response:
        return (await self.answer(request)).response

    @asynccontextmanager
    async def session(self, *, time: int | None = None) -> AsyncIterator[Session]:
        """Raises CarrierError where the relay closes at the hello."""
        config = self.config or await self.keys()
        stream = await self.websocket.stream()
        hello, handshake = start_session(config, self.clock() if time is None else time, RANDOM)
        try:
            await stream.send(hello)
            sealed = handshake.finish(await stream.receive())
            session = Session(stream, sealed)
            try:
                yield session
            finally:
                await session.close()
        finally:
            await stream.close()

    async def close(self) -> None:
        await self.https.close()
        await self.websocket.close()


class Session:
    """Calls by id, pushes in a queue; `ended` holds the error that ended it."""

    def __init__(self, stream: Stream, sealed: ClientSession) -> None:
        self.stream = stream
        self.sealed = sealed
        self.pushes: asyncio.Queue[Push] = asyncio.Queue()
        self.ephemeral: asyncio.Queue[EphemeralPush] = asyncio.Queue()
        self.ended: asyncio.Future[CarrierError] = asyncio.get_running_loop().create_future()
        self.order: list[int] = []
        self._replies: dict[int, asyncio.Future[Response]] = {}
        self._last = 0
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while True:
                frame = self.sealed.open(await self.stream.receive())
                if isinstance(frame, Reply):
                    self.order.append(frame.id)
                    self._replies.pop(frame.id).set_result(frame.response)
                elif isinstance(frame, Push):
                    self.pushes.put_nowait(frame)
                else:
                    self.ephemeral.put_nowait(frame)
        except CarrierError as error:
            self.ended.set_result(error)
            for future in self._replies.values():
                future.cancel()

    async def send(self, request: Request) -> asyncio.Future[Response]:
        """The future answer."""
        self._last += 1
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._replies[self._last] = future
        await self.stream.send(self.sealed.seal(Call(self._last, request)))
        return future

    async def call(self, request: Request) -> Response:
        async with asyncio.timeout(PATIENCE):
            return await (await self.send(request))

    async def push(self) -> Push:
        async with asyncio.timeout(PATIENCE):
            return await self.pushes.get()

    async def close_code(self) -> int | None:
        async with asyncio.timeout(PATIENCE):
            return (await self.ended).close_code

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)


def expect(kind: type[R], response: Response) -> R:
    """The response, which must be of this kind."""
    assert isinstance(response, kind), response
    return response


def refused(response: Response) -> str:
    """The name of the refusal's code."""
    return expect(Refused, response).code.name
