"""A relay as a service: what it tells systemd, sockets that were opened for it, reloads, and its unit."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from polynya.crypto.signature import public_key
from polynya.relay import command, config, unit
from polynya.relay.cli import main
from polynya.relay.config import RelayConfig, load_config
from polynya.relay.errors import ConfigError
from polynya.relay.folder import IDENTITY_FILE, LINK_FILE
from polynya.relay.limits import Limits
from polynya.relay.notify import ServiceManager
from polynya.relay.sockets import inherited_sockets
from polynya.wire.messages import CreateTopic, Done, Ping, Publish, Published
from tests.browser.authority import Authority
from tests.relay.client import Client, expect
from tests.support.ports import bound
from tests.support.relay import ROOT, running_relay

PATIENCE = 30.0
LAUNCH = """
import os, sys
for number, fd in enumerate(sys.argv[1].split(","), 3):
    os.dup2(int(fd), number)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(sys.argv[1].split(",")))}
os.execv(sys.executable, [sys.executable, "-m", "polynya.relay", *sys.argv[2:]])
"""
"""As systemd starts a service with sockets: they begin at 3."""


class Manager:
    """Listens as systemd does; `heard` are the messages, each a dict."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)

    async def hear(self, *keys: str) -> dict[str, str]:
        """The next message that has all these keys."""
        async with asyncio.timeout(PATIENCE):
            while True:
                data = await asyncio.get_running_loop().sock_recv(self._socket, 65_536)
                message = dict(line.split("=", 1) for line in data.decode().split("\n"))
                if all(key in message for key in keys):
                    return message

    def close(self) -> None:
        self._socket.close()


@asynccontextmanager
async def service(
    tmp_path: Path, *options: str, sockets: Sequence[socket.socket] = (), **environment: str
) -> AsyncIterator[tuple[asyncio.subprocess.Process, Manager]]:
    """The program under a manager; ended at the end, with its output in service.log."""
    manager = Manager(tmp_path / "notify.sock")
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "NOTIFY_SOCKET": str(manager.path),
        **environment,
    }
    fds = [one.fileno() for one in sockets]
    start = ["-c", LAUNCH, ",".join(map(str, fds))] if fds else ["-m", "polynya.relay"]
    arguments = ["up", "--data", str(tmp_path / "data"), "--local", "off", *options]
    with (tmp_path / "service.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *start, *arguments), env=variables, pass_fds=fds, stdout=log, stderr=log
        )
    try:
        yield process, manager
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        manager.close()


def client_of(tmp_path: Path) -> Client:
    link = (tmp_path / "data" / LINK_FILE).read_text()
    identity = public_key((tmp_path / "data" / IDENTITY_FILE).read_bytes())
    return Client(link.partition("/#")[0], identity)


# ---- what systemd is told


async def test_a_service_says_when_it_is_ready_reloads_and_stops(tmp_path: Path) -> None:
    async with service(tmp_path, "--port", "0", WATCHDOG_USEC="400000") as (process, manager):
        ready = await manager.hear("READY")
        assert re.fullmatch(r"Serving http://127\.0\.0\.1:\d+", ready["STATUS"])
        client = client_of(tmp_path)
        assert await client.exchange(Ping()) == Done()
        for _ in range(3):
            await manager.hear("WATCHDOG")
        process.send_signal(signal.SIGHUP)
        assert int((await manager.hear("RELOADING"))["MONOTONIC_USEC"]) > 0
        await manager.hear("READY")
        assert await client.exchange(Ping()) == Done()
        process.send_signal(signal.SIGTERM)
        await manager.hear("STOPPING")
        assert await process.wait() == 0
        await client.close()
    log = (tmp_path / "service.log").read_text()
    assert "polynya relay link" in log
    assert (tmp_path / "data" / LINK_FILE).read_text().strip() not in log, "a service's log is kept"


