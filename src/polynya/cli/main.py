"""From arguments to an exit code: 0 done, 1 a problem (one line on stderr), 2 wrong usage, 130
interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Awaitable, Callable, Sequence
from importlib import import_module

from polynya.cli.errors import CliError
from polynya.cli.output import clean, note
from polynya.cli.parser import Parser, build_parser
from polynya.errors import PolynyaError

USAGE = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells count."""
PIPE_CLOSED = 141
"""128 + SIGPIPE."""

RELAY_COMMANDS = ("up", "relay")
Command = Callable[[Namespace], Awaitable[None]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; gives the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    if not words:
        build_parser().print_help(sys.stderr)
        return USAGE
    try:
        if words and words[0] in RELAY_COMMANDS:
            return _relay(words)
        parsed = build_parser().parse_args(words)
        _prepare_logging()
        return asyncio.run(_run(_command(parsed), parsed))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone. Python would complain once more when it flushes at the end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except PolynyaError as error:
        note(clean(str(error)).replace("\n", " "))
        return 1


def _prepare_streams() -> None:
    """A character that the terminal's encoding lacks is shown escaped, and never ends the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _prepare_logging() -> None:
    level = os.environ.get("POLYNYA_LOG", "").upper()
    known = level in ("DEBUG", "INFO", "WARNING", "ERROR")
    if level and not known:
        note("POLYNYA_LOG is none of debug, info, warning, error; it is ignored")
    logging.basicConfig(
        level=level if known else "CRITICAL", format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )


def _command(parsed: Namespace) -> Command:
    """`polynya.cli.commands.<module>.<command>`, loaded when it is needed: each start pays for its own
    parts only."""
    name = str(parsed.command)
    home = {
        "register": "account", "whoami": "account", "status": "account", "passphrase": "account",
        "invite": "contacts", "accept": "contacts", "requests": "contacts", "contacts": "contacts",
        "safety": "contacts",
        "chats": "messages", "send": "messages", "tail": "messages", "download": "messages",
        "group": "group",
    }[name]  # fmt: skip
    command: Command = getattr(import_module(f"polynya.cli.commands.{home}"), name)
    return command


async def _run(command: Command, parsed: Namespace) -> int:
    """The command, ended cleanly by SIGINT or SIGTERM: the store is closed, nothing is half done."""
    task = asyncio.ensure_future(command(parsed))
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt does the same
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        await task
    except asyncio.CancelledError:
        if not caught:
            raise
        return 128 + caught[0]
    return 0


def _relay(words: list[str]) -> int:
    """The relay has its own commands; they are loaded only here, as they need more packages."""
    if sys.platform == "win32":
        raise CliError("relay-platform")
    try:
        relay = import_module("polynya.relay.command")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("polynya"):
            raise
        raise CliError("relay-extra", error.name or "") from error
    parser = Parser(prog="polynya")
    relay.add_commands(parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser))
    parsed = parser.parse_args(words)
    code: int = parsed.run(parsed)
    return code
