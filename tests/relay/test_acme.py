"""Certificates by themselves, from a real authority (pebble): the first, renewals under open sessions, and all that
goes wrong."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509

from polynya.relay import renewal
from polynya.relay.authority import Task, in_words
from polynya.relay.certificates import CERTIFICATE, authority_folder
from polynya.relay.challenges import HTTP_01, TLS_ALPN_01
from polynya.relay.config import RelayConfig
from polynya.relay.renewal import HOUR, MINUTE
from polynya.relay.server import RunningRelay, serving
from polynya.relay.sockets import Inherited
from polynya.relay.system import now
from polynya.wire.keys import verify_key_configs
from polynya.wire.messages import Call, Done, Ping, Reply
from polynya.wire.session import start_session
from tests.relay.client import RANDOM, Client
from tests.support.acme import Front, Pebble, pebble
from tests.support.lines import said_until
from tests.support.ports import bound, closed_port
from tests.support.relay import ROOT

NAME = "chat.example.org"
PATIENCE = 30.0
YEAR = 365 * 24 * HOUR
pytestmark = pytest.mark.program("pebble")


@dataclass
class Place:
    """An authority, and the sockets on which it looks for the relay."""

    ca: Pebble
    main: socket.socket
    http: socket.socket
    folder: Path
    ahead: int = 0
    """ms by which the relay's clock is ahead"""

    @asynccontextmanager
    async def relay(self, *, http: bool = True, **options: Any) -> AsyncIterator[RunningRelay]:
        settings = {
            "data": self.folder / "data",
            "domain": (NAME,),
            "acme_directory": self.ca.directory,
            "acme_ca": self.ca.server_root,
            "http_port": None,
            "local": "127.0.0.1:0",
            **options,
        }
        sockets = Inherited([self.main.dup()], [self.http.dup()] if http else [])
        async with serving(RelayConfig(**settings), lambda: now() + self.ahead, sockets) as running:
            assert running.tls.renewals is not None
            async with asyncio.timeout(4 * PATIENCE):
                await running.tls.renewals.tried.wait()
            yield running

    async def handshake(self, alpn: str = "http/1.1", name: str = NAME, *, trust: bool = True) -> bytes:
        """The certificate (DER) that a new connection is shown; trusted unless said otherwise."""
        context = ssl.create_default_context(cafile=str(self.ca.root))
        if not trust:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols([alpn])
        port = self.main.getsockname()[1]
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
        shown = writer.get_extra_info("ssl_object")
        assert shown.selected_alpn_protocol() == alpn
        certificate: bytes = shown.getpeercert(True)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        return certificate


@asynccontextmanager
async def place(
    folder: Path, *, https: int | None = None, http: int | None = None, lifetime: int = 5 * YEAR // 1000
) -> AsyncIterator[Place]:
    """`https`, `http`: where the authority looks, if not at the relay's sockets; `lifetime` in seconds."""
    main, plain = bound(), bound()
    ports = (https or main.getsockname()[1], http or plain.getsockname()[1])
    async with pebble(folder, *ports, lifetime=lifetime) as ca:
        ca.names.addresses[NAME] = "127.0.0.1"
        yield Place(ca, main, plain, folder)
    main.close()
    plain.close()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(tmp_path) as made:
        yield made


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


def certificate_file(at: Place) -> Path:
    return authority_folder(at.folder / "data", at.ca.directory) / CERTIFICATE


def https(at: Place) -> aiohttp.ClientSession:
    """A browser that resolves the relay's name and trusts the authority."""

    class Resolver(aiohttp.abc.AbstractResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = 0) -> list[Any]:
            found = {"hostname": host, "host": "127.0.0.1", "port": port}
            return [{**found, "family": socket.AF_INET, "proto": 0, "flags": 0}]

        async def close(self) -> None: ...

    context = ssl.create_default_context(cafile=str(at.ca.root))
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context, resolver=Resolver()))


# ---- the first certificate


async def test_one_port_is_enough(here: Place, caplog: pytest.LogCaptureFixture) -> None:
    """TLS-ALPN-01: neither plain HTTP nor anything else is open."""
    caplog.set_level(logging.DEBUG)
    async with here.relay(http=False) as running:
        assert running.tls.renewals is not None
        assert running.tls.renewals.problem == ""
        shown = x509.load_der_x509_certificate(await here.handshake())
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == [NAME]
        assert running.address.startswith(f"https://{NAME}:{running.port}/")
        async with https(here) as http, http.get(running.address + "/keys") as response:
            assert response.status == 200
        files = certificate_file(here).parent
        assert sorted(path.name for path in files.iterdir()) == ["account.key", CERTIFICATE]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files.iterdir()} == {0o600}
        key = certificate_file(here).read_text().splitlines()[1]
        assert key not in caplog.text
        context = running.tls.context
        assert context is not None
        assert context.sni_callback.__name__ == "any_name", "later handshakes are looked at"  # type: ignore[union-attr]
        assert context._msg_callback is None  # type: ignore[attr-defined]
    assert b"set VALID" in here.ca.log.read_bytes()


