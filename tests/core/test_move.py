"""Groups that go on in a group of another suite (protocol.md section 5.7)."""

from __future__ import annotations

import pytest

from polynya.core import events as e
from polynya.core import mlsgroup
from polynya.core.errors import CoreError
from polynya.wire import messages as m
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import DAY, Knobs, Party, World

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


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("suite", mlsgroup.SUITES)
def test_a_group_moves_and_nothing_is_lost(count: int, suite: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(300 + count)
    chat, people = founded(world, monkeypatch, count, suite)
    for person in people:
        person.say(chat, f"{person.name} before")
    world.settle()
    assert people[0].view(chat).can_move and not people[1].view(chat).can_move
    people[0].do(e.MoveSuite(chat, other(suite)))
    for person in people:
        person.say(chat, f"{person.name} at once")
    until_moving(world, chat, people[0])
    for person in people:
        person.say(chat, f"{person.name} during")
    world.settle()
    for person in people:
        person.say(chat, f"{person.name} after")
    world.settle()
    moved(chat, other(suite), *people)
    wanted = sorted(f"{p.name} {when}" for p in people for when in ("before", "at once", "during", "after"))
    for person in people:
        assert sorted(person.texts(chat)) == wanted, person.name
