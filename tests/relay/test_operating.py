"""What an operator meets: options, first start, messages, health, metrics, logs."""

from __future__ import annotations

import asyncio
import logging
import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from polynya.crypto.signature import public_key
from polynya.relay.banner import is_loopback
from polynya.relay.cli import main
from polynya.relay.config import RelayConfig, load_config
from polynya.relay.errors import ConfigError, DataError, RelayError
from polynya.relay.folder import IDENTITY_FILE, PATH_FILE, open_folder
from polynya.relay.limits import Limits
from polynya.relay.system import SystemRandom
from polynya.wire.labels import topic_id
from polynya.wire.links import OpenedRelayLink, parse_link
from polynya.wire.messages import CreateTopic, Ping, Publish, Subscribe
from tests.relay.client import Client
from tests.support.relay import ROOT, RelayProcess, running_relay

# ---- options


def test_the_command_line_wins_over_environment_over_file(tmp_path: Path) -> None:
    (tmp_path / "relay.toml").write_text(
        'port = 1000\nhost = "192.0.2.1"\nlocal = "off"\n[limits]\nconnections = 5\n'
    )
    environment = {"POLYNYA_RELAY_PORT": "2000", "POLYNYA_RELAY_HOST": "192.0.2.2", "HOME": "/"}
    given = {"data": str(tmp_path), "port": "3000", "host": None}
    config = load_config(given, environment)
    assert (config.port, config.host, config.local) == (3000, "192.0.2.2", "off")
    assert config.limits == Limits(connections=5)
    assert load_config({}, {}).port == RelayConfig().port
    assert load_config({"tokens": "required"}, {"POLYNYA_RELAY_TOKENS": "off"}).tokens == "required"


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ({"port": "http"}, "--port: 'http' is not a port"),
        ({"port": "65536"}, "is not a port"),
        ({"port": "٣"}, "is not a port"),
        ({"host": ""}, "--host"),
        ({"origin_url": "chat.example.org"}, "https://chat.example.org"),
        ({"origin_url": "https://chat.example.org/path"}, "is not an origin"),
        ({"tls_cert": "cert.pem"}, "--tls-key"),
        ({"site": "/nowhere/at/all"}, "is not a folder"),
        ({"local": "9000"}, "--local"),
        ({"tokens": "on"}, "--tokens: 'on' is neither required nor off"),
        ({"port": "65535"}, "--local"),
        ({"data": ""}, "--data"),
    ],
)
def test_a_wrong_option_says_what_to_do(given: dict[str, str], part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(given, {})
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("port = ", "is not valid TOML"),
        ("prot = 5", "prot is not known"),
        ("port = true", "must be text or a number"),
        ("[limits]\nconections = 5", "there is no limit conections"),
        ("[limits]\nconnections = -1", "0 or more"),
        ("[limits]\nconnections = 1.5", "whole number"),
        ("[limits]\nopens_per_second = 0", "above 0"),
        ("[limits]\njoins_per_day = -1", "0 or more"),
        ("limits = 5", "must be a table"),
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, text: str, part: str) -> None:
    path = tmp_path / "relay.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config({"data": str(tmp_path)}, {})
    assert part in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_misspelt_variable_is_found() -> None:
    with pytest.raises(ConfigError, match="POLYNYA_RELAY_PROT"):
        load_config({}, {"POLYNYA_RELAY_PROT": "5"})


# ---- the data folder


def test_a_new_relay_has_an_identity_and_a_path_of_its_own(tmp_path: Path) -> None:
    folders = [open_folder(tmp_path / name, SystemRandom()) for name in ("a", "b")]
    assert len({folder.secret_path for folder in folders}) == 2
    assert len({folder.identity for folder in folders}) == 2
    assert all(folder.is_new for folder in folders)
    for folder in folders:
        assert len(folder.secret_path) == 22, "128 bits in base64url"
        assert stat.S_IMODE(folder.folder.stat().st_mode) == 0o700
        for name in (IDENTITY_FILE, PATH_FILE):
            assert stat.S_IMODE((folder.folder / name).stat().st_mode) == 0o600
        assert folder.seed.hex() not in repr(folder)
        assert folder.secret_path not in repr(folder)
        folder.close()
    again = open_folder(tmp_path / "a", SystemRandom())
    assert not again.is_new
    assert (again.identity, again.secret_path) == (folders[0].identity, folders[0].secret_path)
    again.close()


