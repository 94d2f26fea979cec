"""The README's bot, unchanged: killed in the middle of a burst, it has answered every message exactly
once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from polynya import Client, ConversationView
from polynya.testing import Friend, LocalRelay
from tests.bots.documents import ROOT, block_below

BURST = 60
WAIT = 120.0


def readme_bot() -> str:
    code = block_below((ROOT / "README.md").read_text("utf-8"), "bot")
    assert "You said: " in code and len([line for line in code.splitlines() if line.strip()]) <= 10
    return code


class BotProcess:
    """A bot's program as its owner starts it."""

    def __init__(self, folder: Path, code: str, relay: str) -> None:
        self._script = folder / "echo_bot.py"
        self._script.write_text(code, "utf-8")
        self._environment = {
            **os.environ,
            "POLYNYA_STORE": str(folder / "store"),
            "POLYNYA_RELAY": relay,
            "POLYNYA_NAME": "Echo",
            "PYTHONPATH": str(ROOT / "src"),
        }
        self.process: asyncio.subprocess.Process | None = None
        self.invite = ""

    async def start(self) -> None:
        """Returns when it has printed its invite."""
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, str(self._script), env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        out = self.process.stdout
        assert out is not None
        async with asyncio.timeout(WAIT):
            while not (line := await out.readline()).startswith(b"http"):
                assert line, "the bot ended at once"
        self.invite = line.decode().strip()

    async def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        assert await self.process.wait() == -9

    async def end(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return await self.process.wait()


@asynccontextmanager
async def bot_process(folder: Path, relay: str) -> AsyncIterator[BotProcess]:
    bot = BotProcess(folder, readme_bot(), relay)
    await bot.start()
    try:
        yield bot
    finally:
        if bot.process is not None and bot.process.returncode is None:
            bot.process.kill()
            await bot.process.wait()


async def answers(client: Client, chat: ConversationView) -> Counter[str]:
    """How often each text was answered."""
    return Counter(
        message.text.removeprefix("You said: ")
        for message in await client.history(chat, 1_000)
        if not message.mine and message.text.startswith("You said: ")
    )


async def test_killed_in_a_burst_it_has_answered_everything_once(tmp_path: Path) -> None:
    async with (
        LocalRelay(tmp_path / "relay") as relay,
        bot_process(tmp_path, relay.link) as bot,
        Friend("Anna", relay.link, folder=tmp_path / "anna") as anna,
    ):
        chat = await anna.meet(bot.invite)
        assert chat.name == "Echo"
        asked = [f"message {number}" for number in range(BURST)]
        half = asyncio.Event()

        async def write() -> None:
            for text in asked:
                await anna.client.send(chat, text)
                await asyncio.sleep(0.01)

        async def watch() -> None:
            while sum((await answers(anna.client, chat)).values()) < BURST // 3:
                await asyncio.sleep(0.01)
            half.set()

        writing, watching = asyncio.create_task(write()), asyncio.create_task(watch())
        async with asyncio.timeout(WAIT):
            await half.wait()
        await bot.kill()
        assert sum((await answers(anna.client, chat)).values()) < BURST, "it was killed in the middle"
        await asyncio.gather(writing, watching)
        await bot.start()
        await anna.client.send(chat, "the last")
        asked.append("the last")
        async with asyncio.timeout(WAIT):
            while (await answers(anna.client, chat))["the last"] == 0:
                await asyncio.sleep(0.05)
        assert await bot.end() == 0
        await anna.client.settled()
        assert await answers(anna.client, chat) == Counter(asked)
        for message in await anna.client.history(chat, 1_000):
            if not message.mine and message.kind == "text":
                target = await anna.client.message(chat, message.reply_to or b"")
                assert message.text == f"You said: {target.text}"
