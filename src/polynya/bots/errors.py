"""What can be wrong with a bot's set-up."""

from __future__ import annotations

from polynya.errors import PolynyaError

MESSAGES = {
    "bot-no-relay": "The bot has no relay yet. Give the link that your relay printed: Bot(..., "
    "relay=LINK), or set "
    "POLYNYA_RELAY.",
    "bot-name": "A bot's name is 1 to 64 letters, digits, dots, dashes or underscores, and begins "
    "with a letter or digit.",
    "bot-no-handler": "The bot has no handler. Put @bot.message above an `async def` with one argument.",
    "bot-handler": "A handler is an `async def` with one argument, the message.",
    "bot-state": "What is kept in message.state must be JSON: text, numbers, lists, and dicts with "
    "text keys.",
    "bot-over": "The handler has ended, and what it sent is on its way. Send inside the handler, or "
    "use bot.client.",
}


class BotError(PolynyaError):
    """`code` is one of the keys of `MESSAGES`."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{MESSAGES[code]} ({detail})" if detail else MESSAGES[code])
        self.code = code