def test_a_second_relay_is_kept_out(tmp_path: Path) -> None:
    first = open_folder(tmp_path, SystemRandom())
    with pytest.raises(DataError, match="Another relay is running"):
        open_folder(tmp_path, SystemRandom())
    first.close()
    open_folder(tmp_path, SystemRandom()).close()


@pytest.mark.parametrize(
    ("name", "content"),
    [(IDENTITY_FILE, b"short"), (PATH_FILE, b"../.."), (PATH_FILE, b"abc"), (PATH_FILE, b"\xff" * 30)],
)
def test_damaged_files_are_named(tmp_path: Path, name: str, content: bytes) -> None:
    open_folder(tmp_path, SystemRandom()).close()
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=str(tmp_path / name)):
        open_folder(tmp_path, SystemRandom())


async def test_an_identity_is_never_made_anew_beside_old_data(tmp_path: Path) -> None:
    async with running_relay(tmp_path):
        pass
    (tmp_path / IDENTITY_FILE).unlink()
    with pytest.raises(DataError, match="Bring the file back"):
        async with running_relay(tmp_path):
            pass


async def test_a_busy_port_is_told(tmp_path: Path) -> None:
    async with running_relay(tmp_path / "one") as running:
        with pytest.raises(RelayError, match=f"Port {running.port} is in use"):
            async with running_relay(tmp_path / "two", port=running.port):
                pass
        with pytest.raises(RelayError, match="is not an address of this machine"):
            async with running_relay(tmp_path / "two", host="192.0.2.1"):
                pass


# ---- the command


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "polynya.relay", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """The program sets up its log for good, on the standard error that it had."""
    logs = logging.getLogger(), logging.getLogger("polynya")
    before = [(log, log.handlers, log.level, log.propagate) for log in logs]
    yield
    for log, handlers, level, propagate in before:
        log.handlers, log.level, log.propagate = handlers, level, propagate


@pytest.mark.usefixtures("log_as_before")
def test_errors_are_one_line_and_exit_code_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for arguments, environment, part in (
        (["up", "--data", str(tmp_path), "--port", "x"], {}, "is not a port"),
        (["up", "--data", str(tmp_path / "file")], {}, "cannot be written"),
        (["up", "--data", str(tmp_path)], {"POLYNYA_RELAY_PORT": "x"}, "POLYNYA_RELAY_PORT"),
        (["up", "--data", str(tmp_path), "--tls-cert", "/no", "--tls-key", "/no"], {}, "cannot be read"),
        (["relay", "link", "--data", str(tmp_path)], {}, "polynya up"),
        (["relay", "check", "--data", str(tmp_path)], {}, "Check --data"),
    ):
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            assert main(arguments) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.splitlines()) == 1, err
        assert err.startswith("polynya: ")
        assert part in err


async def test_the_program_starts_tells_its_link_and_stops(tmp_path: Path) -> None:
    relay = RelayProcess(tmp_path / "data", "--local", "off")
    async with relay:
        opened = parse_link(relay.link)
        assert isinstance(opened, OpenedRelayLink)
        assert opened.address.url == relay.address
        assert opened.address.identity == public_key((relay.data / IDENTITY_FILE).read_bytes())
        assert (
            await asyncio.to_thread(command, "relay", "link", "--data", str(relay.data))
        ).stdout.strip() == relay.link
        client = Client(relay.address, opened.address.identity)
        await client.exchange(Ping())
        await client.close()
        code = await relay.stop()
    assert code == 0
    done = await asyncio.to_thread(command, "relay", "check", "--data", str(relay.data))
    assert (done.returncode, done.stdout) == (0, "The data is in order.\n")


