"""A crash after any step of a move loses nothing and does nothing twice."""

from __future__ import annotations

import os

import pytest

from polynya.core import events as e
from polynya.wire import messages as m
from tests.support.moves import founded, moved
from tests.support.world import Party, World

STRIDE = 7
"""As in test_crashes: a run takes every seventh case, `POLYNYA_ALL_CRASHES=1` all of them."""

NAMES = ("anna", "boris")
"""Who founds the successor and who joins it."""


def begin() -> tuple[World, bytes, list[Party]]:
    world = World(600)
    with pytest.MonkeyPatch.context() as patch:
        chat, people = founded(world, patch, 3, m.SUITE_XWING)
    return world, chat, people


def scenario(world: World, chat: bytes, people: list[Party]) -> None:
    anna, boris, clara = people
    boris.say(chat, "before")
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    for person in people:
        person.say(chat, f"{person.name} writes")
    world.settle(120_000)
    clara.say(chat, "after")
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    wanted = ["after", "anna writes", "before", "boris writes", "clara writes"]
    for person in people:
        assert sorted(person.texts(chat)) == wanted, person.name


def steps() -> dict[str, tuple[int, int]]:
    """First and last step of each in a move without a crash."""
    world, chat, people = begin()
    first = {person.name: person.steps + 1 for person in people}
    scenario(world, chat, people)
    return {person.name: (first[person.name], person.steps) for person in people}


STEPS = steps()


def cases() -> list[tuple[str, int, str]]:
    found = [
        (name, step, mode)
        for name in NAMES
        for mode in ("saved", "called")
        for step in range(STEPS[name][0], STEPS[name][1] + 1)
    ]
    return found if os.environ.get("POLYNYA_ALL_CRASHES") == "1" else found[::STRIDE]


@pytest.mark.parametrize("crash", cases(), ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def test_crash(crash: tuple[str, int, str]) -> None:
    world, chat, people = begin()
    name, step, mode = crash
    (party,) = [person for person in people if person.name == name]
    party.crash_at = {step: mode}
    scenario(world, chat, people)
    assert party.steps >= step, "the crash did not happen"
