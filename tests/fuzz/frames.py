"""Hostile bytes for a relay's port: heads, WebSocket frames, sealed requests and handshakes, and what a member may put
inside them.

An input is made of a seed and a number, so a run can be repeated, or gone on with. Some targets are a connection to a real
relay in this process; the others, for speed, are the functions behind it."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from polynya.relay.exchange import answer_exchange
from polynya.relay.gate import Gate
from polynya.relay.heads import MOST, Refusal
from polynya.relay.hello import refusal, size_of
from polynya.relay.limits import Limits
from polynya.relay.server import RunningRelay
from polynya.relay.verbs import perform
from polynya.wire.errors import WireError
from polynya.wire.exchange import seal_request
from polynya.wire.keys import verify_key_configs
from polynya.wire.messages import (
    PROTOCOL_VERSION,
    Call,
    CreateInbox,
    CreateTopic,
    DeleteInbox,
    Drop,
    Exchange,
    Fetch,
    FetchInbox,
    GetBlob,
    GetTokenKeys,
    KeyConfig,
    Ping,
    Publish,
    PutBlob,
    Request,
    Response,
    SendEphemeral,
    Subscribe,
    TakeKeyPackage,
    TrimInbox,
    Unsubscribe,
    decode_client_frame,
    decode_exchange,
    encode_client_frame,
    encode_exchange,
)
from polynya.wire.padding import pad, unpad
from polynya.wire.session import ClientSession, start_session
from tests.abuse.attacks import session_head
from tests.abuse.hellos import hellos
from tests.abuse.probes import PROBES
from tests.fuzz.mutate import Mutator
from tests.relay.test_adapter import masked
from tests.support.relay import running_relay
from tests.support.seeded import SeededRandom

PATIENCE = 30.0
"""Seconds in which an input comes to its end; the longest take milliseconds."""
AT_ONCE = 256
"""One in fifty waits three seconds until the relay has had enough: so many keep a core busy beside them."""
WORDS = (
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\0",
    b" ",
    b":",
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.1",
    b"HTTP/0.9",
    b"Host: a\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"Range: bytes=0-0,-1,1-\r\n",
    b"If-Unmodified-Since: x\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"%00",
    b"%",
    b"/../",
    b"\xff" * 9,
    b"a" * 9_000,
    b"X: y\r\n" * 300,
)
FREE = ("opens", "creations", "publishes", "drops", "takes", "calls")
LIMITS = replace(
    Limits(),
    disk_reserve=0,
    connections_per_address=20_000,
    hello_timeout=3.0,
    head_timeout=3.0,
    body_timeout=0.5,
    keep_alive=0.5,
    **{f"{name}_per_second": 1e9 for name in FREE},  # type: ignore[arg-type]
    **{f"{name}_burst": 10**9 for name in FREE},
    publish_bytes_per_second=1e12,
    publish_bytes_burst=10**12,
)
WEIGHTS = {
    "head": 3,
    "gate": 8,
    "hello": 4,
    "websocket": 2,
    "exchange": 4,
    "request": 12,
    "frame": 12,
    "sealed": 1,
    "call": 1,
}
"""How often each: those over a connection, and those with a handshake, take a hundred times as long."""
TARGETS = tuple(WEIGHTS)
_ORDER = tuple(name for name, weight in WEIGHTS.items() for _ in range(weight))
_SECRET = bytes(31) + b"\x07"


class FaultError(Exception):
    """What this looks for."""


@dataclass(frozen=True, slots=True)
class Input:
    """`pieces` come one after another."""

    target: str
    pieces: tuple[bytes, ...]


@dataclass(slots=True)
class Report:
    """`faults`: the number of an input and what was wrong."""

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)


class _Log(logging.Handler):
    """Errors that a relay writes are faults."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


