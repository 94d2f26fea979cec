"""H10: the relay burns slots: it puts junk before members' commits, or lets nobody into them."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from polynya import Client
from polynya.relay.store import append
from polynya.wire import messages as m
from tests.client.people import everybody_sees, member_of, sees, until
from tests.hostile.crowd import crowd, slot_of, topic_of


async def is_named(client: Client, chat: bytes, name: str) -> None:
    await until(client, lambda: client.conversation(chat).name == name)


async def test_junk_in_the_first_places_of_every_slot_is_skipped_by_all(tmp_path: Path) -> None:
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        for epoch in range(3):
            topic, slot = topic_of(anna, chat).id, slot_of(anna, chat)
            for _ in range(3):
                await here.operator.write(topic, os.urandom(512), slot)
            await anna.rename(chat, f"Trip {epoch}")
            for client in (anna, boris, clara):
                await is_named(client, chat, f"Trip {epoch}")
        await anna.remove(chat, clara.me.identity)
        await member_of(boris, chat, 2)
        await anna.sent(await anna.send(chat, "in spite of it"))
        await everybody_sees([anna, boris], chat, "in spite of it")
        assert [client.conversation(chat).problem for client in (anna, boris)] == [None, None]
        assert anna.loop.core.counters()["slot-bad"] == 9


async def test_a_slot_without_a_place_left_takes_no_commit_and_messages_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slot has 65,536 places, of which the first four are all that there are here. Whoever fills them, the relay or a
    member, stops changes of this epoch for good: the change waits, and so do the messages of who made it."""
    monkeypatch.setattr(append, "LAST_POSITION", 3)
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        topic, slot = topic_of(anna, chat).id, slot_of(anna, chat)
        await asyncio.gather(*(here.operator.write(topic, os.urandom(512), slot) for _ in range(4)))
        await anna.rename(chat, "Sea trip")
        await until(anna, lambda: anna.conversation(chat).pending_operations == 1)
        await boris.sent(await boris.send(chat, "others go on"))
        await sees(clara, chat, "others go on")
        assert clara.conversation(chat).name == "Lake trip"
        # Of what was asked, that is what never happened.
        asked = [
            seen for seen in here.operator.seen if isinstance(seen.request, m.Publish) and seen.who == "anna"
        ]
        commits = [seen.response for seen in asked if getattr(seen.request, "slot", None) == slot]
        assert commits == [m.Refused(m.RefusalCode.TOO_MANY)] * len(commits)
        assert anna.conversation(chat).pending_operations == 1
        # A new chat is the way out.
        fresh = await anna.create_group("Sea trip", [boris.me.identity, clara.me.identity])
        await member_of(clara, fresh.id, 3)
        await anna.sent(await anna.send(fresh, "here"))
        await sees(boris, fresh, "here")
