"""What answers in a relay's place: speaks the real protocol, until a test tells it to misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import WSCloseCode, WSMsgType, web

from polynya.client.system import SystemRandom, now
from polynya.crypto.signature import public_key
from polynya.crypto.xwing import XWING
from polynya.wire.errors import WireError
from polynya.wire.exchange import open_request
from polynya.wire.keys import sign_key_configs
from polynya.wire.messages import (
    KEY_CONFIG_LIFETIME,
    REQUEST_WINDOW,
    Answer,
    Call,
    Done,
    KeyConfig,
    Push,
    RefusalCode,
    Refused,
    RelayAddress,
    RelayFrame,
    Reply,
    Request,
    Response,
)
from polynya.wire.session import RelaySession, open_hello

RANDOM = SystemRandom()


class Peer:
    """Counts what it was asked; the attributes below `Misbehaviour` change what it does."""

    def __init__(self) -> None:
        self.seed = bytes(range(32))
        self.identity = public_key(self.seed)
        self.key_id = 1
        self.private, self.public = XWING.generate(RANDOM)
        self.not_before = now() - 1_000
        self.keys_asked = 0
        self.hellos = 0
        self.exchanged: list[Request] = []
        self.called: list[Request] = []
        self.sessions: list[tuple[web.WebSocketResponse, RelaySession]] = []
        self.answer: Callable[[Request], Response] = lambda request: Done()
        self.clock: Callable[[], int] = now
        # Misbehaviour
        self.signer = self.seed
        self.keys_body: bytes | None = None
        self.exchange_body: bytes | None = None
        self.socket_status = 0
        self.accept: Callable[[bytes], bytes] = lambda frame: frame
        self.first_reply: Callable[[bytes], bytes] = lambda frame: frame
        self.mute = False
        self.withheld: Callable[[Request], bool] = lambda request: False
        self.close_after_accept = False

    def rotate(self) -> None:
        """Another key; the former is destroyed."""
        self.key_id += 1
        self.private, self.public = XWING.generate(RANDOM)

    def signed_keys(self) -> bytes:
        config = KeyConfig(
            self.key_id, XWING.id, self.public, self.not_before, self.not_before + KEY_CONFIG_LIFETIME
        )
        return sign_key_configs(self.signer, [config])

    # ---- handlers ----

    async def keys(self, request: web.Request) -> web.Response:
        self.keys_asked += 1
        return web.Response(body=self.keys_body if self.keys_body is not None else self.signed_keys())

    def _in_window(self, time: int) -> bool:
        return abs(time - self.clock()) <= REQUEST_WINDOW

    async def exchange(self, request: web.Request) -> web.Response:
        if self.exchange_body is not None:
            return web.Response(body=self.exchange_body)
        try:
            exchange, sealer, _ = open_request({self.key_id: XWING.load(self.private)}, await request.read())
        except WireError:
            return web.Response(status=400)
        if self._in_window(exchange.time):
            self.exchanged.append(exchange.request)
            response = self.answer(exchange.request)
        else:
            response = Refused(RefusalCode.CLOCK)
        return web.Response(body=sealer.seal(Answer(self.clock(), response), RANDOM))

    async def socket(self, request: web.Request) -> web.StreamResponse:
        if self.socket_status:
            return web.Response(status=self.socket_status)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        self.hellos += 1
        try:
            handshake = open_hello({self.key_id: XWING.load(self.private)}, (await ws.receive()).data)
            if not self._in_window(handshake.hello.time):
                raise WireError("clock")
        except WireError:
            await ws.close(code=WSCloseCode.POLICY_VIOLATION)
            return ws
        frame, session = handshake.accept(RANDOM)
        await ws.send_bytes(self.accept(frame))
        if self.close_after_accept:
            await ws.close()
            return ws
        self.sessions.append((ws, session))
        await self._serve(ws, session)
        self.sessions.remove((ws, session))
        return ws

    async def _serve(self, ws: web.WebSocketResponse, session: RelaySession) -> None:
        first = True
        async for message in ws:
            if message.type is not WSMsgType.BINARY:
                return
            frame = session.open(message.data)
            assert isinstance(frame, Call)
            if self.mute:
                continue
            self.called.append(frame.request)
            if self.withheld(frame.request):
                continue
            sealed = session.seal(Reply(frame.id, self.clock(), self.answer(frame.request)))
            await ws.send_bytes(self.first_reply(sealed) if first else sealed)
            first = False

    async def push(self, *frames: RelayFrame) -> None:
        ws, session = self.sessions[-1]
        for frame in frames:
            await ws.send_bytes(session.seal(frame))

    async def say(self, data: bytes) -> None:
        """Bytes that no session sealed."""
        await self.sessions[-1][0].send_bytes(data)

    async def hang_up(self) -> None:
        for ws, _ in list(self.sessions):
            await ws.close()


@asynccontextmanager
async def serving(peer: Peer) -> AsyncIterator[RelayAddress]:
    app = web.Application()
    app.router.add_get("/p/keys", peer.keys)
    app.router.add_post("/p/x", peer.exchange)
    app.router.add_get("/p/s", peer.socket)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield RelayAddress(f"http://127.0.0.1:{runner.addresses[0][1]}/p", peer.identity)
    finally:
        await peer.hang_up()
        await runner.cleanup()


class Sink:
    """Notes what a link tells; `wait` returns once it has told that."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []
        self._happened = asyncio.Condition()
        self.open = asyncio.Event()
        self.open.set()

    def _note(self, *what: object) -> None:
        self.told.append(what)
        self._waiter = asyncio.ensure_future(self._tell())

    async def _tell(self) -> None:
        async with self._happened:
            self._happened.notify_all()

    async def wait(self, *what: object, count: int = 1) -> None:
        async with asyncio.timeout(30), self._happened:
            await self._happened.wait_for(lambda: self.told.count(what) >= count)

    def connected(self, relay: bytes, session: bool) -> None:
        self._note("connected", session)

    def disconnected(self, relay: bytes) -> None:
        self._note("disconnected")

    def answered(self, relay: bytes, call_id: int, response: Response, relay_time: int) -> None:
        self._note("answered", call_id)

    def call_failed(self, call_id: int) -> None:
        self._note("failed", call_id)

    def pushed(self, relay: bytes, push: Push) -> None:
        self._note("pushed", push.entry.seq)

    def ephemeral_pushed(self, relay: bytes, push: object) -> None:
        self._note("ephemeral")

    def link_changed(self, relay: bytes, state: object) -> None:
        self._note("state", getattr(state, "kind", None), getattr(state, "problem", None))

    async def room(self) -> None:
        await self.open.wait()
