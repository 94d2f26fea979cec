"""A relay whose owner stands between its store and its members, and does there what he likes.

The relay is ours, as it is: sealed exchange, sessions, store, with an identity of its own. The owner sees every request
after it was opened and every answer and push before it is sealed, and knows by the network address whose it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from picows import WSCloseCode

from polynya.relay import exchange as relay_exchange
from polynya.relay import session as relay_session
from polynya.relay import verbs
from polynya.relay.config import REQUIRED
from polynya.relay.folder import IDENTITY_FILE
from polynya.relay.live.base import Live, Subscriber
from polynya.relay.relay import Relay
from polynya.relay.server import RunningRelay
from polynya.relay.session import Session
from polynya.relay.store.base import Appended, CalledBack, Kind, StoreError
from polynya.relay.system import now as relay_now
from polynya.wire import labels
from polynya.wire import messages as m
from polynya.wire.padding import unpad
from polynya.wire.session import pad_relay_frame
from tests.support.relay import GENEROUS, running_relay


class Withheld:
    """In place of an answer: none comes."""


WITHHELD = Withheld()
Decision: TypeAlias = m.Response | Withheld | None


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that the relay sees. `connection` numbers connections; 0: a single exchange."""

    time: int
    connection: int
    who: str
    request: m.Request
    response: m.Response | None = None


@dataclass
class Held:
    """A request whose answer is held back; `release` lets it be done and answered."""

    who: str
    request: m.Request
    release: Callable[[], None]


@dataclass
class Operator:
    """The hooks, each of which does nothing until a test sets it.

    `decide`: what is answered in place of the store's answer; None: the store's. `change`: the answer as it leaves.
    `deliver`: the pushes in place of one. All are told who is at the other end: the name of its address, "" where it has
    none (single exchanges)."""

    running: RunningRelay
    seed: bytes
    names: dict[str, str] = field(default_factory=dict)
    """network address -> name"""
    decide: Callable[[str, m.Request], Decision] = lambda who, request: None
    change: Callable[[str, m.Request, m.Response], m.Response] = lambda who, request, response: response
    deliver: Callable[[str, m.Push], Sequence[m.Push]] = lambda who, push: (push,)
    held: list[Held] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    shift: int = 0
    """ms by which the relay's clock is wrong"""
    _numbers: dict[int, int] = field(default_factory=dict)
    _kept: list[object] = field(default_factory=list)

    @property
    def link(self) -> str:
        return self.running.link

    @property
    def relay(self) -> Relay:
        return self.running.relay

    def behave(self) -> None:
        """The hooks do nothing again and the clock is right; sessions and what is held back stay as they are."""
        self.decide = lambda who, request: None
        self.change = lambda who, request, response: response
        self.deliver = lambda who, push: (push,)
        self.shift = 0

    def release(self) -> None:
        """Everything that was held back is done and answered now."""
        held, self.held = self.held, []
        for each in held:
            each.release()

    # ---- who is there ----

    def who(self, caller: object) -> str:
        return self.names.get(self.address(caller), "")

    @staticmethod
    def address(caller: object) -> str:
        transport = getattr(caller, "_transport", None)
        if transport is None:
            return ""
        return str(transport.underlying_transport.get_extra_info("peername")[0])

    def _number(self, caller: object) -> int:
        if caller is None:
            return 0
        if id(caller) not in self._numbers:
            self._kept.append(caller)  # so that no other ever has its id
            self._numbers[id(caller)] = len(self._kept)
        return self._numbers[id(caller)]

    def sessions(self, name: str) -> list[Session]:
        return [s for s in self.relay.sessions if isinstance(s, Session) and self.who(s) == name]

    def push(self, name: str, *frames: m.Push | m.EphemeralPush) -> None:
        """Says something to a member that nobody wrote."""
        for session in self.sessions(name):
            for frame in frames:
                session._push(pad_relay_frame(frame))

    def hang_up(self, name: str) -> None:
        for session in self.sessions(name):
            session.close(WSCloseCode.GOING_AWAY)

    # ---- what is asked ----

    def perform(self, caller: Any, request: m.Request, answer: Callable[[m.Response], None]) -> None:
        who = self.who(caller)
        number = self._number(caller)

        def leave(response: m.Response) -> None:
            self.seen.append(Seen(self.relay.now(), number, who, request, response))
            answer(self.change(who, request, response))

        def do() -> None:
            PERFORM(self.relay, caller, request, leave)

        decision = self.decide(who, request)
        if decision is None:
            do()
        elif isinstance(decision, Withheld):
            self.held.append(Held(who, request, do if caller is None else _let_go(caller, request, do)))
        else:
            self.seen.append(Seen(self.relay.now(), number, who, request, decision))
            answer(decision)

    def tell(self, subscriber: Subscriber, source: bytes, seq: int, padded: bytes) -> None:
        frame = m.decode_relay_frame(unpad(padded))
        assert isinstance(frame, m.Push)
        told = tuple(self.deliver(self.who(subscriber), frame))
        if told == (frame,):
            subscriber.push(source, seq, padded)
            return
        assert isinstance(subscriber, Session)
        for push in told:
            subscriber._push(pad_relay_frame(push))

    # ---- what only the relay can make ----

    async def entries(self, topic: bytes) -> list[m.Entry]:
        """All that a topic holds."""
        found: list[m.Entry] = []
        while True:
            after = found[-1].seq if found else 0
            records = await self.relay.store.fetch(Kind.TOPIC, topic, after, 64, 10**6, self.relay.now())
            if not records.entries:
                return found
            found += records.entries

    async def write(
        self, topic: bytes, record: bytes, slot: bytes | None, blobs: tuple[bytes, ...] | None = None
    ) -> Appended:
        """Puts a record into a topic whose write secret he has seen often enough; nobody is told."""
        done: asyncio.Future[Appended | StoreError] = asyncio.get_running_loop().create_future()
        hash_ = labels.record_hash(record)
        self.relay.store.append(
            CalledBack(Kind.TOPIC, topic, record, hash_, slot, blobs, self.relay.now(), done.set_result)
        )
        outcome = await done
        assert isinstance(outcome, Appended)
        return outcome

    def receipt(
        self,
        topic: bytes,
        slot: bytes,
        position: int,
        seq: int,
        record: bytes,
        blobs: tuple[bytes, ...] | None = None,
    ) -> m.Receipt:
        """A signed receipt for whatever the owner likes."""
        body = m.ReceiptBody(topic, slot, position, seq, labels.record_hash(record), blobs)
        return labels.sign_receipt(self.seed, body)


