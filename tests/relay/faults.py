"""Disks and clocks that fail, one after another under load: each a real one, taken away and given back.

Each fault is a coroutine from an empty folder, a seed and a server that starts relays to a sentence that says what
was seen; it raises Broken where a promise was not kept. Disks are mounted below the folder: the caller has a mount
namespace of its own.
"""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

from polynya.carriers.base import CarrierError
from polynya.relay.store.sqlite import DATABASE
from polynya.relay.system import now
from polynya.wire.messages import Ping, RefusalCode, Refused
from tests.relay.client import Client
from tests.relay.killing import Life
from tests.relay.load import Broken
from tests.support.forking import ForkServer

MIB = 1 << 20
DAY = 86_400_000
FAKETIME = tuple(
    Path(f"/usr/lib/{machine}-linux-gnu/faketime/libfaketime.so.1") for machine in ("x86_64", "aarch64")
)
SOME = 25
"""Promises that show that all is well."""
REFUSALS = 10

# ---- disks


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[Path]:
    """A file system at `place`, made for it."""
    place.mkdir(exist_ok=True)
    run("mount", *arguments, str(place))
    try:
        yield place
    finally:
        run("umount", str(place))


@contextmanager
def image(path: Path, place: Path) -> Iterator[Path]:
    """An ext4 in a file of 48 MiB, which is made where it is missing."""
    if not path.exists():
        with path.open("wb") as file:
            file.truncate(48 * MIB)
        run("mkfs.ext4", "-q", "-F", str(path))
    with mounted(place, "-o", "loop,errors=remount-ro", str(path)):
        yield place


def fill(disk: Path) -> Path:
    """A file that takes all the space that is left."""
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4_096))
    return ballast


async def full(folder: Path, seed: int, server: ForkServer) -> str:
    with mounted(folder / "disk", "-t", "tmpfs", "-o", "size=24m", "tmpfs") as disk:
        life = Life(disk / "data", seed, server)
        try:
            await life.relay.start()
            await life.work(SOME)
            ballast = fill(disk)
            async with life.client() as client:
                async with life.loaded(client) as until:
                    await until(
                        lambda: life.load.busy["FULL"] >= REFUSALS, "the relay said that its disk is full"
                    )
                await life.verify(client)
            ballast.unlink()
            await life.work(SOME)
            await life.kill_and_verify()
        finally:
            await life.relay.kill()
    return f"{life.load.busy['FULL']} times told that the disk is full, then {SOME} more promises"


async def read_only(folder: Path, seed: int, server: ForkServer) -> str:
    """The file system meets an error and goes on read-only, as Linux does; then it is repaired."""
    disk, file = folder / "disk", folder / "image"
    with ExitStack() as stack:
        stack.enter_context(image(file, disk))
        life = Life(disk / "data", seed, server)
        try:
            await life.relay.start()
            await life.work(SOME)
            await life.settle()
            before = life.load.promises
            device = Path(run("findmnt", "-no", "SOURCE", str(disk))).name
            Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("1")
            async with life.client() as client:
                async with life.loaded(client) as until:
                    await until(lambda: life.load.busy["INTERNAL"] >= 2 * REFUSALS, "the relay refused")
                if life.load.promises != before:
                    raise Broken("something was promised that a read-only disk cannot keep")
                await life.verify(client)
        finally:
            await life.relay.kill()
        stack.close()
        # Exit code 1: errors were corrected.
        subprocess.run(["e2fsck", "-fy", str(file)], check=False, capture_output=True)
        with image(file, disk):
            try:
                await life.check()
                await life.relay.start()
                await life.verify()
                await life.work(SOME)
                await life.kill_and_verify()
            finally:
                await life.relay.kill()
    return f"{life.load.busy['INTERNAL']} refusals and nothing promised, reads went on; {SOME} promises after the repair"


# ---- what the system answers


@asynccontextmanager
async def injected(pid: int, calls: str, fault: str) -> AsyncIterator[None]:
    """Within the block the kernel's answer to these calls of all threads is tampered with."""
    tracer = await asyncio.create_subprocess_exec(
        "strace",
        *("-f", "-p", str(pid), "-o", "/dev/null", "-e", f"trace={calls}", "-e", f"inject={calls}:{fault}"),
        stderr=subprocess.PIPE,
    )
    assert tracer.stderr is not None
    line = await tracer.stderr.readline()
    if b"attached" not in line:
        raise RuntimeError(f"strace: {line.decode().strip()}")
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        await tracer.communicate()


