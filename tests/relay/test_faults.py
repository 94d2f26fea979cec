"""A small share of what `make soak` does to a relay: a few kills, and each fault once."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from polynya.relay import server
from polynya.relay.clock import SteadyClock
from polynya.relay.store.base import DOUBT, Kind, Problem
from polynya.relay.store.sqlite import open_store
from polynya.wire.labels import topic_id
from polynya.wire.messages import CreateTopic, Fetch, Publish, Published, Records
from tests.relay.client import Client, expect
from tests.relay.faults import FAULTS, fill, missing, mounted
from tests.relay.store_conformance import append, sign
from tests.relay.storing import NOW, raises
from tests.support.relay import ROOT, running_relay

KILLS = 5
DAY = 86_400_000


def test_a_relay_that_is_killed_and_whose_disk_and_clock_fail_keeps_its_promises() -> None:
    seed = random.randrange(10**9)  # noqa: S311 - printed, so that it can be taken again
    done = subprocess.run(
        [
            *(sys.executable, "-m", "scripts.durability", "--rounds", "1"),
            *("--kills", str(KILLS), "--life", str(KILLS), "--seed", str(seed)),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[-1] == "Every promise was kept."
    (total,) = (line for line in lines if line.endswith("0 lives broken."))
    assert int(total.split()[0]) >= KILLS
    for name in FAULTS:
        told = [line for line in lines if line.startswith(f"{name}: ")]
        assert len(told) == 1, (name, lines)
        assert missing(name) is not None or "not tried" not in told[0]


# ---- reading


@pytest.mark.skipif(missing("full") is not None, reason=str(missing("full")))
async def test_an_inbox_that_nobody_read_for_a_week_can_be_read_on_a_full_disk(tmp_path: Path) -> None:
    """That it was read is to be written down, for which there is no room."""
    inbox, topic = os.urandom(32), os.urandom(32)
    later = NOW + 8 * DAY
    with mounted(tmp_path / "disk", "-t", "tmpfs", "-o", "size=3m", "tmpfs") as disk:
        store = await open_store(disk, sign, time=NOW, reserve=0)
        await store.create_inbox(inbox, NOW)
        await store.create_topic(topic, 30, NOW)
        await append(store, inbox, b"a welcome" * 20, kind=Kind.INBOX)
        fill(disk)
        with raises(Problem.FULL):
            for _ in range(1_000):
                await append(store, topic, os.urandom(4_000))
        read = await store.fetch(Kind.INBOX, inbox, 0, 64, 100_000, later)
        assert [entry.record for entry in read.entries] == [b"a welcome" * 20]
        assert (await store.heads([], [inbox], later))[1] == [1]
        await store.close()


# ---- retention


async def test_a_relay_that_starts_with_a_wrong_clock_destroys_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is a year ahead when the relay starts; the sweep comes, and waits for a day. Were it right, the records
    would go then."""
    monkeypatch.setattr(server, "FIRST_SWEEP", 0.01)
    monkeypatch.setattr(server, "SWEEP_EVERY", 0.01)
    secret, shift = os.urandom(32), 0
    right = SteadyClock()

    def clock() -> int:
        return right() + shift

    async def kept() -> bool:
        client = Client(running.address, running.identity, clock)
        log = expect(Records, await client.exchange(Fetch(topic_id(secret), 0, 64)))
        await client.close()
        return log.entries[0].record is not None

    async with running_relay(tmp_path, clock=clock, local="off") as running:
        client = Client(running.address, running.identity, clock)
        await client.exchange(CreateTopic(secret, 1))
        expect(Published, await client.exchange(Publish(secret, b"kept a day" * 5)))
        await client.close()
        while not await running.relay.store.trusts(clock()):
            await asyncio.sleep(0.01)
    shift = 40 * DAY
    async with running_relay(tmp_path, clock=clock, local="off") as running:
        while "nothing is destroyed for a day" not in caplog.text:
            await asyncio.sleep(0.01)
        assert await kept()
        shift += DOUBT
        while await kept():
            await asyncio.sleep(0.01)
