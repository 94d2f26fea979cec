"""A relay behind the real nginx and Caddy, with the settings that it prints for them."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from polynya.carriers.base import CarrierError
from polynya.relay.admission import LOOPBACK, Admission
from polynya.relay.banner import elsewhere
from polynya.relay.cli import main
from polynya.relay.config import RelayConfig, load_config
from polynya.relay.errors import ConfigError, RelayError
from polynya.relay.limits import Limits
from polynya.relay.metrics import Metrics
from polynya.relay.proxy import proxy_settings
from polynya.relay.server import RunningRelay
from polynya.wire.labels import topic_id
from polynya.wire.messages import (
    BLOB_PART,
    BlobPart,
    BlobState,
    CreateTopic,
    Done,
    GetBlob,
    Ping,
    Publish,
    Published,
    PutBlob,
    Subscribe,
)
from tests.relay.client import Client, expect
from tests.relay.test_adapter import raw, upgrade
from tests.support.relay import running_relay
from tests.support.webapp import use_app
from tests.support.webserver import WebServer, web_server

TELLING = re.compile(r"polynya|picows|aiohttp|python|uvloop|relay|websocket", re.IGNORECASE)
SERVERS = [pytest.param(name, marks=pytest.mark.program(name)) for name in ("nginx", "caddy")]


@dataclass
class Place:
    relay: RunningRelay
    server: WebServer

    @property
    def address(self) -> str:
        return f"{self.server.address}/{self.relay.address.rpartition('/')[2]}"

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = Client(self.address, self.relay.identity)
        try:
            yield client
        finally:
            await client.close()


@asynccontextmanager
async def behind(
    server: str, folder: Path, limits: Limits | None = None, *, host: str = "127.0.0.1", **change: str
) -> AsyncIterator[Place]:
    """A relay behind this server; `change`: words of the printed settings that are replaced."""
    async with running_relay(
        folder / "data",
        limits=replace(limits or Limits(), disk_reserve=0),
        behind_proxy=LOOPBACK,
        origin_url="https://bakery.example",
        host=host,
    ) as running:
        config = RelayConfig(data=folder / "data", port=running.port, host=host)
        settings = proxy_settings(server, config)
        for old, new in change.items():
            assert old in settings
            settings = settings.replace(old, new)
        async with web_server(server, folder / server, settings) as front:
            yield Place(running, front)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """A web app of one page, with a packed neighbour."""
    folder = tmp_path / "webapp"
    folder.mkdir()
    page = b"<title>App</title>"
    (folder / "index.html").write_bytes(page)
    (folder / "index.html.br").write_bytes(b"packed page")
    use_app(monkeypatch, folder)
    return page


@pytest.mark.parametrize("server", SERVERS)
async def test_everything_passes(tmp_path: Path, server: str, app: bytes) -> None:
    """The page in its packing, keys, exchanges, a session with pushes, and files in both."""
    async with behind(server, tmp_path) as at, at.client() as client, aiohttp.ClientSession() as http:
        async with http.get(at.address + "/", headers={"Accept-Encoding": "identity"}) as response:
            assert (response.status, await response.read()) == (200, app)
            assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        raw_http = aiohttp.ClientSession(auto_decompress=False)
        async with raw_http, raw_http.get(at.address + "/", headers={"Accept-Encoding": "br"}) as response:
            assert (response.headers["Content-Encoding"], await response.read()) == ("br", b"packed page")
        async with http.get(at.address, allow_redirects=False) as response:
            assert response.status == 301
            assert response.headers["Location"].endswith(at.address.partition(at.server.address)[2] + "/")
        assert await client.exchange(Ping()) == Done()
        file = os.urandom(5 * BLOB_PART)
        blob = hashlib.sha256(file).digest()
        secret = os.urandom(32)
        async with client.session() as session, client.session() as reader:
            assert await session.call(CreateTopic(secret, 30)) == Done()
            await reader.call(Subscribe((topic_id(secret),), ()))
            for number in range(20):
                expect(Published, await session.call(Publish(secret, os.urandom(200))))
                assert (await reader.push()).entry.seq == number + 1
            for at_byte in range(0, len(file), BLOB_PART):
                part = PutBlob(blob, len(file), at_byte, file[at_byte : at_byte + BLOB_PART])
                answer = await (session.call(part) if at_byte % (2 * BLOB_PART) else client.exchange(part))
                assert answer == BlobState(at_byte + BLOB_PART)
            expect(Published, await session.call(Publish(secret, os.urandom(200), None, (blob,))))
            received = b""
            while len(received) < len(file):
                got = expect(BlobPart, await session.call(GetBlob(blob, len(received), 65_536)))
                received += got.part
            assert received == file


@pytest.mark.program("nginx")
async def test_an_idle_session_outlives_the_proxys_patience(tmp_path: Path) -> None:
    """The relay's pings are what nginx hears: its time-out passes several times while nobody says anything. Caddy has
    none."""
    limits = replace(Limits(), tick=0.1, ping_ticks=3, silent_ticks=600)
    change = {"proxy_read_timeout 180s": "proxy_read_timeout 3s"}
    async with (
        behind("nginx", tmp_path, limits, **change) as at,
        at.client() as client,
        client.session() as session,
    ):
        await asyncio.sleep(7)
        assert await session.call(Ping()) == Done()


@pytest.mark.parametrize("server", SERVERS)
async def test_people_are_counted_not_the_proxy(tmp_path: Path, server: str) -> None:
    """Each address has its own share, whatever a client says in the header; the proxy has no limit but that of all."""
    limits = replace(Limits(), connections_per_address=2)
    async with behind(server, tmp_path, limits) as at, at.client() as client:
        await client.keys()
        lies = {"X_Forwarded_For": "203.0.113.9"}
        async with client.session(), client.session():
            with pytest.raises(CarrierError):
                async with client.session():
                    pass
            head = upgrade(at.relay, Host="127.0.0.1", **lies)
            reader, writer = await asyncio.open_connection("127.0.0.1", at.server.port)
            writer.write(head.replace(b"Host: relay\r\n", b""))
            assert (await reader.readline()).split()[1] == b"502", "a header from outside changes nothing"
            writer.close()
            # Somebody else, at another address.
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", at.server.port, local_addr=("127.0.0.2", 0)
            )
            writer.write(upgrade(at.relay, Host="127.0.0.1").replace(b"Host: relay\r\n", b""))
            assert (await reader.readline()).split()[1] == b"101"
            writer.close()
        while at.relay.relay.metrics.sessions:
            await asyncio.sleep(0.01)
        async with client.session() as session:
            assert await session.call(Ping()) == Done()


@pytest.mark.parametrize("server", SERVERS)
async def test_a_stranger_sees_the_web_servers_own_site(tmp_path: Path, server: str) -> None:
    async with behind(server, tmp_path) as at, aiohttp.ClientSession() as http:
        secret = at.address.rpartition("/")[2]
        async with http.get(at.server.address + "/") as response:
            assert await response.text() == "<h1>Bakery</h1>"
            assert TELLING.search(str(response.headers)) is None
        async with http.get(at.server.address + "/nothing") as response:
            ordinary = (response.status, await response.read())
        for path in (f"/{secret[:-1]}/", f"/{secret}x/", f"/{secret[:-1]}/s"):
            async with http.get(at.server.address + path) as response:
                assert (response.status, await response.read()) == ordinary
        assert at.relay.relay.metrics.connections == 0, "nothing of it came to the relay"


@pytest.mark.program("nginx")
async def test_nginx_keeps_no_word_of_those_who_use_the_relay(tmp_path: Path) -> None:
    async with behind("nginx", tmp_path) as at, at.client() as client:
        async with client.session() as session:
            await session.call(Ping())
        async with aiohttp.ClientSession() as http:
            async with http.post(at.address + "/x", data=bytes(200_000)) as response:
                assert response.status == 413
            async with http.get(at.server.address + "/seen") as response:
                assert response.status == 404
        secret = at.address.rpartition("/")[2]
    assert "GET /seen" in at.server.logs()
    assert secret not in at.server.logs()


@pytest.mark.program("nginx")
async def test_over_a_unix_socket(tmp_path: Path) -> None:
    socket = tmp_path / "relay.sock"
    async with behind("nginx", tmp_path, host=f"unix:{socket}") as at, at.client() as client:
        assert socket.stat().st_mode & 0o777 == 0o660
        assert await client.exchange(Ping()) == Done()
        async with client.session() as session:
            assert await session.call(Ping()) == Done()
    # The name of a socket that nobody listens on is taken over; one that lives is not.
    options: dict[str, Any] = {
        "host": f"unix:{socket}",
        "behind_proxy": LOOPBACK,
        "origin_url": "https://bakery.example",
    }
    async with running_relay(tmp_path / "data", **options):
        with pytest.raises(RelayError, match="another program listens on it"):
            async with running_relay(tmp_path / "other", **options):
                pass


# ---- whom the relay believes


async def test_only_the_proxy_is_believed(tmp_path: Path) -> None:
    """Who connects past the proxy, with a header of its own, is counted by its own address."""
    limits = replace(Limits(), disk_reserve=0, connections_per_address=1)
    elsewhere = load_config(
        {"behind_proxy": "192.0.2.0/24", "origin_url": "https://a.example", "data": str(tmp_path)}, {}
    ).behind_proxy
    async with running_relay(tmp_path, limits=limits, behind_proxy=elsewhere) as running:
        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(upgrade(running, X_Forwarded_For="198.51.100.1"))
        assert (await reader.readline()).split()[1] == b"101"
        answer = await raw(running, upgrade(running, X_Forwarded_For="198.51.100.2"))
        assert answer == b""
        writer.close()


async def test_requests_count_while_they_are_answered(tmp_path: Path) -> None:
    """On connections that the proxy keeps: one person's many are refused, another's goes through."""
    limits = replace(Limits(), disk_reserve=0, connections_per_address=1)
    async with running_relay(tmp_path, limits=limits, behind_proxy=LOOPBACK) as running:
        path = "/" + running.address.rpartition("/")[2]

        def post(address: str) -> bytes:
            return (
                f"POST {path}/x HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {address}\r\nContent-Length: 5\r\n\r\n"
            ).encode()

        reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
        writer.write(post("198.51.100.1"))  # the body is still to come
        async with asyncio.timeout(20):
            while not running.relay.metrics.connections:
                await asyncio.sleep(0.01)
            statuses = {}
            for address in ("198.51.100.1", "198.51.100.2", "evil, 198.51.100.1", "198.51.100.1:4711"):
                while True:
                    second, other = await asyncio.open_connection("127.0.0.1", running.port)
                    other.write(post(address) + b"hello")
                    statuses[address] = int((await second.readline()).split()[1])
                    other.close()
                    # The first request may still be on its way to be counted.
                    if statuses["198.51.100.1"] == 503:
                        break
        assert statuses == {
            "198.51.100.1": 503,
            "198.51.100.2": 400,
            "evil, 198.51.100.1": 503,
            "198.51.100.1:4711": 503,
        }
        writer.write(b"hello")
        assert (await reader.readline()).split()[1] == b"400"
        writer.close()


@pytest.mark.parametrize(
    ("peer", "proxies", "believed"),
    [
        (("127.0.0.1", 1), "local", True),
        (("::1", 1, 0, 0), "local", True),
        (("::ffff:127.0.0.1", 1, 0, 0), "local", True),
        ("", "local", True),
        (None, "local", True),
        (("192.0.2.1", 1), "local", False),
        (("192.0.2.1", 1), "192.0.2.1", True),
        (("192.0.2.2", 1), "192.0.2.1", False),
        (("2001:db8::5", 1, 0, 0), "192.0.2.1,2001:db8::/32", True),
        (("127.0.0.1", 1), "off", False),
        ("", "off", False),
    ],
)
def test_who_is_a_proxy(tmp_path: Path, peer: object, proxies: str, believed: bool) -> None:
    given = {"behind_proxy": proxies, "origin_url": "https://a.example", "data": str(tmp_path)}
    admission = Admission(Limits(), Metrics(), load_config(given, {}).behind_proxy)
    assert admission.is_proxy(peer) is believed


async def test_a_proxy_that_names_nobody_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_relay(tmp_path, behind_proxy=LOOPBACK) as running, aiohttp.ClientSession() as http:
        for _ in range(3):
            async with http.get(running.address + "/keys"):
                pass
    warnings = [record.getMessage() for record in caplog.records if "X-Forwarded-For" in record.getMessage()]
    assert len(warnings) == 1
    assert "127.0.0.1" not in warnings[0]


# ---- options and command


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"behind_proxy": "local"}, "how people reach the proxy"),
        ({"behind_proxy": "here", "domain": "a.example"}, "does not say where the proxy is"),
        ({"behind_proxy": "local", "public": "auto"}, "the proxy has the certificate"),
        ({"host": "unix:/run/relay.sock"}, "Give --behind-proxy"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, given: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({"data": str(tmp_path), **given}, {})
    assert told in str(caught.value)


def test_a_name_behind_a_proxy_is_the_proxys(tmp_path: Path) -> None:
    config = load_config({"data": str(tmp_path), "behind_proxy": "local", "domain": "chat.example.org"}, {})
    assert (config.host, config.port, config.obtains) == ("127.0.0.1", 8420, False)
    assert config.origin_url == "https://chat.example.org"


async def test_the_command_prints_the_settings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["relay", "proxy", "nginx", "--data", str(tmp_path)]
    assert main(arguments) == 2
    assert "polynya up" in capsys.readouterr().err
    async with running_relay(tmp_path) as running:
        secret = running.address.rpartition("/")[2]
    (tmp_path / "relay.toml").write_text('host = "*"\nport = 9000\n')
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert f"location /{secret}/ {{" in printed
    assert "proxy_pass http://127.0.0.1:9000;" in printed
    assert main(["relay", "proxy", "caddy", "--data", str(tmp_path)]) == 0
    assert f"path /{secret} /{secret}/*" in capsys.readouterr().out


def test_the_settings_that_are_suggested_are_of_this_relay() -> None:
    usual = RelayConfig(behind_proxy=(), origin_url="https://chat.example.org")
    assert elsewhere(usual) == ""
    given = replace(usual, port=9000)
    assert elsewhere(given) == " --behind-proxy --origin-url https://chat.example.org --port 9000"
