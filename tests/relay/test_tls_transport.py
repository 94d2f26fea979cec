"""TLS on real sockets: what asyncio promises of a transport, beside a blocking client."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from polynya.relay import tlstransport
from polynya.relay.certificates import server_context
from polynya.relay.tlstransport import RECORD, TlsTransport, shake_hands, wrap
from tests.browser.authority import Authority

LARGE = bytes(range(256)) * 4_096
"""1 MiB: more than the sockets' buffers take."""
SMALL_BUFFER = 65_536
FOREVER = 600.0


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("authority"))


class Hearing(asyncio.Protocol):
    """Keeps what happens."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.told: list[str] = []
        self.lost: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.told.append("made")

    def data_received(self, data: bytes) -> None:
        self.data += data
        self.changed.set()

    def eof_received(self) -> None:
        self.told.append("eof")

    def pause_writing(self) -> None:
        self.told.append("pause")
        self.changed.set()

    def resume_writing(self) -> None:
        self.told.append("resume")
        self.changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set_result(exc)

    async def until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self.changed.clear()
            await self.changed.wait()


class Buffered(asyncio.BufferedProtocol):
    """Takes little at a time, and pauses after each."""

    def __init__(self, transport: TlsTransport, size: int) -> None:
        self.transport = transport
        self.data = bytearray()
        self.filled = asyncio.Event()
        self._buffer = bytearray(size)

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self._buffer)

    def buffer_updated(self, nbytes: int) -> None:
        self.data += self._buffer[:nbytes]
        self.transport.pause_reading()
        self.filled.set()


class Meeting:
    def __init__(self, transport: TlsTransport, heard: Hearing, client: ssl.SSLSocket) -> None:
        self.transport = transport
        self.heard = heard
        self.client = client

    async def read(self, size: int) -> bytes:
        """What the client gets until it has `size` bytes; less where the other side said goodbye."""

        def read() -> bytes:
            data = bytearray()
            while len(data) < size and (more := self.client.recv(size - len(data))):
                data += more
            return bytes(data)

        return await asyncio.to_thread(read)


@pytest.fixture
def meet(authority: Authority) -> Callable[..., Any]:
    @asynccontextmanager
    async def meeting(kind: type[ssl.SSLSocket] = ssl.SSLSocket) -> AsyncIterator[Meeting]:
        context = server_context()
        context.load_cert_chain(*authority.issue("127.0.0.1"))
        context.sslsocket_class = kind
        listener = socket.create_server(("127.0.0.1", 0))
        trust = ssl.create_default_context(cafile=str(authority.certificate))
        raw = socket.create_connection(listener.getsockname())
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        connecting = asyncio.create_task(
            asyncio.to_thread(trust.wrap_socket, raw, server_hostname="127.0.0.1", suppress_ragged_eofs=False)
        )
        accepted, _ = listener.accept()
        accepted.setblocking(False)
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
        link = wrap(accepted, context)
        await shake_hands(link, FOREVER)
        heard = Hearing()
        transport = TlsTransport(link, heard)
        client = await connecting
        with listener, client:
            yield Meeting(transport, heard, client)
            transport.abort()
            await heard.lost
        assert link.fileno() == -1

    return meeting


Meet = Callable[..., Any]


async def test_bytes_go_both_ways(meet: Meet) -> None:
    async with meet() as met:
        await asyncio.to_thread(met.client.sendall, LARGE)
        await met.heard.until(lambda: len(met.heard.data) == len(LARGE))
        assert met.heard.data == LARGE
        met.transport.writelines([b"one ", bytearray(b"two "), memoryview(b"three")])
        assert await met.read(13) == b"one two three"
        assert met.heard.told == ["made"]


async def test_who_reads_slowly_is_waited_for(meet: Meet) -> None:
    async with meet() as met:
        transport, heard = met.transport, met.heard
        transport.set_write_buffer_limits(high=1_000)
        whole = bytearray(LARGE)
        transport.write(whole)
        whole[:] = bytes(len(whole))
        transport.write(b"the end")
        assert heard.told == ["made", "pause"]
        assert 1_000 < transport.get_write_buffer_size() <= len(LARGE) + 7
        assert await met.read(len(LARGE) + 7) == LARGE + b"the end"
        await heard.until(lambda: "resume" in heard.told)
        assert heard.told == ["made", "pause", "resume"]
        assert transport.get_write_buffer_size() == 0
        # And both ways again.
        await asyncio.to_thread(met.client.sendall, b"here")
        await heard.until(lambda: bool(heard.data))


async def test_what_is_decrypted_comes_after_a_pause(meet: Meet) -> None:
    """It is in no socket any more, so that no loop tells of it."""
    async with meet() as met:
        taking = Buffered(met.transport, 1_000)
        met.transport.set_protocol(taking)
        record = LARGE[:RECORD]
        await asyncio.to_thread(met.client.sendall, record)
        while len(taking.data) < RECORD:
            await taking.filled.wait()
            taking.filled.clear()
            assert not met.transport.is_reading()
            met.transport.resume_reading()
        assert taking.data == record
        met.transport.set_protocol(met.heard)


async def test_nothing_is_read_in_a_pause(meet: Meet) -> None:
    async with meet() as met:
        met.transport.pause_reading()
        await asyncio.to_thread(met.client.sendall, b"later")
        for _ in range(10):
            await asyncio.sleep(0)
        assert not met.heard.data
        met.transport.resume_reading()
        await met.heard.until(lambda: met.heard.data == b"later")


async def test_goodbye_is_said_when_all_is_sent(meet: Meet) -> None:
    async with meet() as met:
        met.transport.write(LARGE)
        met.transport.close()
        met.transport.write(b"and no more")
        assert met.transport.is_closing()
        assert not met.heard.lost.done()
        # A client that takes no end without goodbye for an end.
        assert await met.read(2 * len(LARGE)) == LARGE
        assert await met.heard.lost is None


async def test_who_does_not_take_the_rest_is_left(meet: Meet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tlstransport, "GOODBYE", 0.01)
    async with meet() as met:
        met.transport.write(LARGE)
        met.transport.close()
        assert await met.heard.lost is None


async def test_the_other_side_ends(meet: Meet) -> None:
    async with meet() as met:
        goodbye = asyncio.create_task(asyncio.to_thread(met.client.unwrap))
        assert await met.heard.lost is None
        assert met.heard.told == ["made", "eof"]
        # It heard ours too.
        (await goodbye).close()


async def test_the_other_side_is_gone(meet: Meet) -> None:
    async with meet() as met:
        socket.socket.shutdown(met.client, socket.SHUT_WR)
        assert await met.heard.lost is None
        assert met.heard.told == ["made", "eof"]


async def test_bytes_that_are_no_tls_end_it_with_an_alert(meet: Meet) -> None:
    async with meet() as met:
        socket.socket.sendall(met.client, b"\x17\x03\x03\x00\x20" + bytes(32))
        assert isinstance(await met.heard.lost, ssl.SSLError)
        assert not met.heard.data
        with pytest.raises(ssl.SSLError, match=r"(?i)bad record mac"):
            await met.read(1)


async def test_abort_leaves_what_waits(meet: Meet) -> None:
    async with meet() as met:
        met.transport.write(LARGE)
        met.transport.abort()
        assert met.transport.get_write_buffer_size() == 0
        assert await met.heard.lost is None


async def test_a_protocol_that_fails_loses_its_connection(meet: Meet) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))

    class Failing(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            raise ZeroDivisionError

    async with meet() as met:
        failing = Failing()
        failing.connection_lost = met.heard.connection_lost  # type: ignore[method-assign]
        met.transport.set_protocol(failing)
        await asyncio.to_thread(met.client.sendall, b"x")
        assert isinstance(await met.heard.lost, ZeroDivisionError)
    assert [type(one["exception"]) for one in told] == [ZeroDivisionError]


async def test_reading_can_wait_for_writing(meet: Meet) -> None:
    """A new key's announcement is answered before what follows is read, if there is room for the answer."""

    class Busy(ssl.SSLSocket):
        is_busy = True

        def recv(self, *arguments: Any) -> bytes:
            if Busy.is_busy:
                Busy.is_busy = False
                raise ssl.SSLWantWriteError
            return super().recv(*arguments)

    async with meet(Busy) as met:
        await asyncio.to_thread(met.client.sendall, b"behind the key")
        await met.heard.until(lambda: met.heard.data == b"behind the key")
        assert not Busy.is_busy
        met.transport.write(b"still here")
        assert await met.read(10) == b"still here"


