"""One conversation's messages through the handler, in order of arrival, each exactly once."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable

from polynya.bots.incoming import Incoming
from polynya.client import Client
from polynya.client.errors import StoreError
from polynya.client.values import Message
from polynya.core.errors import CoreError
from polynya.core.events import Batch, MarkRead, SingleAction
from polynya.crypto.random import Random

log = logging.getLogger("polynya.bots")

CURSOR = b"bot/cursor/"
STATE = b"bot/state/"
PAGE = 50
"""Messages read at once to find the next one for the handler."""
STORE_PAUSE = 5.0
"""Seconds until a store that could not keep an answer is tried again."""


class Worker:
    """`wake` after each arrival. The cursor (the store's arrival number of the last message that is
    done) is kept in one step with what the handler sent."""

    def __init__(
        self,
        client: Client,
        conversation: bytes,
        handler: Callable[[Incoming], Awaitable[None]],
        random: Random,
    ) -> None:
        self._client = client
        self._conversation = conversation
        self._handler = handler
        self._random = random
        self._woken = asyncio.Event()
        self.task = asyncio.create_task(self._run(), name="polynya-bot-worker")

    def wake(self) -> None:
        self._woken.set()

    async def _run(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                while await self._next():
                    pass
            except StoreError as error:
                log.error("the store cannot be read: %s", error.code)
                await asyncio.sleep(STORE_PAUSE)
                self._woken.set()

    def _cursor(self) -> int:
        mark = self._client.loop.core.mark(CURSOR + self._conversation)
        return 0 if mark is None else int.from_bytes(mark, "big")

    async def _next(self) -> bool:
        """Handles the next message; False when there is none."""
        found = await self._client.arrived(self._cursor(), limit=PAGE, chat=self._conversation)
        for arrival, message in found:
            if is_for_handler(message):
                await self._handle(arrival, message)
                return True
        if len(found) < PAGE:
            return False
        # A page of own messages and notes: step over it, else the next one is never reached.
        await self._client.loop.do(Batch((), (self._mark(found[-1][0]),)))
        return True

    def _mark(self, arrival: int) -> tuple[bytes, bytes]:
        return CURSOR + self._conversation, arrival.to_bytes(8, "big")

    async def _handle(self, arrival: int, message: Message) -> None:
        state = self._client.loop.core.mark(STATE + self._conversation)
        incoming = Incoming(self._client, message, state, self._random)
        gathered: tuple[SingleAction, ...] = ()
        kept: bytes | None = None
        try:
            await self._handler(incoming)
            gathered, kept = incoming.end()
        except StoreError as error:
            log.error("the store failed inside the handler (%s); the message comes again", error.code)
            await asyncio.sleep(STORE_PAUSE)
            return
        except Exception:
            # The message counts as handled: a handler that fails on it would fail on it for ever.
            log.error("the handler failed; nothing of what it gathered is sent\n%s", traceback.format_exc())
        marks = [self._mark(arrival)]
        if kept is not None:
            marks.append((STATE + self._conversation, kept))
        await self._commit(message, gathered, tuple(marks))

    async def _commit(
        self, message: Message, gathered: tuple[SingleAction, ...], marks: tuple[tuple[bytes, bytes], ...]
    ) -> None:
        """In one step: the answers, that the message is read, and that it is done."""
        read: tuple[SingleAction, ...] = (MarkRead(message.conversation, message.id),)
        for actions in ((*gathered, *read), gathered, ()):
            try:
                await self._client.loop.do(Batch(actions, marks))
                return
            except CoreError as error:
                if actions == gathered:
                    log.warning("the answer cannot be sent: %s", error.code)
            except StoreError as error:
                log.error("the answer cannot be kept (%s); the message comes again", error.code)
                await asyncio.sleep(STORE_PAUSE)
                return


def is_for_handler(message: Message) -> bool:
    """What people write: texts and files of others that are still there."""
    return not message.mine and message.kind in ("text", "file") and not message.deleted