async def test_plain_http_is_tried_where_the_one_port_is_not_reached(tmp_path: Path) -> None:
    """HTTP-01 after TLS-ALPN-01 failed, each with an order of its own."""
    async with place(tmp_path, https=closed_port()) as at, at.relay() as running:
        assert running.tls.renewals is not None
        assert running.tls.renewals.problem == ""
        await at.handshake()


async def test_plain_http_sends_everybody_to_https(here: Place) -> None:
    async with here.relay() as running, aiohttp.ClientSession() as http:
        port = here.http.getsockname()[1]
        plain = f"http://127.0.0.1:{port}"
        headers = {"Host": NAME}
        async with http.get(f"{plain}/a?b=%20c", headers=headers, allow_redirects=False) as response:
            assert response.status == 301
            assert response.headers["Location"] == f"https://{NAME}:{running.port}/a?b=%20c"
            assert response.headers["Server"] == "nginx"
        for path in ("/.well-known/acme-challenge/", "/.well-known/acme-challenge/unknown"):
            async with http.get(plain + path, headers=headers, allow_redirects=False) as response:
                assert response.status == 301
        async with http.post(plain, headers=headers, allow_redirects=False) as response:
            assert response.status == 301
        async with http.get(plain, headers={"Host": "a b"}, allow_redirects=False) as response:
            assert response.status == 400
        # No session, no exchange: what is below the secret path is sent to https like all else.
        secret = "/" + running.address.rpartition("/")[2]
        async with http.get(plain + secret + "/keys", headers=headers, allow_redirects=False) as response:
            assert response.status == 301


async def test_several_names_are_in_one_certificate(here: Place) -> None:
    here.ca.names.addresses["www.example.org"] = "127.0.0.1"
    async with here.relay(domain=(NAME, "www.example.org")) as running:
        assert running.tls.certificate is not None
        assert running.tls.certificate.names == {NAME, "www.example.org"}
        await here.handshake(name="www.example.org")
        assert running.address.startswith(f"https://{NAME}:")


async def test_a_restart_takes_up_the_certificate(here: Place) -> None:
    async with here.relay():
        first = await here.handshake()
    before = here.ca.log.read_bytes().count(b"Issued certificate")
    async with here.relay():
        assert await here.handshake() == first
    assert here.ca.log.read_bytes().count(b"Issued certificate") == before == 1


async def test_another_name_is_another_certificate(here: Place) -> None:
    async with here.relay():
        pass
    here.ca.names.addresses["new.example.org"] = "127.0.0.1"
    async with here.relay(domain=("new.example.org",)):
        await here.handshake(name="new.example.org")


async def test_a_damaged_certificate_is_replaced(here: Place) -> None:
    async with here.relay():
        pass
    certificate_file(here).write_text("garbage")
    async with here.relay() as running:
        assert running.tls.certificate is not None
        await here.handshake()


# ---- renewal


async def test_a_renewal_disturbs_no_session(here: Place) -> None:
    """The certificate is swapped for new handshakes; a session that is open goes on over its old one."""
    async with here.relay() as running, https(here) as http:
        client = Client(running.address, running.identity)
        async with http.get(running.address + "/keys") as response:
            client.config = verify_key_configs(running.identity, await response.read()).newest
        first = await here.handshake()
        hello, handshake = start_session(client.config, now(), RANDOM)
        async with http.ws_connect(running.address + "/s") as ws:
            await ws.send_bytes(hello)
            sealed = handshake.finish(await ws.receive_bytes())

            async def ping(number: int) -> None:
                await ws.send_bytes(sealed.seal(Call(number, Ping())))
                reply = sealed.open(await ws.receive_bytes())
                assert isinstance(reply, Reply)
                assert reply.response == Done()

            await ping(1)
            assert running.tls.renewals is not None
            old = running.tls.certificate
            assert old is not None
            # A day before two thirds of the five years that pebble gives: nothing yet.
            here.ahead = old.begins + old.lifetime * 2 // 3 - now() - 24 * HOUR
            await running.tls.renewals.step()
            assert running.tls.certificate is old
            here.ahead += old.lifetime // 60 + 24 * HOUR
            running.tls.renewals.wake()
            await until(lambda: running.tls.certificate is not old)
            here.ahead = 0
            await ping(2)
            assert running.relay.metrics.sessions == 1
        assert await here.handshake() != first
        await client.close()


