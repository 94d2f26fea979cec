"""Runs the core: events in, saves made durable, then calls out; timers and links in between.

One step takes every event that waits, so that a burst costs one transaction. If the store cannot take a
step, nothing of it leaves: the core is read back from disk and goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from polynya.carriers.base import Carrier, CarrierError
from polynya.client.errors import ClientError, StoreError, StoreFull
from polynya.client.link import Link, LinkState
from polynya.client.purses import PURSE, Purses
from polynya.client.sealing import Sealing
from polynya.client.storage import OWN, Change, Storage
from polynya.core.commands import (
    AmendMessage,
    AppendMessage,
    AppEvent,
    Call,
    Command,
    DropRelay,
    ForgetHistory,
    Notify,
    Save,
    SetTimer,
    TokensReceived,
    UseRelay,
)
from polynya.core.core import Core
from polynya.core.events import (
    Action,
    Answered,
    Connected,
    Disconnected,
    EphemeralPushed,
    Event,
    Failed,
    Pushed,
    TimerFired,
)
from polynya.crypto.random import Random
from polynya.errors import PolynyaError
from polynya.paths import backoff
from polynya.wire.errors import WireError
from polynya.wire.messages import EphemeralPush, Ping, Push, RelayAddress, Response

log = logging.getLogger("polynya.client")

T = TypeVar("T")

CLOCK_CHANGE = 2_000
"""ms by which the relay's clock may drift from ours before we take notice: a slow answer is late by as
much."""
BACKLOG_MOST = 1_000
"""Events that may wait; beyond, sessions read no further, so that a flood stays in the network (1,000 x
4 KB = 4 MB)."""
MEMORY_EVERY = 3_600_000
"""ms of a relay's time after which what is known of it is kept again."""
QUIET = 1.0
"""Seconds without a step after which the store forgets former versions of its rows."""
FORGET_EVERY = 256
"""Steps after which it does so without a pause: 3 ms more for each 256 x ~3 ms."""
RESTART_MOST = 30_000
"""ms at most between two attempts on a store that fails."""
STEP_MOST = 64
"""Events in one step: bounds how long actions wait behind a burst (64 x ~5 ms)."""
TIMER_LOOK = 60.0
"""Seconds after which a timer is looked at again: the device's clock may have been set meanwhile."""
LINK_MEMORY = OWN + "link"


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A relay is reached in another way than before."""

    relay: bytes
    state: LinkState


@dataclass(frozen=True, slots=True)
class StoreFailed:
    """A step could not be kept (disk full, most often); it is tried again by itself."""

    error: StoreError


@dataclass(frozen=True, slots=True)
class Stopped:
    """The last event: the client was closed, or its store cannot be read any more."""

    error: PolynyaError


LoopEvent: TypeAlias = AppEvent | LinkChanged | StoreFailed | Stopped
CarrierFactory: TypeAlias = Callable[[RelayAddress], Mapping[str, Carrier]]


@dataclass(slots=True)
class _Done:
    """Who waits for an action, and what it led to."""

    future: asyncio.Future[tuple[AppEvent, ...]]
    events: list[AppEvent] = field(default_factory=list)


class Loop:
    """Owns core, store and links while the client is open. Also the `LinkSink` of its links."""

    def __init__(
        self, storage: Storage, carriers: CarrierFactory, *, random: Random, clock: Callable[[], int]
    ) -> None:
        self._storage = storage
        self._carriers = carriers
        self._random = random
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="polynya-store")
        self._core: Core | None = None
        self._links: dict[bytes, Link] = {}
        self._up: set[bytes] = set()
        self._calls: set[int] = set()
        self._waiting: deque[tuple[Event, _Done | None]] = deque()
        self._wake = asyncio.Event()
        self._busy = False
        self._settled = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0
        self._resume: asyncio.TimerHandle | None = None
        self._held: dict[bytes, RelayAddress] = {}
        self._failures = 0
        self._written = 0
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._difference = 0
        self._memories: dict[bytes, bytes] = {}
        self._remembered: dict[bytes, int] = {}
        self._room = asyncio.Event()
        self._room.set()
        self._listeners: list[Callable[[LoopEvent], None]] = []
        self._fatal: PolynyaError | None = None
        self.purses = Purses(
            random=random, clock=clock, write=self._write, told=self._tell, core=lambda: self._core
        )

    # ---- for the client ----

    @property
    def core(self) -> Core:
        if self._core is None:
            raise self._fatal or ClientError("closed")
        return self._core

    @property
    def links(self) -> Mapping[bytes, Link]:
        return self._links

    def now(self) -> int:
        """ms: the device's clock, set right by what the home relay last told. The core is handed this,
        so that a wrong clock makes no difference from the first connection on."""
        return max(0, self._clock() + self._difference)

    async def start(self) -> None:
        """Reads the core from disk and starts. Raises StoreError."""
        self._core = await self._loaded()
        me = self._core.me()
        if me is not None and me.relay.identity in self._memories:
            self._difference = self._sealing(me.relay.identity).difference
        self._task = asyncio.create_task(self._run(), name="polynya-loop")
        await self._step_commands(self._core.start(self.now(), self._random))

    async def close(self) -> None:
        """Ends links and timers; what waits for an action is told that the client is closed."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._timer is not None:
            self._timer.cancel()
        if self._resume is not None:
            self._resume.cancel()
        memories = [Save(LINK_MEMORY, relay, link.memory()) for relay, link in self._links.items()]
        await self._drop_links()
        kept = memories + self.purses.changes((), self.now())
        if kept:
            with contextlib.suppress(StoreError):
                await self._write(kept)
        self._core = None
        self._fail_actions(ClientError("closed"))
        self._tell(Stopped(ClientError("closed")))
        await asyncio.get_running_loop().run_in_executor(self._thread, self._storage.close)
        self._thread.shutdown()

    async def ask_time(self, address: RelayAddress) -> None:
        """Before an identity is made: whether this is the relay of the link, and what its clock says. An
        absent relay is no error. Raises ClientError `wrong-relay`."""
        sealing = self._sealing(address.identity)
        carriers = self._carriers(address)
        try:
            for carrier in carriers.values():
                if carrier.properties.exchanges:
                    await sealing.exchange(carrier, Ping())
                    break
        except CarrierError as error:
            log.info("the relay cannot be asked for its time: %s", error.problem)
        except WireError as error:
            raise ClientError("wrong-relay") from error
        finally:
            for carrier in carriers.values():
                await carrier.close()
        self._difference = sealing.difference
        self._memories[address.identity] = sealing.remember(b"")

    def _sealing(self, relay: bytes) -> Sealing:
        """What is remembered of a relay that there is no link to."""
        sealing = Sealing(relay, random=self._random, clock=self._clock)
        sealing.recall(self._memories.get(relay))
        return sealing

    async def do(self, action: Action) -> tuple[AppEvent, ...]:
        """Hands an action to the core; returns, once it is durable, what the app was told. Raises
        CoreError or StoreError: then nothing has changed."""
        if self._core is None:
            raise self._fatal or ClientError("closed")
        done = _Done(asyncio.get_running_loop().create_future())
        self._put(action, done)
        return await done.future

    async def in_store(self, work: Callable[[Storage], T]) -> T:
        """Runs `work` in the store's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._storage)

    def listen(self, listener: Callable[[LoopEvent], None]) -> Callable[[], None]:
        """Calls `listener` (must not raise) for every event from now on; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def settled(self) -> None:
        """Returns when all relays are connected and nothing that was asked of them is unanswered."""
        await self._settled.wait()

    def timer_in(self) -> float:
        """Seconds until the core's next timer; negative when it is due."""
        return (self._timer_at - self.now()) / 1_000

    def retry_now(self) -> None:
        for link in self._links.values():
            link.retry_now()

    # ---- steps ----

    def _put(self, event: Event, done: _Done | None = None) -> None:
        self._waiting.append((event, done))
        if len(self._waiting) >= BACKLOG_MOST:
            self._room.clear()
        self._settled.clear()
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._woken()
            self._wake.clear()
            while self._waiting:
                self._busy = True
                try:
                    await self._step()
                except Exception as error:
                    log.exception("a step failed in a way that it should not")
                    await self._reload(StoreError(f"the step failed: {type(error).__name__}"), ())
                finally:
                    self._busy = False
            self._look_settled()

    async def _woken(self) -> None:
        """Waits for events; in a pause the store forgets what it has replaced."""
        if self._written:
            try:
                async with asyncio.timeout(QUIET):
                    await self._wake.wait()
            except TimeoutError:
                await self._forget_former()
        await self._wake.wait()

    async def _forget_former(self) -> None:
        self._written = 0
        await self.in_store(lambda s: s.forget_former())

    async def _step(self) -> None:
        commands: list[Command] = []
        dones: list[_Done] = []
        for _ in range(min(STEP_MOST, len(self._waiting))):
            event, done = self._waiting.popleft()
            if len(self._waiting) < BACKLOG_MOST:
                self._room.set()
            if isinstance(event, (Answered, Failed)):
                self._calls.discard(event.call_id)
            made = self._handle(event, done)
            if done is not None and not done.future.done():
                done.events = [command.event for command in made if isinstance(command, Notify)]
                dones.append(done)
            commands += made
        try:
            await self._keep(commands)
        except StoreError as error:
            await self._reload(error, dones)
            return
        except asyncio.CancelledError:
            _refuse(dones, ClientError("closed"))
            raise
        self._failures = 0
        self._perform(commands)
        for done in dones:
            if not done.future.done():
                done.future.set_result(tuple(done.events))

    def _handle(self, event: Event, done: _Done | None) -> tuple[Command, ...]:
        """The core's commands; an action that it refuses is told to whoever asked."""
        try:
            return self.core.handle(event, self.now(), self._random)
        except Exception as error:
            if done is None:
                log.exception("the core failed on an event of the network; the event is dropped")
            elif not done.future.done():
                done.future.set_exception(error)
            return ()

    async def _step_commands(self, commands: tuple[Command, ...]) -> None:
        await self._keep(commands)
        self._perform(commands)
        self._look_settled()

    async def _keep(self, commands: tuple[Command, ...] | list[Command]) -> None:
        changes: list[Change] = [
            command
            for command in commands
            if isinstance(command, (Save, AppendMessage, AmendMessage, ForgetHistory))
        ]
        changes += self.purses.changes(commands, self.now())
        if changes:
            changes += self._due_memories()
            versions = self.purses.versions()
            await self.in_store(lambda s: s.commit(changes, self.now()))
            self.purses.written(versions)
            self._written += 1
            if self._written == FORGET_EVERY:
                await self._forget_former()

    async def _write(self, saves: Sequence[Save]) -> None:
        """Makes rows of the client's own durable; raises StoreError."""
        await self.in_store(lambda s: s.commit(saves, self.now()))

    def _due_memories(self) -> list[Save]:
        """What is to be kept of links that have heard from their relay since: with a step that is
        written anyway."""
        due: list[Save] = []
        for relay, link in self._links.items():
            if link.sealing.told - self._remembered.get(relay, 0) > MEMORY_EVERY:
                self._remembered[relay] = link.sealing.told
                due.append(Save(LINK_MEMORY, relay, link.memory()))
        return due

    def _perform(self, commands: tuple[Command, ...] | list[Command]) -> None:
        self.purses.done(commands)
        for command in commands:
            if isinstance(command, UseRelay):
                self._use(command.address)
            elif isinstance(command, DropRelay):
                self._held.pop(command.identity, None)
                self._close_later(self._links.pop(command.identity, None))
                self._up.discard(command.identity)
            elif isinstance(command, Call):
                self._call(command)
            elif isinstance(command, SetTimer):
                self._set_timer(command.at)
            elif isinstance(command, Notify) and not isinstance(command.event, TokensReceived):
                self._tell(command.event)

    def _call(self, call: Call) -> None:
        self._calls.add(call.id)
        link = self._links.get(call.relay)
        if link is None:
            self._put(Failed(call.id))
        else:
            link.call(call.id, call.request)

    def _tell(self, event: LoopEvent) -> None:
        for listener in tuple(self._listeners):
            listener(event)

    def _look_settled(self) -> None:
        if (
            not self._busy
            and not self._waiting
            and not self._calls
            and self._up == set(self._links) | set(self._held)
        ):
            self._settled.set()

    # ---- timers ----

    def _set_timer(self, at: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        delay = max(0.0, (at - self.now()) / 1_000)
        self._timer = asyncio.get_running_loop().call_later(min(delay, TIMER_LOOK), self._look_at_timer)

    def _look_at_timer(self) -> None:
        if self.now() < self._timer_at:
            self._set_timer(self._timer_at)
        else:
            self._put(TimerFired())

    # ---- a store that fails ----

    async def _loaded(self) -> Core:
        rows = await self.in_store(lambda s: s.load())
        self._memories = {key: value for table, key, value in rows if table == LINK_MEMORY}
        self.purses.load({key: value for table, key, value in rows if table == PURSE})
        return Core.load([row for row in rows if not row[0].startswith(OWN)])

    async def _reload(self, error: StoreError, dones: Sequence[_Done]) -> None:
        """Forgets everything that is not on disk: links, timers, calls, and what the core holds beyond. The core that
        is read back works at once; links wait, longer each time, as they would only bring more to keep."""
        log.warning("the store did not take a step: %s", error.code)
        if self._timer is not None:
            self._timer.cancel()
        await self._drop_links()
        self._calls.clear()
        self._waiting = deque(item for item in self._waiting if item[1] is not None)
        self._room.set()
        _refuse(dones, error)
        self._tell(StoreFailed(error))
        while True:
            self._failures += 1
            try:
                self._core = await self._loaded()
                commands = self._core.start(self.now(), self._random)
                await self._keep(commands)
                break
            except StoreFull as still:
                self._fail_actions(still)
                await asyncio.sleep(self._pause())
            except PolynyaError as fatal:
                self._core, self._fatal = None, fatal
                self._fail_actions(fatal)
                self._tell(Stopped(fatal))
                return
        if self._resume is not None:
            self._resume.cancel()
        self._resume = asyncio.get_running_loop().call_later(self._pause(), self._resume_links)
        self._perform(commands)

    def _pause(self) -> float:
        chance = int.from_bytes(self._random.bytes(2), "big")
        return backoff.pause(self._failures, chance, largest=RESTART_MOST) / 1_000

    def _resume_links(self) -> None:
        self._resume = None
        held, self._held = self._held, {}
        for address in held.values():
            self._use(address)

    def _fail_actions(self, error: PolynyaError) -> None:
        _refuse([done for _, done in self._waiting if done is not None], error)
        self._waiting.clear()

    # ---- links ----

    def _use(self, address: RelayAddress) -> None:
        if self._resume is not None:
            self._held[address.identity] = address
            return
        known = self._links.get(address.identity)
        if known is not None:
            if known.address == address:
                return
            self._close_later(known)
            self._up.discard(address.identity)
        memory = self._memories.pop(address.identity, None)
        link = Link(
            address,
            self._carriers(address),
            self,
            random=self._random,
            clock=self._clock,
            memory=memory,
            paying=self.purses.paying(address.identity),
        )
        self._links[address.identity] = link
        link.start()

    def _close_later(self, link: Link | None) -> None:
        if link is not None:
            task = asyncio.create_task(link.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _drop_links(self) -> None:
        links, self._links, self._held = self._links, {}, {}
        self._up.clear()
        await asyncio.gather(
            *(link.close() for link in links.values()), *self._closing, return_exceptions=True
        )

    # ---- what links tell ----

    def _adopt_time(self, relay: bytes) -> None:
        """Takes the home relay's word on the time; a clock that was set since makes the core look at its
        timers."""
        me = None if self._core is None else self._core.me()
        if me is None or me.relay.identity != relay:
            return
        difference = self._links[relay].sealing.difference
        if abs(difference - self._difference) > CLOCK_CHANGE:
            self._difference = difference
            self._put(TimerFired())

    def connected(self, relay: bytes, session: bool) -> None:
        if relay in self._links:
            self._adopt_time(relay)
            self._up.add(relay)
            self._put(Connected(relay, session))

    def disconnected(self, relay: bytes) -> None:
        if relay in self._links:
            self._up.discard(relay)
            self._put(Disconnected(relay))

    def answered(self, relay: bytes, call_id: int, response: Response, relay_time: int) -> None:
        if call_id in self._calls:
            self._adopt_time(relay)
            self._put(Answered(call_id, response, relay_time))

    def call_failed(self, call_id: int) -> None:
        if call_id in self._calls:
            self._put(Failed(call_id))

    def pushed(self, relay: bytes, push: Push) -> None:
        self._put(Pushed(relay, push))

    async def room(self) -> None:
        await self._room.wait()

    def ephemeral_pushed(self, relay: bytes, push: EphemeralPush) -> None:
        self._put(EphemeralPushed(relay, push))

    def link_changed(self, relay: bytes, state: LinkState) -> None:
        if relay in self._links:
            self._tell(LinkChanged(relay, state))


def _refuse(dones: Sequence[_Done], error: PolynyaError) -> None:
    for done in dones:
        if not done.future.done():
            done.future.set_exception(error)
