"""A client as cheap as a client can be, so that the relay is what is measured: what it sends is sealed before, and what
it hears is opened after the clock has stopped. Where the load is slower than the server, the server's batches are small
and each record costs it more."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from polynya.crypto.signature import public_key
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.system import SystemRandom, now
from polynya.wire.keys import verify_key_configs
from polynya.wire.messages import Call, KeyConfig, Publish, Push, RelayFrame, Reply, Request
from polynya.wire.session import ClientHandshake, ClientSession, start_session
from tests.support.relay import RelayProcess

AT_ONCE = 32
"""Sessions that are being opened together: one after another each waits for the scheduler several times."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a relay is reached: its session URL, and its newest key."""

    url: str
    config: KeyConfig
    tls: ssl.SSLContext | None = None


async def entrance(relay: RelayProcess, tls: ssl.SSLContext | None = None) -> Entrance:
    """Asks the relay for its keys; `tls` trusts its certificate."""
    scheme, _, rest = relay.address.partition("://")
    host, _, path = rest.partition("/")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port), ssl=tls)
    writer.write(f"GET /{path}/keys HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    body = (await reader.read()).partition(b"\r\n\r\n")[2]
    writer.close()
    identity = public_key((relay.data / IDENTITY_FILE).read_bytes())
    config = verify_key_configs(identity, body).newest
    return Entrance(f"{scheme.replace('http', 'ws', 1)}://{rest}/s", config, tls)


class Device(WSListener):
    """One session. Either it makes calls one by one, or, with `hears`, it is told of frames that nobody opens."""

    def __init__(self, entrance: Entrance) -> None:
        super().__init__()
        self._entrance = entrance
        self._handshake: ClientHandshake | None = None
        self._session: ClientSession | None = None
        self._transport: WSTransport | None = None
        self._answered: asyncio.Future[RelayFrame | None] = asyncio.get_running_loop().create_future()
        self._ready: list[bytes] = []
        self.heard: list[bytes] = []
        """sealed frames in order"""
        self.hears: Callable[[], None] | None = None
        self.lost: Callable[[], None] | None = None
        """told when the relay ends the session"""

    @classmethod
    async def connect(cls, entrance: Entrance) -> Device:
        device = cls(entrance)
        await ws_connect(lambda: device, entrance.url, ssl_context=entrance.tls)
        await device._answered
        return device

    @classmethod
    async def connect_many(cls, entrance: Entrance, count: int) -> list[Device]:
        """A few at a time."""
        devices: list[Device] = []
        while len(devices) < count:
            few = min(AT_ONCE, count - len(devices))
            devices += await asyncio.gather(*(cls.connect(entrance) for _ in range(few)))
        return devices

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        hello, self._handshake = start_session(self._entrance.config, now(), SystemRandom())
        transport.send(WSMsgType.BINARY, hello)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        if frame.msg_type != WSMsgType.BINARY:
            return
        data = frame.get_payload_as_bytes()
        if self.hears is not None:
            self.heard.append(data)
            self.hears()
        elif self._session is None and self._handshake is not None:
            self._session = self._handshake.finish(data)
            self._answered.set_result(None)
        elif self._session is not None:
            self._answered.set_result(self._session.open(data))

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transport = None
        if not self._answered.done():
            self._answered.set_exception(ConnectionError("the relay closed a session of the load"))
        if self.lost is not None:
            self.lost()

    async def call(self, request: Request) -> RelayFrame | None:
        """The reply to one request."""
        self._answered = asyncio.get_running_loop().create_future()
        self._send(self._seal(Call(0, request)))
        return await self._answered

    def prepare(self, write_secret: bytes, records: Sequence[bytes]) -> None:
        """Seals a Publish of each record, for `publish`."""
        sealed = [self._seal(Call(1, Publish(write_secret, record))) for record in records]
        self._ready = sealed[::-1]

    def publish(self) -> None:
        """Sends the next one; nothing where there is none."""
        if self._ready:
            self._send(self._ready.pop())

    def _seal(self, call: Call) -> bytes:
        assert self._session is not None
        return self._session.seal(call)

    def _send(self, frame: bytes) -> None:
        if self._transport is not None:
            self._transport.send(WSMsgType.BINARY, frame)

    def opened(self) -> list[Reply | Push]:
        """What was heard, opened now."""
        assert self._session is not None
        frames = [self._session.open(frame) for frame in self.heard]
        self.heard.clear()
        return [frame for frame in frames if isinstance(frame, (Reply, Push))]

    def leave(self) -> None:
        self.hears = self.lost = None
        if self._transport is not None:
            self._transport.disconnect()
