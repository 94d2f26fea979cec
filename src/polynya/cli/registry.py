"""Which coroutine does which command. Loaded by name, so that each start pays for its own parts only."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from importlib import import_module

Command = Callable[[Namespace], Awaitable[None]]

_HOMES = {
    "account": ("register", "whoami", "status", "passphrase"),
    "contacts": ("invite", "accept", "requests", "contacts", "safety"),
    "messages": ("chats", "send", "tail", "download"),
    "group": ("group",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def command_of(parsed: Namespace) -> Command:
    """`polynya.cli.commands.<home>.<name>`."""
    name = str(parsed.command)
    command: Command = getattr(import_module(f"polynya.cli.commands.{_HOME_OF[name]}"), name)
    return command