async def slow(folder: Path, seed: int, server: ForkServer) -> str:
    life = Life(folder / "data", seed, server)
    try:
        await life.relay.start()
        await life.work(SOME)
        pings = 0
        async with injected(life.relay.pid, "fsync,fdatasync", "delay_enter=60000"), life.client() as client:
            goal = life.load.promises + SOME
            async with life.loaded(client) as until:

                async def ask() -> None:
                    nonlocal pings
                    while True:
                        await client.exchange(Ping())
                        pings += 1

                asking = asyncio.create_task(ask())
                await until(lambda: life.load.promises >= goal and pings > 0, "a slow disk was written to")
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
            await life.verify(client)
        await life.kill_and_verify()
    finally:
        await life.relay.kill()
    return f"{SOME} promises at 60 ms for each sync, other requests were answered meanwhile ({pings})"


async def failing(folder: Path, seed: int, server: ForkServer) -> str:
    """No sync succeeds. After a failed one the system may believe pages to be on disk that are not."""
    life = Life(folder / "data", seed, server)
    try:
        await life.relay.start()
        await life.work(SOME)
        await life.settle()
        before = life.load.promises
        _write_back(life.relay.data / DATABASE)
        async with injected(life.relay.pid, "fsync,fdatasync", "error=EIO"), life.client() as client:
            async with life.loaded(client) as until:
                await until(lambda: life.load.busy["INTERNAL"] >= 3 * REFUSALS, "the relay refused")
            if life.load.promises != before:
                raise Broken("something was promised that was not synced")
            await _ask_again(life, client)
            await life.verify(client)
        await life.work(SOME)
        await life.kill_and_verify()
    finally:
        await life.relay.kill()
    return f"{life.load.busy['INTERNAL']} refusals and nothing promised while syncs failed, {SOME} promises after"


def _write_back(database: Path) -> None:
    """So that nothing is left to be written but what comes."""
    with closing(sqlite3.connect(database)) as db:
        busy, _, _ = db.execute("PRAGMA wal_checkpoint(FULL)").fetchone()
    if busy:
        raise RuntimeError("the database was read in an old snapshot")


async def _ask_again(life: Life, client: Client) -> None:
    """For a record that is there: to acknowledge it nothing is written, and yet the disk is known to fail."""
    log = life.load.logs[0]
    async with client.session() as session:
        answer = await session.call(log.request(next(iter(log.acknowledged))))
    if answer != Refused(RefusalCode.INTERNAL):
        raise Broken("the relay took something before its disk worked again")


async def handles(folder: Path, seed: int, server: ForkServer) -> str:
    """Connections use up all that the relay may open."""
    life = Life(folder / "data", seed, server)
    idle: list[socket.socket] = []
    try:
        await life.relay.start()
        pid = life.relay.pid
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        async with life.client() as client, life.loaded(client) as until:
            await until(lambda: life.load.promises >= SOME, "the first promises were made")
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(os.listdir(f"/proc/{pid}/fd")) + 8, hard))
            for _ in range(40):
                connection = socket.create_connection(("127.0.0.1", life.relay.port))
                connection.setblocking(False)
                idle.append(connection)
            refused = await _refused(life)
            goal = life.load.promises + SOME
            await until(lambda: life.load.promises >= goal, "those who are connected went on")
            for connection in idle:
                connection.close()
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
            goal = life.load.promises + SOME
            await until(lambda: life.load.promises >= goal, "it went on after")
        await life.work(SOME)
        await life.verify()
        await life.kill_and_verify()
    finally:
        for connection in idle:
            connection.close()
        await life.relay.kill()
    return f"{refused} new connections turned away, {SOME} promises on those that were there, new ones after"


