"""Somebody at the SDK, on a relay of their own, whom people at browsers write to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self, TypeVar

from polynya import Client, Message
from tests.client.people import texts, until
from tests.support.relay import RelayProcess

PATIENCE = 30_000
"""ms until something must have appeared; only ends a test that hangs."""
T = TypeVar("T")


class Inviter:
    """Anna, at the SDK, and the relay that she runs; in a thread of their own, as the browser is driven from this one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._stack = AsyncExitStack()
        self.relay = RelayProcess(folder / "relay", "--local", "off")
        self.client = Client(folder / "anna")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE / 1_000)

    async def _begin(self) -> None:
        await self._stack.enter_async_context(self.relay)
        await self._stack.enter_async_context(self.client)
        await self.client.register("Anna", self.relay.link)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self._begin())
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _finish(self) -> None:
        await self._stack.aclose()
        # Whoever waited for what never came.
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def _restart(self) -> None:
        await self.relay.start()
        # In the pauses between her attempts nothing is to be seen here.
        self.client.retry_now()

    def kill_relay(self) -> None:
        self.run(self.relay.kill())

    def start_relay(self) -> None:
        """Again, with what it had."""
        self.run(self._restart())

    def invite(self) -> str:
        return self.run(self.client.invite())

    async def _accept(self) -> None:
        (request,) = await until(self.client, self.client.requests)
        await self.client.accept(request)

    def accept(self) -> None:
        """Accepts whoever asks, as soon as they do."""
        self.run(self._accept())

    async def _receive(self, text: str) -> bool:
        async def written() -> bool:
            return any([text in await texts(self.client, chat) for chat in self.client.conversations()])

        return bool(await until(self.client, written))

    def receive(self, text: str) -> bool:
        """Waits until `text` is there."""
        return self.run(self._receive(text))

    # ---- files ----

    async def _files(self, beginning: str) -> list[Message]:
        chats = [await self.client.history(chat, 1_000) for chat in self.client.conversations()]
        return [one for chat in chats for one in chat if one.file and one.file.name.startswith(beginning)]

    async def _receive_files(self, beginning: str, count: int) -> list[Message]:
        async def there() -> list[Message] | None:
            found = await self._files(beginning)
            return found if len(found) >= count else None

        found = await until(self.client, there)
        assert isinstance(found, list)
        return found

    async def _fetch(self, name: str, folder: Path) -> bytes:
        (message,) = await self._receive_files(name, 1)
        return (await self.client.download(message, folder)).read_bytes()

    def receive_names(self, beginning: str, count: int) -> list[str]:
        """Waits until so many files whose names begin like this are there; all their names, oldest first."""
        found = self.run(self._receive_files(beginning, count))
        return [message.file.name for message in found if message.file]

    def fetch(self, name: str, folder: Path) -> bytes:
        """Waits until a file of this name is there, and fetches it into `folder`."""
        return self.run(self._fetch(name, folder))

    def count_files(self, beginning: str) -> int:
        return len(self.run(self._files(beginning)))
