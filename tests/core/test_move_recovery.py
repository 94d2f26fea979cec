"""Moves that somebody cannot follow, comes to late, or does not live to see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.core import events as e
from polynya.core.state import FORMER, GROUP, PACKAGE, SLOT, SUCCESSOR
from polynya.wire import messages as m
from polynya.wire.labels import record_hash, sign_receipt
from tests.core.test_readd import break_keys
from tests.support import hostile
from tests.support.agreement import agree
from tests.support.moves import (
    after_the_reinit,
    both_ways,
    founded,
    log_of,
    make_admin,
    moved,
    suite_of,
    until_moving,
    vanish_with_slot_records,
)
from tests.support.world import DAY, Party, World


def until_stuck(world: World, chat: bytes, party: Party) -> None:
    for _ in range(3_000):
        if party.view(chat).state == "stuck":
            return
        assert world.step()
    raise AssertionError("it follows")


def lose_key_packages(party: Party, suite: int) -> None:
    """The private keys of everything that was on the relay, as after a fault of the disk."""
    for key, row in list(party.core._state.rows(PACKAGE).items()):
        if row.suite == suite:
            del party.core._state.rows(PACKAGE)[key]
            del party.rows["package", key]


def test_who_cannot_follow_the_reinit_is_added_to_the_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(501)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    boris.say(chat, "before")
    world.settle()
    break_keys(clara, chat)
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    clara.say(chat, "waits")
    until_stuck(world, chat, clara)
    world.sleep(7_200_000)
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    for person in (anna, boris, clara):
        assert sorted(person.texts(chat)) == ["before", "waits"]
    both_ways(chat, anna, boris, clara)


def test_who_was_stuck_before_the_move_is_added_to_the_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Her request names the ended group, and the key package of its suite does not fit: the other one does."""
    world = World(502)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    break_keys(clara, chat)
    anna.do(e.Rename(chat, "too far"))
    until_stuck(world, chat, clara)
    clara.go_offline()
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    assert suite_of(anna, chat) == suite_of(boris, chat) == m.SUITE_X25519
    assert hostile.group_of(clara, chat).reinit is None, "she has not heard of it"
    clara.go_online()
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    assert hostile.conversation_of(anna, chat).epoch == 2, "one commit has replaced her leaf"
    both_ways(chat, anna, boris, clara)


def test_who_cannot_open_the_welcome_is_added_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(503)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    lose_key_packages(clara, m.SUITE_X25519)
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    clara.say(chat, "waits")
    until_stuck(world, chat, clara)
    world.sleep(7_200_000)
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    assert anna.texts(chat) == boris.texts(chat) == clara.texts(chat) == ["waits"]


def test_removed_and_added_again_across_the_move_while_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Welcome into a group that she does not know yet waits until she has read the log."""
    world = World(504)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    clara.go_offline()
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    anna.do(e.RemoveMember(chat, clara.id))
    world.settle()
    boris.say(chat, "without her")
    world.settle()
    anna.do(e.AddMembers(chat, (clara.id,)))
    world.settle()
    clara.go_online()
    world.settle()
    agree(chat, anna, boris, clara)
    assert clara.texts(chat) == []
    both_ways(chat, anna, boris, clara)


def test_removed_before_the_move_and_added_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(505)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    clara.say(chat, "then")
    world.settle()
    anna.do(e.RemoveMember(chat, clara.id))
    world.settle()
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    assert clara.view(chat).state == "removed"
    anna.do(e.AddMembers(chat, (clara.id,)))
    world.settle()
    moved(chat, m.SUITE_X25519, anna, boris, clara)
    assert clara.texts(chat) == ["then"]
    both_ways(chat, anna, boris, clara)


def test_whoever_is_further_behind_than_commits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(506)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    log = log_of(world, anna, chat)
    clara.go_offline()
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    last = max(i for i, entry in enumerate(log) if entry.slot is not None)
    record = log[last].record
    assert record is not None
    log[last] = replace(log[last], record=None, record_hash=record_hash(record))
    clara.go_online()
    world.sleep(7_200_000)
    moved(chat, m.SUITE_X25519, anna, boris, clara)


def test_two_receipts_in_the_last_slot_stop_the_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(507)
    chat, (anna, boris, clara) = founded(world, monkeypatch, 3, m.SUITE_XWING)
    topic, log = hostile.topic_of(anna, chat).id, log_of(world, anna, chat)
    anna.do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    both_ways(chat, anna, boris, clara)
    (true,) = [entry for entry in log if entry.slot is not None][-1:]
    assert true.slot is not None and true.receipt is not None
    record = bytes(512)
    body = m.ReceiptBody(topic, true.slot, true.receipt.position, true.seq, record_hash(record))
    receipt = sign_receipt(world.relay.seed, body)
    forged = m.Entry(true.seq, true.time, record=record, slot=true.slot, receipt=receipt)
    clara.handle(e.Pushed(world.relay.identity, m.Push(topic, forged)))
    assert clara.view(chat).state == "fraud"


def test_the_ended_group_is_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(508)
    chat, people = founded(world, monkeypatch, 3, m.SUITE_XWING)
    old = hostile.topic_of(people[0], chat).id
    people[0].do(e.MoveSuite(chat, m.SUITE_X25519))
    world.settle()
    for person in people:
        state = person.core._state
        assert len(state.keys(FORMER, chat)) == 1 and len(state.keys(GROUP, chat)) == 2
        assert state.keys(SLOT, old)
    people[1].crash()
    world.sleep(15 * DAY)
    for person in people:
        state = person.core._state
        assert state.keys(FORMER) == [] and state.keys(GROUP, chat) == [chat]
        assert state.keys(SLOT, old) == []
        assert len(state.keys(SUCCESSOR)) == 1
    both_ways(chat, *people)
    people[2].do(e.Leave(chat))
    world.settle(120_000)
    people[2].do(e.DeleteConversation(chat))
    world.settle()
    assert people[2].core._state.keys(SUCCESSOR) == []


def test_who_leaves_while_nobody_founds_has_left_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(509)
    chat, (_, boris, clara) = after_the_reinit(world, monkeypatch)
    boris.go_offline()
    clara.do(e.Leave(chat))
    clara.go_offline()
    clara.crash()
    world.sleep(15 * DAY)
    assert clara.view(chat).state == "left"


def test_everybody_starts_anew_between_reinit_and_successor(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(510)
    chat, people = founded(world, monkeypatch, 3, m.SUITE_X25519)
    people[0].do(e.MoveSuite(chat, m.SUITE_XWING))
    until_moving(world, chat, people[1])
    for person in people:
        person.say(chat, f"{person.name} waits")
        person.crash()
    world.settle()
    moved(chat, m.SUITE_XWING, *people)
    for person in people:
        assert len(person.texts(chat)) == 3


def test_a_turn_outlasts_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(511)
    chat, people = founded(world, monkeypatch, 3, m.SUITE_XWING)
    make_admin(world, chat, people[0], people[1])
    people[0].do(e.MoveSuite(chat, m.SUITE_X25519))
    vanish_with_slot_records(world, people[0], chat, 1)
    world.settle()
    people[1].crash()
    world.sleep(3 * 3_600_000)
    assert people[1].view(chat).state == people[2].view(chat).state == "active"