async def test_names_in_no_file_system_are_understood() -> None:
    """systemd's own are such: they begin with a zero byte, written @."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        name = f"polynya-test-{os.getpid()}"
        listener.bind("\0" + name)
        environment = {"NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
        manager = ServiceManager.of(environment, 2)
        assert environment == {}, "no child may answer in the relay's name"
        manager.ready("two\nlines")
        assert listener.recv(1_000) == b"READY=1\nSTATUS=two lines"
        await manager.watch()  # was meant for another process: returns at once


def test_without_a_manager_nothing_happens() -> None:
    for environment in ({}, {"NOTIFY_SOCKET": "relative"}, {"NOTIFY_SOCKET": "/nowhere/at/all"}):
        ServiceManager.of(environment, 1).ready("")


# ---- sockets that were opened for it


async def test_a_restart_refuses_nobody(tmp_path: Path) -> None:
    """The socket outlives the program: who connects in between waits."""
    listener = bound()
    async with service(tmp_path, sockets=[listener]) as (process, manager):
        await manager.hear("READY")
        client = client_of(tmp_path)
        assert f":{listener.getsockname()[1]}/" in client.https._url
        flags = Path(f"/proc/{process.pid}/fdinfo/3").read_text().split("flags:")[1].split()[0]
        assert int(flags, 8) & os.O_CLOEXEC, "no child holds the port"
        assert await client.exchange(Ping()) == Done()
        process.kill()
        await process.wait()
        manager.path.unlink()
        waiting = asyncio.create_task(client.exchange(Ping()))
        async with service(tmp_path, sockets=[listener]):
            assert await waiting == Done()
        await client.close()
    listener.close()


def test_sockets_for_another_process_are_left() -> None:
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    assert inherited_sockets(environment, 2).main == []
    assert environment == {}


async def test_a_socket_that_does_not_listen_is_told(tmp_path: Path) -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        async with service(tmp_path, sockets=[deaf]) as (process, _):
            assert await process.wait() == 2
    log = (tmp_path / "service.log").read_text()
    assert "polynya: A socket of the socket unit is not one that listens" in log


# ---- reload


async def test_a_reload_under_load_drops_nothing(tmp_path: Path) -> None:
    """Sessions publish without a pause while limits and site change under them."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "index.html").write_text(folder.name)
    config = RelayConfig(
        data=tmp_path / "data",
        port=0,
        site=first,
        tokens="off",
        local="off",
        limits=replace(Limits(), disk_reserve=0),
    )
    async with running_relay(config.data, site=first, local="off") as running:
        clients = [Client(running.address, running.identity) for _ in range(4)]
        published = [0] * len(clients)
        stop = asyncio.Event()

        async def work(number: int) -> None:
            secret = os.urandom(32)
            async with clients[number].session() as session:
                assert await session.call(CreateTopic(secret, 30)) == Done()
                while not stop.is_set():
                    record = os.urandom(200)
                    answer = expect(Published, await session.call(Publish(secret, record)))
                    published[number] += 1
                    assert answer.seq == published[number]

        workers = [asyncio.create_task(work(number)) for number in range(len(clients))]
        async with aiohttp.ClientSession() as http:
            for turn in range(10):
                before = min(published)
                site = (second, first)[turn % 2]
                limits = replace(config.limits, publishes_burst=500 + turn, connections=100 + turn)
                assert running.reload(replace(config, site=site, limits=limits)) == []
                assert running.relay.limits.publishes_burst == 500 + turn
                async with http.get(running.address.rpartition("/")[0] + "/") as response:
                    assert await response.text() == site.name
                async with asyncio.timeout(PATIENCE):
                    while min(published) <= before:
                        await asyncio.sleep(0.01)
        assert running.relay.metrics.sessions == len(clients)
        stop.set()
        await asyncio.gather(*workers)
        for client in clients:
            await client.close()