async def test_the_authority_says_when(here: Place) -> None:
    """ACME Renewal Information (RFC 9773): earlier than two thirds, as after a mass revocation."""
    front = Front(here.ca)
    future, past = "2100-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
    front.renewal_window = (future, future)
    async with front.running(), here.relay(acme_directory=front.directory) as running:
        renewals = running.tls.renewals
        assert renewals is not None
        first = running.tls.certificate
        assert first is not None
        await until(lambda: renewals.next_try > now())
        assert running.tls.certificate is first
        assert renewals.next_try <= now() + 25 * HOUR, "it is asked again, as it may change its mind"
        front.renewal_window = (past, past)
        here.ahead = 25 * HOUR
        renewals.wake()
        await until(lambda: running.tls.certificate is not first)


async def test_an_authority_that_is_never_content_gets_one_request_a_day(here: Place) -> None:
    """As with a clock that is years ahead, for which every certificate is old."""
    front = Front(here.ca)
    front.renewal_window = ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
    async with front.running(), here.relay(acme_directory=front.directory) as running:
        renewals = running.tls.renewals
        assert renewals is not None
        for days in range(3):
            here.ahead = days * 24 * HOUR + MINUTE * days
            for _ in range(3):
                await renewals.step()
            assert len(front.orders) == days + 1


