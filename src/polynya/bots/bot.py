"""A bot: an account, a handler for messages, and a loop that handles each message exactly once."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TextIO, TypeVar

import platformdirs

from polynya.bots.errors import BotError
from polynya.bots.incoming import Incoming
from polynya.bots.worker import Worker
from polynya.client import Client, system
from polynya.client.appevents import ConversationChanged, InvitesChanged, MessageReceived, RequestReceived
from polynya.core.errors import CoreError
from polynya.core.views import RequestView
from polynya.errors import PolynyaError

log = logging.getLogger("polynya.bots")

Handler = Callable[[Incoming], Awaitable[None]]
H = TypeVar("H", bound=Handler)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")


class Bot:
    """A bot named `name`.

    `store`: its folder; else POLYNYA_STORE, else one of the bot's name among the user's data. `relay`:
    the link that the relay printed, for the first start; else POLYNYA_RELAY. `passphrase`: seals the
    store; else POLYNYA_PASSPHRASE, else a key file. `shown_as`: the name that people see; else
    POLYNYA_NAME, else `name`. `accept`: whether to accept a contact request; default: all of them.
    Raises BotError.
    """

    def __init__(
        self,
        name: str,
        *,
        store: str | Path | None = None,
        relay: str | None = None,
        passphrase: str | None = None,
        shown_as: str | None = None,
        accept: Callable[[RequestView], bool] = lambda request: True,
    ) -> None:
        if not NAME.match(name):
            raise BotError("bot-name", repr(name[:80]))
        self.name = name
        self._shown_as = shown_as or os.environ.get("POLYNYA_NAME") or None
        self.folder = Path(store or os.environ.get("POLYNYA_STORE") or _default_folder(name)).expanduser()
        self._relay = relay or os.environ.get("POLYNYA_RELAY") or None
        self._passphrase = passphrase or os.environ.get("POLYNYA_PASSPHRASE") or None
        self._accept = accept
        self._handler: Handler | None = None
        self._client: Client | None = None
        self._workers: dict[bytes, Worker] = {}
        self._shown: str | None = None

    def use(self, *, store: str | Path, relay: str | None = None) -> None:
        """Another store, and relay for its first start: for tests of a bot that a module has made."""
        self.folder = Path(store).expanduser()
        self._relay = relay

    @property
    def client(self) -> Client:
        """The account, while the bot runs."""
        if self._client is None:
            raise BotError("bot-over")
        return self._client

    def message(self, handler: H) -> H:
        """Decorator: `handler` gets every message of others, in each conversation in order and one at a
        time."""
        is_async: bool = inspect.iscoroutinefunction(handler)
        if not is_async or len(inspect.signature(handler).parameters) != 1:
            raise BotError("bot-handler", getattr(handler, "__name__", ""))
        self._handler = handler
        return handler

    # ---- running ----

    def run(self) -> None:
        """Runs until interrupted (Ctrl-C, SIGTERM). Prints the bot's invite, and a new one when that was
        used. Errors of the set-up end the program with one line."""
        try:
            asyncio.run(self._run_until_signal(sys.stdout))
        except PolynyaError as error:
            sys.exit(f"{self.name}: {error}")
        except KeyboardInterrupt:
            sys.exit(130)

    async def _run_until_signal(self, out: TextIO) -> None:
        task = asyncio.current_task()
        if task is not None:
            with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C interrupts by itself
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        async with self.running(out):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def running(self, out: TextIO | None = None) -> AsyncIterator[Bot]:
        """The bot at work while the block runs: for tests, and for programs that do other things
        besides. `out`: where invites are printed."""
        handler = self._handler
        if handler is None:
            raise BotError("bot-no-handler")
        async with Client(self.folder, passphrase=self._passphrase) as client:
            if not client.registered:
                if self._relay is None:
                    raise BotError("bot-no-relay")
                await client.register(self._shown_as or self.name, self._relay)
            elif self._shown_as is not None and client.me.name != self._shown_as:
                await client.set_name(self._shown_as)
            self._client, self._shown = client, None
            events = client.events()
            tasks = [
                asyncio.create_task(self._follow(events, handler), name="polynya-bot"),
                asyncio.create_task(self._keep_invite(out), name="polynya-bot-invite"),
            ]
            try:
                yield self
            finally:
                workers = [worker.task for worker in self._workers.values()]
                for task in (*tasks, *workers):
                    task.cancel()
                await asyncio.gather(*tasks, *workers, return_exceptions=True)
                self._workers.clear()
                self._client = None

    async def invite(self, timeout: float = 60.0) -> str:
        """The bot's open invite: one that nobody has used; made if there is none."""
        client = self.client
        for view in client.invites():
            link = client.link_of(view)
            if view.state == "ready" and link is not None:
                return link
        return await client.invite(timeout)

    async def _follow(self, events: AsyncIterator[object], handler: Handler) -> None:
        """Starts with what came while the bot was away, then goes on with what happens."""
        for request in self.client.requests():
            await self._answer(request)
        for view in self.client.conversations():
            self._wake(view.id, handler)
        async for event in events:
            if isinstance(event, MessageReceived):
                self._wake(event.message.conversation, handler)
            elif isinstance(event, ConversationChanged) and event.conversation is not None:
                self._wake(event.id, handler)
            elif isinstance(event, RequestReceived):
                await self._answer(event.request)

    async def _answer(self, request: RequestView) -> None:
        try:
            if self._accept(request):
                await self.client.accept(request)
            else:
                await self.client.decline(request)
        except CoreError as error:
            log.warning("%s: a contact request was not answered: %s", self.name, error.code)
        except Exception:
            log.exception("%s: `accept` failed; the request waits for the next start", self.name)

    def _wake(self, conversation: bytes, handler: Handler) -> None:
        worker = self._workers.get(conversation)
        if worker is None or worker.task.done():
            worker = self._workers[conversation] = Worker(
                self.client, conversation, handler, system.SystemRandom()
            )
        worker.wake()

    async def _keep_invite(self, out: TextIO | None) -> None:
        """Always has one unused invite, and prints each once a run."""
        if out is None:
            return
        events = self.client.events()
        while True:
            link = await self._patient_invite()
            if link != self._shown:
                self._shown = link
                print(f"{self.name} is running. Invite somebody to it:\n{link}", file=out, flush=True)
            async for event in events:
                if isinstance(event, InvitesChanged):
                    break

    async def _patient_invite(self) -> str:
        while True:
            with contextlib.suppress(PolynyaError):
                return await self.invite()
            await asyncio.sleep(5)


def _default_folder(name: str) -> Path:
    return platformdirs.user_data_path("polynya", appauthor=False) / "bots" / name