async def test_a_reload_presents_new_files_and_keeps_old_ones_where_those_are_wrong(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path / "ca")
    certificate, key = authority.issue("127.0.0.1")
    trust = ssl.create_default_context(cafile=str(authority.certificate))

    async def shown(port: int) -> bytes:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trust)
        der: bytes = writer.get_extra_info("ssl_object").getpeercert(True)
        writer.close()
        return der

    config = RelayConfig(data=tmp_path / "data", port=0, tls_cert=certificate, tls_key=key, local="off")
    async with running_relay(config.data, tls_cert=certificate, tls_key=key, local="off") as running:
        first = await shown(running.port)
        authority.issue("127.0.0.1")  # to the same files, as certbot does
        assert await shown(running.port) == first
        running.reload(replace(config, limits=running.relay.limits))
        second = await shown(running.port)
        assert second != first
        key.write_text("garbage")
        with pytest.raises(ConfigError, match="Check --tls-cert and --tls-key"):
            running.reload(replace(config, limits=replace(Limits(), connections=1)))
        assert await shown(running.port) == second
        assert running.relay.limits.connections != 1, "of a configuration that is wrong nothing is taken"


async def test_a_signal_reloads_and_what_is_wrong_is_told(tmp_path: Path) -> None:
    """By SIGHUP, as `systemctl reload` does; what takes a restart is named."""
    (tmp_path / "data").mkdir(mode=0o700)
    file = tmp_path / "data" / "relay.toml"
    async with service(tmp_path, "--port", "0") as (process, manager):
        await manager.hear("READY")
        client = client_of(tmp_path)
        async with client.session() as session:
            for text, told in (
                ("[limits]\nconections = 5", "there is no limit conections"),
                ('site = "/nowhere"', "is not a folder"),
            ):
                file.write_text(text)
                process.send_signal(signal.SIGHUP)
                await manager.hear("RELOADING")
                assert told in (await manager.hear("READY"))["STATUS"]
                assert await session.call(Ping()) == Done()
            file.write_text("http_port = 8080\n[limits]\nconnections = 1\ndisk_reserve = 0\n")
            process.send_signal(signal.SIGHUP)
            await manager.hear("RELOADING")
            assert (await manager.hear("READY"))["STATUS"].startswith("Serving")
            assert await session.call(Ping()) == Done()
            async with aiohttp.ClientSession() as http:
                with pytest.raises(aiohttp.ClientError):
                    await http.get(client.https._url)
        await client.close()
    log = (tmp_path / "service.log").read_text()
    assert "The new configuration was not taken, the old one stays in force" in log
    assert "These take a restart: http_port, limits.disk_reserve." in log


@pytest.mark.parametrize("is_terminal", [True, False])
async def test_a_closed_terminal_ends_a_relay_that_was_started_in_it(
    tmp_path: Path, is_terminal: bool
) -> None:
    """Where it was started otherwise, the same signal is that for a reload."""
    main_end, inner = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "polynya.relay", "up", "--print-link", "--port", "0"),
        *("--data", str(tmp_path / "data"), "--local", "off"),
        stdin=inner if is_terminal else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdout is not None and process.stderr is not None
    async with asyncio.timeout(PATIENCE):
        await process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        if not is_terminal:
            assert b"The configuration was read anew" in await process.stderr.readline()
            process.terminate()
        assert await process.wait() == 0
    os.close(main_end)
    os.close(inner)


async def test_a_rate_that_stays_keeps_what_was_used_of_it(tmp_path: Path) -> None:
    """Or every reload would give all a fresh allowance."""
    async with running_relay(tmp_path) as running:
        relay = running.relay
        opens, drops = relay.opens, relay.drops
        relay.apply(replace(relay.limits, drops_burst=7))
        assert relay.opens is opens
        assert relay.drops is not drops


# ---- the unit


