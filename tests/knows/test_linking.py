"""How well an operator links what a relay sees, measured on a busy day. The threat model says these numbers: where one of
these fails because less is visible, it is the document that changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import combinations
from pathlib import Path

import pytest

from polynya import Client
from polynya.core.state import CONVERSATION
from polynya.wire import labels
from polynya.wire import messages as m
from polynya.wire.messages import RECORD_STEPS
from tests.hostile.crowd import ADDRESSES, NAMES, Crowd, crowd
from tests.hostile.operator import Seen
from tests.knows import linking
from tests.knows.day import PEOPLE, Day, live


@asynccontextmanager
async def watched_day(folder: Path) -> AsyncIterator[tuple[Crowd, Day]]:
    """The operator is honest, and notes everything."""
    async with crowd(folder) as here:
        people: dict[str, Client] = {}
        for name, called in zip(NAMES, PEOPLE, strict=True):
            people[called] = await here.join(name)
            await people[called].set_name(called)
            await people[called].settled()
        day = await live(people, folder)
        await here.again()
        yield here, day


def numbers(seen: list[Seen]) -> dict[str, set[int]]:
    """Truth: whose connections are which."""
    found: dict[str, set[int]] = {}
    for each in seen:
        if each.who and each.connection:
            found.setdefault(each.who, set()).add(each.connection)
    return found


async def test_what_an_operator_links_on_a_busy_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with watched_day(tmp_path) as (here, day):
        seen = here.operator.seen
        truth = numbers(seen)
        clients = {name: day.people[called] for name, called in zip(NAMES, PEOPLE, strict=True)}
        last = {name: max(connections) for name, connections in truth.items()}

        # Without any address all connections of a device are one, whatever happens in between.
        people = linking.same_people(seen)
        assert sorted(map(sorted, people)) == sorted(map(sorted, truth.values()))
        # A new connection tells all topics that its device reads, in one request.
        read = linking.topics_read(seen)
        for name, called in zip(NAMES, PEOPLE, strict=True):
            assert followed(clients[name]) <= read[last[name]] <= day.topics[called]
        # So the relay knows of each topic who reads it: how many a chat has, and which people share one.
        first = {name: min(connections) for name, connections in truth.items()}
        pairs = {frozenset((first[a], first[b])) for a, b in direct_pairs(clients)}
        guessed = linking.acquainted(seen)
        assert guessed == pairs and len(pairs) == 4
        # Who invited whom.
        assert linking.invited(seen) == {
            (first["anna"], first["boris"]),
            (first["anna"], first["clara"]),
            (first["boris"], first["dina"]),
            (first["anna"], first["dina"]),
        }
        # Who was removed, or left: that the topic changes shows it, and who does not come along.
        assert sorted(whom for _, whom in linking.removed(seen)) == sorted((first["clara"], first["anna"]))
        # How often each was added somewhere.
        counts = {"anna": 1, "boris": 2, "clara": 2, "dina": 3}
        assert linking.added(seen) == {first[name]: count for name, count in counts.items()}
        # That somebody types, while they do.
        hints = [each for each in seen if isinstance(each.request, m.SendEphemeral)]
        assert hints and {each.who for each in hints} == {"boris"}
        # Who wrote each record.
        published = [each for each in seen if isinstance(each.request, m.Publish)]
        wrote = {
            labels.record_hash(each.request.record): each.who
            for each in published
            if isinstance(each.request, m.Publish)
        }
        owner = {connection: name for name, mine in truth.items() for connection in mine}
        found_writers = {record: owner[connection] for record, connection in linking.writers(seen).items()}
        assert len(published) > 30 and found_writers == wrote
        # What kind of record it is shows in its size only as far as steps go.
        found = linking.sizes(seen)
        assert set(found) <= set(RECORD_STEPS)
        smallest = sum(count for size, count in found.items() if size <= RECORD_STEPS[1])
        slots = sum(1 for each in published if isinstance(each.request, m.Publish) and each.request.slot)
        with capsys.disabled():
            print(f"\n  {len(published):>5}  records, {slots} of them in slots (changes of members or keys)")
            print(
                f"  {len(people):>5}  devices told apart of {len(truth)}, over {sum(map(len, truth.values()))} connections"
            )
            print(
                f"  {len(pairs & guessed):>5}  of {len(pairs)} direct chats seen, and {len(guessed - pairs)} other pairs"
            )
            for size, count in found.items():
                print(f"  {count:>5}  records of {size} bytes")
        assert smallest / len(published) > 0.5


def followed(client: Client) -> set[bytes]:
    """Current topics of the chats that the device reads."""
    state = client.loop.core._state
    found = set()
    for key in state.keys(CONVERSATION):
        row = state.get(CONVERSATION, key)
        if row is not None and client.conversation(key).state == "active":
            found.add(row.topic)
    return found


def direct_pairs(clients: dict[str, Client]) -> list[tuple[str, str]]:
    """Who has a direct chat with whom."""
    return [
        (a, b)
        for a, b in combinations(clients, 2)
        if any(c.identity == clients[b].me.identity and c.conversation for c in clients[a].contacts())
    ]


async def test_a_bridge_takes_addresses_away_and_nothing_else(
    tmp_path: Path,
) -> None:
    """Through a bridge every connection has one address. What links topics is the connection, so only the person's place
    on the network is lost to the relay."""
    async with crowd(tmp_path) as here:
        for address in ADDRESSES:
            here.operator.names[address] = "bridge"
        anna, boris = await here.friends("anna", "boris")
        (view,) = anna.conversations()
        await anna.sent(await anna.send(view, "hello"))
        for client in (anna, boris):
            await client.flush()
        seen = here.operator.seen
        assert {each.who for each in seen if each.connection} == {"bridge"}
        assert len(linking.same_people(seen)) == 2
        assert len(linking.acquainted(seen)) == 1