async def test_what_it_tells_of_itself(meet: Meet) -> None:
    async with meet() as met:
        tell = met.transport.get_extra_info
        assert tell("peername") == met.client.getsockname()
        assert tell("sockname") == met.client.getpeername()
        assert tell("socket") is tell("ssl_object")
        assert tell("sslcontext") is not None
        assert tell("weather", "fine") == "fine"
        assert met.transport.get_protocol() is met.heard
        assert met.transport.is_reading()
        assert not met.transport.can_write_eof()
        met.transport.set_write_buffer_limits(low=10)
        assert met.transport.get_write_buffer_limits() == (10, 40)
        with pytest.raises(ValueError, match="limits"):
            met.transport.set_write_buffer_limits(high=1, low=2)


async def _fails(talk: Callable[[socket.socket], None], timeout: float) -> tuple[OSError, bytes]:
    """How a handshake ends with who talks so, and what it was told."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    link = wrap(ours, server_context())
    with theirs:
        thread = threading.Thread(target=talk, args=(theirs,))
        thread.start()
        with pytest.raises(OSError) as failed:
            await shake_hands(link, timeout)
        thread.join()
        assert link.fileno() == -1
        return failed.value, theirs.recv(100)


async def test_a_handshake_that_fails_is_told_as_tls_tells_it() -> None:
    error, told = await _fails(lambda other: other.sendall(b"\x16\x03\x01\x00\x04\x01\x00\x00\x00"), FOREVER)
    assert isinstance(error, ssl.SSLError)
    # A fatal alert: decode_error (RFC 8446 section 6).
    assert told == bytes((21, 3, 1, 0, 2, 2, 50)) or told[:1] + told[5:] == bytes((21, 2, 50))


async def test_a_handshake_that_takes_too_long_ends() -> None:
    error, told = await _fails(lambda _: None, 0.01)
    assert isinstance(error, TimeoutError)
    assert not told
