"""H5: the relay shows a group in two versions: two machines with one identity, and each member led to one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from polynya import Client
from polynya.core.state import GROUP
from polynya.relay.folder import IDENTITY_FILE, PATH_FILE
from polynya.relay.store.sqlite import DATABASE
from polynya.wire import messages as m
from tests.client.people import sees, texts, until
from tests.hostile.crowd import ADDRESSES, Crowd, crowd, raised, shows, slot_of, topic_of
from tests.hostile.operator import Operator, hostile_relay


@asynccontextmanager
async def second_machine(here: Crowd, folder: Path) -> AsyncIterator[Operator]:
    """A copy of the relay as it is now, under the same identity and path."""
    first, second = folder / "relay", folder / "second"
    second.mkdir(mode=0o700)
    for name in (IDENTITY_FILE, PATH_FILE):
        (second / name).write_bytes((first / name).read_bytes())
    with (
        closing(sqlite3.connect(first / DATABASE)) as source,
        closing(sqlite3.connect(second / DATABASE)) as to,
    ):
        source.backup(to)
    async with hostile_relay(second, ADDRESSES) as operator:
        assert operator.running.identity == here.operator.running.identity
        yield operator


async def copy_messages(topic: bytes, before: int, source: Operator, to: Operator) -> None:
    """What members said on one machine since `before` is written into the other's log; commits are not."""
    for entry in await source.entries(topic):
        if entry.seq > before and entry.slot is None and entry.record is not None:
            await to.write(topic, entry.record, None, entry.blobs)


async def test_a_fork_with_as_many_commits_on_both_sides_shows_with_the_first_message_across(
    tmp_path: Path,
) -> None:
    """Nothing shows while no message crosses: by nature. What crosses is under keys that the other side has not."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        await anna.set_admin(chat, boris.me.identity)
        await until(boris, lambda: boris.conversation(chat).my_role == "admin")
        for client in (anna, boris, clara):
            await client.flush()
        topic = topic_of(anna, chat)
        async with second_machine(here, tmp_path) as south:
            north = here.operator
            await here.lead("boris", south, north)
            await anna.rename(chat, "North")
            await boris.rename(chat, "South")
            await until(clara, lambda: clara.conversation(chat).name == "North")
            await until(boris, lambda: boris.conversation(chat).name == "South")
            await clara.sent(await clara.send(chat, "for the north"))
            await sees(anna, chat, "for the north")
            assert await texts(boris, chat) == []
            for client in (anna, boris, clara):
                assert client.conversation(chat).problem is None
            assert epoch_word(anna, chat) == epoch_word(clara, chat) != epoch_word(boris, chat), (
                "the epochs differ: two people who compare a safety number in a direct chat see it"
            )
            await copy_messages(topic.id, topic.seq, north, south)
            await here.lead("boris", south, south)
            await shows(boris, chat, "history-differs")
            assert await texts(boris, chat) == []
            # The relay behaves: one machine again. What the other has seen is gone, and is said to be.
            await here.lead("boris", north, south)
            await boris.send(chat, "back again")
            await shows(anna, chat, "history-differs")
            await shows(clara, chat, "history-differs")
        # What nobody can repair in this chat a new one does: keys and people are the same.
        fresh = await anna.create_group("Lake trip again", [boris.me.identity, clara.me.identity])
        await until(boris, lambda: fresh.id in {view.id for view in boris.conversations()})
        await anna.sent(await anna.send(fresh, "together"))
        await sees(boris, fresh, "together")
        assert boris.conversation(fresh.id).problem is None


async def test_two_signed_receipts_for_one_place_stop_the_chat_for_good(tmp_path: Path) -> None:
    """Clara has seen the one, and is then shown the other: the relay's own signatures prove the fraud."""
    async with crowd(tmp_path) as here:
        chat, (anna, boris, clara) = await here.group("anna", "boris", "clara")
        topic, slot = topic_of(clara, chat).id, slot_of(clara, chat)
        told = raised(clara)
        await anna.rename(chat, "North")
        await until(clara, lambda: clara.conversation(chat).name == "North")
        commit = next(entry for entry in await here.operator.entries(topic) if entry.slot == slot)
        other = bytes(512)
        receipt = here.operator.receipt(topic, slot, 0, commit.seq, other)
        here.operator.push(
            "clara", m.Push(topic, m.Entry(commit.seq, commit.time, other, None, slot, receipt))
        )
        await shows(clara, chat, "relay-fraud")
        assert told == ["relay-fraud"]
        view = clara.conversation(chat)
        assert (view.state, view.can_send) == ("fraud", False)
        # Nothing of this relay is believed here again; what was read stays.
        await anna.sent(await anna.send(chat, "unseen"))
        await sees(boris, chat, "unseen")
        await here.again("clara")
        assert await texts(clara, chat) == []
        assert clara.conversation(chat).state == "fraud"


def epoch_word(client: Client, chat: bytes) -> bytes:
    cell = client.loop.core._state.get(GROUP, chat)
    assert cell is not None
    return cell.group().epoch_authenticator
