"""A lasting connection to one relay: keys, clock, session or exchanges, calls by number, coming back
after failures.

Nothing that the relay or the network does raises out of here: it ends in a pause and another attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from polynya.carriers.base import Carrier, CarrierError, CarrierProblem, CarrierProperties
from polynya.client.errors import ClientError, StoreError
from polynya.client.paying import Paying
from polynya.client.purse import NO_TOKENS, Verdict
from polynya.client.refill import HOUR, Refusal
from polynya.client.sealing import Sealing
from polynya.client.session import OpenSession, SessionSink, open_session
from polynya.crypto.random import Random
from polynya.errors import PolynyaError
from polynya.paths.manager import PathManager, Wait
from polynya.wire.errors import WireError
from polynya.wire.messages import (
    EphemeralPush,
    Ping,
    Push,
    RefusalCode,
    Refused,
    RelayAddress,
    Request,
    Response,
)

log = logging.getLogger("polynya.client")

STABLE = 20_000
"""ms: a session that lasted this long was a success; a shorter one counts as a failure, so that a relay
that drops everybody at once is not hammered."""


@dataclass(frozen=True, slots=True)
class LinkState:
    """How a relay is reached. `kind`: connecting, online (a session), polling (exchanges only), offline."""

    kind: str
    since: int
    """ms, the device's clock."""
    problem: str | None = None
    """`CarrierProblem` of the last failure, while offline or connecting."""


class LinkSink(Protocol):
    """Where a link tells what happens, in order. None of these may raise."""

    def connected(self, relay: bytes, session: bool) -> None: ...
    def disconnected(self, relay: bytes) -> None: ...
    def answered(self, relay: bytes, call_id: int, response: Response, relay_time: int) -> None: ...
    def call_failed(self, call_id: int) -> None: ...
    def pushed(self, relay: bytes, push: Push) -> None: ...
    def ephemeral_pushed(self, relay: bytes, push: EphemeralPush) -> None: ...
    def link_changed(self, relay: bytes, state: LinkState) -> None: ...
    async def room(self) -> None:
        """Returns when there is room for more."""
        ...


class LinkDown(PolynyaError):
    """The connection broke while a request was on its way; whether the relay did it is unknown."""

    code = "link-down"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits for its turn or its answer: by the core's number, or by a future. `sent`: with its token."""

    request: Request
    sent: Request
    call_id: int | None
    answer: asyncio.Future[tuple[Response, int]] | None


