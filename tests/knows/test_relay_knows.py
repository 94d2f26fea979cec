"""What a relay holds after a busy day, in every place where it could: nothing that only members may know."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from polynya import Client
from polynya.relay.config import REQUIRED
from polynya.relay.store.sqlite import DATABASE
from polynya.testing import configure
from tests.hostile.crowd import carriers_from
from tests.knows import leaky
from tests.knows.day import PEOPLE, Day, live
from tests.knows.search import Search, cells, files, memory, report
from tests.support.relay import RelayProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read by /proc")

ADDRESSES = tuple(f"127.99.87.{n}" for n in range(101, 101 + len(PEOPLE)))


@dataclass
class Place:
    """Where a relay may hold something."""

    name: str
    data: bytes
    is_text: bool = False


class Watched:
    """A relay as people run it, as a program of its own, and everything that can be had of it."""

    def __init__(self, folder: Path, *module: str) -> None:
        self.folder = folder
        self.log = folder / "log"
        self._socket = folder / "local.sock"
        program = ("sh", "-c", 'exec "$@" 2>>"$0"', str(self.log), sys.executable, *module)
        options = ("--local", f"unix:{self._socket}", "--tokens", REQUIRED)
        configure(folder / "relay")
        self.process = RelayProcess(folder / "relay", *options, program=program)

    async def places(self) -> list[Place]:
        """All but the memory. The relay runs."""
        found = [Place("log", self.log.read_bytes(), True)]
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self._socket))) as http:
            for path in ("/", "/health", "/metrics"):
                async with http.get(f"http://localhost{path}") as response:
                    found.append(Place(f"local {path}", await response.read(), True))
        found += [Place(f"file {name}", data) for name, data in files(self.process.data)]
        found.append(Place("cells", b"\0\0".join(cells(self.process.data / DATABASE))))
        return found

    def memory(self) -> Place:
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            return Place("memory", memory(self.process.pid))
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


@asynccontextmanager
async def after_a_day(folder: Path) -> AsyncIterator[tuple[Watched, Day]]:
    watched = Watched(folder, "-m", "polynya.relay")
    async with watched.process, AsyncExitStack() as stack:
        people: dict[str, Client] = {}
        for name, address in zip(PEOPLE, ADDRESSES, strict=True):
            client = Client(folder / address, carriers=carriers_from(address))
            await stack.enter_async_context(client)
            await client.register(name, watched.process.link)
            people[name] = client
        yield watched, await live(people, folder)


async def test_a_busy_day_leaves_nothing_of_it_with_the_relay(tmp_path: Path) -> None:
    async with after_a_day(tmp_path) as (watched, day):
        assert len(day.secrets) > 100
        secrets = Search(day.secrets)
        places = [*await watched.places(), watched.memory()]
        for place in places:
            assert report(secrets.find(place.data, escaped=place.is_text)) == [], place.name
        by_name = {place.name: place for place in places}

        # The search sees what is there by design: ids are in the database, in rows of their own.
        found = {name for name, _ in Search(day.known).find(by_name["cells"].data)}
        assert found == day.known.keys()
        # Capabilities pass through the relay's memory in requests; nowhere are they kept.
        shown = Search(day.shown)
        for place in places:
            if place.name != "memory":
                assert report(shown.find(place.data, escaped=place.is_text)) == [], place.name

        # Nor where people are, anywhere but in memory, as long as they are connected.
        where = Search({address: address for address in ADDRESSES} | {"all of them": "127.99.87."})
        for place in places:
            if place.name != "memory":
                assert report(where.find(place.data)) == [], place.name
                for address in ADDRESSES:
                    packed = bytes(int(part) for part in address.split("."))
                    assert packed not in place.data, place.name
        # And the operator's own pages and logs name no id.
        for place in places:
            if place.is_text:
                assert report(Search(day.known).find(place.data, escaped=True)) == [], place.name


async def test_the_search_finds_what_a_leaky_relay_leaves_in_each_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    markers: dict[str, bytes | str] = {place: os.urandom(24) for place in leaky.PLACES}
    markers["memory wide"] = "тайна-" + os.urandom(8).hex()
    leaks = tmp_path / "leaks.json"
    encoded = {place: each.encode() if isinstance(each, str) else each for place, each in markers.items()}
    leaks.write_text(json.dumps({place: leaky.masked(marker) for place, marker in encoded.items()}))
    monkeypatch.setenv("POLYNYA_LEAKS", str(leaks))
    watched = Watched(tmp_path, "-m", "tests.knows.leaky")
    async with watched.process:
        places = [*await watched.places(), watched.memory()]
    search = Search(markers)
    found = {place.name: search.find(place.data, escaped=place.is_text) for place in places}
    in_files = set().union(*(each for name, each in found.items() if name.startswith("file ")))
    in_database = set().union(*(each for name, each in found.items() if name.startswith(f"file {DATABASE}")))
    assert ("database cell", "hex") in found["cells"]
    assert ("database bytes", "raw") in in_database and ("database bytes", "raw") not in found["cells"]
    assert ("file", "base64") in in_files
    assert ("file name", "hex") in found["file names of files"]
    assert ("log", "base64") in found["log"]
    assert ("log escaped", "escaped") in found["log"]
    assert ("metrics", "hex") in found["local /metrics"]
    assert ("health", "base64") in found["local /health"]
    assert {
        ("memory raw", "raw"),
        ("memory hex", "hex"),
        ("memory base64", "base64"),
        ("memory wide", "wide"),
    } <= found["memory"]
