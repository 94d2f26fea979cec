"""Disks that fill up: the relay's and the device's. Nothing is lost, and all goes on when there is room again."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from polynya import Client, ClientError, ProblemRaised, StoreError
from polynya.testing import LocalRelay
from tests.client.people import account, meet, people, sees, texts, until

pytestmark = pytest.mark.usefixtures("short_pauses")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    mount = shutil.which("mount")
    if sys.platform != "linux" or os.geteuid() != 0 or mount is None:
        pytest.skip("a small file system needs root on Linux")
    path = tmp_path / "disk"
    path.mkdir()
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(path)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("a small file system cannot be mounted here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def fill(folder: Path) -> Path:
    """Takes all the room that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    return filler


async def test_a_full_disk_at_the_relay_only_delays(tmp_path: Path, small_disk: Path) -> None:
    (small_disk / "relay").mkdir()
    (small_disk / "relay" / "relay.toml").write_text("[limits]\ndisk_reserve = 0\n")
    async with (
        LocalRelay(small_disk / "relay") as relay,
        people(tmp_path, relay.link, "Anna", "Boris") as both,
    ):
        anna, boris = both
        chat, _ = await meet(anna, boris)
        await anna.sent(await anna.send(chat, "before"))
        filler = fill(small_disk)
        said = ["before"]
        waiting = None
        for number in range(200):
            said.append(f"full {number} " + "x" * 900)
            message = await anna.send(chat, said[-1])
            try:
                await anna.sent(message, timeout=0.5)
            except ClientError:
                waiting = message
                break
        assert waiting is not None, "the relay's disk must have been full"
        assert (await anna.message(chat, waiting.id)).status == "waiting"
        filler.unlink()
        await anna.send(chat, "after")
        await sees(boris, chat, *said, "after")
        assert await texts(anna, chat) == [*said, "after"]


async def test_a_full_disk_here_is_told_and_passes(tmp_path: Path, small_disk: Path) -> None:
    async with (
        LocalRelay(tmp_path / "relay") as relay,
        account(tmp_path / "Anna", "Anna", relay.link) as anna,
        account(small_disk / "Boris", "Boris", relay.link) as boris,
    ):
        chat, _ = await meet(anna, boris)
        await boris.sent(await boris.send(chat, "before"))
        events = boris.events()
        filler = fill(small_disk)
        said = ["before"]
        with pytest.raises(StoreError) as full:
            for number in range(200):
                await boris.send(chat, f"full {number}")
                said.append(f"full {number}")
        assert full.value.code == "store-full"
        assert "Free some space" in str(full.value)
        async with asyncio.timeout(30):
            async for event in events:
                if isinstance(event, ProblemRaised):
                    assert event.code == "store-full"
                    break
        await anna.send(chat, "while full")
        await asyncio.sleep(0.3)
        filler.unlink()
        await until(boris, lambda: received(boris, chat.id, "while full"))
        await boris.send(chat, "after")
        await until(anna, lambda: received(anna, chat.id, "after"))
        # Every text that `send` took is there once, and none that it refused.
        assert sorted(await texts(boris, chat)) == sorted([*said, "while full", "after"])
        assert sorted(await texts(anna, chat)) == sorted([*said, "while full", "after"])


async def received(client: Client, chat: bytes, text: str) -> bool:
    return text in await texts(client, chat)


async def test_steps_that_fail_leave_core_and_disk_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third commit fails, wherever it happens to fall; still both have every message once and in order."""
    from polynya.client.errors import StoreFull

    async with LocalRelay(tmp_path / "relay") as relay, people(tmp_path, relay.link, "Anna", "Boris") as both:
        anna, boris = both
        chat, _ = await meet(anna, boris)
        commits = 0

        def failing(client: Client) -> None:
            commit = client.loop._storage.commit

            def sometimes(changes: object, now: int) -> None:
                nonlocal commits
                commits += 1
                if commits % 3 == 0 and commits < 60:
                    raise StoreFull("the disk is full")
                commit(changes, now)  # type: ignore[arg-type]

            monkeypatch.setattr(client.loop._storage, "commit", sometimes)

        failing(boris)
        said = []
        for number in range(30):
            try:
                await boris.send(chat, f"from Boris {number}")
                said.append(f"from Boris {number}")
            except StoreError:
                pass
            await anna.send(chat, f"from Anna {number}")
            said.append(f"from Anna {number}")
        assert len(said) < 60, "some must have failed"

        async def complete(client: Client) -> bool:
            return sorted(await texts(client, chat)) == sorted(said)

        await until(boris, lambda: complete(boris))
        await until(anna, lambda: complete(anna))
        assert await texts(anna, chat) == await texts(boris, chat)
