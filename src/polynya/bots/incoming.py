"""A message as a bot's handler gets it. What the handler sends is gathered, and leaves when it has ended."""

from __future__ import annotations

import json
from typing import Any

from polynya.bots.errors import BotError
from polynya.client import Client
from polynya.client.values import File, Message
from polynya.core.events import SendContent, SingleAction
from polynya.core.views import ConversationView
from polynya.crypto.random import Random
from polynya.wire.messages import Delete, Edit, Reaction, Text


class Incoming:
    """One message to answer.

    `reply`, `send`, `react`, `edit` and `delete` gather; when the handler returns, all of it, the
    changes to `state` and the note that this message is done are kept in one step. If the program dies
    before, nothing was sent and the handler gets the message again after the restart.
    """

    def __init__(self, client: Client, message: Message, state: bytes | None, random: Random) -> None:
        self._client = client
        self._message = message
        self._random = random
        self._actions: list[SingleAction] = []
        self._ended = False
        self._state_before = state
        self.state: dict[str, Any] = json.loads(state) if state is not None else {}
        """The bot's memory of this conversation: JSON values, kept with the answers."""

    def __repr__(self) -> str:
        return f"<Incoming {self._message.id.hex()} from {self.sender_name!r}>"

    @property
    def message(self) -> Message:
        """All that is known of it."""
        return self._message

    @property
    def text(self) -> str:
        return self._message.text

    @property
    def file(self) -> File | None:
        return self._message.file

    @property
    def sender(self) -> bytes:
        """Identity key of who wrote it."""
        return self._message.sender

    @property
    def sender_name(self) -> str:
        return self._message.sender_name

    @property
    def conversation(self) -> ConversationView:
        return self._client.conversation(self._message.conversation)

    @property
    def client(self) -> Client:
        """For reading (history, members, downloads). What is done through it happens at once, and again
        if the program dies before the handler has ended."""
        return self._client

    async def reply(self, text: str) -> bytes:
        """Answers this message; gives the answer's id."""
        return self._gather(Text(text=text, reply_to=self._message.id))

    async def send(self, text: str) -> bytes:
        """Writes into the same conversation without quoting; gives the id."""
        return self._gather(Text(text=text))

    async def react(self, emoji: str) -> None:
        self._gather(Reaction(self._message.id, emoji))

    async def edit(self, id: bytes, text: str) -> None:
        """Changes one of the bot's own messages."""
        self._gather(Edit(id, text))

    async def delete(self, id: bytes) -> None:
        """Deletes one of the bot's own messages."""
        self._gather(Delete(id))

    def _gather(self, content: Text | Reaction | Edit | Delete) -> bytes:
        if self._ended:
            raise BotError("bot-over")
        id = self._random.bytes(16)
        self._actions.append(SendContent(self._message.conversation, content, id))
        return id

    def end(self) -> tuple[tuple[SingleAction, ...], bytes | None]:
        """(what was gathered, the state's new bytes or None where it is unchanged). Raises BotError."""
        self._ended = True
        try:
            state = json.dumps(self.state, ensure_ascii=False, sort_keys=True, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            raise BotError("bot-state", str(error)) from error
        unchanged = state == (self._state_before if self._state_before is not None else b"{}")
        return tuple(self._actions), None if unchanged else state