class Maker:
    """Makes inputs: the same of the same seed and number."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._heads = [probe.data for probe in PROBES if probe.data]
        self._hellos = [probe.data for probe in hellos_once() if probe.data]
        self._frames = [encode_client_frame(Call(n, one)) for n, one in enumerate(requests())]
        self._requests = [encode_exchange(Exchange(PROTOCOL_VERSION, 1, one)) for one in requests()]

    def make(self, number: int, targets: tuple[str, ...] = TARGETS) -> Input:
        random = SeededRandom(f"{self._seed}/{number}".encode())
        mutator = Mutator(random, WORDS)
        order = [name for name in _ORDER if name in targets]
        target = mutator.one(order)
        seeds = {"hello": self._hellos, "head": self._heads, "gate": self._heads}
        if target in seeds:
            return Input(target, self._pieces(self._changed(mutator.one(seeds[target]), mutator), mutator))
        if target == "websocket":
            return Input(target, tuple(self._websocket(mutator) for _ in range(1 + random.below(4))))
        if target in ("exchange", "request", "sealed"):
            return Input(target, (self._changed(mutator.one(self._requests), mutator),))
        return Input(
            target,
            tuple(self._changed(mutator.one(self._frames), mutator) for _ in range(1 + random.below(3))),
        )

    def _changed(self, data: bytes, mutator: Mutator) -> bytes:
        for _ in range(mutator.random.below(4)):
            if mutator.chance(40):
                at = mutator.random.below(len(data) + 1)
                data = data[:at] + mutator.one(WORDS) + data[at + mutator.random.below(2) :]
            else:
                data = mutator.blind(data)
        return data[: 96 << 10]

    def _pieces(self, data: bytes, mutator: Mutator) -> tuple[bytes, ...]:
        """At once, or cut."""
        cuts = sorted(mutator.random.below(len(data) + 1) for _ in range(mutator.random.below(4)))
        return tuple(data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True) if a < b)

    def _websocket(self, mutator: Mutator) -> bytes:
        random = mutator.random
        size = random.below(1 << (1 + random.below(17)))
        frame = masked(
            random.bytes(min(size, 64)) + bytes(max(0, size - 64)),
            opcode=mutator.one((0, 1, 2, 2, 2, 8, 9, 10)) if mutator.chance(85) else random.below(16),
            fin=mutator.chance(70),
            size=None if mutator.chance(85) else random.below(1 << (1 + random.below(62))),
        )
        return self._changed(frame, mutator) if mutator.chance(40) else frame


def hellos_once() -> Iterator[Any]:
    """Of random bytes that do not change from run to run."""
    for probe in hellos():
        data = probe.data
        yield replace(probe, data=data[:11] + bytes(32) + data[43:] if len(data) > 200 else data)


def requests() -> list[Request]:
    """One of each kind, some for logs that are there."""
    record, other = bytes(512), bytes(32)
    return [
        Ping(),
        CreateTopic(_SECRET, 30),
        Publish(_SECRET, record),
        Publish(_SECRET, record, bytes(16)),
        Publish(_SECRET, record, None, (other,)),
        Fetch(other, 0, 64),
        CreateInbox(_SECRET),
        Drop(other, record),
        FetchInbox(_SECRET, 0, 64),
        TrimInbox(_SECRET, 5),
        DeleteInbox(_SECRET),
        TakeKeyPackage(other),
        PutBlob(other, 1_000, 0, bytes(100)),
        GetBlob(other, 0, 1_000),
        Subscribe((other, other), (_SECRET,)),
        Unsubscribe((other,), ()),
        SendEphemeral(_SECRET, b"typing"),
        GetTokenKeys(),
    ]


class Place:
    """A relay, and what it is tried with."""

    def __init__(self, running: RunningRelay, where: str) -> None:
        self.relay = running.relay
        self.log = _Log()
        self._where = where
        self._path = "/" + running.address.rpartition("/")[2]
        self._config: KeyConfig = verify_key_configs(running.identity, running.relay.keyring.signed).newest
        self._random = running.relay.random
        self._tries: dict[str, Callable[[Input], Awaitable[str]]] = {
            "head": self._head,
            "gate": self._gate,
            "hello": self._hello,
            "websocket": self._websocket,
            "exchange": self._exchange,
            "request": self._request,
            "frame": self._frame,
            "sealed": self._sealed,
            "call": self._call,
        }

    async def run(self, given: Input) -> str:
        """In a word what came of it; raises FaultError."""
        try:
            async with asyncio.timeout(PATIENCE):
                result = await self._tries[given.target](given)
        except TimeoutError:
            raise FaultError("it does not come to its end") from None
        except FaultError:
            raise
        except Exception as error:
            raise FaultError(f"{type(error).__name__}: {error}") from error
        if self.log.told:
            told, self.log.told = self.log.told, []
            raise FaultError(f"the relay's log: {'; '.join(told[:3])}")
        return result

    # ---- over a connection

    async def _talk(self, pieces: tuple[bytes, ...], end: bytes | None) -> bytes:
        """All that comes back until the relay ends the connection, which it does in time; `end` is sent at last, None
        for the end of what we send."""
        reader, writer = await asyncio.open_unix_connection(self._where)
        try:
            # A connection that the relay has ended is a closed transport here: both are said by errors.
            with suppress(ConnectionError, RuntimeError):
                for piece in pieces:
                    writer.write(piece)
                    await asyncio.sleep(0)
                if end is None:
                    writer.write_eof()
                else:
                    writer.write(end)
            heard = b""
            with suppress(ConnectionError):
                while piece := await reader.read(65_536):
                    heard += piece
            return heard
        finally:
            writer.close()

    async def _head(self, given: Input) -> str:
        heard = await self._talk(given.pieces, None)
        if heard and not heard.startswith((b"HTTP/1.1 ", b"<")):
            raise FaultError(f"answered with {heard[:60]!r}")
        return heard[9:12].decode("latin-1") if heard.startswith(b"HTTP") else "bare" if heard else "nothing"

    async def _websocket(self, given: Input) -> str:
        heard = await self._talk((session_head(self._path), *given.pieces), masked(b"", opcode=8))
        head, _, frames = heard.partition(b"\r\n\r\n")
        if heard and not head.startswith(b"HTTP/1.1 101 "):
            raise FaultError(f"answered with {heard[:60]!r}")
        while len(frames) >= 2 and frames[0] != 0x88:
            frames = frames[2 + frames[1] :]  # a pong
        return str(int.from_bytes(frames[2:4], "big")) if len(frames) >= 4 else "no code"

    async def _call(self, given: Input) -> str:
        """Behind a handshake."""
        reader, writer = await asyncio.open_unix_connection(self._where)
        try:
            hello, handshake = start_session(self._config, self.relay.now(), self._random)
            writer.write(session_head(self._path) + masked(hello))
            await reader.readuntil(b"\r\n\r\n")
            session = handshake.finish(await self._frame_of(reader))
            heard = await self._frames(reader, writer, session, given.pieces)
        finally:
            writer.close()
        return heard

    async def _frames(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        session: ClientSession,
        pieces: tuple[bytes, ...],
    ) -> str:
        answers = 0
        for piece in pieces:
            try:
                decode_client_frame(piece)
            except WireError:
                is_frame = False
            else:
                is_frame = True
            try:
                padded = pad(piece)
            except WireError:
                padded = piece
            with suppress(ConnectionError):
                writer.write(masked(session._out.seal(padded)))
            if not is_frame:
                with suppress(asyncio.IncompleteReadError, ConnectionError):
                    while (await self._frame_of(reader, may_close=True)) is not None:
                        pass
                return "ended"
            await self._reply(reader, session)
            answers += 1
        return f"{answers} answered"

    async def _reply(self, reader: asyncio.StreamReader, session: ClientSession) -> None:
        """The reply to a call, behind any pushes."""
        while True:
            frame = await self._frame_of(reader)
            if type(session.open(frame)).__name__ == "Reply":
                return

    async def _frame_of(self, reader: asyncio.StreamReader, *, may_close: bool = False) -> Any:
        head = await reader.readexactly(2)
        size = head[1] & 0x7F
        if size >= 126:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        data = await reader.readexactly(size)
        if head[0] == 0x88:
            if may_close:
                return None
            raise FaultError(f"the session was closed with {data[:2].hex()}")
        return data

    # ---- the functions behind

    async def _gate(self, given: Input) -> str:
        """Cut anywhere, the same comes out."""
        whole, cut = Gate(), Gate()
        whole.feed(b"".join(given.pieces))
        first = list(_all(whole))
        second: list[bytes | Refusal] = []
        for piece in given.pieces:
            cut.feed(piece)
            second += _all(cut)
        if _joined(first) != _joined(second):
            raise FaultError(f"cut into pieces: {first[:3]!r} and {second[:3]!r}")
        if len(cut._held) > MOST + max(map(len, given.pieces), default=0):
            raise FaultError(f"holds {len(cut._held)} bytes")
        last = first[-1] if first else None
        return str(last.status) if isinstance(last, Refusal) else "passed" if first else "waits"

    async def _hello(self, given: Input) -> str:
        data = b"".join(given.pieces)
        alert = refusal(data)
        if not 5 <= size_of(data) <= 5 + 16_384:
            raise FaultError(f"a record of {size_of(data)} bytes")
        return "passed" if alert is None else f"alert {alert[-1]}"

    async def _exchange(self, given: Input) -> str:
        """Not sealed by anybody."""
        answer = await answer_exchange(self.relay, b"".join(given.pieces))
        if answer is not None:
            raise FaultError("what nobody sealed was opened")
        return "refused"

    async def _request(self, given: Input) -> str:
        try:
            request = decode_exchange(given.pieces[0]).request
        except WireError as error:
            return error.rule
        return type(await self._perform(request)).__name__

    async def _frame(self, given: Input) -> str:
        found = ""
        for piece in given.pieces:
            try:
                found = type(await self._perform(decode_client_frame(unpad(pad(piece))).request)).__name__
            except WireError as error:
                found = error.rule
        return found

    async def _perform(self, request: Request) -> Response:
        answered: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        perform(self.relay, None, request, answered.set_result)
        return await answered

    async def _sealed(self, given: Input) -> str:
        """Sealed by who knows the relay, whatever is inside."""
        exchange = Exchange(PROTOCOL_VERSION, self.relay.now(), Ping())
        try:
            exchange = decode_exchange(given.pieces[0])
        except WireError as error:
            return error.rule
        body, opener = seal_request(self._config, replace(exchange, time=self.relay.now()), self._random)
        answer = await answer_exchange(self.relay, body)
        if answer is None:
            raise FaultError("a sealed request was not opened")
        return type(opener.open(answer).response).__name__


def _all(gate: Gate) -> Iterator[bytes | Refusal]:
    while (piece := gate.next()) is not None:
        yield piece


def _joined(pieces: list[bytes | Refusal]) -> tuple[bytes, Refusal | None]:
    """What went through, and what ended it."""
    last = pieces[-1] if pieces and isinstance(pieces[-1], Refusal) else None
    return b"".join(piece for piece in pieces if isinstance(piece, bytes)), last


@asynccontextmanager
async def place() -> AsyncIterator[Place]:
    """A relay of its own, on a Unix socket: a million connections leave no ports behind."""
    with tempfile.TemporaryDirectory(prefix="frames-") as folder:
        where = f"{folder}/s"
        site = Path(folder) / "site"
        site.mkdir()
        (site / "index.html").write_text("<p>Bakery</p>")
        async with running_relay(
            Path(folder) / "data",
            host=f"unix:{where}",
            origin_url="https://bakery.example",
            site=site,
            local="off",
            limits=LIMITS,
        ) as running:
            at = Place(running, where)
            loggers = [logging.getLogger(name) for name in ("polynya", "asyncio", "aiohttp")]
            asyncio.get_running_loop().set_exception_handler(
                lambda _, context: at.log.told.append(
                    f"{context.get('message')}: {context.get('exception')!r}"
                )
            )
            for logger in loggers:
                logger.addHandler(at.log)
            try:
                yield at
            finally:
                for logger in loggers:
                    logger.removeHandler(at.log)


async def run(maker: Maker, numbers: range, targets: tuple[str, ...], at: Place) -> Report:
    """These inputs, several at a time; one that is at fault is tried again alone, so that it is told rightly."""
    report = Report()

    async def one(number: int) -> None:
        given = maker.make(number, targets)
        try:
            result = await at.run(given)
        except FaultError as fault:
            report.faults.append((number, f"{given.target}: {fault}"))
        else:
            report.seen[given.target, result] += 1

    left = iter(numbers)

    async def several() -> None:
        for number in left:
            await one(number)

    await asyncio.gather(*(several() for _ in range(min(AT_ONCE, len(numbers)))))
    return report


def resident() -> int:
    """Bytes of this process's memory."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
