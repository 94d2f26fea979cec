"""What the relay holds of the machine's memory."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from polynya.relay.limits import Limits
from polynya.wire.messages import Done, Ping
from tests.relay.client import Client
from tests.support.relay import running_relay

FREED = """
from pathlib import Path
from polynya.relay import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

memory.keep_large_apart()
bytes([1]) * (256 * 1024)  # freed at once: what makes glibc's threshold rise
buffers = [bytes([1]) * (256 * 1024) for _ in range(100)]
full = resident()
del buffers[::2]
assert full - resident() > 10_000_000, (full, resident())
blocks = [bytes(4_000) for _ in range(20_000)]
last = bytes(4_000)
del blocks
full = resident()
memory.give_back()
assert full - resident() > 60_000_000, (full, resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_what_is_freed_goes_back_to_the_system_whatever_lies_behind_it() -> None:
    subprocess.run([sys.executable, "-c", FREED], check=True)


async def test_a_silent_session_keeps_no_ciphers_and_goes_on(tmp_path: Path) -> None:
    limits = replace(Limits(), disk_reserve=0, tick=0.05, ping_ticks=1_000, silent_ticks=2_000)
    async with running_relay(tmp_path, limits=limits) as running:
        client = Client(running.address, running.identity)
        async with client.session() as session:
            for _ in range(3):
                assert await session.call(Ping()) == Done()
                (one,) = running.relay.sessions
                sealed = one._sealed  # type: ignore[attr-defined]
                assert sealed._in._cipher is not None and sealed._out._cipher is not None
                one.tick()
                one.tick()
                assert sealed._in._cipher is None and sealed._out._cipher is None
        await client.close()