async def test_a_clock_that_goes_back_does_not_put_off_the_next_attempt(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first attempt fails under a clock that is a year ahead."""
    monkeypatch.setattr(renewal, "LOOK", 50)
    front = Front(here.ca)
    front.is_down = True
    here.ahead = YEAR
    async with front.running(), here.relay(acme_directory=front.directory) as running:
        renewals = running.tls.renewals
        assert renewals is not None
        await until(lambda: renewals.problem != "")
        front.is_down = False
        here.ahead = 0
        await until(lambda: renewals.certificate is not None)


async def test_what_the_authority_says_has_a_limit(here: Place) -> None:
    """Not in the last tenth of the lifetime."""
    front = Front(here.ca)
    front.renewal_window = ("2100-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
    async with front.running(), here.relay(acme_directory=front.directory) as running:
        first = running.tls.certificate
        assert first is not None and running.tls.renewals is not None
        here.ahead = first.ends - first.lifetime // 10 - now() + MINUTE
        running.tls.renewals.wake()
        await until(lambda: running.tls.certificate is not first)


async def test_a_renewal_that_fails_harms_nobody(here: Place, caplog: pytest.LogCaptureFixture) -> None:
    front = Front(here.ca)
    async with front.running(), here.relay(acme_directory=front.directory) as running:
        renewals = running.tls.renewals
        assert renewals is not None
        first = await here.handshake()
        front.is_down = True
        here.ahead = 4 * YEAR
        renewals.wake()
        await until(lambda: renewals.problem != "")
        assert "cannot be reached from here" in renewals.problem
        assert MINUTE / 2 < renewals.next_try - now() - here.ahead <= 2 * MINUTE
        assert await here.handshake() == first
        for _ in range(12):
            await renewals.step()
        assert HOUR / 2 < renewals.next_try - now() - here.ahead <= 2 * HOUR, (
            "longer each time, up to an hour"
        )
        front.is_down = False
        renewals.wake()
        await until(lambda: renewals.problem == "")
        assert await here.handshake() != first


# ---- what goes wrong


async def test_without_the_authority_a_valid_certificate_is_enough(here: Place) -> None:
    async with here.relay():
        first = await here.handshake()
    here.ca.stop()
    async with here.relay() as running:
        assert await here.handshake() == first
        assert running.tls.renewals is not None
        assert running.tls.renewals.problem == ""


async def test_without_authority_and_certificate_it_says_so_and_keeps_trying(here: Place) -> None:
    front = Front(here.ca)
    front.is_down = True
    async with front.running(), here.relay(acme_directory=front.directory) as running:
        renewals = running.tls.renewals
        assert renewals is not None
        host = front.directory.split("/")[2]
        assert f"The certificate authority {host} cannot be reached from here." in renewals.problem
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await here.handshake()
        async with aiohttp.ClientSession() as http, http.get(f"{running.local}/health") as response:
            assert response.status == 503
        front.is_down = False
        renewals.wake()
        await until(lambda: renewals.problem == "")
        await here.handshake()


@pytest.mark.parametrize("ends", ["first", "later"])
async def test_the_program_tells_why_and_ends_when_asked(tmp_path: Path, ends: str) -> None:
    """What a person reads whose relay cannot get a certificate, and Ctrl-C in the middle of the first attempt."""
    silent = bound()  # takes connections and says nothing
    port = silent.getsockname()[1] if ends == "first" else closed_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "polynya.relay", "up", "--domain", NAME, "--data", str(tmp_path / "data")),
        *("--host", "127.0.0.1", "--port", "0", "--http-port", "off", "--local", "off"),
        *("--acme-directory", f"https://127.0.0.1:{port}/dir"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None and process.stderr is not None
    shown, asked = "", None
    try:
        # Two interpreters start, one after the other.
        async with asyncio.timeout(4 * PATIENCE):
            await said_until(process.stderr, "asking https://")
            if ends == "later":
                shown = await said_until(process.stdout, "Ctrl-C stops the relay.")
            else:
                asked, _ = await asyncio.get_running_loop().sock_accept(silent)
            process.send_signal(signal.SIGINT)
            await process.communicate()
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
        if asked is not None:
            asked.close()
        silent.close()
    if ends == "later":
        text = " ".join(shown.split())
        assert "There is no certificate yet, so the link opens nowhere. The certificate authority" in text
        assert "cannot be reached from here. Check this machine's network" in text
        assert "tries again by itself" in text


async def test_an_expired_certificate_is_not_taken_up(here: Place) -> None:
    async with here.relay():
        pass
    here.ca.stop()
    here.ahead = 6 * YEAR
    async with here.relay() as running:
        assert running.tls.certificate is None
        assert running.tls.renewals is not None
        assert "cannot be reached from here" in running.tls.renewals.problem


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (None, "could not resolve"),
        ("127.0.0.2", "cannot be reached from outside on port 443 or 80. Check that its A and AAAA"),
        ("127.0.0.3", "Something else answers at"),
    ],
)
async def test_wrong_names_are_told(here: Place, address: str | None, told: str) -> None:
    """No record; a machine where nothing listens; a machine where another server listens."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What is left unread when a connection ends makes it end by a reset.
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    stranger = await asyncio.start_server(answer, "127.0.0.3", here.http.getsockname()[1])
    if address is None:
        del here.ca.names.addresses[NAME]
    else:
        here.ca.names.addresses[NAME] = address
    async with stranger, here.relay() as running:
        renewals = running.tls.renewals
        assert renewals is not None
        assert told in renewals.problem
        assert NAME in renewals.problem
        assert "\n" not in renewals.problem
        wait = renewals.next_try - now()
        assert 9 * MINUTE < wait <= 12 * MINUTE, "the authority counts refusals: five an hour, two an attempt"
        here.ca.names.addresses[NAME] = "127.0.0.1"
        renewals.wake()
        await until(lambda: renewals.problem == "")
        await here.handshake()


async def test_a_rate_limit_is_respected(here: Place) -> None:
    front = Front(here.ca)
    front.refusal = ("rateLimited", "too many certificates already issued", 7 * 3600)
    async with front.running(), here.relay(acme_directory=front.directory) as running:
        renewals = running.tls.renewals
        assert renewals is not None
        assert "has had too many requests for chat.example.org lately. Leave it alone" in renewals.problem
        assert "too many certificates already issued" in renewals.problem
        assert renewals.next_try - now() > 6.9 * HOUR


def test_every_refusal_says_what_to_do() -> None:
    """In the authority's own terms (RFC 8555 section 6.7), and one it may invent."""
    task = Task("https://ca.example/directory", "", "", (NAME,), (TLS_ALPN_01, HTTP_01))
    for kind, told in {
        "dns": f"The name {NAME} has no address. Make an A record",
        "connection": f"{NAME} cannot be reached from outside on port 443 or 80",
        "caa": "A CAA record",
        "externalAccountRequired": "--acme-directory",
        "rejectedIdentifier": f"ca.example gives no certificates for {NAME}",
        "serverInternal": "has troubles of its own",
        "somethingNew": f"No certificate could be had from ca.example for {NAME}. It said: so it is.",
    }.items():
        text = in_words(task, kind, "so it is")
        assert told in text
        assert text.endswith("It said: so it is.")


async def test_a_port_for_plain_http_that_is_taken_is_done_without(
    here: Place, caplog: pytest.LogCaptureFixture
) -> None:
    taken = here.http.getsockname()[1]
    async with here.relay(http=False, host="127.0.0.1", http_port=taken) as running:
        assert running.tls.challenges.kinds == (TLS_ALPN_01,)
        await here.handshake()
    assert f"Plain HTTP cannot listen on port {taken}" in caplog.text
