"""Real people on a real relay: what they write arrives, whatever happens to the relay, the disk or the
clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from polynya import Client, ClientError, CoreError, MessageReceived, PolynyaError, TypingChanged
from polynya.carriers.base import Carrier
from polynya.carriers.https import HttpsCarrier
from polynya.client import loop
from polynya.client.storage import DATABASE, Storage
from polynya.core import sync
from polynya.testing import LocalRelay
from polynya.wire.messages import RelayAddress
from tests.client.people import (
    account,
    conversation_with,
    everybody_sees,
    meet,
    member_of,
    people,
    sees,
    texts,
    until,
)

pytestmark = pytest.mark.usefixtures("short_pauses")


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


@pytest.mark.parametrize("busy", [False, True])
async def test_what_was_replaced_is_forgotten(
    tmp_path: Path, relay: LocalRelay, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    """In a pause, and where there is none."""
    monkeypatch.setattr(loop, "QUIET", 1_000.0 if busy else 0.01)
    monkeypatch.setattr(loop, "FORGET_EVERY", 3 if busy else 1_000_000)
    forgotten = asyncio.Event()
    forget = Storage.forget_former

    def noted(storage: Storage) -> None:
        forget(storage)
        assert not storage.folder.joinpath(f"{DATABASE}-wal").stat().st_size
        running.call_soon_threadsafe(forgotten.set)

    running = asyncio.get_running_loop()
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        annas, _ = await meet(anna, boris)
        monkeypatch.setattr(Storage, "forget_former", noted)
        for number in range(5):
            await anna.send(annas, f"{number}")
        async with asyncio.timeout(20):
            await forgotten.wait()


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


async def test_a_group_moves_to_the_other_suite_and_back(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris", "Clara") as (anna, boris, clara):
        everybody = [anna, boris, clara]
        await meet(anna, boris)
        await meet(anna, clara)
        group = await anna.create_group("Trip", anna.contacts())
        for client in everybody:
            await member_of(client, group, 3)
        said: list[str] = []
        for post_quantum in (False, True):
            assert anna.conversation(group).can_move and not boris.conversation(group).can_move
            await anna.move(group, post_quantum)
            for client in everybody:
                said.append(f"{client.me.name} {post_quantum}")
                await client.send(group, said[-1])
            for client in everybody:
                await until(client, partial(_has_moved, client, group.id, post_quantum))

        async def all_is_there(client: Client) -> bool:
            return sorted(await texts(client, group)) == sorted(said)

        for client in everybody:
            await until(client, partial(all_is_there, client))


def _has_moved(client: Client, chat: bytes, post_quantum: bool) -> bool:
    view = client.conversation(chat)
    return view.state == "active" and view.post_quantum is post_quantum


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


async def test_where_no_websocket_gets_through_they_still_chat(
    tmp_path: Path, relay: LocalRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "POLL_INTERVAL", 200)

    def requests_only(address: RelayAddress) -> dict[str, Carrier]:
        return {"https": HttpsCarrier(address.url)}

    async with (
        Client(tmp_path / "Anna", carriers=requests_only) as anna,
        account(tmp_path / "Boris", "Boris", relay.link) as boris,
    ):
        await anna.register("Anna", relay.link)
        await until(anna, lambda: anna.link.kind == "polling")
        chat, _ = await meet(anna, boris)
        await anna.sent(await anna.send(chat, "by single requests"))
        await sees(boris, chat, "by single requests")
        await boris.send(chat, "and back")
        await sees(anna, chat, "by single requests", "and back")
        assert anna.link.kind == "polling"


async def test_typing_is_seen_and_never_kept(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)
        await anna.send(chat, "first")
        await sees(boris, chat, "first")
        await asyncio.gather(anna.settled(), boris.settled())
        events = boris.events()
        await anna.set_typing(chat, True)
        async with asyncio.timeout(60):
            async for event in events:
                if isinstance(event, TypingChanged):
                    assert (event.identity, event.active) == (anna.me.identity, True)
                    break
        assert await texts(boris, chat) == ["first"]


async def test_declined_and_blocked_people_stay_outside(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris", "Clara") as (anna, boris, clara):
        await boris.accept_invite(await anna.invite(), "me")
        await anna.decline((await until(anna, anna.requests))[0])
        assert anna.requests() == () and anna.contacts() == ()
        await clara.accept_invite(await anna.invite())
        await anna.block((await until(anna, anna.requests))[0])
        assert [(c.name, c.blocked) for c in anna.contacts()] == [("Clara", True)]
        await clara.accept_invite(await anna.invite(), "again")
        await boris.accept_invite(await anna.invite(), "again")
        (request,) = await until(anna, anna.requests)
        assert (request.name, request.text) == ("Boris", "again")
        await anna.settled()
        assert len(anna.requests()) == 1
        await anna.accept(request)
        await until(boris, lambda: conversation_with(boris, anna))


async def test_invites_are_for_one_person(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris", "Clara") as (anna, boris, clara):
        link = await anna.invite()
        assert [anna.link_of(view) for view in anna.invites()] == [link]
        await boris.accept_invite(link)
        await anna.accept((await until(anna, anna.requests))[0])
        await until(anna, lambda: [view.state for view in anna.invites()] == ["used"])
        await anna.settled()
        with pytest.raises(PolynyaError) as used:
            await clara.accept_invite(link)
        assert used.value.code in ("invite-used", "invite-gone")
        revoked = await anna.invite()
        await anna.revoke_invite(next(view for view in anna.invites() if view.state == "ready"))
        await anna.settled()
        with pytest.raises(PolynyaError) as gone:
            await clara.accept_invite(revoked)
        assert gone.value.code in ("invite-used", "invite-gone")
        with pytest.raises(PolynyaError) as own:
            await anna.accept_invite(await anna.invite())
        assert own.value.code == "invite-own"


async def test_a_long_text_travels_as_a_blob(tmp_path: Path, relay: LocalRelay) -> None:
    async with people(tmp_path, relay.link, "Anna", "Boris") as (anna, boris):
        chat, _ = await meet(anna, boris)
        long = "\u044f" * 8_192
        await anna.send(chat, long)
        await sees(boris, chat, long)
        with pytest.raises(CoreError) as refused:
            await anna.send(chat, long + "x")
        assert refused.value.code == "bad-content"
        with pytest.raises(ClientError):
            await anna.message(chat, bytes(16))
        for wrong in ("Nobody", "", "0000"):
            with pytest.raises(ClientError) as unknown:
                anna.find_chat(wrong)
            assert unknown.value.code == "unknown-chat"
        assert anna.find_chat("boris").id == anna.find_chat(chat.id.hex()[:6].upper()).id == chat.id
