"""The main job in Python alone: a relay, people by SDK and by command line, the README's bot; a group, a removal, a relay
that is killed in the middle. Nothing readable ever reaches it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path

from polynya.testing import LocalRelay
from tests.bots.documents import ROOT
from tests.bots.test_readme_bot import bot_process
from tests.client.people import account, meet, member_of, people, texts, until

WORDS = ("Ledovitov", "Sevmorput", "polynya-zavtra", "echo-otvet", "expedition.pdf", "Karskoye-more")
"""Names and texts that nothing else holds."""


class Terminal:
    """`polynya` as somebody types it."""

    def __init__(self, store: Path) -> None:
        self._store = store

    async def run(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "polynya", words[0], "--store", str(self._store), *words[1:],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )  # fmt: skip
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode()

    async def texts(self, chat: str) -> list[str]:
        lines = (await self.run("tail", chat, "--once", "--json", "-n", "1000")).splitlines()
        return [value["text"] for value in map(json.loads, lines) if value["kind"] in ("text", "file")]


def readable(folder: Path, *words: str) -> dict[str, list[str]]:
    """Which of `words` stand in which files, in any usual encoding."""
    found: dict[str, list[str]] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            hits = [w for w in words if w.encode() in data or w.encode("utf-16-le") in data]
            if hits:
                found[path.name] = hits
    return found


async def test_a_group_of_sdk_command_line_and_bot(tmp_path: Path) -> None:
    surname, town, secret, _, file_name, group_name = WORDS
    relay_data = tmp_path / "relay"
    async with (
        LocalRelay(relay_data) as relay,
        people(tmp_path, relay.link, f"Anna {surname}", "Boris", "Clara") as (anna, boris, clara),
        bot_process(tmp_path, relay.link) as bot,
    ):
        dmitri = Terminal(tmp_path / "dmitri")
        await dmitri.run("register", "Dmitri", relay.link)
        await meet(anna, boris)
        await meet(anna, clara)
        await anna.accept_invite(bot.invite)
        await until(anna, lambda: [c for c in anna.contacts() if c.name == "Echo" and c.conversation])
        await dmitri.run("accept", await anna.invite())
        request = await until(anna, lambda: anna.requests())
        await anna.accept(request[0])
        await dmitri.run("chats")

        group = await anna.create_group(group_name, anna.contacts())
        for client in (anna, boris, clara):
            await member_of(client, group, 5)
        assert group_name in await dmitri.run("chats")

        await anna.send(group, f"{secret} {town}")
        await dmitri.run("send", group_name, "from a terminal")
        path = tmp_path / file_name
        path.write_bytes((secret * 20_000).encode())
        await boris.send_file(group, path, caption="the plan")
        answers = [f"You said: {text}" for text in (f"{secret} {town}", "from a terminal", "the plan")]

        async def all_answered() -> bool:
            said = Counter(await texts(anna, group))
            return all(said[answer] == 1 for answer in answers)

        await until(anna, all_answered)

        await relay.kill()
        written = [await client.send(group, f"{client.me.name} in the dark") for client in (anna, clara)]
        await relay.start()
        for client, message in zip((anna, clara), written, strict=True):
            client.retry_now()
            await client.sent(message)

        await anna.remove(group, clara.me.identity)
        for client in (anna, boris):
            await member_of(client, group, 4)
        await until(clara, lambda: clara.conversation(group).state == "removed")
        await anna.sent(await anna.send(group, "without Clara"))

        async def heard_the_rest() -> bool:
            said = await texts(boris, group)
            return "without Clara" in said and "You said: without Clara" in said

        await until(boris, heard_the_rest)
        await clara.settled()
        assert not [text for text in await texts(clara, group) if "without Clara" in text]
        theirs = await dmitri.texts(group_name)
        assert Counter(theirs) == Counter(await texts(boris, group))
        assert max(Counter(theirs).values()) == 1
        await bot.end()
    assert not readable(relay_data, *WORDS, "You said", "in the dark", "Boris", "Dmitri")
    async with account(tmp_path / "Boris", "Boris", "") as boris:
        assert readable(tmp_path / "Boris", *WORDS) == {}
        assert f"{secret} {town}" in await texts(boris, group)
