"""Real people on a real relay: what they write arrives, whatever happens to the relay, the disk or the
clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from polynya import Client, ClientError, CoreError, MessageReceived
from polynya.testing import LocalRelay
from tests.client.people import (
    account,
    everybody_sees,
    meet,
    member_of,
    people,
    sees,
    texts,
    until,
)


@pytest.fixture
async def relay(tmp_path: Path) -> AsyncIterator[LocalRelay]:
    async with LocalRelay(tmp_path / "relay") as relay:
        yield relay


async def test_two_people_chat(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        annas, boriss = await meet(anna, boris)
        assert annas.id == boriss.id
        assert (annas.name, boriss.name) == ("Boris", "Anna")
        first = await anna.send(annas, "hello Boris")
        assert first.status == "waiting" and first.mine and first.sender_name == "Anna"
        await sees(boris, boriss, "hello Boris")
        (received,) = await boris.history(boriss)
        assert (received.id, received.sender_name, received.mine) == (first.id, "Anna", False)
        answer = await boris.send(boriss, "hello Anna", reply_to=received)
        await everybody_sees([anna, boris], annas, "hello Boris", "hello Anna")
        assert (await anna.message(annas, answer.id)).reply_to == first.id

        async def is_read() -> bool:
            return boris.me.identity in (await anna.message(annas, first.id)).read_by

        assert not await is_read()
        assert boris.conversation(boriss).unread == 1
        await boris.mark_read(received)
        await until(anna, is_read)
        assert boris.conversation(boriss).unread == 0
        assert anna.safety(annas).groups == boris.safety(boriss).groups


async def test_reactions_edits_and_deletions_arrive(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)
        message = await anna.send(chat, "helo")
        await sees(boris, chat, "helo")
        received = await boris.message(chat, message.id)
        await boris.react(received, "\U0001f44d")
        await anna.edit(message, "hello")
        await everybody_sees([anna, boris], chat, "hello")

        async def reacted() -> bool:
            found = await anna.message(chat, message.id)
            return [(r.identity, r.emoji) for r in found.reactions] == [(boris.me.identity, "\U0001f44d")]

        await until(anna, reacted)
        await anna.delete(message)

        async def deleted() -> bool:
            found = await boris.message(chat, message.id)
            return found.deleted and found.text == "" and not found.reactions

        await until(boris, deleted)


async def test_a_group_of_five_and_a_removal(tmp_path: Path, relay: LocalRelay) -> None:
    names = ("Anna", "Boris", "Clara", "Dmitri", "Eva")
    async with people(tmp_path, relay.link, *names) as everybody:
        anna, boris, *others = everybody
        for other in everybody[1:]:
            await meet(anna, other)
        group = await anna.create_group("Trip", anna.contacts())
        for client in everybody:
            view = await member_of(client, group, 5)
            assert view.name == "Trip"
        said = []
        for client in everybody:
            said.append(f"{client.me.name} is here")
            await client.sent(await client.send(group, said[-1]))
        await everybody_sees(everybody, group, *said)

        await anna.remove(group, boris.me.identity)
        rest = [anna, *others]
        for client in rest:
            await member_of(client, group, 4)
        await until(boris, lambda: boris.conversation(group).state == "removed")
        with pytest.raises(CoreError) as refused:
            await boris.send(group, "let me in")
        assert refused.value.code == "not-active"
        await anna.send(group, "among us")
        await everybody_sees(rest, group, *said, "among us")
        await boris.settled()
        assert await texts(boris, group) == said


async def test_members_leave_rename_and_appoint(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris", "Clara") as (anna, boris, clara):
        await meet(anna, boris)
        await meet(anna, clara)
        group = await anna.create_group("Trip", anna.contacts())
        for client in (anna, boris, clara):
            await member_of(client, group, 3)
        with pytest.raises(CoreError) as refused:
            await boris.rename(group, "Mine")
        assert refused.value.code == "not-admin"
        await anna.set_admin(group, boris.me.identity)
        await until(boris, lambda: boris.conversation(group).my_role == "admin")
        await boris.rename(group, "Journey")
        for client in (anna, boris, clara):
            await until(client, partial(_is_named, client, group.id, "Journey"))
        await clara.leave(group)
        for client in (anna, boris):
            await member_of(client, group, 2)
        await until(clara, lambda: clara.conversation(group).state == "left")


def _is_named(client: Client, chat: bytes, name: str) -> bool:
    return client.conversation(chat).name == name


async def test_offline_and_return(tmp_path: Path, relay: LocalRelay) -> None:
    async with account(tmp_path / "Anna", "Anna", relay.link) as anna:
        async with account(tmp_path / "Boris", "Boris", relay.link) as boris:
            chat, _ = await meet(anna, boris)
            await boris.sent(await boris.send(chat, "before"))
        for number in range(100):
            message = await anna.send(chat, f"while away {number}")
        await anna.sent(message)
        async with account(tmp_path / "Boris", "Boris", relay.link) as boris:
            assert await texts(boris, chat) == ["before"]
            await boris.settled()
            await sees(boris, chat, "before", *(f"while away {number}" for number in range(100)))
            await boris.send(chat, "back")
            await until(anna, lambda: _last(anna, chat.id) == "back")


def _last(client: Client, chat: bytes) -> str | None:
    last = client.conversation(chat).last
    return None if last is None else last.text


async def test_what_is_written_offline_goes_out_later(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)
        await relay.kill()
        await until(anna, lambda: anna.link.kind in ("offline", "connecting"))
        message = await anna.send(chat, "into the dark")
        with pytest.raises(ClientError) as late:
            await anna.sent(message, timeout=0.5)
        assert late.value.code == "offline"
    async with account(tmp_path / "Anna", "Anna", relay.link) as anna:
        assert (await anna.message(chat, message.id)).status == "waiting"
        with pytest.raises(ClientError):
            await anna.settled(timeout=0.2)
        await relay.start()
        anna.retry_now()
        assert (await anna.sent(message)).status == "sent"
        async with account(tmp_path / "Boris", "Boris", relay.link) as boris:
            await sees(boris, chat, "into the dark")


async def test_a_relay_killed_in_mid_chat_loses_nothing(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)

        async def write(client: Client) -> list[str]:
            said = []
            for number in range(60):
                said.append(f"{client.me.name} {number}")
                await client.send(chat, said[-1])
                await asyncio.sleep(0.02)
            return said

        writing = [asyncio.create_task(write(client)) for client in (anna, boris)]
        for _ in range(3):
            await asyncio.sleep(0.3)
            await relay.kill()
            await relay.start()
        from_anna, from_boris = await asyncio.gather(*writing)

        async def complete(client: Client) -> bool:
            return sorted(await texts(client, chat)) == sorted(from_anna + from_boris)

        await until(anna, lambda: complete(anna))
        await until(boris, lambda: complete(boris))
        order = await texts(anna, chat)
        assert order == await texts(boris, chat)
        assert [text for text in order if text in from_anna] == from_anna
        assert [text for text in order if text in from_boris] == from_boris


@pytest.mark.parametrize("days", [-400, -20, 3, 30, 400])
async def test_a_wrong_clock_does_not_matter(tmp_path: Path, relay: LocalRelay, days: int) -> None:
    from polynya.client import system

    def shifted() -> int:
        return system.now() + days * 86_400_000

    async with (
        account(tmp_path / "Anna", "Anna", relay.link) as anna,
        Client(tmp_path / "Boris", clock=shifted) as boris,
    ):
        await boris.register("Boris", relay.link)
        chat, _ = await meet(boris, anna)
        await boris.send(chat, "my clock is wrong")
        await sees(anna, chat, "my clock is wrong")
        await anna.send(chat, "mine is not")
        await everybody_sees([anna, boris], chat, "my clock is wrong", "mine is not")
        assert boris.link.kind == "online"


async def test_events_tell_what_happened(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)
        events = boris.events()
        for number in range(5):
            await anna.send(chat, f"event {number}")
        seen = []
        async with asyncio.timeout(60):
            async for event in events:
                if isinstance(event, MessageReceived):
                    seen.append(event.message.text)
                    if len(seen) == 5:
                        break
        assert seen == [f"event {number}" for number in range(5)]
        late = boris.events()
        await boris.close()
        assert [event async for event in late if isinstance(event, MessageReceived)] == []
