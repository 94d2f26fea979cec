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
from collections.abc import Sequence
from importlib import import_module

from polynya.cli.context import CURRENT, forget_own_input
from polynya.cli.door import knock
from polynya.cli.errors import CliError
from polynya.cli.opening import store_folder
from polynya.cli.output import error_line, note
from polynya.cli.parser import Parser, build_parser
from polynya.cli.registry import command_of
from polynya.client.errors import StoreInUse
from polynya.errors import PolynyaError

USAGE = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells count."""
PIPE_CLOSED = 141
"""128 + SIGPIPE."""

RELAY_COMMANDS = ("up", "relay")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; gives the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_streams()
    forget_own_input()
    if not words:
        build_parser().print_help(sys.stderr)
        return USAGE
    try:
        if words and words[0] in RELAY_COMMANDS:
            return _relay(words)
        parsed = build_parser().parse_args(words)
        _prepare_logging()
        return asyncio.run(_run(parsed, words))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone. Python would complain once more when it flushes at the end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except PolynyaError as error:
        CURRENT.get().err(error_line(error))
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


async def _run(parsed: Namespace, words: Sequence[str]) -> int:
    """The command, ended cleanly by SIGINT or SIGTERM: the store is closed, nothing is half done."""
    task = asyncio.ensure_future(_here_or_there(parsed, words))
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: KeyboardInterrupt does the same
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not caught:
            raise
        return 128 + caught[0]


async def _here_or_there(parsed: Namespace, words: Sequence[str]) -> int:
    """Runs the command, inside a running `tail` where that has the store."""
    try:
        await command_of(parsed)(parsed)
    except StoreInUse:
        code = await knock(store_folder(parsed), words)
        if code is None:
            raise
        return code
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
