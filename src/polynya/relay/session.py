"""One sealed session over one WebSocket (protocol.md section 2.3)."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache, partial

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from polynya.relay.frames import read_publish, reply_published
from polynya.relay.limits import FRAME_MAX, HELLO_MAX
from polynya.relay.rates import Rate
from polynya.relay.relay import Relay
from polynya.relay.verbs import VERBS, perform, publish, refuse
from polynya.wire.errors import WireError
from polynya.wire.messages import PROTOCOL_VERSION, Call, Published, RefusalCode, Reply, Response
from polynya.wire.session import RelaySession, open_hello

HELD_PUSHES = 1_024
"""Entries that may arrive while a Subscribe reads the heads: milliseconds of the fastest topic."""
NOT_ASKED = -1
NONE_WAITING: deque[tuple[Call, int]] = deque(maxlen=0)
"""What all idle sessions share: an empty deque of their own is 600 bytes."""
SENT_BY_PICOWS = 1_000
"""Bytes: its buffer has room for these and a head at first, and once it has grown it never shrinks."""
PINGS_BEFORE = 100
"""Calls that a ping before the hello counts as: of 2,000 at once it may send 20."""
CLOSE_TIMEOUT = 10.0
"""Seconds for what is left to send to a session that is closed."""


class Session(WSListener):
    """Calls are begun in order of arrival. Appends go together into the store, which keeps their order; any
    other verb waits until all before it have been answered, and those after it wait for it."""

    __slots__ = (
        "_abort_timer",
        "_alone",
        "_appends",
        "_calls",
        "_ephemerals",
        "_floors",
        "_fragments",
        "_heard",
        "_hello_timer",
        "_is_beginning",
        "_is_reading",
        "_is_slow",
        "_out",
        "_relay",
        "_released",
        "_sealed",
        "_silent_ticks",
        "_transport",
        "_unread",
        "_waiting",
        "_waiting_bytes",
    )

    def __init__(self, relay: Relay, released: Callable[[], None]) -> None:
        super().__init__()
        self._relay = relay
        self._released = released
        self._transport: WSTransport | None = None
        self._sealed: RelaySession | None = None
        self._fragments: bytearray | None = None
        self._out: list[bytes] = []
        self._waiting: deque[tuple[Call, int]] = NONE_WAITING
        self._waiting_bytes = 0
        self._appends = 0
        self._alone = False
        self._is_beginning = False
        self._is_reading = True
        self._is_slow = False
        self._unread = 0
        self._floors: dict[bytes, int | list[tuple[int, bytes]]] = {}
        self._calls = Rate(relay.limits.calls_per_second, relay.limits.calls_burst)
        self._ephemerals: Rate | None = None
        self._hello_timer: asyncio.TimerHandle | None = None
        self._abort_timer: asyncio.TimerHandle | None = None
        self._heard = True
        self._silent_ticks = 0

    # ---- the connection

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        # Nobody reads them again, and picows keeps the request as long as the connection.
        transport.request.headers.clear()
        carrier, limits = transport.underlying_transport, self._relay.limits
        carrier.set_write_buffer_limits(high=limits.buffer_pause)
        carrier.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, limits.kernel_buffer)
        self._hello_timer = asyncio.get_running_loop().call_later(
            self._relay.limits.hello_timeout, self.close, WSCloseCode.POLICY_VIOLATION
        )

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self._abort_timer is not None:
            self._abort_timer.cancel()
        self._end()
        self._released()

    def _end(self) -> None:
        """Nothing is sent, taken or begun from now on."""
        if self._hello_timer is not None:
            self._hello_timer.cancel()
        for source in self._floors:
            self._relay.live.unsubscribe(source, self)
        self._floors.clear()
        self._waiting = NONE_WAITING
        self._out.clear()
        if self._sealed is not None:
            self._sealed.end()
        if self._relay.sessions.pop(self, self) is None:
            self._relay.metrics.sessions -= 1
        self._relay.slow.pop(self, None)
        self._transport = None

    def close(self, code: WSCloseCode) -> None:
        """Ends the session; the code is all that the other side is told."""
        transport = self._transport
        if transport is None:
            return
        self._end()
        transport.send_close(code)
        self._disconnect(transport)

    def _on_close(self, transport: WSTransport) -> None:
        """The other side's close is answered with the same, once."""
        self._end()
        if not transport.is_close_frame_sent:
            transport.send_close(WSCloseCode.OK)
            self._disconnect(transport)

    def _disconnect(self, transport: WSTransport) -> None:
        """Lets go of the connection: at once where nothing is left to send, else after CLOSE_TIMEOUT at the
        latest."""
        carrier = transport.underlying_transport
        is_done = carrier.get_write_buffer_size() == 0
        transport.disconnect()
        if not is_done:
            self._abort_timer = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT, carrier.abort)

    def tick(self) -> None:
        """Called every Limits.tick: pings a silent session, and closes one that does not answer."""
        if self._heard or self._reads():
            self._heard = False
            self._silent_ticks = 0
            return
        self._silent_ticks += 1
        if self._sealed is not None:
            self._sealed.rest()
        if self._silent_ticks >= self._relay.limits.silent_ticks:
            self.close(WSCloseCode.GOING_AWAY)
        elif self._silent_ticks == self._relay.limits.ping_ticks and self._transport is not None:
            self._transport.send_ping()

    def _reads(self) -> bool:
        """Whether a slow session has taken something since it was asked before: it is not heard meanwhile."""
        if not self._is_slow or self._transport is None:
            return False
        before, self._unread = self._unread, self._transport.underlying_transport.get_write_buffer_size()
        return self._unread != before

    def pause_writing(self) -> None:
        """Nothing more is read either: each ping is answered, whether the answers are read or not."""
        transport = self._transport
        if transport is None:
            return
        self._is_slow = True
        self._relay.slow[self] = None
        if transport.underlying_transport.get_write_buffer_size() > self._relay.buffer_drop:
            # Others leave as much unread as all may.
            self._relay.metrics.slow_sessions += 1
            self._end()
            transport.underlying_transport.abort()
            return
        self._pause_reading()

    def resume_writing(self) -> None:
        self._is_slow = False
        self._relay.slow.pop(self, None)
        if self._is_reading and self._transport is not None:
            self._transport.underlying_transport.resume_reading()
        self._begin_waiting()

    # ---- frames in

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._heard = True
        kind = frame.msg_type
        if kind == WSMsgType.BINARY and frame.fin and self._fragments is None:
            if self._sealed is not None:
                self._on_frame(frame.get_payload_as_bytes())
            elif self._transport is not None:
                self._on_hello(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            self._on_close(transport)
        elif kind == WSMsgType.PING:
            self._on_ping(transport, frame)
        elif kind != WSMsgType.PONG:
            self._on_fragment(kind, frame)

    def _on_ping(self, transport: WSTransport, frame: WSFrame) -> None:
        """Who sends them without an end is let go."""
        if self._transport is None:
            return
        if self._calls.take(time.monotonic(), 1 if self._sealed is not None else PINGS_BEFORE):
            self.close(WSCloseCode.POLICY_VIOLATION)
        elif not self._is_slow:
            transport.send_pong(frame.get_payload_as_bytes())

    def _on_fragment(self, kind: WSMsgType, frame: WSFrame) -> None:
        """A message in pieces; text, and pieces out of order, end the session."""
        is_first = kind == WSMsgType.BINARY
        if is_first != (self._fragments is None) or kind == WSMsgType.TEXT:
            self.close(WSCloseCode.UNSUPPORTED_DATA if kind == WSMsgType.TEXT else WSCloseCode.PROTOCOL_ERROR)
            return
        if self._fragments is None:
            self._fragments = bytearray()
        self._fragments += frame.get_payload_as_bytes()
        if len(self._fragments) > FRAME_MAX:
            self.close(WSCloseCode.MESSAGE_TOO_BIG)
        elif frame.fin:
            data, self._fragments = bytes(self._fragments), None
            if self._sealed is not None:
                self._on_frame(data)
            elif self._transport is not None:
                self._on_hello(data)

    def _on_hello(self, data: bytes) -> None:
        """Every refusal looks the same: code 1008 without a reason."""
        relay = self._relay
        if relay.opens.take(time.monotonic()):
            self.close(WSCloseCode.TRY_AGAIN_LATER)
            return
        try:
            if len(data) > HELLO_MAX:
                raise WireError("session-hello")
            handshake = open_hello(relay.private_keys, data)
            if not 1 <= handshake.hello.version <= PROTOCOL_VERSION:
                raise WireError("session-version")
            if relay.judge(handshake.enc, handshake.hello.time) is not None:
                raise WireError("session-refused")
            accept, self._sealed = handshake.accept(relay.random)
        except WireError:
            relay.metrics.unopened += 1
            self.close(WSCloseCode.POLICY_VIOLATION)
            return
        if self._hello_timer is not None:
            self._hello_timer.cancel()
            self._hello_timer = None
        relay.metrics.handshakes += 1
        relay.metrics.sessions += 1
        relay.sessions[self] = None
        self._queue(accept)

    def _on_frame(self, data: bytes) -> None:
        sealed = self._sealed
        if sealed is None or self._transport is None:
            return
        try:
            padded = sealed.open_padded(data)
            if not (self._waiting or self._alone or self._is_slow):
                plain = read_publish(padded)
                if plain is not None:
                    self._publish(*plain)
                    return
            call = sealed.read(padded)
        except WireError:
            self.close(WSCloseCode.POLICY_VIOLATION)
            return
        if self._waiting or not self._may_begin(call):
            self._hold(call, len(data))
        else:
            self._begin(call)

    # ---- calls

    def _may_begin(self, call: Call) -> bool:
        if self._alone or self._is_slow:
            return False
        return self._appends == 0 or VERBS[type(call.request)].appends

    def _publish(self, id_: int, write_secret: bytes, record: bytes) -> None:
        """What `_begin` does, for a Publish of no more than a record."""
        self._appends += 1
        answer = partial(self._answer_append, id_)
        wait = self._calls.take(time.monotonic())
        if wait:
            answer(refuse(self._relay, RefusalCode.TOO_MANY, wait))
        else:
            publish(self._relay, self, write_secret, record, None, None, answer)

    def _begin(self, call: Call) -> None:
        if VERBS[type(call.request)].appends:
            self._appends += 1
            answer = partial(self._answer_append, call.id)
        else:
            self._alone = True
            answer = partial(self._answer_alone, call.id)
        wait = self._calls.take(time.monotonic())
        if wait:
            answer(refuse(self._relay, RefusalCode.TOO_MANY, wait))
        else:
            perform(self._relay, self, call.request, answer)

    def _answer_append(self, id_: int, response: Response) -> None:
        self._appends -= 1
        self._reply(id_, response)

    def _answer_alone(self, id_: int, response: Response) -> None:
        self._alone = False
        self._reply(id_, response)

    def _reply(self, id_: int, response: Response) -> None:
        sealed = self._sealed
        if sealed is None or self._transport is None:
            return
        now = self._relay.turn_time()
        try:
            if type(response) is Published:
                self._queue(sealed.seal_padded(reply_published(id_, now, response)))
            else:
                self._queue(sealed.seal(Reply(id_, now, response)))
        except WireError:
            self.close(WSCloseCode.GOING_AWAY)
            return
        if self._waiting:
            self._begin_waiting()

    def _hold(self, call: Call, size: int) -> None:
        if self._waiting is NONE_WAITING:
            self._waiting = deque()
        self._waiting.append((call, size))
        self._waiting_bytes += size
        limits = self._relay.limits
        if self._is_reading and (
            len(self._waiting) >= limits.calls_waiting or self._waiting_bytes >= limits.bytes_waiting
        ):
            self._is_reading = False
            self._pause_reading()

    def _begin_waiting(self) -> None:
        if self._is_beginning:
            return
        self._is_beginning = True
        while self._waiting and self._may_begin(self._waiting[0][0]):
            call, size = self._waiting.popleft()
            self._waiting_bytes -= size
            self._begin(call)
        self._is_beginning = False
        if not self._is_reading and not self._waiting and self._transport is not None:
            self._is_reading = True
            if not self._is_slow:
                self._transport.underlying_transport.resume_reading()

    def _pause_reading(self) -> None:
        if self._transport is not None:
            self._transport.underlying_transport.pause_reading()

    # ---- frames out

    def _queue(self, frame: bytes) -> None:
        if not self._out:
            self._relay.flush_soon(self)
        self._out.append(frame)

    def flush(self) -> None:
        """Sends what was queued in one write."""
        transport, out = self._transport, self._out
        if transport is None or not out:
            return
        self._out = []
        if len(out) == 1 and len(out[0]) <= SENT_BY_PICOWS:
            transport.send(WSMsgType.BINARY, out[0])
        else:
            transport.underlying_transport.write(
                b"".join([part for frame in out for part in (_head(len(frame)), frame)])
            )
        if self._is_slow and transport.underlying_transport.get_write_buffer_size() > self._relay.buffer_drop:
            self._relay.metrics.slow_sessions += 1
            self.close(WSCloseCode.TRY_AGAIN_LATER)

    # ---- subscriptions

    def push(self, source: bytes, seq: int, padded: bytes) -> None:
        floor = self._floors.get(source, NOT_ASKED)
        if isinstance(floor, list):
            floor.append((seq, padded))
            if len(floor) > HELD_PUSHES:
                self.close(WSCloseCode.TRY_AGAIN_LATER)
        elif floor != NOT_ASKED and seq > floor:
            self._push(padded)

    def _push(self, padded: bytes) -> None:
        sealed = self._sealed
        if sealed is None or self._transport is None:
            return
        try:
            self._queue(sealed.seal_padded(padded))
        except WireError:
            self.close(WSCloseCode.GOING_AWAY)
            return
        self._relay.metrics.delivered += 1

    def push_ephemeral(self, source: bytes, padded: bytes) -> None:
        """Not to a session that reads slowly: a hint that is late is worth nothing."""
        if not self._is_slow and source in self._floors and self._sealed is not None:
            try:
                self._queue(self._sealed.seal_padded(padded))
            except WireError:
                self.close(WSCloseCode.GOING_AWAY)

    def missed(self) -> None:
        """Its client comes again, and asks for what it does not have."""
        self.close(WSCloseCode.TRY_AGAIN_LATER)

    def may_send_ephemeral(self) -> int:
        """0, or the ms until it may."""
        if self._ephemerals is None:
            limits = self._relay.limits
            self._ephemerals = Rate(limits.ephemerals_per_second, limits.ephemerals_burst)
        return self._ephemerals.take(time.monotonic())

    def begin(self, sources: list[bytes]) -> bool:
        """Listens to `sources`, holding what comes until `settle`; False, and nothing is done, if they are
        too many."""
        fresh = [source for source in dict.fromkeys(sources) if source not in self._floors]
        if self._transport is None or len(self._floors) + len(fresh) > self._relay.limits.subscriptions:
            return False
        for source in fresh:
            self._floors[source] = []
            self._relay.live.subscribe(source, self)
        return True

    def settle(self, heads: dict[bytes, int | None]) -> None:
        """Pushes what was held of each source above its head, and from then on all; an unknown source is
        left."""
        for source, head in heads.items():
            held = self._floors.get(source)
            if head is None:
                self.leave(source)
            elif isinstance(held, list):
                self._floors[source] = head
                for seq, padded in held:
                    if seq > head:
                        self._push(padded)

    def leave(self, source: bytes) -> None:
        """Hears no more of `source`."""
        if self._floors.pop(source, None) is not None:
            self._relay.live.unsubscribe(source, self)


@lru_cache(16)
def _head(size: int) -> bytes:
    """The head of an unmasked binary message of `size` bytes in one frame (RFC 6455 section 5.2); the smallest has
    272."""
    if size < 65_536:
        return b"\x82\x7e" + size.to_bytes(2, "big")
    return b"\x82\x7f" + size.to_bytes(8, "big")
