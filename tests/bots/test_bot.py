"""What a bot promises its author."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from polynya import Message
from polynya.bots import Bot, Incoming
from polynya.bots.errors import BotError
from polynya.bots.worker import PAGE
from polynya.client.errors import StoreFull
from polynya.testing import Friend, LocalRelay


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[LocalRelay]:
    async with LocalRelay(tmp_path / "relay") as relay:
        yield relay


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORE", "RELAY", "NAME", "PASSPHRASE"):
        monkeypatch.delenv(f"POLYNYA_{name}", raising=False)


def echo(tmp_path: Path, relay: LocalRelay, **more: Any) -> Bot:
    bot = Bot("echo", store=tmp_path / "bot", relay=relay.link, **more)

    @bot.message
    async def answer(message: Incoming) -> None:
        await message.reply(f"You said: {message.text}")

    return bot


async def test_it_answers_in_a_group_too(tmp_path: Path, relay: LocalRelay) -> None:
    bot = echo(tmp_path, relay)
    async with (
        bot.running(),
        Friend("Anna", relay.link, folder=tmp_path / "anna") as anna,
        Friend("Boris", relay.link, folder=tmp_path / "boris") as boris,
    ):
        await anna.meet(await bot.invite())
        await boris.meet(await bot.invite())
        group = await anna.client.create_group("Trip", anna.client.contacts())
        answer = await anna.ask(group, "hello group")
        assert (answer.text, answer.sender_name) == ("You said: hello group", "echo")


async def test_a_handler_that_fails_sends_nothing_and_the_bot_goes_on(
    tmp_path: Path, relay: LocalRelay, caplog: pytest.LogCaptureFixture
) -> None:
    bot = Bot("careless", store=tmp_path / "bot", relay=relay.link)

    @bot.message
    async def answer(message: Incoming) -> None:
        message.state["seen"] = message.state.get("seen", 0) + 1
        await message.reply(f"{message.text} {message.state['seen']}")
        if message.text == "bad":
            raise RuntimeError("on purpose")

    with caplog.at_level(logging.ERROR, logger="polynya.bots"):
        async with bot.running(), Friend("Anna", relay.link, folder=tmp_path / "anna") as anna:
            chat = await anna.meet(await bot.invite())
            assert (await anna.ask(chat, "good")).text == "good 1"
            await anna.client.send(chat, "bad")
            assert (await anna.ask(chat, "better")).text == "better 2"
    assert "on purpose" in caplog.text


async def test_what_a_stopped_handler_gathered_is_not_sent(tmp_path: Path, relay: LocalRelay) -> None:
    """The program dies inside the handler: the message comes again, and has one answer."""
    bot = Bot("slow", store=tmp_path / "bot", relay=relay.link)
    begun = asyncio.Event()
    runs: list[str] = []

    @bot.message
    async def answer(message: Incoming) -> None:
        runs.append(message.text)
        message.state["runs"] = message.state.get("runs", 0) + 1
        await message.reply(f"answer {message.state['runs']}")
        if len(runs) == 1:
            begun.set()
            await asyncio.Event().wait()

    async with Friend("Anna", relay.link, folder=tmp_path / "anna") as anna:
        async with bot.running():
            chat = await anna.meet(await bot.invite())
            await anna.client.send(chat, "question")
            async with asyncio.timeout(60):
                await begun.wait()
        async with bot.running():
            assert (await anna.ask(chat, "second question")).text == "answer 1"
            await bot.client.settled()
        async with asyncio.timeout(60):
            while (await texts_of_others(anna, chat.id)) != ["answer 1", "answer 2"]:
                await asyncio.sleep(0.02)
    assert runs == ["question", "question", "second question"]


async def texts_of_others(friend: Friend, chat: bytes) -> list[str]:
    found: tuple[Message, ...] = await friend.client.history(chat, 1_000)
    return [m.text for m in found if not m.mine and m.kind == "text"]


async def test_a_full_disk_makes_the_message_come_again(
    tmp_path: Path, relay: LocalRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    from polynya.bots import worker

    monkeypatch.setattr(worker, "STORE_PAUSE", 0.05)
    bot = echo(tmp_path, relay)
    failures = 3
    async with bot.running(), Friend("Anna", relay.link, folder=tmp_path / "anna") as anna:
        chat = await anna.meet(await bot.invite())
        commit = bot.client.loop._storage.commit

        def full(changes: Any, now: int) -> None:
            nonlocal failures
            if failures and any(getattr(c, "table", "") == "mark" for c in changes):
                failures -= 1
                raise StoreFull("the disk is full")
            commit(changes, now)

        monkeypatch.setattr(bot.client.loop._storage, "commit", full)
        assert (await anna.ask(chat, "hello")).text == "You said: hello"
        assert (await anna.ask(chat, "again")).text == "You said: again"
        assert failures == 0
        assert await texts_of_others(anna, chat.id) == ["You said: hello", "You said: again"]


async def test_many_messages_that_are_not_for_the_handler_do_not_stop_it(
    tmp_path: Path, relay: LocalRelay
) -> None:
    bot = echo(tmp_path, relay)
    async with bot.running(), Friend("Anna", relay.link, folder=tmp_path / "anna") as anna:
        chat = await anna.meet(await bot.invite())
        for number in range(2 * PAGE + 3):
            await bot.client.send(chat.id, f"by itself {number}")
        async with asyncio.timeout(60):
            while len(await texts_of_others(anna, chat.id)) < 2 * PAGE + 3:
                await asyncio.sleep(0.02)
        assert (await anna.ask(chat, "still there?")).text == "You said: still there?"


async def test_invites_are_printed_once_each_and_kept_over_a_restart(
    tmp_path: Path, relay: LocalRelay
) -> None:
    bot = echo(tmp_path, relay)
    out = io.StringIO()

    async def printed(count: int) -> list[str]:
        async with asyncio.timeout(60):
            while len(links := [w for w in out.getvalue().split() if w.startswith("http")]) < count:
                await asyncio.sleep(0.02)
        return links

    async with Friend("Anna", relay.link, folder=tmp_path / "anna") as anna:
        async with bot.running(out):
            first = (await printed(1))[0]
            await anna.meet(first)
            second = (await printed(2))[1]
            assert second != first
        async with bot.running(out):
            assert await printed(3) == [first, second, second]


async def test_the_name_is_changed_only_where_one_is_given(tmp_path: Path, relay: LocalRelay) -> None:
    async with echo(tmp_path, relay, shown_as="Weather").running() as bot:
        assert bot.client.me.name == "Weather"
    async with echo(tmp_path, relay).running() as bot:
        assert bot.client.me.name == "Weather"
    async with echo(tmp_path, relay, shown_as="Storm").running() as bot:
        assert bot.client.me.name == "Storm"


async def test_mistakes_are_told(tmp_path: Path, relay: LocalRelay) -> None:
    for name in ("", "a/b", "..", "-x", "a" * 65, "with space"):
        with pytest.raises(BotError) as bad:
            Bot(name)
        assert bad.value.code == "bot-name"
    bot = Bot("b", store=tmp_path / "b")
    with pytest.raises(BotError) as none:
        async with bot.running():
            pass
    assert none.value.code == "bot-no-handler"
    for wrong in (lambda message: None, len):
        with pytest.raises(BotError) as handler:
            bot.message(wrong)  # type: ignore[type-var]
        assert handler.value.code == "bot-handler"

    @bot.message
    async def answer(message: Incoming) -> None:
        pass

    with pytest.raises(BotError) as relayless:
        async with bot.running():
            pass
    assert relayless.value.code == "bot-no-relay"
    with pytest.raises(BotError) as closed:
        bot.client  # noqa: B018
    assert closed.value.code == "bot-over"


async def test_state_must_be_json_and_the_handler_must_still_run(tmp_path: Path, relay: LocalRelay) -> None:
    bot = Bot("b", store=tmp_path / "b", relay=relay.link)
    kept: list[Incoming] = []

    @bot.message
    async def answer(message: Incoming) -> None:
        kept.append(message)
        if message.text == "odd":
            message.state["x"] = {1, 2}
        await message.reply("done")

    async with bot.running(), Friend("Anna", relay.link, folder=tmp_path / "anna") as anna:
        chat = await anna.meet(await bot.invite())
        await anna.client.send(chat, "odd")
        assert (await anna.ask(chat, "even")).text == "done"
        assert len(await texts_of_others(anna, chat.id)) == 1
        with pytest.raises(BotError) as late:
            await kept[-1].reply("too late")
        assert late.value.code == "bot-over"
