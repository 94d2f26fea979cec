"""A member who cannot follow stops, asks, and is added again; and what must not count as such a request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.core import commands as c
from polynya.core import events as e
from polynya.core import founding, mlsgroup, readd
from polynya.core._state import OperationKind
from polynya.core.groupcell import GroupCell
from polynya.core.operations import add
from polynya.core.state import GROUP
from polynya.core.transaction import Transaction
from polynya.mls.group import decode_key_package, verify_key_package
from polynya.mls.proposal import Add
from polynya.wire import messages as m
from polynya.wire.keypackages import open_key_package
from polynya.wire.labels import record_hash
from polynya.wire.requests import VerifiedReAddRequest
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import DAY, Party, World


def break_keys(party: Party, chat: bytes) -> None:
    """The party's private tree keys are gone, as after a fault: it checks commits and cannot follow them."""
    group = hostile.group_of(party, chat)
    broken = replace(group._state, private_keys={})
    before, after = GroupCell(group), GroupCell(type(group)(broken))
    party.core._state.rows(GROUP)[chat] = after
    for save in GROUP.saves(chat, before, after):
        assert save.value is not None
        party.rows[save.table, save.key] = save.value


def test_who_wishes_to_leave_does_not_ask_to_come_back() -> None:
    world = World(60)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    break_keys(clara, chat)
    clara.go_offline()
    clara.do(e.Leave(chat))
    anna.do(e.Rename(chat, "too far"))
    world.settle()
    assert clara.view(chat).state == "leaving"
    clara.online = True
    world.settle(120_000)
    assert clara.view(chat).state == "left" and clara.view(chat).problem is None
    world.sleep(2 * DAY)
    assert clara.view(chat).state == "left"


@pytest.mark.parametrize("stuck_admin", [False, True])
def test_a_stuck_member_is_added_again(stuck_admin: bool) -> None:
    world = World(61)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    anna.do(e.SetAdmin(chat, boris.id, True))
    anna.say(chat, "before")
    world.settle()
    stuck, other = (anna, boris) if stuck_admin else (clara, anna)
    break_keys(stuck, chat)
    other.do(e.Rename(chat, "too far"))
    stuck.say(chat, "waits")
    for _ in range(2000):
        if stuck.view(chat).state == "stuck" or not world.step():
            break
    assert stuck.view(chat).state == "stuck"
    assert stuck.view(chat).problem == "stuck"
    world.settle(120_000)
    agree(chat, anna, boris, clara)
    assert stuck.view(chat).name == "too far"
    for party in (anna, boris, clara):
        assert party.texts(chat) == ["before", "waits"]
    assert "removed" not in other.system(chat)


def test_in_a_direct_conversation_too() -> None:
    world = World(62)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    break_keys(boris, chat)
    hostile.publish(anna, chat, b"", hostile.slot_of(anna, chat))

    t = Transaction(anna.core._state, anna.now(), anna.random, 0)
    add(t, chat, OperationKind.UPDATE)
    anna._perform(anna.core._finish(t), None)
    world.settle(120_000)
    agree(chat, anna, boris)
    boris.say(chat, "back")
    world.settle()
    assert anna.texts(chat) == ["back"]


def test_nobody_asks_in_anothers_name() -> None:
    world = World(63)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    break_keys(clara, chat)
    anna.do(e.Rename(chat, "on"))
    captured: list[m.Drop] = []

    def catch(party: Party, call: c.Call) -> m.Response | None:
        if party is clara and isinstance(call.request, m.Drop):
            captured.append(call.request)
        return None

    world.intercept = catch
    world.settle(120_000)
    assert captured
    epoch = hostile.conversation_of(anna, chat).epoch
    forged = m.ReAddRequest(
        m.encode_re_add_body(m.ReAddBody(chat, clara.id, epoch, bytes(300), world.now)), bytes(64)
    )

    t = Transaction(anna.core._state, anna.now(), anna.random, 0)
    readd.received(t, forged)
    assert hostile.conversation_of(anna, chat).epoch == epoch
    assert anna.view(chat).pending_operations == 0
    assert anna.core.counters()["readd-re-add-signature"] == 1
    t.undo()


def test_old_requests_do_not_count() -> None:
    request = VerifiedReAddRequest(bytes(16), bytes(32), 5, b"", 1_000_000_000_000)
    assert readd.request_is_fresh(request, 5, 1_000_000_000_000)
    assert not readd.request_is_fresh(request, 4, 1_000_000_000_000)
    assert not readd.request_is_fresh(request, 5, 1_000_000_000_000 + 15 * DAY)


def test_whoever_is_further_behind_than_commits_are_kept() -> None:
    world = World(64)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    clara.go_offline()
    anna.do(e.Rename(chat, "long ago"))
    world.settle()
    topic = hostile.topic_of(anna, chat).id
    log = world.relay.topics[topic]

    log.entries = [
        entry if entry.record is None else replace(entry, record=None, record_hash=record_hash(entry.record))
        for entry in log.entries
    ]
    clara.go_online()
    world.settle(120_000)
    agree(chat, anna, boris, clara)
    assert clara.view(chat).name == "long ago"


def test_removed_and_added_again_while_away() -> None:
    """The Welcome is read before the commit that removed her: it waits for the log."""
    world = World(65)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    boris.say(chat, "before")
    world.settle()
    clara.go_offline()
    anna.do(e.RemoveMember(chat, clara.id))
    world.settle()
    boris.say(chat, "without her")
    world.settle()
    anna.do(e.AddMembers(chat, (clara.id,)))
    world.settle()
    boris.say(chat, "with her again")
    clara.go_online()
    world.settle()
    agree(chat, anna, boris, clara)
    assert clara.texts(chat) == ["before", "with her again"]


def test_a_contact_cannot_replace_a_conversation_by_a_group_of_its_own() -> None:
    """Boris, a contact and no member, makes a group with the same id and a later epoch, and sends a Welcome."""
    world = World(66)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, clara)

    own, target = hostile.me_of(boris), hostile.me_of(anna)
    info = hostile.info_of(anna, chat)
    owner = hostile.owner_of(anna)
    sealed = world.relay.packages[owner].pop(0)
    data = open_key_package(target.package_key, owner, sealed)
    package = verify_key_package(decode_key_package(data), world.now)
    group = mlsgroup.new_group(own, m.SUITE_XWING, chat, info, world.now, boris.random)
    for _ in range(5):
        group = group.merge_commit(group.commit(now=world.now, random=boris.random))
    pending = group.commit([Add(package)], now=world.now, random=boris.random)
    assert pending.welcome is not None

    before = hostile.conversation_of(anna, chat)
    t = Transaction(anna.core._state, anna.now(), anna.random, 0)
    founding.welcome(t, m.WelcomeMessage(welcome=pending.welcome, roster=()))
    anna._perform(anna.core._finish(t), None)
    world.settle()
    assert hostile.conversation_of(anna, chat) == before
    agree(chat, anna, clara)
