"""A busy day on a relay: people meet, talk, found groups, join, leave, are removed, send files, change names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from polynya import Client
from polynya.core.state import CONVERSATION, GROUP, INBOX, ME, TOPIC
from polynya.wire import labels
from polynya.wire.messages import SUITE_X25519, SUITE_XWING
from tests.client.payers import purse_of
from tests.client.people import meet, member_of, sees, until

PEOPLE = ("Annalena Öström", "Бориславъ Quimby", "Claranova 🦦 Finch", "Dinarika Vale")


@dataclass
class Day:
    """What nobody but members may know, by name; and what a relay knows by design."""

    secrets: dict[str, bytes | str] = field(default_factory=dict)
    known: dict[str, bytes] = field(default_factory=dict)
    """ids of topics, inboxes and owners of key packages"""
    shown: dict[str, bytes] = field(default_factory=dict)
    """secrets that are shown to the relay in a request, and that it has no need to keep"""
    people: dict[str, Client] = field(default_factory=dict)
    topics: dict[str, set[bytes]] = field(default_factory=dict)
    """topics that somebody reads or has read"""

    def text(self, words: str) -> str:
        """Something that somebody writes."""
        self.secrets[f"text: {words[:40]}"] = words[:200]
        return words


async def live(people: dict[str, Client], folder: Path) -> Day:
    """Lives the day; all are registered and connected before and after it."""
    day = Day(people=people)
    anna, boris, clara, dina = (people[name] for name in PEOPLE)
    with_boris, _ = await meet(anna, boris)
    await meet(anna, clara)
    with_dina, _ = await meet(boris, dina)
    await meet(anna, dina)

    first = await anna.send(with_boris, day.text("a first private sentence about the harbour"))
    await sees(boris, with_boris, first.text)
    (received,) = await boris.history(with_boris)
    await boris.send(with_boris, day.text("ответ по-русски про гавань и лодку"), reply_to=received)
    await boris.react(received, "🦭")
    await boris.set_typing(with_boris, True)
    await boris.mark_read(received)
    await anna.edit(first, day.text("the same sentence, edited to say the pier"))
    gone = await anna.send(with_boris, day.text("a sentence that is deleted for everybody"))
    await anna.delete(await anna.sent(gone))
    await boris.send(with_dina, day.text("long story of the ice " * 400))

    lake = await anna.create_group(
        day.text("Lake trip of the otters"), [boris.me.identity, clara.me.identity]
    )
    for client in (anna, boris, clara):
        await member_of(client, lake.id, 3)
    await anna.add(lake, dina.me.identity)
    for client in (anna, boris, clara, dina):
        await member_of(client, lake.id, 4)
    await clara.send(lake, day.text("group sentence of an otter 🦦"))
    await dina.send(lake, day.text("group sentence of somebody who joined"))
    await anna.rename(lake, day.text("Sea trip of the otters"))
    await anna.set_admin(lake, boris.me.identity)
    await send_file(day, clara, lake.id, folder, 3_000)
    await send_file(day, anna, with_boris.id, folder, 150_000)
    await boris.set_name(day.text("Borislaw Renamed-Quimby"))
    await until(boris, lambda: boris.conversation(lake).my_role == "admin")
    note(day)
    await boris.remove(lake, clara.me.identity)
    for client in (anna, boris, dina):
        await member_of(client, lake.id, 3)
    await anna.send(lake, day.text("a sentence after the removal"))
    second = await dina.create_group(day.text("Second group of few"), [anna.me.identity])
    await member_of(anna, second.id, 2)
    await anna.leave(second)
    await until(dina, lambda: len(dina.conversation(second).members) == 1)
    for client in people.values():
        await client.flush()
    for client in people.values():
        await client.settled()
    note(day)
    for client in people.values():
        for view in client.conversations():
            for message in await client.history(view, 1_000):
                day.secrets[f"message {message.id.hex()[:8]}"] = message.id
    return day


async def send_file(day: Day, client: Client, chat: bytes, folder: Path, size: int) -> None:
    path = folder / f"holiday-picture-of-{size}-walruses.jpg"
    content = os.urandom(size)
    path.write_bytes(content)
    day.secrets[f"name of the file of {size}"] = path.name
    day.secrets[f"beginning of the file of {size}"] = content[:48]
    day.secrets[f"middle of the file of {size}"] = content[size // 2 : size // 2 + 48]
    await client.send_file(chat, path, caption=day.text(f"caption of a file with {size} walruses"))


def note(day: Day) -> None:
    """What everybody's device holds now; of ids only those that are in use."""
    day.known.clear()
    for name, client in day.people.items():
        state = client.loop.core._state
        me = state.get(ME, b"")
        assert me is not None
        day.secrets[name] = name
        day.secrets |= {
            f"identity of {name}": me.identity,
            f"identity secret of {name}": me.identity_secret,
            f"package key of {name}": me.package_key,
        }
        for suite in (SUITE_XWING, SUITE_X25519):
            secret = labels.owner_secret(me.owner_secret, suite)
            day.shown[f"owner secret {suite} of {name}"] = secret
            day.known[f"owner {suite} of {name}"] = labels.owner_id(secret)
        purse = purse_of(client)
        if purse.secret is not None:
            day.shown[f"member secret of {name}"] = purse.secret
        for number, held in enumerate(purse.stock[:4]):
            day.secrets[f"token {number} of {name}, not spent"] = held.token[-64:]
        for chat in state.keys(CONVERSATION):
            note_conversation(day, name, client, chat)
        for key in state.keys(INBOX):
            inbox = state.get(INBOX, key)
            assert inbox is not None
            if inbox.created and not inbox.closing:
                day.known[f"inbox {key.hex()[:8]} of {name}"] = key
                day.shown[f"read secret {key.hex()[:8]} of {name}"] = inbox.read_secret
            if inbox.inbox_key is not None:
                day.secrets[f"key of inbox {key.hex()[:8]}"] = inbox.inbox_key


def note_conversation(day: Day, name: str, client: Client, chat: bytes) -> None:
    state = client.loop.core._state
    row, cell = state.get(CONVERSATION, chat), state.get(GROUP, chat)
    assert row is not None
    short = chat.hex()[:8]
    day.secrets[f"conversation {short}"] = chat
    if cell is not None:
        group = cell.group()
        day.secrets[f"group id of {short}"] = group.group_id
        day.secrets[f"epoch authenticator of {short}"] = group.epoch_authenticator
        for member in group.members():
            day.secrets[f"device key {member.leaf_index} in {short}"] = member.signature_key
    for key in state.keys(TOPIC):
        topic = state.get(TOPIC, key)
        if topic is None or topic.conversation != chat:
            continue
        day.known[f"topic {key.hex()[:8]}"] = key
        day.topics.setdefault(name, set()).add(key)
        day.shown[f"write secret of topic {key.hex()[:8]}"] = labels.write_secret(topic.topic_secret)
        day.secrets[f"secret of topic {key.hex()[:8]}"] = topic.topic_secret
        day.secrets[f"record key of topic {key.hex()[:8]}"] = labels.record_key(topic.topic_secret)
