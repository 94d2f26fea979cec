"""For tests of bots and tools: a real relay on loopback, and people to talk with. Nothing in it is a
stand-in.

    async with LocalRelay() as relay, bot.running(), Friend("Anna", relay.link) as anna:
        chat = await anna.meet(await bot.invite())
        assert (await anna.ask(chat, "hello")).text == "You said: hello"

Needs the relay's parts: pip install 'polynya[relay]'.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from polynya.client import Client
from polynya.client.appevents import ContactAccepted, MessageReceived
from polynya.client.values import Message
from polynya.core.views import ConversationView
from polynya.errors import PolynyaError
from polynya.relay.config import CONFIG_FILE

START = 30.0
"""Seconds for the relay's process to print its link."""


class TestingError(PolynyaError):
    """The relay did not start, or somebody did not answer in time."""

    code = "testing"
    __test__ = False


class LocalRelay:
    """A relay in a process of its own, on a free port of 127.0.0.1; its data is removed at the end.

    `kill` and `start` restart it on the same data and port, as after a crash. `options`: of `polynya up`. Where the data
    folder has no configuration, it gets one with which tests do not run out of tokens.
    """

    def __init__(self, data: Path | None = None, *, options: tuple[str, ...] = ()) -> None:
        self._own_data = data is None
        self.data = data if data is not None else Path(tempfile.mkdtemp(prefix="polynya-relay-"))
        self._options = options
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0
        self.link = ""
        """What `Client.register` takes."""

    async def __aenter__(self) -> LocalRelay:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if self._own_data:
            await asyncio.to_thread(shutil.rmtree, self.data, True)

    async def start(self) -> None:
        """Raises TestingError."""
        await asyncio.to_thread(configure, self.data)
        words = ("up", "--data", str(self.data), "--port", str(self._port), "--local", "off", "--print-link")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "polynya.relay",
            *words,
            *self._options,
            stdout=asyncio.subprocess.PIPE,
            stderr=None,
        )
        out = self._process.stdout
        assert out is not None  # noqa: S101 - asked for above
        try:
            async with asyncio.timeout(START):
                self.link = (await out.readline()).decode().strip()
        except TimeoutError as error:
            await self.kill()
            raise TestingError("the relay did not start in time") from error
        if not self.link:
            await self.kill()
            raise TestingError("the relay ended at once; what it said is on standard error")
        self._port = urlsplit(self.link).port or 0

    async def kill(self) -> None:
        """SIGKILL, as a crash or power cut."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM, as a restart by its operator."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            async with asyncio.timeout(20):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


def configure(data: Path) -> None:
    """Lets people of a relay with this data folder have as many tokens as a test may need."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), (data / CONFIG_FILE).open("x") as file:
        file.write("[limits]\njoins_per_day = 200\nopen_use_tokens_first = 1024\n")


class Friend:
    """Somebody with an account of their own on the relay of `link`; their store is removed at the end."""

    def __init__(self, name: str, link: str, *, folder: Path | None = None) -> None:
        self._own_folder = folder is None
        folder = folder if folder is not None else Path(tempfile.mkdtemp(prefix="polynya-friend-"))
        self._name = name
        self._link = link
        self.client = Client(folder)

    async def __aenter__(self) -> Friend:
        await self.client.__aenter__()
        if not self.client.registered:
            await self.client.register(self._name, self._link)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.client.close()
        if self._own_folder:
            await asyncio.to_thread(shutil.rmtree, self.client.folder, True)

    async def meet(self, invite: str, *, text: str | None = None, timeout: float = 60.0) -> ConversationView:
        """Uses an invite; returns when its owner has accepted. Raises TestingError."""
        events = self.client.events()
        invitation = await self.client.accept_invite(invite, text, timeout)
        try:
            async with asyncio.timeout(timeout):
                async for event in events:
                    if isinstance(event, ContactAccepted):
                        identities = [member.identity for member in event.conversation.members]
                        if invitation.identity in identities:
                            return event.conversation
        except TimeoutError as error:
            raise TestingError(f"{invitation.name} did not accept in time") from error
        raise TestingError("the client was closed")

    async def ask(self, chat: ConversationView, text: str, *, timeout: float = 60.0) -> Message:
        """Sends a text; gives the next message of somebody else in that conversation. Raises TestingError."""
        events = self.client.events()
        await self.client.send(chat, text)
        try:
            async with asyncio.timeout(timeout):
                async for event in events:
                    if not isinstance(event, MessageReceived) or event.message.kind == "system":
                        continue
                    if event.message.conversation == chat.id:
                        return event.message
        except TimeoutError as error:
            raise TestingError(f"nobody answered {text!r} in time") from error
        raise TestingError("the client was closed")
