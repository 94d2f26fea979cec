"""A stranger who probes the public port sees what the real nginx would show of the same site."""

from __future__ import annotations

import asyncio
import difflib
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from polynya.relay.adapter import Adapter
from polynya.relay.admission import Admission
from polynya.relay.certificates import CIPHERS
from polynya.relay.challenges import Challenges
from polynya.relay.connection import make_server
from polynya.relay.door import Door
from polynya.relay.limits import Limits
from polynya.relay.metrics import Metrics
from polynya.relay.plain import PlainHttp
from polynya.relay.server import no_session
from tests.abuse.asking import Place, ask
from tests.abuse.bakery import NGINX, PATIENCE, Twins, twins
from tests.abuse.hellos import greet, hellos
from tests.abuse.known import KNOWN, KNOWN_PLAIN
from tests.abuse.probes import PROBES, Probe
from tests.support.webserver import reserved, web_server

pytestmark = [pytest.mark.program("nginx"), pytest.mark.timeout(400)]
AT_ONCE = 24
THREATS = Path(__file__).resolve().parents[2] / "spec" / "threat-model.md"
OVER_TLS = ("root", "nothing", "folder without a slash", "HTTP/9.9", "half a head", "HTTP/2 preface", "noise")


async def compare(
    probes: Iterable[Probe],
    nginx: Callable[[Probe], Awaitable[str]],
    relay: Callable[[Probe], Awaitable[str]],
) -> dict[str, str]:
    """How the two differ, by the probe's name."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(probe: Probe) -> tuple[str, Sequence[str]]:
        async with room:
            return probe.name, await asyncio.gather(nginx(probe), relay(probe))

    answers = await asyncio.gather(*map(one, probes))
    return {name: _difference(*both) for name, both in answers if both[0] != both[1]}


def _difference(nginx: str, relay: str) -> str:
    lines = difflib.unified_diff(nginx.split("\n"), relay.split("\n"), "nginx", "relay", lineterm="", n=1)
    return "\n".join(lines)


def judge(differences: dict[str, str], asked: Iterable[str], known: dict[str, str] = KNOWN) -> None:
    """Nothing differs but what is known to, and all of that does."""
    told = "\n".join(f"== {name}\n{text}" for name, text in differences.items() if name not in known)
    assert not told, told
    gone = (known.keys() & set(asked)) - differences.keys()
    assert not gone, f"known differences that are none any more: {sorted(gone)}"


async def test_a_stranger_cannot_tell_the_relay_from_nginx(tmp_path: Path) -> None:
    holder = reserved()
    port = holder.getsockname()[1]
    holder.close()
    async with twins(tmp_path, CIPHERS, port) as both:
        judge(
            await compare(
                PROBES,
                lambda probe: ask(Place(both.nginx), probe),
                lambda probe: ask(Place(both.relay), probe),
            ),
            (probe.name for probe in PROBES),
        )
        greetings = hellos()
        judge(
            await compare(
                greetings,
                lambda probe: greet(both.nginx_tls, probe),
                lambda probe: greet(both.relay_tls, probe),
            ),
            (probe.name for probe in greetings),
        )
        await _inside_tls(both)


async def _inside_tls(both: Twins) -> None:
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        differences = await compare(
            (probe for probe in PROBES if probe.name in OVER_TLS),
            lambda probe, context=context: ask(Place(both.nginx_tls, context), probe),  # type: ignore[misc]
            lambda probe, context=context: ask(Place(both.relay_tls, context), probe),  # type: ignore[misc]
        )
        judge(differences, ())


async def test_plain_http_beside_https_is_an_ordinary_sites_too(tmp_path: Path) -> None:
    """As a relay with a certificate authority's certificate has it, beside nginx that sends all to https."""
    tmp_path.chmod(0o755)
    settings = NGINX + "server_name bakery.example; return 301 https://$host:8443$request_uri;"
    limits = replace(Limits(), head_timeout=PATIENCE, body_timeout=PATIENCE, keep_alive=2 * PATIENCE)
    challenges = Challenges(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tmp_path, has_plain_http=True)
    admission = Admission(limits, Metrics())
    http, make_http = make_server(PlainHttp(challenges, "bakery.example", 8443).respond, admission)
    adapter = Adapter(admission, lambda _: False, make_http, no_session)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    door = Door(listener, None, admission, adapter.protocol, adapter.protocol)
    async with web_server("nginx", tmp_path / "nginx", settings) as server:
        differences = await compare(
            PROBES, lambda probe: ask(Place(server.port), probe), lambda probe: ask(Place(port), probe)
        )
    door.close()
    await http.shutdown(1.0)
    judge(differences, (probe.name for probe in PROBES), KNOWN_PLAIN)


def test_it_waits_as_long_as_nginx_does_by_default() -> None:
    """client_header_timeout, client_body_timeout, send_timeout, keepalive_timeout of its documentation."""
    limits = Limits()
    assert (limits.head_timeout, limits.body_timeout, limits.send_timeout, limits.keep_alive) == (
        60,
        60,
        60,
        75,
    )


def test_what_is_known_to_differ_is_told() -> None:
    text = THREATS.read_text("utf-8")
    assert [name for name in {**KNOWN, **KNOWN_PLAIN} if f"*{name}*" not in text] == []
