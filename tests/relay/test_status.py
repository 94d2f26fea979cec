"""`polynya relay status`, and /status on the local address: how the relay is, and what to do."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from polynya.relay.admission import LOOPBACK
from polynya.relay.ask import ask_status, status_text
from polynya.relay.cli import main
from polynya.relay.config import RelayConfig
from polynya.relay.errors import RelayError
from polynya.relay.history import FEW
from polynya.relay.limits import Limits
from polynya.relay.server import RunningRelay, serving
from polynya.relay.sockets import Inherited
from polynya.relay.system import now
from polynya.relay.words import amount, number, span
from polynya.wire.messages import CreateTopic, Publish
from tests.browser.authority import Authority
from tests.relay.client import Client
from tests.support.ports import bound, closed_port
from tests.support.relay import running_relay
from tests.support.webapp import use_app


@pytest.fixture(autouse=True)
def app_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Whether the web app was built is not what these tests are about."""
    folder = tmp_path / "webapp"
    folder.mkdir()
    (folder / "index.html").write_text("app")
    use_app(monkeypatch, folder)
    yield


async def ask(running: RunningRelay) -> dict[str, object]:
    async with aiohttp.ClientSession() as http, http.get(f"{running.local}/status") as response:
        assert response.status == 200
        answer: dict[str, object] = await response.json()
        return answer


async def problems(running: RunningRelay) -> list[str]:
    found = (await ask(running))["problems"]
    assert isinstance(found, list)
    assert all(problem["do"] for problem in found)
    return [problem["what"] for problem in found]


async def test_a_relay_that_is_well_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with running_relay(tmp_path / "data") as running:
        code = await asyncio.to_thread(main, ["relay", "status", "--data", str(tmp_path / "data")])
        shown = capsys.readouterr().out
        assert code == 0, shown
        assert "Nothing is wrong." in shown
        assert "Sessions        under 10" in shown
        assert "certificate" not in shown.lower(), "it has none, and needs none"
        code = await asyncio.to_thread(main, ["relay", "status", "--json", "--data", str(tmp_path / "data")])
        assert code == 0
        known = json.loads(capsys.readouterr().out)
        later = (await ask(running))["uptime"]
        assert isinstance(later, int | float) and 0 <= known["uptime"] <= later
        assert known["certificate"] is None


async def test_over_a_unix_socket(tmp_path: Path) -> None:
    async with running_relay(tmp_path / "data", local=f"unix:{tmp_path / 'local.sock'}"):
        known = await asyncio.to_thread(ask_status, tmp_path / "data")
        assert known["problems"] == []


async def test_it_names_nobody(tmp_path: Path) -> None:
    """One conversation in the relay: no id, no address, no exact count."""
    async with running_relay(tmp_path / "data") as running:
        client = Client(running.address, running.identity)
        secret = bytes(range(32))
        async with client.session() as session:
            await session.call(CreateTopic(secret, 30))
            for number_ in range(FEW - 1):
                await session.call(Publish(secret, b"x" * 40 + bytes([number_])))
            known = await ask(running)
        recent = known["recent"]
        assert isinstance(recent, dict)
        for name in ("records", "deliveries", "requests", "refusals", "sessions"):
            assert recent[name] == 0, name
        assert recent["most"] is None
        text = json.dumps(known)
        assert secret.hex() not in text
        assert running.address.rpartition("/")[2] not in text
        await client.close()


# ---- problems


async def test_a_full_disk(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=1 << 60)
    async with running_relay(tmp_path / "data", limits=limits) as running:
        assert await problems(running) == [
            "The disk is nearly full: new files are refused, and records when it is full."
        ]


async def test_a_broken_database(tmp_path: Path) -> None:
    async with running_relay(tmp_path / "data") as running:
        writer = running.relay.store._writer  # type: ignore[attr-defined]
        writer._db.execute("DROP TABLE blobs")
        assert (await problems(running))[0].startswith("The database cannot be read")


async def test_too_many_connections(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=0, connections=1)
    async with running_relay(tmp_path / "data", limits=limits) as running:
        assert await problems(running) == []
        _, writer = await asyncio.open_connection("127.0.0.1", running.port)
        while running.relay.metrics.connections < 1:
            await asyncio.sleep(0.01)
        assert (await problems(running))[0].startswith("Connections are turned away")
        writer.close()


async def test_open_files_run_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_relay(tmp_path / "data") as running:
        monkeypatch.setattr(resource, "getrlimit", lambda _: (548, 548))
        running.relay.metrics.connections += 80
        assert await problems(running) == []
        running.relay.metrics.connections += 1
        assert await problems(running) == ["Open files run out: 548 are allowed, and each connection is one."]
        running.relay.metrics.connections -= 81


