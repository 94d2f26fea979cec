"""Garbage that holds itself, in a relay that runs."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from polynya.relay.connection import QuietHandler
from polynya.relay.garbage import Garbage
from tests.abuse.probes import get
from tests.support.relay import running_relay

GROWTH = 10_000


class Knot:
    """Holds itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
async def garbage() -> AsyncIterator[Garbage]:
    garbage = Garbage(GROWTH)
    yield garbage
    garbage.close()


async def test_what_is_new_is_found_at_once(garbage: Garbage) -> None:
    knot = weakref.ref(Knot())
    garbage.look()
    assert knot() is None


def dropped_late(garbage: Garbage) -> weakref.ref[Knot]:
    """Let go only after it was looked through, and then looked for again."""
    old = Knot()
    garbage.look()
    knot = weakref.ref(old)
    del old
    garbage.look()
    return knot


async def test_what_was_looked_through_is_not_again_until_the_relay_has_grown(garbage: Garbage) -> None:
    knot = dropped_late(garbage)
    assert knot() is not None
    grown = [(number,) for number in range(GROWTH)]
    garbage.look()
    assert knot() is None
    # From here on it is measured anew.
    assert dropped_late(garbage)() is not None
    assert len(grown) == GROWTH


async def test_little_is_looked_through_where_as_many_come_as_go(garbage: Garbage) -> None:
    """Python counts only how many more there are: these come to be hundreds of thousands, and are looked through in one
    go."""
    people = [[object()] for _ in range(1_000)]
    garbage.look()
    for turn in range(20):
        people = [[turn] for _ in range(len(people))]
        assert len(gc.get_objects(generation=0)) < 5_000
        garbage.look()
        assert len(gc.get_objects(generation=0)) < 1_000
    assert not gc.isenabled()


async def test_afterwards_python_looks_for_it_again() -> None:
    garbage = Garbage()
    assert gc.get_freeze_count() > 0
    garbage.close()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def connections() -> int:
    return sum(isinstance(one, QuietHandler) for one in gc.get_objects())


async def test_of_a_connection_that_ends_within_an_answer_nothing_is_left(tmp_path: Path) -> None:
    """Where nobody looks for garbage, all of it goes when it is let go."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "large.bin").write_bytes(bytes(8 << 20))
    async with running_relay(tmp_path / "data", site=site, local="off") as running:
        gc.collect()
        gc.disable()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(get(b"/large.bin") * 2)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
            assert connections() == 1
            writer.transport.abort()
            async with asyncio.timeout(20):
                while connections():
                    await asyncio.sleep(0.01)
        finally:
            gc.enable()


PROGRAM = """
import sys
from polynya.cli import main
from polynya.relay import running

class Told(running.Garbage):
    def look(self):
        print("looked", flush=True)
        super().look()

running.Garbage = Told
sys.exit(main(["up", "--data", sys.argv[1], "--port", "0", "--local", "off"]))
"""


def test_a_relay_that_runs_looks_again_and_again(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "data")], stdout=subprocess.PIPE
    ) as relay:
        assert relay.stdout is not None
        looked = 0
        for line in relay.stdout:
            looked += line == b"looked\n"
            if looked == 3:
                break
        relay.send_signal(signal.SIGTERM)
        relay.stdout.read()
    assert looked == 3
    assert relay.returncode == 0
