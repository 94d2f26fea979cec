"""A relay that lost its disk and came back from a backup: what people see, and what goes on."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from polynya import Client, ConversationView
from polynya.relay.backup import make_backup
from polynya.relay.config import REQUIRED
from polynya.relay.restore import restore_backup
from polynya.relay.system import now
from tests.client.people import account, everybody_sees, meet, member_of, sees, until
from tests.support.relay import GENEROUS, running_relay

pytestmark = pytest.mark.usefixtures("short_pauses")


async def becomes(client: Client, chat: ConversationView, what: str, value: str) -> None:
    await until(client, lambda: getattr(client.conversation(chat), what) == value)


async def test_people_are_told_and_go_on_writing(tmp_path: Path) -> None:
    """After the backup a message and a change of the group were made, which only devices have. Nobody is accused:
    a second receipt for a position would stop the conversation as proof of fraud."""
    data, backup, again = tmp_path / "data", tmp_path / "backup", tmp_path / "again"
    async with AsyncExitStack() as stack:
        async with running_relay(data, local="off", tokens=REQUIRED, limits=GENEROUS) as relay:
            port = relay.port
            clients = [
                await stack.enter_async_context(account(tmp_path / name, name, relay.link))
                for name in ("Anna", "Boris", "Carol")
            ]
            anna, boris, carol = clients
            await meet(anna, boris)
            await meet(anna, carol)
            chat = await anna.create_group("Skiing", list(anna.contacts()))
            for client in clients:
                await member_of(client, chat, 3)
            await anna.sent(await anna.send(chat, "in the backup"))
            await everybody_sees(clients, chat, "in the backup")
            make_backup(data, backup, now())
            await anna.rename(chat, "Sledging")
            for client in clients:
                await becomes(client, chat, "name", "Sledging")
            await anna.sent(await anna.send(chat, "lost"))
            await everybody_sees(clients, chat, "in the backup", "lost")
        restore_backup(backup, again, now())
        async with running_relay(again, port=port, local="off", tokens=REQUIRED, limits=GENEROUS):
            for client in clients:
                await becomes(client, chat, "problem", "relay-lost-history")
            said = ["in the backup", "lost"]
            for client in clients:
                said.append(f"{client.me.name} is here")
                await client.sent(await client.send(chat, said[-1]))
                await everybody_sees(clients, chat, *said)
            # Another change could contradict the one that was lost: the relay signs none in this chat.
            await anna.rename(chat, "Skating")
            await becomes(anna, chat, "problem", "change-refused")
            assert {client.conversation(chat).name for client in clients} == {"Sledging"}
            assert {client.conversation(chat).state for client in clients} == {"active"}
            said.append("we go on")
            await boris.sent(await boris.send(chat, said[-1]))
            await everybody_sees(clients, chat, *said)
            other = await anna.create_group("Skating", list(anna.contacts()))
            for client in clients:
                await member_of(client, other, 3)
            await anna.remove(other, next(c for c in anna.contacts() if c.name == "Carol"))
            await member_of(boris, other, 2)
            await anna.sent(await anna.send(other, "changes are possible here"))
            await sees(boris, other, "changes are possible here")
