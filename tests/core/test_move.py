"""Groups that go on in a group of another suite (protocol.md section 5.7)."""

from __future__ import annotations

import pytest

from polynya.core import events as e
from polynya.core import mlsgroup
from polynya.core.commands import Call
from polynya.core.errors import CoreError
from polynya.wire import messages as m
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.moves import (
    HOUR,
    after_the_reinit,
    both_ways,
    founded,
    log_of,
    make_admin,
    moved,
    other,
    suite_of,
    until_moving,
    vanish_with_slot_records,
)
from tests.support.world import DAY, Knobs, Party, World


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


@pytest.mark.parametrize("suite", mlsgroup.SUITES)
def test_somebody_is_away_during_all_of_it(suite: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(311)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, suite)
    clara.go_offline()
    clara.say(chat, "from afar")
    boris.say(chat, "before")
    anna.do(e.MoveSuite(chat, other(suite)))
    world.settle()
    boris.say(chat, "after")
    world.settle()
    clara.go_online()
    world.settle()
    moved(chat, other(suite), anna, boris, clara)
    for person in (anna, boris, clara):
        assert sorted(person.texts(chat)) == ["after", "before", "from afar"]


def test_the_only_admin_dies_after_the_reinit(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a day any member founds the successor; she comes back and goes on there."""
    world = World(312)
    chat, (anna, boris, clara) = after_the_reinit(world, monkeypatch)
    boris.say(chat, "is anybody there")
    world.sleep(DAY)
    assert boris.view(chat).state == clara.view(chat).state == "moving"
    assert clara.texts(chat) == []
    world.sleep(3 * HOUR)
    assert boris.view(chat).state == clara.view(chat).state == "active"
    assert clara.texts(chat) == ["is anybody there"]
    assert boris.admins(chat) == ["anna"]
    anna.say(chat, "back again")
    anna.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    assert sorted(boris.texts(chat)) == ["back again", "is anybody there"]


def test_an_admin_dies_after_the_reinit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one takes over within hours."""
    world = World(313)
    chat, people = founded(world, monkeypatch, 4, m.SUITE_XWING)
    make_admin(world, chat, people[0], people[1])
    people[0].do(e.MoveSuite(chat, m.SUITE_X25519))
    vanish_with_slot_records(world, people[0], chat, 1)
    world.settle()
    world.sleep(2 * HOUR + 600_000)
    assert [person.view(chat).state for person in people[1:]] == ["active"] * 3
    people[0].go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, *people)


@pytest.mark.parametrize("suite", mlsgroup.SUITES)
def test_the_founder_dies_after_its_word(suite: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that the others need is in the record."""
    world = World(314)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, suite)
    anna.do(e.MoveSuite(chat, other(suite)))
    vanish_with_slot_records(world, anna, chat, 2)
    world.settle()
    both_ways(chat, boris, clara)
    anna.go_online()
    world.settle()
    moved(chat, other(suite), anna, boris, clara)
    both_ways(chat, anna, boris, clara)


@pytest.mark.parametrize("seed", range(6))
def test_two_admins_move_at_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(320 + seed)
    chat, people = founded(world, monkeypatch, 3, m.SUITE_XWING)
    make_admin(world, chat, people[0], people[1])
    for person in people[:2]:
        person.do(e.MoveSuite(chat, m.SUITE_X25519))
        person.say(chat, f"moved by {person.name}")
    world.settle()
    moved(chat, m.SUITE_X25519, *people)
    assert sorted(people[2].texts(chat)) == ["moved by anna", "moved by boris"]


@pytest.mark.parametrize("seed", range(4))
def test_moving_on_a_bad_network(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(330 + seed)
    chat, people = founded(world, monkeypatch, 4, m.SUITE_X25519)
    make_admin(world, chat, people[0], people[1])
    with world.unkind(Knobs(10, 10, 20, 0, True)):
        people[0].do(e.MoveSuite(chat, m.SUITE_XWING))
        people[1].do(e.MoveSuite(chat, m.SUITE_XWING), e.Rename(chat, "elsewhere"))
        for person in people:
            person.say(chat, f"{person.name} speaks")
        world.settle(600_000)
    world.settle(600_000)
    moved(chat, m.SUITE_XWING, *people)
    assert people[3].view(chat).name == "elsewhere"
    assert len(people[0].texts(chat)) == 4


def test_two_successors_meet_in_the_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """The committer comes back at the moment at which another admin's turn has come."""
    world = World(340)
    chat, people = founded(world, monkeypatch, 3, m.SUITE_XWING)
    make_admin(world, chat, people[0], people[1])
    people[0].do(e.MoveSuite(chat, m.SUITE_X25519))
    vanish_with_slot_records(world, people[0], chat, 1)
    world.settle()
    log = log_of(world, people[1], chat)
    people[1].go_offline()
    world.sleep(3 * HOUR)
    people[0].go_online()
    people[1].go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, *people)
    assert log[-1].slot is not None