def test_a_newcomer_reads_what_to_do(tmp_path: Path) -> None:
    """In a terminal: address, link, code, and that it works on this computer only."""
    main, inner = pty.openpty()
    os.set_inheritable(inner, True)
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "COLUMNS": "120",
        "LINES": "60",
        "PYTHONUTF8": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "polynya.relay", "up", "--data", str(tmp_path / "data"), "--port", "0"],
        stdout=inner,
        env=environment,
    )
    os.close(inner)
    text = b""
    try:
        while b"Ctrl-C stops the relay." not in text:
            text += os.read(main, 65_536)
    finally:
        process.terminate()
        process.wait(30)
        os.close(main)
    shown = text.decode().replace("\r\n", "\n")
    link = (tmp_path / "data" / "link.txt").read_text().strip()
    assert f"\n  {link}\n" in shown
    assert link.startswith("http://127.0.0.1:")
    assert "works on this computer only" in shown
    assert "polynya up --domain chat.example.org" in shown
    assert "▀" in shown or "█" in shown
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://127.0.0.1:8420/x", True),
        ("http://localhost/x", True),
        ("http://[::1]:8420/x", True),
        ("http://192.168.1.5:8420/x", False),
        ("https://chat.example.org/x", False),
        ("https://localhost.example.org/x", False),
    ],
)
def test_loopback_addresses(address: str, expected: bool) -> None:
    assert is_loopback(address) is expected


# ---- health, metrics, logs


async def test_health_and_metrics_are_on_the_local_address_only(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as running, aiohttp.ClientSession() as http:
        client = Client(running.address, running.identity)
        secret = os.urandom(32)
        async with client.session() as session:
            await session.call(CreateTopic(secret, 30))
            await session.call(Publish(secret, b"x" * 40))
            async with http.get(f"{running.local}/metrics") as response:
                text = await response.text()
                assert response.content_type == "application/openmetrics-text"
        for line in ("polynya_published_total 1", "polynya_sessions 1", "polynya_topics 1"):
            assert line in text.splitlines()
        assert text.endswith("# EOF\n")
        assert re.search(r"[0-9a-f]{16}|127\.0\.0\.1", text) is None
        async with http.get(f"{running.local}/health") as response:
            assert (await response.json())["status"] == "ok"
        for base in (running.address, running.address.rpartition("/")[0]):
            for path in ("/metrics", "/health"):
                async with http.get(base + path) as response:
                    assert response.status == 404
        await client.close()


async def test_metrics_follow_the_format(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as running:
        text = running.relay.metrics.render({"one": ("Help", 1.0)})
    described: set[str] = set()
    for line in text.splitlines()[:-1]:
        if line.startswith("# "):
            described.add(line.split()[2])
            continue
        match = re.fullmatch(r'(\w+?)(_total|_bucket|_count|_sum)?(\{\w+="[^"]*"\})? [0-9.e+-]+', line)
        assert match is not None, line
        assert match[1] in described, line


async def test_a_unix_socket_serves_them_too(tmp_path: Path) -> None:
    socket = tmp_path / "local.sock"
    async with running_relay(tmp_path / "data", local=f"unix:{socket}"):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as http,
            http.get("http://local/health") as response,
        ):
            assert response.status == 200


async def test_logs_hold_no_ids_addresses_or_payloads(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything that any part logs at the finest level while requests succeed, fail and break."""
    caplog.set_level(logging.DEBUG)
    async with running_relay(tmp_path) as running:
        client = Client(running.address, running.identity)
        secret, record = os.urandom(32), b"a payload to be found" + os.urandom(200)
        async with client.session() as session:
            await session.call(CreateTopic(secret, 30))
            await session.call(Subscribe((topic_id(secret),), ()))
            await session.call(Publish(secret, record, None, (secret,)))
            await session.call(Publish(secret, record))
            running.relay.store._writer._db.execute("DROP TABLE blobs")  # type: ignore[attr-defined]
            await session.call(Publish(secret, record + b"2", None, (secret,)))
            await session.stream.send(b"garbage")
            await session.close_code()
        async with aiohttp.ClientSession() as http:
            for path in ("/", "/x", "/keys"):
                async with http.post(running.address + path, data=b"garbage"):
                    pass
        await client.close()
    own = [r.getMessage() + (r.exc_text or "") for r in caplog.records if not r.name.startswith("asyncio")]
    text = "\n".join(own)
    assert "the database failed" in text
    path = running.address.rpartition("/")[2]
    for secret_thing in (
        secret.hex(),
        topic_id(secret).hex(),
        "127.0.0.1",
        path,
        "payload",
        str(running.port),
    ):
        assert secret_thing not in text