async def _refused(life: Life) -> int:
    """How many of three devices that come now are turned away."""
    refused = 0
    for _ in range(3):
        async with life.client() as client:
            try:
                async with asyncio.timeout(1), client.session():
                    pass
            except (CarrierError, TimeoutError):
                refused += 1
    if not refused:
        raise Broken("there were file handles left")
    return refused


# ---- clocks


async def clock(folder: Path, seed: int, server: ForkServer) -> str:
    """The wall clock jumps by a day and by years and comes back, while the relay runs; then it is wrong by twelve
    hours for one whole run."""
    shift = folder / "shift"
    library = next(path for path in FAKETIME if path.exists())
    settings = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(shift),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    program = (
        "env",
        *(f"{name}={value}" for name, value in settings.items()),
        sys.executable,
        "-m",
        "polynya.relay",
    )
    life = Life(folder / "data", seed, program=program)

    def set_clock(to: str) -> None:
        beside = shift.with_name("next")
        beside.write_text(to + "\n")
        os.replace(beside, shift)

    set_clock("+0")
    try:
        await life.relay.start()
        for jump in ("+1d", "-1d", "+1826d", "-1826d"):
            set_clock(jump)
            await life.work(SOME)
            async with life.client() as client:
                told = (await client.answer(Ping())).time
                if abs(told - now()) > DAY // 24:
                    raise Broken(
                        f"at a jump of {jump} the relay told a time that is wrong by {told - now()} ms"
                    )
                await life.verify(client)
        await life.relay.kill()
        await life.check()
        for hours in (12, 0):
            set_clock(f"+{hours}h")
            await life.relay.start()
            await life.work(SOME, lambda hours=hours: now() + hours * DAY // 24)  # type: ignore[misc]
            async with life.client(lambda hours=hours: now() + hours * DAY // 24) as client:  # type: ignore[misc]
                await life.verify(client)
            await life.relay.kill()
        await life.kill_and_verify()
    finally:
        await life.relay.kill()
    return "jumps of a day and of five years were not followed; times stayed in order after a clock that was ahead"


# ---- power


async def power(folder: Path, seed: int, server: ForkServer, cuts: int = 2) -> str:
    """What the disk holds at one moment is all that is left: pages that were not synced are lost."""
    disk, file = folder / "disk", folder / "image"
    with image(file, disk):
        life = Life(disk / "data", seed, server)
    for _ in range(cuts):
        with image(file, disk):
            try:
                await _until_cut(life, file, disk)
            finally:
                await life.relay.kill()
        os.replace(file.with_name("photo"), file)
    with image(file, disk):
        try:
            await life.check()
            await life.end()
        finally:
            await life.relay.kill()
    return f"{life.load.promises} promises kept over {cuts} power cuts"


async def _until_cut(life: Life, file: Path, disk: Path) -> None:
    await life.relay.start()
    await life.verify()
    goal = life.load.promises + SOME
    async with life.client() as client, life.loaded(client) as until:
        await until(lambda: life.load.promises >= goal, "promises were made")
        os.kill(life.relay.pid, signal.SIGSTOP)
        _photograph(file, disk)


def _photograph(file: Path, disk: Path) -> None:
    """A copy of the image as it is between two writes of the kernel to it."""
    device = Path(run("findmnt", "-no", "SOURCE", str(disk))).name
    statistics = Path(f"/sys/block/{device}/stat")
    for _ in range(100):
        before = statistics.read_text()
        shutil.copyfile(file, file.with_name("photo"))
        # The ninth number is how many requests are on their way.
        if statistics.read_text() == before and before.split()[8] == "0":
            return
        time.sleep(0.05)
    raise RuntimeError("the disk did not come to rest")


Fault = Callable[[Path, int, ForkServer], Awaitable[str]]
FAULTS: dict[str, Fault] = {
    "full": full,
    "read-only": read_only,
    "slow": slow,
    "failing": failing,
    "handles": handles,
    "clock": clock,
    "power": power,
}


def missing(name: str) -> str | None:
    """What this machine lacks for the fault, or None."""
    if name in ("full", "read-only", "power") and os.geteuid() != 0:
        return "root"
    if name in ("slow", "failing") and shutil.which("strace") is None:
        return "strace"
    if name == "clock" and not any(path.exists() for path in FAKETIME):
        return "libfaketime"
    return None