def test_back_and_forth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each move ends a group; who joins later knows nothing of it, who was away follows all of it."""
    world = World(341)
    chat, people = founded(world, monkeypatch, 3, m.SUITE_XWING)
    david = world.person("david")
    world.settle()
    world.befriend(people[0], david)
    people[2].go_offline()
    for round, suite in enumerate((m.SUITE_X25519, m.SUITE_XWING, m.SUITE_X25519)):
        people[1].say(chat, f"round {round}")
        people[0].do(e.MoveSuite(chat, suite))
        world.settle()
    people[0].do(e.AddMembers(chat, (david.id,)))
    world.settle()
    people[2].go_online()
    world.settle()
    (his,) = [view.id for view in david.core.conversations() if view.name == "group"]
    assert his == hostile.group_of(people[0], chat).group_id
    for person in people:
        assert person.system(chat).count("suite") == 3
        assert person.texts(chat) == ["round 0", "round 1", "round 2"]
    people[0].do(e.MoveSuite(chat, m.SUITE_XWING))
    world.settle()
    david.say(his, "from a newcomer")
    people[2].say(chat, "to the newcomer")
    world.settle()
    assert suite_of(david, his) == suite_of(people[1], chat) == m.SUITE_XWING
    assert sorted(david.texts(his)) == ["from a newcomer", "to the newcomer"]
    assert set(people[1].texts(chat)) >= {"from a newcomer", "to the newcomer"}


def test_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(342)
    (anna,) = friends(world, "anna")
    chat = world.group(anna)
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    anna.say(chat, "a note")
    world.settle()
    moved(chat, m.SUITE_X25519, anna)
    assert anna.texts(chat) == ["a note"]


def test_what_is_wanted_meanwhile_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(343)
    chat, people = founded(world, monkeypatch, 4, m.SUITE_XWING)
    anna, boris, clara, david = people
    make_admin(world, chat, anna, boris)
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    vanish_with_slot_records(world, anna, chat, 1)
    world.settle()
    boris.do(e.Rename(chat, "renamed meanwhile"))
    boris.do(e.RemoveMember(chat, clara.id))
    boris.say(chat, "not for clara")
    with pytest.raises(CoreError) as refused:
        boris.do(e.MoveSuite(chat, m.SUITE_X25519))
    assert refused.value.code == "moving"
    with pytest.raises(CoreError) as kept:
        boris.do(e.DeleteConversation(chat))
    assert kept.value.code == "leave-first"
    david.do(e.Leave(chat))
    assert not david.view(chat).can_send
    world.settle()
    assert [p.view(chat).state for p in (boris, clara, david)] == ["moving"] * 3
    anna.go_online()
    world.settle(120_000)
    agree(chat, anna, boris)
    assert anna.view(chat).name == "renamed meanwhile"
    assert anna.texts(chat) == ["not for clara"]
    assert clara.view(chat).state == "removed" and david.view(chat).state == "left"
    assert "not for clara" not in clara.texts(chat)


def test_who_was_leaving_leaves_the_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wish names a leaf of the ended group: it is said again."""
    world = World(344)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    clara.go_offline()
    clara.do(e.Leave(chat))
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    clara.go_online()
    world.settle(120_000)
    agree(chat, anna, boris)
    assert clara.view(chat).state == "left"


