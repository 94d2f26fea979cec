"""`polynya up` and `polynya relay ...`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from polynya.relay.ask import ask_status, status_text
from polynya.relay.check import check_data
from polynya.relay.config import OPTIONS, RelayConfig, load_config
from polynya.relay.errors import RelayError
from polynya.relay.folder import LINK_FILE
from polynya.relay.maintenance import add_maintenance
from polynya.relay.proxy import SERVERS, proxy_settings
from polynya.relay.running import run_relay
from polynya.relay.unit import (
    DEFAULT_DATA,
    SERVICE,
    SOCKET,
    install,
    program,
    service_data,
    service_unit,
    socket_unit,
)

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
    "tokens": "required or off: whether room on the relay is paid for with tokens (clients do not pay yet)",
    "local": "host:port, unix:path or off: status page, health and metrics (127.0.0.1 and the next port)",
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
    proxy = commands.add_parser("proxy", help="print what a web server in front of the relay needs")
    proxy.add_argument("server", choices=SERVERS, help="which web server it is")
    systemd = commands.add_parser(
        "systemd",
        help="print a systemd unit that runs the relay",
        description="Prints a systemd unit that runs the relay with the given options of `polynya up`.",
    )
    _add_options(systemd)
    systemd.add_argument("--install", action="store_true", help="write it to where systemd reads it (root)")
    systemd.add_argument(
        "--sockets",
        action="store_true",
        help="with a unit for the ports: nobody is refused while it restarts",
    )
    systemd.set_defaults(run=run_systemd)
    status = commands.add_parser(
        "status",
        help="tell how a running relay is, and what to do where something is wrong",
        description="Tells how a running relay is. The exit code is 1 where something is wrong.",
    )
    status.add_argument("--json", action="store_true", help="for programs")
    status.add_argument("--local", metavar="ADDRESS", default="", help="local address of a relay elsewhere")
    _add_options(proxy)
    proxy.set_defaults(run=run_proxy)
    for parser, run in ((link, run_link), (check, run_check), (status, run_status)):
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
    return run_relay(lambda: _config(arguments), only_link=arguments.print_link)


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
def run_proxy(arguments: argparse.Namespace) -> int:
    print(proxy_settings(arguments.server, _config(arguments)), end="")
    return 0


@_told
def run_systemd(arguments: argparse.Namespace) -> int:
    # The service's own relay.toml, not that of whoever makes the unit.
    arguments.data = arguments.data or str(DEFAULT_DATA)
    config = _config(arguments)
    given = {option: getattr(arguments, option) for option in OPTIONS if option != "data"}
    given["config"] = arguments.config
    options = {name: value for name, value in given.items() if value is not None}
    units = {SERVICE: service_unit(config, options, with_sockets=arguments.sockets)}
    if arguments.sockets:
        units[SOCKET] = socket_unit(config)
    if not arguments.install:
        print("\n".join(units.values()), end="")
        return 0
    for path in install(units):
        print(f"Written: {path}")
    first = SOCKET if arguments.sockets else SERVICE
    print(
        f"Start it with:\n\n  systemctl daemon-reload && systemctl enable --now {first}\n\nThen the link is shown by:\n\n"
        f"  {' '.join(program())} relay link --data {service_data(config)}"
    )
    return 0


@_told
def run_status(arguments: argparse.Namespace) -> int:
    local, arguments.local = arguments.local, None
    status = ask_status(_config(arguments).data, local)
    print(json.dumps(status, indent=2) if arguments.json else status_text(status))
    return 1 if status["problems"] else 0


@_told
def run_check(arguments: argparse.Namespace) -> int:
    problems = check_data(_config(arguments).data)
    for problem in problems:
        print(problem)
    print("The data is damaged. Bring it back from a backup." if problems else "The data is in order.")
    return 1 if problems else 0
