"""What somebody sees who reads along with `polynya tail` while the relay forks a group."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from polynya.wire import messages as m
from tests.hostile.crowd import crowd, eventually, slot_of, topic_of
from tests.support.lines import said_until
from tests.support.relay import ROOT


async def test_tail_says_at_once_that_the_relay_is_caught_lying(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris) = await here.group("anna", "boris")
        topic, slot = topic_of(boris, chat).id, slot_of(boris, chat)
        await boris.close()
        here.operator.names["127.0.0.1"] = "tail"
        words = ["tail", "--store", str(tmp_path / "boris")]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "polynya", *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1"},
        )
        assert process.stdout is not None and process.stderr is not None
        try:
            await eventually(lambda: here.operator.sessions("tail"))
            await anna.rename(chat, "Sea trip")
            async with asyncio.timeout(20):
                await said_until(process.stdout, "Sea trip")
            commit = next(entry for entry in await here.operator.entries(topic) if entry.slot == slot)
            receipt = here.operator.receipt(topic, slot, 0, commit.seq, bytes(512))
            other = m.Entry(commit.seq, commit.time, bytes(512), None, slot, receipt)
            here.operator.push("tail", m.Push(topic, other))
            async with asyncio.timeout(20):
                line = (await process.stderr.readline()).decode()
            assert line == (
                "polynya: Sea trip: relay-fraud. The relay gave different members different histories, and its own "
                "signatures prove it. This chat is stopped. Talk to each other in another way\n"
            )
        finally:
            process.terminate()
            await process.communicate()