@pytest.fixture
def visible(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run from a folder that a service does not see."""
    monkeypatch.setattr(unit, "HIDDEN", ())


@pytest.mark.program("systemd-analyze")
@pytest.mark.parametrize("sockets", [False, True])
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, visible: None, sockets: bool) -> None:
    config = load_config({"domain": "chat.example.org"}, {})
    units = {unit.SERVICE: unit.service_unit(config, {"domain": "chat.example.org"}, with_sockets=sockets)}
    if sockets:
        units[unit.SOCKET] = unit.socket_unit(config)
    paths = [str(path) for path in unit.install(units, tmp_path)]
    assert "AF_NETLINK" not in units[unit.SERVICE]
    done = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", paths[0]],
        capture_output=True,
        text=True,
        check=False,
    )
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert exposure is not None, done.stderr
    assert float(exposure[1]) <= (1.5 if sockets else 1.7), done.stdout


def test_the_unit_has_the_options_as_systemd_reads_them(
    tmp_path: Path, visible: None, capsys: pytest.CaptureFixture[str]
) -> None:
    site = tmp_path / "a site at 100% $HOME"
    site.mkdir()
    arguments = ["relay", "systemd", "--site", str(site), "--behind-proxy", "--domain", "a.example"]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    start = next(line for line in printed.splitlines() if line.startswith("ExecStart="))
    escaped = str(site).replace("%", "%%").replace("$", "$$")
    assert f'--site "{escaped}"' in start
    assert "--behind-proxy local" in start
    assert start.endswith("--data /var/lib/polynya")
    assert "AmbientCapabilities=\n" in printed, "a port above 1023 takes no rights"


def test_a_unix_socket_is_made_by_systemd_for_the_web_server(
    visible: None, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--host", "unix:/run/polynya.sock", "--behind-proxy", "--domain", "a.example"]
    assert main(["relay", "systemd", "--sockets", *options]) == 0
    printed = capsys.readouterr().out
    assert "ListenStream=/run/polynya.sock\nSocketMode=0660\n" in printed
    assert "SocketGroup=www-data\n" in printed
    assert "Requires=polynya.socket\n" in printed


@pytest.mark.program("systemd-analyze")
def test_files_that_only_root_may_read_are_handed_over(
    tmp_path: Path, visible: None, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "relay",
        "systemd",
        "--tls-cert",
        "/etc/a b/fullchain.pem",
        "--tls-key",
        "/etc/a b/privkey.pem",
    ]
    assert main([*arguments, "--host", "*", "--port", "443"]) == 0
    printed = capsys.readouterr().out
    assert "--tls-cert %d/certificate.pem --tls-key %d/key.pem" in printed
    assert "LoadCredential=certificate.pem:/etc/a b/fullchain.pem\n" in printed
    path = tmp_path / "polynya.service"
    path.write_text(printed)
    done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--data", "/srv/relay"], "keeps its data in a folder of /var/lib"),
        (["--host", "unix:/run/a.sock", "--behind-proxy", "--domain", "a.example"], "add --sockets"),
        (["--site", "/home"], "which a service does not see (/home is hidden from it)"),
    ],
)
def test_what_a_service_cannot_do_is_told(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit, "HIDDEN", ("/home",))
    monkeypatch.setattr(unit, "program", lambda: ["/opt/polynya/bin/polynya"])
    assert main(["relay", "systemd", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_the_unit_is_of_the_services_own_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of that in the data folder of whoever makes it."""
    monkeypatch.setattr(unit, "program", lambda: ["/opt/polynya/bin/polynya"])
    for name, option in (("own", 'domain = "mine.example"'), ("service", 'domain = "chat.example"')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "relay.toml").write_text(option)
    monkeypatch.setattr(config, "default_data", lambda: tmp_path / "own")
    monkeypatch.setattr(command, "DEFAULT_DATA", tmp_path / "service")
    seen: list[RelayConfig] = []

    def service_unit(found: RelayConfig, *_: object, **__: object) -> str:
        seen.append(found)
        return ""

    monkeypatch.setattr(command, "service_unit", service_unit)
    assert main(["relay", "systemd"]) == 0
    assert [found.domain for found in seen] == [("chat.example",)]


def test_an_installation_that_a_service_does_not_see_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit, "HIDDEN", (str(Path(sys.executable).parent),))
    with pytest.raises(ConfigError, match="Put it elsewhere, such as /opt/polynya"):
        unit.program()
