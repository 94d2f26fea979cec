"""Events for programs: turns what the loop tells into values, for each reader in a queue of its own."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import polynya.client.appevents as appevents
from polynya.client.appevents import ClientEvent
from polynya.client.loop import LinkChanged, Loop, LoopEvent, Stopped, StoreFailed
from polynya.client.values import Message, to_message
from polynya.core import commands
from polynya.errors import PolynyaError

T = TypeVar("T")

QUEUE_MOST = 10_000
"""Events that wait for one reader: at ~200 B each, 2 MB."""


class Feed:
    """One reader's events, from its making on."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[LoopEvent] = asyncio.Queue()
        self._lost = False
        self._stop = loop.listen(self._take)

    def _take(self, event: LoopEvent) -> None:
        if self._queue.qsize() < QUEUE_MOST or isinstance(event, Stopped):
            self._queue.put_nowait(event)
        else:
            self._lost = True

    async def iterate(self) -> AsyncIterator[ClientEvent]:
        try:
            while True:
                event = await self._queue.get()
                if isinstance(event, Stopped):
                    return
                if self._lost and self._queue.empty():
                    self._lost = False
                    yield appevents.EventsLost()
                for made in await self._made(event):
                    yield made
        finally:
            self._stop()

    async def _made(self, event: LoopEvent) -> list[ClientEvent]:
        """No event, or one: what an event speaks of may be gone when it is read."""
        core = self._loop.core
        match event:
            case commands.MessageAdded(conversation, id):
                message = await self._message(conversation, id)
                if message is None:
                    return []
                kind = appevents.MessageSent if message.mine else appevents.MessageReceived
                return [kind(message)]
            case commands.MessageChanged(conversation, id):
                message = await self._message(conversation, id)
                return [] if message is None else [appevents.MessageChanged(message)]
            case commands.ConversationChanged(conversation):
                return [appevents.ConversationChanged(conversation, core.conversation(conversation))]
            case commands.RequestReceived(id):
                return [appevents.RequestReceived(view) for view in core.requests() if view.id == id]
            case commands.ContactAccepted(conversation):
                accepted = core.conversation(conversation)
                return [] if accepted is None else [appevents.ContactAccepted(accepted)]
            case commands.RequestsChanged():
                return [appevents.RequestsChanged()]
            case commands.ContactsChanged():
                return [appevents.ContactsChanged()]
            case commands.InvitesChanged() | commands.InviteCreated() | commands.InviteOpened():
                return [appevents.InvitesChanged()]
            case commands.InviteFailed(_, code):
                return [appevents.ProblemRaised(code)]
            case commands.TypingChanged(conversation, identity, active):
                return [appevents.TypingChanged(conversation, identity, active)]
            case commands.TokensReceived():
                return []
            case commands.MeChanged() | commands.IdentityCreated():
                return [appevents.MeChanged()]
            case commands.ProblemRaised(where, code):
                return [appevents.ProblemRaised(code, where)]
            case LinkChanged(relay, state):
                return [appevents.LinkChanged(relay, state)]
            case StoreFailed(error):
                return [appevents.ProblemRaised(error.code)]
            case Stopped():
                return []

    async def _message(self, conversation: bytes, id: bytes) -> Message | None:
        stored = await self._loop.in_store(lambda store: store.message(conversation, id))
        return None if stored is None else to_message(stored, self._loop.core.name_of)


class Waiter:
    """Looks again whenever anything happens."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop

    async def until(self, check: Callable[[], T | None] | Callable[[], Awaitable[T | None]]) -> T:
        """The first value of `check` that is not None. Raises what `check` raises, and the loop's end."""
        happened = asyncio.Event()
        ended: list[PolynyaError] = []

        def listener(event: LoopEvent) -> None:
            if isinstance(event, Stopped):
                ended.append(event.error)
            happened.set()

        stop = self._loop.listen(listener)
        try:
            while True:
                found = check()
                value = await found if inspect.isawaitable(found) else found
                if value is not None:
                    return value
                await happened.wait()
                happened.clear()
                if ended:
                    raise ended[0]
        finally:
            stop()