class Link(SessionSink):
    """One relay. `start` once, `close` at the end."""

    def __init__(
        self,
        address: RelayAddress,
        carriers: Mapping[str, Carrier],
        sink: LinkSink,
        *,
        random: Random,
        clock: Callable[[], int],
        memory: bytes | None = None,
        paying: Paying | None = None,
    ) -> None:
        self.address = address
        self._carriers = dict(carriers)
        self._sink = sink
        self._random = random
        self._clock = clock
        self.sealing = Sealing(address.identity, random=random, clock=clock)
        paths = self.sealing.recall(memory)
        self._paths = PathManager({name: c.properties for name, c in carriers.items()}, memory=paths)
        self._state = LinkState("connecting", clock())
        self._paying = paying
        self._waiting: asyncio.Queue[_Asked] = asyncio.Queue()
        self._unpaid: list[_Asked] = []
        """requests that wait for tokens"""
        self._exchanging = asyncio.Lock()
        self._keeping: set[asyncio.Task[None]] = set()
        self._up: asyncio.Event = asyncio.Event()
        self._wake: asyncio.Event = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> LinkState:
        return self._state

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="polynya-link")
        if self._paying is not None:
            self._paying.start(self)

    async def close(self) -> None:
        if self._paying is not None:
            await self._paying.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        for carrier in self._carriers.values():
            with contextlib.suppress(CarrierError):
                await carrier.close()

    def retry_now(self) -> None:
        """Ends all pauses."""
        self._paths.retry_now()
        self._wake.set()
        if self._paying is not None:
            self._paying.retry_now()

    def memory(self) -> bytes:
        """What the next run should know of this relay."""
        return self.sealing.remember(self._paths.remember())

    # ---- calls ----

    def call(self, call_id: int, request: Request) -> None:
        """Sends a request; `sink.answered` or `sink.call_failed` follows."""
        if self._up.is_set():
            self._put(_Asked(request, request, call_id, None))
        else:
            asyncio.get_running_loop().call_soon(self._sink.call_failed, call_id)

    async def ask(self, request: Request) -> Response:
        """As `call`, for the client's own use; raises LinkDown, ClientError where it cannot be paid for, or StoreError."""
        if not self._up.is_set():
            raise LinkDown("the relay is not connected")
        answer: asyncio.Future[tuple[Response, int]] = asyncio.get_running_loop().create_future()
        self._put(_Asked(request, request, None, answer))
        return (await answer)[0]

    async def wait_up(self) -> None:
        """Returns when the relay is connected."""
        await self._up.wait()

    def _put(self, asked: _Asked) -> None:
        """The request goes out, or waits for a token."""
        if asked.answer is not None and asked.answer.done():
            return  # whoever asked is gone
        paying = self._paying
        sent = asked.request if paying is None else paying.dress(asked.request, self.relay_time())
        if sent is None:
            self._unpaid.append(asked)
        else:
            self._waiting.put_nowait(replace(asked, sent=sent))

    def _answer(self, asked: _Asked, response: Response, time: int) -> None:
        if self._paying is not None:
            verdict = self._paying.judge(asked.sent, response)
            if verdict is Verdict.AGAIN:
                self._put(asked)
                return
            if verdict is Verdict.NONE_IS_TAKEN:
                now = self._clock()
                self._refuse(asked, Refusal(NO_TOKENS, now + HOUR), now)
                return
        if asked.call_id is not None:
            # The step that takes the answer writes the purse too.
            self._sink.answered(self.address.identity, asked.call_id, response, time)
        elif asked.answer is not None and asked.sent is asked.request:
            _resolve(asked.answer, (response, time))
        elif asked.answer is not None:
            task = asyncio.create_task(self._answer_kept(asked.answer, response, time))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def _answer_kept(
        self, answer: asyncio.Future[tuple[Response, int]], response: Response, time: int
    ) -> None:
        """A token that was shown is out of the store before anybody goes on from the answer."""
        try:
            if self._paying is not None:
                await self._paying.save()
        except StoreError as error:
            _reject(answer, error)
        else:
            _resolve(answer, (response, time))

    def _fail(self, asked: _Asked) -> None:
        if asked.call_id is not None:
            self._sink.call_failed(asked.call_id)
        elif asked.answer is not None:
            _reject(asked.answer, LinkDown("the connection to the relay broke"))

    # ---- paying ----

    def relay_time(self) -> int:
        """ms: the relay's clock as well as it is known."""
        return self.sealing.relay_time()

    def has_unpaid(self) -> bool:
        """Whether requests wait for tokens."""
        return bool(self._unpaid)

    def pay(self) -> None:
        """Requests that wait for tokens are tried again."""
        unpaid, self._unpaid = self._unpaid, []
        for asked in unpaid:
            self._put(asked)

    def refuse(self, refusal: Refusal, now: int) -> None:
        """Requests that wait for tokens wait no longer: the core tries them again later, others are told."""
        unpaid, self._unpaid = self._unpaid, []
        for asked in unpaid:
            self._refuse(asked, refusal, now)

    def _refuse(self, asked: _Asked, refusal: Refusal, now: int) -> None:
        if asked.call_id is not None:
            answer = Refused(RefusalCode.TOO_MANY, max(0, refusal.until - now))
            self._sink.answered(self.address.identity, asked.call_id, answer, self.relay_time())
        elif asked.answer is not None:
            _reject(asked.answer, ClientError(refusal.code, refusal.when(now)))

    async def exchange(self, request: Request) -> Response:
        """One sealed exchange beside the session; raises CarrierError or WireError."""
        async with self._exchanging:
            return (await self.sealing.exchange(self._exchanger(), request))[0]

    # ---- connection ----

    def _set_state(self, kind: str, problem: str | None = None) -> None:
        if (kind, problem) != (self._state.kind, self._state.problem):
            self._state = LinkState(kind, self._clock(), problem)
            self._sink.link_changed(self.address.identity, self._state)

    def _now(self) -> int:
        return int(asyncio.get_running_loop().time() * 1_000)

    def _chance(self) -> int:
        return int.from_bytes(self._random.bytes(2), "big")

    async def _run(self) -> None:
        while True:
            choice = self._paths.choose(self._now())
            if isinstance(choice, Wait):
                await self._pause(choice.until)
                continue
            try:
                await self._serve(choice)
            except CarrierError as error:
                log.info("%s failed: %s", choice, error.problem)
                self._failed(choice, error.problem)
            except PolynyaError as error:
                # Bytes that are not the protocol's: a relay that is broken or hostile, or someone between.
                log.info("%s failed: %s", choice, error.code)
                self._failed(choice, CarrierProblem.NOT_A_RELAY)
            except Exception:
                log.exception("the connection failed in a way that it should not")
                self._failed(choice, CarrierProblem.UNREACHABLE)

    def _failed(self, name: str, problem: CarrierProblem) -> None:
        self._paths.failed(name, self._now(), self._chance())
        self._set_state("offline", problem.value)

    async def _pause(self, until: int) -> None:
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.05, (until - self._now()) / 1_000)):
                await self._wake.wait()

    async def _serve(self, name: str) -> None:
        """One connection over carrier `name`, until it ends; raises CarrierError or WireError."""
        carrier = self._carriers[name]
        if not carrier.properties.streams:
            better = await self._serve_exchanges(name)
            if better is None:
                return
            name, session = better
        else:
            session = await open_session(carrier, self._exchanger(), self.sealing, self._random)
        await self._serve_session(name, session)

    def _exchanger(self) -> Carrier:
        """The carrier for keys and single exchanges: the best that can, pauses or not."""
        able = {n: c for n, c in self._carriers.items() if c.properties.exchanges}
        if not able:
            raise CarrierError(CarrierProblem.CANNOT, "no carrier has exchanges")
        return min(able.items(), key=lambda item: self._paths.record(item[0]).failures)[1]

    async def _serve_session(self, name: str, session: OpenSession) -> None:
        began = self._now()
        try:
            self._enter(session=True)
            await session.serve(self._next_asked, self)
        except (CarrierError, WireError):
            if self._now() - began < STABLE:
                raise
            # It worked: try the same again at once, before anything slower.
            self._paths.succeeded(name)
        finally:
            self._leave(session.unanswered())
            await session.close()

    async def _next_asked(self) -> tuple[Request, object]:
        asked = await self._waiting.get()
        return asked.sent, asked

    def _enter(self, *, session: bool) -> None:
        self._up.set()
        self._set_state("online" if session else "polling")
        self._sink.connected(self.address.identity, session)

    def _leave(self, unanswered: list[object]) -> None:
        """Everything that got no answer has failed."""
        self._up.clear()
        for asked in unanswered:
            assert isinstance(asked, _Asked)  # noqa: S101 - what _next_asked handed out
            self._fail(asked)
        unpaid, self._unpaid = self._unpaid, []
        for asked in unpaid:
            self._fail(asked)
        while not self._waiting.empty():
            self._fail(self._waiting.get_nowait())
        self._set_state("connecting")
        self._sink.disconnected(self.address.identity)

    # ---- a session's frames ----

    def on_reply(self, token: object, response: Response, time: int) -> None:
        assert isinstance(token, _Asked)  # noqa: S101 - what _next_asked handed out
        self._answer(token, response, time)

    def on_push(self, push: Push | EphemeralPush) -> None:
        if isinstance(push, Push):
            self._sink.pushed(self.address.identity, push)
        else:
            self._sink.ephemeral_pushed(self.address.identity, push)

    async def room(self) -> None:
        await self._sink.room()

    # ---- exchanges ----

    async def _serve_exchanges(self, name: str) -> tuple[str, OpenSession] | None:
        """Calls as single exchanges, one after another, until one fails or a session can be had again."""
        carrier = self._carriers[name]
        await self.sealing.exchange(carrier, Ping())
        self._paths.succeeded(name)
        self._enter(session=False)
        unanswered: list[object] = []
        probe = asyncio.create_task(self._probe(), name="polynya-probe")
        taken = False
        try:
            while True:
                get = asyncio.create_task(self._waiting.get())
                await asyncio.wait({get, probe}, return_when=asyncio.FIRST_COMPLETED)
                if not get.done():
                    get.cancel()
                    taken = True
                    return probe.result()
                asked = get.result()
                unanswered = [asked]
                async with self._exchanging:
                    response, time = await self.sealing.exchange(carrier, asked.sent)
                unanswered = []
                self._answer(asked, response, time)
        finally:
            probe.cancel()
            found = (await asyncio.gather(probe, return_exceptions=True))[0]
            if not taken and not isinstance(found, BaseException):
                await found[1].close()
            self._leave(unanswered)

    async def _probe(self) -> tuple[str, OpenSession]:
        """Tries for a session beside the polling, in the pauses that the path manager sets."""

        def streams(properties: CarrierProperties) -> bool:
            return properties.streams

        while True:
            choice = self._paths.choose(self._now(), fits=streams)
            if isinstance(choice, Wait):
                await asyncio.sleep(max(0.05, (choice.until - self._now()) / 1_000))
                continue
            try:
                session = await open_session(
                    self._carriers[choice], self._exchanger(), self.sealing, self._random
                )
                return choice, session
            except PolynyaError as error:
                log.info("%s still fails: %s", choice, error.code)
                self._paths.failed(choice, self._now(), self._chance())


T = TypeVar("T")


def _resolve(answer: asyncio.Future[T], value: T) -> None:
    if not answer.done():
        answer.set_result(value)


def _reject(answer: asyncio.Future[T], error: PolynyaError) -> None:
    if not answer.done():
        answer.set_exception(error)
        answer.exception()  # whoever asked may be gone: that is no unhandled error
