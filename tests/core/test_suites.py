"""Which suite a conversation has, and how somebody without a fitting key package is waited for."""

from __future__ import annotations

import pytest

from polynya.core import events as e
from polynya.core import mlsgroup
from polynya.core._state import OpenedState
from polynya.core.commands import Call
from polynya.core.state import OPENED
from polynya.wire import messages as m
from polynya.wire.keypackages import seal_key_package
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Party, World


def suite(party: Party, chat: bytes) -> int:
    return hostile.group_of(party, chat).suite.id


def opened_state(party: Party) -> OpenedState:
    (row,) = party.core._state.rows(OPENED).values()
    return row.state


def test_people_and_small_groups_have_xwing() -> None:
    world = World(171)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    for party, conversation in ((anna, anna.direct(boris)), (boris, anna.direct(boris)), (clara, chat)):
        assert suite(party, conversation) == m.SUITE_XWING
        assert party.view(conversation).post_quantum


def test_a_group_made_for_many_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mlsgroup.suite_for(m.XWING_MEMBERS_MAX) == m.SUITE_XWING
    assert mlsgroup.suite_for(m.XWING_MEMBERS_MAX + 1) == m.SUITE_X25519
    world = World(172)
    anna, boris, clara, david = friends(world, "anna", "boris", "clara", "david")
    monkeypatch.setattr(mlsgroup, "XWING_MEMBERS_MAX", 2)
    chat = world.group(anna, boris, clara)
    assert suite(boris, chat) == m.SUITE_X25519
    assert not boris.view(chat).post_quantum
    anna.do(e.AddMembers(chat, (david.id,)))
    world.settle()
    agree(chat, anna, boris, clara, david)
    anna.say(chat, "welcome")
    world.settle()
    assert david.texts(chat) == ["welcome"]


def test_a_key_package_of_another_suite_is_not_used() -> None:
    world = World(173)
    anna, boris = friends(world, "anna", "boris")
    own, owner = hostile.me_of(boris), hostile.owner_of(boris)
    package = mlsgroup.new_key_package(
        own, m.SUITE_X25519, world.now, False, boris.random
    ).key_package.encode()
    world.relay.packages[owner] = [seal_key_package(own.package_key, owner, package, boris.random)]
    anna.do(e.CreateGroup("trap", (boris.id,)))
    world.settle()
    (chat,) = [v.id for v in anna.core.conversations() if v.name == "trap"]
    assert anna.view(chat).problem == "bad-key-package"
    assert anna.members(chat) == ["anna"]


def test_a_request_leaves_when_key_packages_for_its_answer_are_there() -> None:
    world = World(174)
    anna, boris = world.person("anna"), world.person("boris")
    full = True

    def lie(party: Party, call: Call) -> m.Response | None:
        if full and party is boris and isinstance(call.request, m.PutKeyPackages):
            return m.Refused(m.RefusalCode.FULL, 1_000)
        return None

    world.intercept = lie
    link = world.invite(anna)
    world.ask(boris, link, world.relay)
    world.settle(5_000)
    assert opened_state(boris) == OpenedState.REQUESTING
    assert anna.core.requests() == ()
    full = False
    world.settle()
    assert opened_state(boris) == OpenedState.REQUESTED
    (request,) = anna.core.requests()
    anna.do(e.AcceptRequest(request.id))
    world.settle()
    assert suite(boris, boris.direct(anna)) == m.SUITE_XWING


def test_whoever_is_accepted_without_a_key_package_is_waited_for() -> None:
    world = World(175)
    anna, boris = world.person("anna"), world.person("boris")
    world.ask(boris, world.invite(anna), world.relay)
    world.settle()
    owner = hostile.owner_of(boris)
    stock, last = world.relay.packages.pop(owner), world.relay.last_resorts.pop(owner)
    (request,) = anna.core.requests()
    anna.do(e.AcceptRequest(request.id))
    world.settle()
    chat = anna.core.conversations()[0].id
    assert anna.view(chat).state == "waiting-first"
    assert anna.view(chat).problem == "no-key-package"
    anna.say(chat, "hello")
    world.relay.packages[owner], world.relay.last_resorts[owner] = stock, last
    world.sleep(600_000)
    assert anna.view(chat).problem is None
    assert boris.texts(boris.direct(anna)) == ["hello"]
