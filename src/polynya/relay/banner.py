"""What a newcomer reads after `polynya up`."""

from __future__ import annotations

import io
import shutil
import textwrap
from typing import TextIO
from urllib.parse import urlsplit

import segno

from polynya.relay.addresses import as_ip
from polynya.relay.config import RelayConfig
from polynya.relay.server import RunningRelay

WIDTH = 100
"""Columns of a paragraph."""
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
        parts.append(f"  For you     {running.local}/  (how it is: for this computer only)")
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
    data = "" if config.data == RelayConfig().data else f" --data {config.data}"
    if is_loopback(running.address):
        return [
            "The link works on this computer only. To invite others you need a machine with a public address, and a",
            "name that leads to it; then start the relay there with:",
            "",
            f"  polynya up --domain chat.example.org{data}",
        ]
    if running.address.startswith("http:"):
        return [
            "This address is not https: browsers cannot encrypt there, so the link opens in none. With a name that",
            "leads here the relay gets a certificate by itself; behind a web server that has one, it need not:",
            "",
            f"  polynya up --domain chat.example.org{data}",
            f"  polynya up --domain chat.example.org --behind-proxy{data}",
        ]
    if config.behind_proxy is not None:
        where = elsewhere(config)
        return [
            "The web server in front must pass the secret path on to the relay. What to add to its settings:",
            "",
            f"  polynya relay proxy nginx{where}{data}",
            f"  polynya relay proxy caddy{where}{data}",
        ]
    return [
        *_certificate(config, running),
        "Everybody with the link can use this relay. Without the link it looks like an ordinary web server.",
    ]


def elsewhere(config: RelayConfig) -> str:
    """The options by which another command finds a relay that does not listen where it would unless told otherwise."""
    usual = RelayConfig()
    given = {"host": config.host, "port": config.port}
    chosen = "".join(f" --{name} {value}" for name, value in given.items() if value != getattr(usual, name))
    return f" --behind-proxy --origin-url {config.origin_url}{chosen}" if chosen else ""


def _certificate(config: RelayConfig, running: RunningRelay) -> list[str]:
    """How it stands with a certificate that the relay gets by itself, and what that gives away."""
    renewals = running.tls.renewals
    if renewals is None:
        return []
    names = ", ".join(running.tls.names)
    if renewals.certificate is None:
        return [
            *textwrap.wrap(
                f"There is no certificate yet, so the link opens nowhere. {renewals.problem}", WIDTH
            ),
            "The relay tries again by itself; when the cause is gone, restart it to try at once.",
            "",
        ]
    if not running.is_new:
        return []
    authority = config.acme_directory.split("/")[2]
    advice = "" if config.public else " Choose a name that tells nothing."
    return [
        *textwrap.wrap(
            f"The certificate for {names} is from {authority}, whose terms apply, and is renewed by itself. "
            "Authorities publish every certificate (certificate transparency): anybody can find out that "
            f"{names} exists, though not that it is a relay.{advice}",
            WIDTH,
        ),
        "",
    ]


def is_loopback(address: str) -> bool:
    """Whether only this computer reaches the address."""
    host = urlsplit(address).hostname or ""
    ip = as_ip(host)
    return ip.is_loopback if ip is not None else host == "localhost" or host.endswith(".localhost")


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
