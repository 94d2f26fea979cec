"""One sealed session over a stream: handshake, frames both ways, and noticing that the other side is gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

from polynya.carriers.base import Carrier, CarrierError, CarrierProblem, Stream
from polynya.client.sealing import Sealing
from polynya.crypto.random import Random
from polynya.wire.errors import WireError
from polynya.wire.messages import Call, EphemeralPush, Ping, Push, Reply, Request, Response
from polynya.wire.session import ClientSession, start_session

HANDSHAKE_TIMEOUT = 15.0
"""Seconds for each of the relay's first two frames: keys and hello are 4 KB, on 24 kbit/s under two
seconds."""
SILENCE = 25.0
"""Seconds without a frame until we ask for a sign of life: mobile networks forget silent connections
after 30 s."""
LAST_WAIT = 20.0
"""Seconds for that sign."""
ANSWER_WAIT = 120.0
"""Seconds for one answer of a relay that answers others: 100 KB at 24 kbit/s, with as much before it, are 70 s. Then a
new session asks again."""
POLICY_VIOLATION = 1008


class SessionSink(Protocol):
    """Where a session brings what it receives."""

    def on_reply(self, token: object, response: Response, time: int) -> None: ...

    def on_push(self, push: Push | EphemeralPush) -> None: ...

    async def room(self) -> None:
        """Returns when the sink can take more; until then nothing more is read."""
        ...


async def open_session(carrier: Carrier, exchanger: Carrier, sealing: Sealing, random: Random) -> OpenSession:
    """A session whose relay has answered once, so that its clock is known. `exchanger` fetches keys, and
    learns the time where a hello was refused. Raises CarrierError or WireError."""
    try:
        return await _open_once(carrier, exchanger, sealing, random)
    except CarrierError as error:
        if error.close_code != POLICY_VIOLATION:
            raise
        # Our time, or a key that is gone: an exchange tells the one and renews the other.
        sealing.forget_keys()
        await sealing.exchange(exchanger, Ping())
        return await _open_once(carrier, exchanger, sealing, random)


async def _open_once(carrier: Carrier, exchanger: Carrier, sealing: Sealing, random: Random) -> OpenSession:
    config = await sealing.key(exchanger)
    stream = await carrier.stream()
    try:
        hello, handshake = start_session(config, sealing.relay_time(), random)
        await stream.send(hello)
        session = OpenSession(stream, handshake.finish(await _in_time(stream)), sealing)
        await session.first_ping()
        return session
    except BaseException:
        with contextlib.suppress(CarrierError):
            await stream.close()
        raise


async def _in_time(stream: Stream, seconds: float = HANDSHAKE_TIMEOUT) -> bytes:
    try:
        async with asyncio.timeout(seconds):
            return await stream.receive()
    except TimeoutError as error:
        raise CarrierError(CarrierProblem.UNREACHABLE, "the relay has gone silent") from error


class OpenSession:
    """A session after its handshake. `serve` runs it until it ends."""

    def __init__(self, stream: Stream, session: ClientSession, sealing: Sealing) -> None:
        self._stream = stream
        self._session = session
        self._sealing = sealing
        self._next_id = 1
        self._tokens: dict[int, tuple[object, float]] = {}
        """With when they were sent, oldest first."""
        self._sending = asyncio.Lock()

    async def first_ping(self) -> None:
        """The first call: its reply proves that the relay has the session's keys, and tells its time."""
        await self._send(Ping(), None)
        frame = self._session.open(await _in_time(self._stream))
        if not isinstance(frame, Reply) or frame.id != 0:
            raise WireError("session-frame", "the first frame is no answer to the first call")
        self._sealing.learn(frame.time)

    async def _send(self, request: Request, token: object | None) -> None:
        # Sealing and sending are one step: frames must leave in the order of their counters.
        async with self._sending:
            call_id = 0
            if token is not None:
                call_id = self._next_id
                self._next_id += 1
                self._tokens[call_id] = token, asyncio.get_running_loop().time()
            await self._stream.send(self._session.seal(Call(call_id, request)))

    async def serve(
        self, next_request: Callable[[], Awaitable[tuple[Request, object]]], sink: SessionSink
    ) -> None:
        """Sends what `next_request` gives and brings what comes to `sink`; returns never, raises
        CarrierError or WireError when the session ends."""
        writer = asyncio.create_task(self._write(next_request), name="polynya-session-writer")
        reader = asyncio.create_task(self._read(sink), name="polynya-session-reader")
        try:
            done, _ = await asyncio.wait({writer, reader}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (writer, reader):
                task.cancel()
            await asyncio.gather(writer, reader, return_exceptions=True)

    async def _write(self, next_request: Callable[[], Awaitable[tuple[Request, object]]]) -> None:
        while True:
            request, token = await next_request()
            await self._send(request, token)

    async def _read(self, sink: SessionSink) -> None:
        while True:
            await sink.room()
            frame = self._session.open(await self._receive())
            if isinstance(frame, Reply):
                self._sealing.learn(frame.time)
                token, _ = self._tokens.pop(frame.id, (None, 0.0))
                if token is not None:
                    sink.on_reply(token, frame.response, frame.time)
            else:
                sink.on_push(frame)
            if self._is_left_waiting():
                raise CarrierError(CarrierProblem.UNREACHABLE, "the relay leaves a request unanswered")

    def _is_left_waiting(self) -> bool:
        """Whether the relay keeps back one answer, and gives others: signs of life at the least."""
        _, sent = next(iter(self._tokens.values()), (None, None))
        return sent is not None and asyncio.get_running_loop().time() - sent > ANSWER_WAIT

    async def _receive(self) -> bytes:
        """The next frame; after a silence asks for a sign of life, and gives up without one."""
        receive = asyncio.ensure_future(self._stream.receive())
        try:
            await asyncio.wait({receive}, timeout=SILENCE)
            if not receive.done():
                await self._send(Ping(), None)
                await asyncio.wait({receive}, timeout=LAST_WAIT)
            if not receive.done():
                raise CarrierError(CarrierProblem.UNREACHABLE, "the relay has gone silent")
            return receive.result()
        finally:
            receive.cancel()

    def unanswered(self) -> list[object]:
        """Tokens of calls without an answer, oldest first."""
        tokens = [token for token, _ in self._tokens.values()]
        self._tokens.clear()
        return tokens

    async def close(self) -> None:
        with contextlib.suppress(CarrierError):
            await self._stream.close()
