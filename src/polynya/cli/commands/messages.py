"""chats, send, tail, download."""

from __future__ import annotations

from argparse import Namespace
from contextlib import nullcontext, suppress

from polynya.cli.context import CURRENT, path_of
from polynya.cli.door import open_door
from polynya.cli.errors import CliError
from polynya.cli.opening import fetch, find_chat, finish, opened
from polynya.cli.output import chat_json, chat_line, clean, message_json, message_line, note, say, say_json
from polynya.cli.problems import explained
from polynya.client import Client
from polynya.client.appevents import MessageChanged, MessageReceived, MessageSent, ProblemRaised
from polynya.client.errors import ClientError
from polynya.client.purse import PROBLEMS
from polynya.client.storage import OWN
from polynya.client.values import Message
from polynya.core.commands import Save
from polynya.core.errors import CoreError
from polynya.core.views import ConversationView

SHOWN = OWN + "shown"
"""Arrival number of the last message that `tail --new` has shown."""
PAGE = 200


async def chats(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        await fetch(client, arguments)
        for view in client.conversations():
            if arguments.json:
                say_json(chat_json(view))
            else:
                say(chat_line(view))
        if not client.conversations() and not arguments.json:
            say("No conversations yet. Invite somebody with: polynya invite --qr")
        await finish(client)


# ---- send ----


def _text(arguments: Namespace) -> str | None:
    """TEXT, or standard input for `-`; without its last line break."""
    if arguments.text != "-":
        text: str | None = arguments.text
        return text
    try:
        return CURRENT.get().read().decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise CliError("bad-input") from error


async def send(arguments: Namespace) -> None:
    text = _text(arguments)
    if not arguments.file and not (text and text.strip()):
        raise CliError("empty-input")
    async with opened(arguments) as client:
        chat = await find_chat(client, arguments, arguments.chat)
        target = await _find_message(client, chat, arguments.reply) if arguments.reply else None
        if arguments.file:
            message = await client.send_file(chat, path_of(arguments.file), caption=text, reply_to=target)
        else:
            message = await client.send(chat, text or "", reply_to=target)
        try:
            message = await client.sent(message, arguments.timeout)
        except ClientError as error:
            raise CliError("still-offline") if error.code == "offline" else error from error
        if arguments.json:
            say_json(message_json(message, client.conversation(chat)))
        await finish(client)


async def _find_message(client: Client, chat: ConversationView, text: str) -> Message:
    """The message whose id in hex begins so (4 digits or more), looking from the newest backwards."""
    before: Message | None = None
    while len(text) >= 4:
        page = await client.history(chat, PAGE, before)
        for message in reversed(page):
            if message.id.hex().startswith(text.lower()):
                return message
        if len(page) < PAGE:
            break
        before = page[0]
    raise CliError("unknown-message", clean(text[:40]))


# ---- tail ----


async def tail(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        only = await find_chat(client, arguments, arguments.chat) if arguments.chat else None
        printer = _Printer(client, arguments, only)
        if not arguments.new:
            await printer.begin(arguments.n)
        if arguments.once:
            await fetch(client, arguments, must=not arguments.new and arguments.n == 0)
            await printer.catch_up()
            await finish(client)
            return
        events = client.events()
        await printer.catch_up()
        own = CURRENT.get().client is None
        async with open_door(client) if own else nullcontext():
            async for event in events:
                if isinstance(event, (MessageReceived, MessageSent)):
                    await printer.catch_up()
                elif isinstance(event, MessageChanged) and arguments.json:
                    printer.changed(event.message)
                elif isinstance(event, ProblemRaised):
                    printer.problem(event)


class _Printer:
    """Shows each message once, in order of arrival, whatever order events come in."""

    def __init__(self, client: Client, arguments: Namespace, only: ConversationView | None) -> None:
        self._client = client
        self._json: bool = arguments.json
        self._new: bool = arguments.new
        self._only = only
        self._last = 0

    async def begin(self, count: int) -> None:
        """Shows the newest `count` messages that are here already."""
        self._last = await self._client.loop.in_store(lambda store: store.last_arrival())
        chats = [self._only] if self._only is not None else list(self._client.conversations())
        newest: list[Message] = []
        for chat in chats:
            newest += await self._client.history(chat, count)
        newest.sort(key=lambda message: message.time if message.time is not None else message.sent)
        shown = newest[-count:] if count else []
        for message in shown:
            self._show(message, "message")
        await self._read(shown)

    async def catch_up(self) -> None:
        """Shows what has come since."""
        if self._new and not self._last:
            kept = await self._client.loop.in_store(lambda store: store.own(SHOWN))
            self._last = int.from_bytes(kept or b"", "big")
        while found := await self._client.arrived(self._last, limit=PAGE):
            for arrival, message in found:
                if self._only is None or message.conversation == self._only.id:
                    self._show(message, "message")
                self._last = arrival
            await self._read([message for _, message in found])
            if self._new and self._only is None:
                # Kept after it was shown: a reader that dies in between is shown a message twice, never
                # not at all.
                last = self._last
                await self._client.keep(Save(SHOWN, b"", last.to_bytes(8, "big")))

    async def _read(self, shown: list[Message]) -> None:
        """A person has seen these; a program may do anything with them, so JSON marks nothing."""
        if self._json:
            return
        newest = {
            message.conversation: message
            for message in shown
            if not message.mine
            and message.kind in ("text", "file")
            and (self._only is None or message.conversation == self._only.id)
        }
        for message in newest.values():
            with suppress(CoreError):  # it was read before
                await self._client.mark_read(message)

    def changed(self, message: Message) -> None:
        if self._only is None or message.conversation == self._only.id:
            self._show(message, "changed")

    def problem(self, event: ProblemRaised) -> None:
        """Beside the output, as nobody wrote it."""
        if event.code in PROBLEMS:
            note(explained(event.code))
        with suppress(ClientError):  # deleted meanwhile
            if event.conversation is not None and (self._only is None or event.conversation == self._only.id):
                name = clean(self._client.conversation(event.conversation).name).replace("\n", " ")
                note(f"{name}: {explained(event.code)}")

    def _show(self, message: Message, kind: str) -> None:
        try:
            chat = self._client.conversation(message.conversation)
        except ClientError:
            return  # deleted meanwhile
        if self._json:
            say_json(message_json(message, chat, kind=kind))
        else:
            say(message_line(message, chat, with_chat=self._only is None))


# ---- download ----


async def download(arguments: Namespace) -> None:
    async with opened(arguments) as client:
        chat = await find_chat(client, arguments, arguments.chat)
        await fetch(client, arguments)
        message = await _find_message(client, chat, arguments.message)
        path = await client.download(message, path_of(arguments.to))
        say(str(path))
        await finish(client)
