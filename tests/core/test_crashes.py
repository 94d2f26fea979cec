"""A crash after any step loses nothing and does nothing twice."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from polynya.core import events as e
from tests.support.agreement import agree
from tests.support.world import Party, World

STRIDE = 7
"""Each case crashes at one step; a run takes every seventh case, shifted by mode and party, so that a suite stays quick.
`POLYNYA_ALL_CRASHES=1` takes them all."""

Scenario = Callable[[World, dict[str, Party]], None]


def begin(crash: tuple[str, int, str] | None) -> tuple[World, dict[str, Party]]:
    world = World(11)
    people = {name: world.person(name) for name in ("anna", "boris", "clara")}
    if crash is not None:
        name, step, mode = crash
        people[name].crash_at = {step: mode}
    return world, people


def scenario(world: World, people: dict[str, Party]) -> None:
    """Invites, a direct conversation, a group, an added member, a removed one, messages between all of it."""
    anna, boris, clara = people["anna"], people["boris"], people["clara"]
    world.settle()
    direct = world.befriend(anna, boris)
    anna.say(direct, "one")
    boris.say(direct, "two")
    world.settle()
    world.befriend(anna, clara)
    chat = world.group(anna, boris)
    boris.say(chat, "three")
    anna.do(e.AddMembers(chat, (clara.id,)))
    anna.say(chat, "four")
    world.settle()
    clara.say(chat, "five")
    anna.do(e.RemoveMember(chat, boris.id))
    anna.say(chat, "six")
    world.settle(120_000)
    agree(direct, anna, boris)
    agree(chat, anna, clara)
    assert sorted(anna.texts(direct)) == sorted(boris.texts(direct)) == ["one", "two"]
    assert sorted(anna.texts(chat)) == ["five", "four", "six", "three"]
    assert [text for text in clara.texts(chat) if text in ("five", "six")] == [
        text for text in anna.texts(chat) if text in ("five", "six")
    ]
    assert boris.view(chat).state == "removed"
    assert "six" not in boris.texts(chat)


def steps_of(name: str) -> int:
    world, people = begin(None)
    scenario(world, people)
    return people[name].steps


STEPS = {name: steps_of(name) for name in ("anna", "boris", "clara")}


def cases() -> list[tuple[str, int, str]]:
    found = [
        (name, step, mode)
        for name in ("anna", "boris", "clara")
        for mode in ("saved", "called")
        for step in range(1, STEPS[name] + 1)
    ]
    return found if os.environ.get("POLYNYA_ALL_CRASHES") == "1" else found[::STRIDE]


@pytest.mark.parametrize("crash", cases(), ids=lambda case: f"{case[0]}-{case[1]}-{case[2]}")
def test_crash(crash: tuple[str, int, str]) -> None:
    world, people = begin(crash)
    scenario(world, people)
    assert people[crash[0]].steps >= crash[1], "the crash did not happen"
