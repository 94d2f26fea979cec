"""What a newcomer reads after `polynya up`."""

from __future__ import annotations

import io
import ipaddress
import shutil
from typing import TextIO
from urllib.parse import urlsplit

import segno

from polynya.relay.config import RelayConfig
from polynya.relay.server import RunningRelay

MARGIN = 4
"""Columns beside a QR code that scanners need, both sides together."""


def banner(config: RelayConfig, running: RunningRelay, stream: TextIO) -> str:
    """The whole text; a QR code only where `stream` is a terminal that is wide enough and can show it."""
    parts = [
        "A new relay was made." if running.is_new else "The relay is running.",
        f"  Data        {config.data}",
        f"  Address     {running.address}/",
    ]
    if running.local is not None:
        parts.append(f"  For you     {running.local}/health and /metrics")
    parts += [
        "",
        "Open this link in a browser, and pass it on to those who may use this relay:",
        "",
        f"  {running.link}",
    ]
    code = _qr(running.link, stream)
    if code:
        parts += ["", code.rstrip("\n")]
    parts += ["", *_reach(config, running)]
    if not running.has_app:
        parts += [
            "",
            "The web app is not in this installation: build it with `make up`, or install a release.",
        ]
    parts += ["", "Ready. Ctrl-C stops the relay."]
    return "\n".join(parts)


def _reach(config: RelayConfig, running: RunningRelay) -> list[str]:
    """Who can use the link, and what to do that others can."""
    if is_loopback(running.address):
        return [
            "The link works on this computer only. To invite others you need a name that leads to it",
            "and a certificate for it (browsers encrypt on https pages only); then start the relay with:",
            "",
            f"  {_command(config)}",
        ]
    if running.address.startswith("http:"):
        return [
            "This address is not https: browsers cannot encrypt there, so the link opens in none. With a",
            "certificate, or behind a web server that has one, start the relay with:",
            "",
            f"  {_command(config)}",
        ]
    return [
        "Everybody with the link can use this relay. Without the link it looks like an ordinary web server."
    ]


def _command(config: RelayConfig) -> str:
    options = "--host 0.0.0.0 --port 443 --origin-url https://chat.example.org"
    data = "" if config.data == RelayConfig().data else f" --data {config.data}"
    return f"polynya up {options} --tls-cert fullchain.pem --tls-key privkey.pem{data}"


def is_loopback(address: str) -> bool:
    """Whether only this computer reaches the address."""
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _qr(link: str, stream: TextIO) -> str:
    if not stream.isatty():
        return ""
    code = segno.make(link, error="l", micro=False)
    out = io.StringIO()
    code.terminal(out, border=2, compact=True)
    try:
        out.getvalue().encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ""
    width = code.symbol_size(border=2)[0] + MARGIN
    return out.getvalue() if shutil.get_terminal_size((0, 0)).columns >= width else ""