def test_who_cannot_be_taken_along_stops_the_move(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(345)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    owner = hostile.owner_of(clara, m.SUITE_X25519)
    stock, last = world.relay.packages.pop(owner), world.relay.last_resorts.pop(owner)
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    anna.say(chat, "we stay")
    world.settle()
    assert anna.view(chat).problem == "cannot-move" and anna.view(chat).can_move
    assert suite_of(anna, chat) == m.SUITE_XWING and clara.texts(chat) == ["we stay"]
    world.relay.packages[owner], world.relay.last_resorts[owner] = stock, last
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)


def test_a_move_that_waits_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clara's relay does not answer; Boris is removed all the same, and the move goes on without him."""
    world = World(349)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    owner, silent = hostile.owner_of(clara, m.SUITE_X25519), True

    def lie(party: Party, call: Call) -> m.Response | None:
        if silent and isinstance(call.request, m.TakeKeyPackage) and call.request.owner == owner:
            return m.Refused(m.RefusalCode.TOO_MANY, HOUR)
        return None

    world.intercept = lie
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    assert anna.view(chat).state == "active" and anna.view(chat).pending_operations == 1
    anna.do(e.RemoveMember(chat, boris.id))
    world.settle()
    assert boris.view(chat).state == "removed"
    assert suite_of(anna, chat) == m.SUITE_XWING
    silent = False
    world.sleep(2 * HOUR)
    moved(chat, m.SUITE_X25519, anna, clara)


def test_who_was_added_just_before_comes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(350)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    david = world.person("david")
    world.settle()
    world.befriend(anna, david)
    david.go_offline()
    anna.do(e.AddMembers(chat, (david.id,)))
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    anna.say(chat, "welcome")
    world.settle()
    david.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara, david)
    assert david.texts(chat) == ["welcome"]


def test_after_the_reinit_everybody_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Boris is to found the successor, and there is no key package of Clara's any more."""
    world = World(346)
    chat, (anna, boris, clara) = after_the_reinit(world, monkeypatch)
    owner = hostile.owner_of(clara, m.SUITE_X25519)
    stock, last = world.relay.packages.pop(owner), world.relay.last_resorts.pop(owner)
    clara.go_offline()
    world.sleep(DAY + 3 * HOUR)
    assert boris.view(chat).state == "moving" and boris.view(chat).problem == "no-key-package"
    world.relay.packages[owner], world.relay.last_resorts[owner] = stock, last
    world.sleep(HOUR)
    clara.go_online()
    anna.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)


def test_a_group_that_has_grown_asks_its_admins(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(347)
    anna, boris, clara, david = friends(world, "anna", "boris", "clara", "david")
    monkeypatch.setattr(mlsgroup, "XWING_MEMBERS_MAX", 3)
    chat = world.group(anna, boris, clara)
    assert anna.view(chat).problem is None
    anna.do(e.AddMembers(chat, (david.id,)))
    world.settle()
    assert anna.view(chat).problem == "outgrown"
    assert [p.view(chat).problem for p in (boris, clara, david)] == [None, None, None]
    anna.do(e.RemoveMember(chat, david.id))
    world.settle()
    assert anna.view(chat).problem is None
    anna.do(e.AddMembers(chat, (david.id,)))
    world.settle()
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    assert anna.view(chat).problem is None
    assert not anna.view(chat).can_move, "it is too large to move back"
    with pytest.raises(CoreError) as refused:
        anna.do(e.MoveSuite(chat, m.SUITE_XWING))
    assert refused.value.code == "too-many-for-suite"


def test_who_may_not_move_is_told_why(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(348)
    chat, (anna, boris, _) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    for party, conversation, suite, code in (
        (boris, chat, m.SUITE_X25519, "not-admin"),
        (anna, anna.direct(boris), m.SUITE_X25519, "not-group"),
        (anna, chat, m.SUITE_XWING, "suite-in-force"),
        (anna, chat, 3, "suite-unknown"),
    ):
        with pytest.raises(CoreError) as refused:
            party.do(e.MoveSuite(conversation, suite))
        assert refused.value.code == code
    world.settle()
    assert suite_of(boris, chat) == m.SUITE_XWING