def _let_go(session: Session, request: m.Request, do: Callable[[], None]) -> Callable[[], None]:
    """The session's other requests do not wait for this one; what does it later."""
    appends = verbs.VERBS[type(request)].appends
    if appends:
        session._appends -= 1
    else:
        session._alone = False
    asyncio.get_running_loop().call_soon(session._begin_waiting)

    def later() -> None:
        if appends:
            session._appends += 1
        do()

    return later


class HostileLive:
    """The bus between the relay's store and its sessions, in the owner's hands."""

    def __init__(self, honest: Live, operator: Operator) -> None:
        self._honest = honest
        self._operator = operator
        self._told: dict[Subscriber, _Told] = {}

    def subscribe(self, source: bytes, subscriber: Subscriber) -> None:
        told = self._told.setdefault(subscriber, _Told(subscriber, self._operator))
        self._honest.subscribe(source, told)

    async def ready(self) -> None:
        await self._honest.ready()

    def unsubscribe(self, source: bytes, subscriber: Subscriber) -> None:
        if subscriber in self._told:
            self._honest.unsubscribe(source, self._told[subscriber])

    def _origin(self, origin: Subscriber | None) -> Subscriber | None:
        return None if origin is None else self._told.get(origin, origin)

    def is_wanted(self, source: bytes, origin: Subscriber | None) -> bool:
        return self._honest.is_wanted(source, self._origin(origin))

    def publish(self, source: bytes, seq: int, padded: bytes, origin: Subscriber | None) -> None:
        self._honest.publish(source, seq, padded, self._origin(origin))

    def publish_ephemeral(self, source: bytes, padded: bytes, origin: Subscriber | None) -> None:
        self._honest.publish_ephemeral(source, padded, self._origin(origin))


class _Told:
    """Stands for a session on the bus."""

    def __init__(self, subscriber: Subscriber, operator: Operator) -> None:
        self._subscriber = subscriber
        self._operator = operator

    def push(self, source: bytes, seq: int, padded: bytes) -> None:
        self._operator.tell(self._subscriber, source, seq, padded)

    def missed(self) -> None:
        self._subscriber.missed()

    def push_ephemeral(self, source: bytes, padded: bytes) -> None:
        self._subscriber.push_ephemeral(source, padded)


PERFORM = verbs.perform
OPERATORS: dict[int, Operator] = {}
"""By the relay's id: which owner a relay of this process has."""


def _perform(relay: Relay, caller: Any, request: m.Request, answer: Callable[[m.Response], None]) -> None:
    operator = OPERATORS.get(id(relay))
    if operator is None:
        PERFORM(relay, caller, request, answer)
    else:
        operator.perform(caller, request, answer)


def _publish(
    relay: Relay,
    caller: Any,
    write_secret: bytes,
    record: bytes,
    slot: bytes | None,
    blobs: tuple[bytes, ...] | None,
    answer: Callable[[m.Response], None],
) -> None:
    """A plain Publish, which sessions read by a way of its own."""
    _perform(relay, caller, m.Publish(write_secret, record, slot, blobs), answer)


@asynccontextmanager
async def hostile_relay(
    data: Path, names: dict[str, str] | None = None, **options: Any
) -> AsyncIterator[Operator]:
    """A relay in this event loop, and its owner. `options` are those of `running_relay`."""
    operators: list[Operator] = []
    clock = options.pop("clock", relay_now)

    def now() -> int:
        return int(clock()) + (operators[0].shift if operators else 0)

    options.setdefault("local", "off")
    options.setdefault("tokens", REQUIRED)
    options.setdefault("limits", GENEROUS)
    async with running_relay(data, clock=now, **options) as running:
        operator = Operator(running, (data / IDENTITY_FILE).read_bytes(), dict(names or {}))
        operators.append(operator)
        running.relay.live = HostileLive(running.relay.live, operator)
        OPERATORS[id(running.relay)] = operator
        relay_session.perform = _perform  # type: ignore[attr-defined]
        relay_session.publish = _publish  # type: ignore[attr-defined]
        relay_exchange.perform = _perform  # type: ignore[attr-defined]
        try:
            yield operator
        finally:
            del OPERATORS[id(running.relay)]
            if not OPERATORS:
                relay_session.perform = PERFORM  # type: ignore[attr-defined]
                relay_session.publish = verbs.publish  # type: ignore[attr-defined]
                relay_exchange.perform = PERFORM  # type: ignore[attr-defined]
