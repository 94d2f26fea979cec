"""Groups on their way to another suite."""

from __future__ import annotations

import pytest

from polynya.core import events as e
from polynya.core import mlsgroup
from polynya.wire import messages as m
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Party, World

NAMES = ("anna", "boris", "clara", "david", "elena")
HOUR = 3_600_000


def other(suite: int) -> int:
    return m.SUITE_X25519 if suite == m.SUITE_XWING else m.SUITE_XWING


def suite_of(party: Party, chat: bytes) -> int:
    return hostile.group_of(party, chat).suite.id


def founded(world: World, patch: pytest.MonkeyPatch, count: int, suite: int) -> tuple[bytes, list[Party]]:
    """A group of so many people, all of them each other's members, with this suite."""
    people = friends(world, *NAMES[:count])
    with patch.context() as small:
        if suite == m.SUITE_X25519:
            small.setattr(mlsgroup, "XWING_MEMBERS_MAX", 1)
        chat = world.group(people[0], *people[1:])
    assert {suite_of(person, chat) for person in people} == {suite}
    return chat, people


def until_moving(world: World, chat: bytes, *people: Party) -> None:
    """Until all of them have read the ReInit."""
    for _ in range(3_000):
        if all(person.view(chat).state == "moving" for person in people):
            return
        assert world.step(), [person.view(chat).state for person in people]
    raise AssertionError("nobody moves")


def moved(chat: bytes, suite: int, *people: Party) -> None:
    """All have gone on in the group of that suite, once, and agree on everything."""
    agree(chat, *people)
    groups = {hostile.group_of(person, chat).group_id for person in people}
    assert len(groups) == 1 and chat not in groups
    for person in people:
        assert suite_of(person, chat) == suite, person.name
        assert person.view(chat).post_quantum is (suite == m.SUITE_XWING)
        assert person.system(chat).count("suite") == 1, person.name


def log_of(world: World, party: Party, chat: bytes) -> list[m.Entry]:
    return world.relay.topics[hostile.topic_of(party, chat).id].entries


def vanish_with_slot_records(world: World, party: Party, chat: bytes, count: int) -> None:
    """The party's device is gone as soon as the relay holds so many more slot records of the conversation's topic."""
    log = log_of(world, party, chat)
    wanted = count + sum(entry.slot is not None for entry in log)
    for _ in range(3_000):
        if sum(entry.slot is not None for entry in log) == wanted:
            party.go_offline()
            return
        assert world.step()
    raise AssertionError("the records do not come")


def after_the_reinit(
    world: World, patch: pytest.MonkeyPatch, count: int = 3, suite: int = m.SUITE_XWING
) -> tuple[bytes, list[Party]]:
    """The first one has committed the ReInit and is gone; the others wait."""
    chat, people = founded(world, patch, count, suite)
    people[0].do(e.MoveSuite(chat, other(suite)))
    vanish_with_slot_records(world, people[0], chat, 1)
    world.settle()
    for person in people[1:]:
        assert person.view(chat).state == "moving"
        assert person.view(chat).can_send and not person.view(chat).can_move
    return chat, people


def make_admin(world: World, chat: bytes, by: Party, *people: Party) -> None:
    for person in people:
        by.do(e.SetAdmin(chat, person.id, True))
    world.settle()


def both_ways(chat: bytes, *people: Party) -> None:
    """Words reach everybody."""
    world = people[0].world
    for person in people:
        person.say(chat, f"{person.name} is there")
    world.settle()
    for reader in people:
        for person in people:
            assert f"{person.name} is there" in reader.texts(chat), (reader.name, person.name)