async def test_a_slow_disk(tmp_path: Path) -> None:
    async with running_relay(tmp_path / "data") as running:
        for _ in range(FEW):
            running.relay.metrics.observe(0.6)
        assert await problems(running) == ["Records take up to 1000 ms to be on disk."]


async def test_a_proxy_that_names_nobody(tmp_path: Path) -> None:
    async with running_relay(tmp_path / "data", behind_proxy=LOOPBACK) as running:
        async with aiohttp.ClientSession() as http, http.get(running.address + "/keys"):
            pass
        assert (await problems(running))[0].startswith("The web server in front does not say X-Forwarded-For")


async def test_files_that_are_over(tmp_path: Path) -> None:
    """A certificate that the operator renews: told in time, and when it is too late."""
    certificate, key = Authority.create(tmp_path / "ca").issue("127.0.0.1")
    ahead = 0
    async with running_relay(
        tmp_path / "data", tls_cert=certificate, tls_key=key, clock=lambda: now() + ahead
    ) as running:
        assert await problems(running) == []
        ahead = 20 * 86_400_000
        assert await problems(running) == ["The certificate is over in 9 days."]
        known = await ask(running)
        assert isinstance(known["certificate"], dict)
        assert known["certificate"]["names"] == ["127.0.0.1"]
        ahead = 31 * 86_400_000
        assert await problems(running) == ["The certificate is over: nobody can connect."]
        async with aiohttp.ClientSession() as http, http.get(f"{running.local}/health") as response:
            assert (response.status, (await response.json())["problem"]) == (503, "certificate")
        async with aiohttp.ClientSession() as http, http.get(f"{running.local}/metrics") as response:
            assert "polynya_certificate_seconds 0" in (await response.text()).splitlines()
            assert response.status == 200


async def test_an_authority_that_cannot_be_reached(tmp_path: Path) -> None:
    config = RelayConfig(
        data=tmp_path / "data",
        domain=("chat.example.org",),
        acme_directory=f"https://127.0.0.1:{closed_port()}/dir",
        http_port=None,
        local="127.0.0.1:0",
    )
    async with serving(config, inherited=Inherited([bound()])) as running:
        assert running.tls.renewals is not None
        await running.tls.renewals.tried.wait()
        known = await ask(running)
        text = status_text(known)
    assert "! There is no certificate: nobody can connect." in text
    assert "cannot be reached from here. Check this machine's network" in text
    assert "chat.example.org: none" in text


# ---- the command


@pytest.mark.parametrize("where", ["foo:bar", "[::1"])
def test_what_is_no_local_address_is_told(tmp_path: Path, where: str) -> None:
    with pytest.raises(RelayError, match="not a local address"):
        ask_status(tmp_path, where)


async def test_a_relay_that_does_not_run_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["relay", "status", "--data", str(tmp_path / "data")]
    assert main(arguments) == 2
    assert "No relay has been started in" in capsys.readouterr().err
    async with running_relay(tmp_path / "data"):
        pass
    assert main(arguments) == 2
    assert "See whether it runs" in capsys.readouterr().err
    async with running_relay(tmp_path / "data", local="off"):
        with pytest.raises(RelayError, match="--local off"):
            ask_status(tmp_path / "data")


async def test_problems_are_shown_and_are_exit_code_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = replace(Limits(), disk_reserve=1 << 60)
    async with running_relay(tmp_path / "data", limits=limits) as running:
        assert running.local is not None
        elsewhere = ["relay", "status", "--local", running.local.removeprefix("http://")]
        assert await asyncio.to_thread(main, elsewhere) == 1
    shown = capsys.readouterr().out
    assert "\n! The disk is nearly full" in shown
    assert "\n  Make space on the data folder's disk" in shown


def test_words() -> None:
    assert [number(value) for value in (0, 0.2, 5, 2_000, 50_000, 2e6)] == [
        "0",
        "0.2",
        "5",
        "2\u202f000",
        "50k",
        "2M",
    ]
    assert [amount(size) for size in (0, 512, 1 << 20, 3.5 * (1 << 30))] == [
        "0 B",
        "512 B",
        "1 MiB",
        "3.5 GiB",
    ]
    spans = {
        0: "0 seconds",
        1: "1 second",
        119: "1 minute 59 seconds",
        7_200: "2 hours",
        90_000: "1 day 1 hour",
    }
    assert {seconds: span(seconds) for seconds in spans} == spans
