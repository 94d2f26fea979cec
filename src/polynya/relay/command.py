"""`polynya up` and `polynya relay ...`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from polynya.relay.banner import banner
from polynya.relay.check import check_data
from polynya.relay.config import OPTIONS, RelayConfig, load_config
from polynya.relay.errors import RelayError
from polynya.relay.folder import LINK_FILE
from polynya.relay.maintenance import add_maintenance
from polynya.relay.server import serving

HELP = {
    "data": "folder of the relay's data, made on the first run",
    "domain": "host name of the relay: gets a certificate for it, and listens on all addresses, port 443",
    "public": "the same for a machine without a name: for its public address, found or given",
    "behind_proxy": "a web server on this machine (or at ADDRESS) stands before the relay and has the certificate",
    "host": "address to listen on (127.0.0.1: this computer only; *: all), or unix:path",
    "port": "port to listen on (8420)",
    "site": "folder of an ordinary web site, shown to everybody without the link",
    "origin_url": "https://host by which people reach the relay, where it is not host and port",
    "tls_cert": "certificate chain (PEM)",
    "tls_key": "its private key (PEM)",
    "acme_directory": "certificate authority (Let's Encrypt)",
    "acme_ca": "root certificate (PEM) by which that authority's own server is known, if it is a private one",
    "http_port": "port of plain HTTP beside an obtained certificate, or off (80)",
    "tokens": "required or off: whether room on the relay is paid for with tokens that members get",
    "local": "host:port, unix:path or off: health and metrics (127.0.0.1 and the next port)",
}
METAVARS = {
    "data": "FOLDER",
    "site": "FOLDER",
    "origin_url": "URL",
    "port": "PORT",
    "http_port": "PORT",
    "domain": "NAME",
    "acme_directory": "URL",
    "acme_ca": "FILE",
}
BARE = {"public": "auto", "behind_proxy": "local"}
"""Options that may come without a value, and which they then have."""
FAILED = 2


def add_commands(subparsers: Any) -> None:
    """Adds the commands to a root parser; each sets `run`, a function from the arguments to the exit code."""
    up = subparsers.add_parser(
        "up", help="run a relay with its web app", description="Run a relay with its web app."
    )
    _add_options(up)
    up.add_argument("--print-link", action="store_true", help="print the link and nothing else")
    up.set_defaults(run=run_up)
    relay = subparsers.add_parser("relay", help="look after a relay", description="Look after a relay.")
    commands = relay.add_subparsers(title="commands", metavar="COMMAND", required=True)
    link = commands.add_parser("link", help="print the link of a relay that has been started")
    check = commands.add_parser("check", help="check the data of a relay, running or not")
    add_maintenance(commands)
    for parser, run in ((link, run_link), (check, run_check)):
        parser.add_argument("--data", metavar="FOLDER", help=HELP["data"])
        parser.add_argument(
            "--config", metavar="FILE", help="configuration file (relay.toml in the data folder)"
        )
        parser.set_defaults(run=run)


def _add_options(parser: argparse.ArgumentParser) -> None:
    for option in OPTIONS:
        bare: dict[str, Any] = {"nargs": "?", "const": BARE[option]} if option in BARE else {}
        name = "--" + option.replace("_", "-")
        parser.add_argument(name, metavar=_metavar(option), help=HELP[option], **bare)
    parser.add_argument("--config", metavar="FILE", help="configuration file (relay.toml in the data folder)")


def _metavar(option: str) -> str:
    return METAVARS.get(option, "FILE" if option.startswith("tls") else "ADDRESS")


def _config(arguments: argparse.Namespace) -> RelayConfig:
    given = {option: getattr(arguments, option, None) for option in OPTIONS}
    file = None if arguments.config is None else Path(arguments.config).expanduser()
    return load_config(given, os.environ, file)


def _told(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """Errors as one line on standard error, and exit code 2."""

    def told(arguments: argparse.Namespace) -> int:
        try:
            return run(arguments)
        except RelayError as error:
            print(f"polynya: {error}", file=sys.stderr)
            return FAILED

    return told


@_told
def run_up(arguments: argparse.Namespace) -> int:
    """Runs the relay until SIGINT or SIGTERM."""
    config = _config(arguments)
    os.umask(0o077)
    _set_up_logging()
    _allow_many_files()
    return _run(_up(config, arguments.print_link))


async def _up(config: RelayConfig, only_link: bool) -> int:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.set_exception_handler(_log_exception)
    async with serving(config) as running:
        print(running.link if only_link else banner(config, running, sys.stdout), flush=True)
        gc.collect()
        gc.freeze()
        await stop.wait()
        if not only_link:
            print("Stopping.", flush=True)
    return 0


@_told
def run_link(arguments: argparse.Namespace) -> int:
    path = _config(arguments).data / LINK_FILE
    try:
        print(path.read_text("utf-8").strip())
    except OSError:
        raise RelayError(
            f"There is no link in {path.parent}. Start the relay there once with: polynya up"
        ) from None
    return 0


@_told
def run_check(arguments: argparse.Namespace) -> int:
    problems = check_data(_config(arguments).data)
    for problem in problems:
        print(problem)
    print("The data is damaged. Bring it back from a backup." if problems else "The data is in order.")
    return 1 if problems else 0


def _run(main: Coroutine[Any, Any, int]) -> int:
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


def _set_up_logging() -> None:
    """Only the relay's own messages, which hold no ids, addresses or payloads; libraries' may."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    own = logging.getLogger("polynya")
    own.handlers = [handler]
    own.setLevel(logging.INFO)
    own.propagate = False
    logging.getLogger().handlers = [logging.NullHandler()]


def _log_exception(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The loop's own handler would print addresses."""
    kind = type(context.get("exception")).__name__
    if kind not in (
        "ConnectionResetError",
        "BrokenPipeError",
        "SSLError",
        "TimeoutError",
        "ConnectionAbortedError",
    ):
        logging.getLogger("polynya.relay").error("the event loop met %s", kind)


def _allow_many_files() -> None:
    """Each connection is an open file; the soft limit is often 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
