"""Groups: members come and go, are made admins, and everybody agrees."""

from __future__ import annotations

import pytest

from polynya.core import events as e
from polynya.core.errors import CoreError
from polynya.wire import messages as m
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import World

NAMES = ("anna", "boris", "clara", "david", "elena")


def test_five_people_talk() -> None:
    world = World(1)
    people = friends(world, *NAMES)
    chat = world.group(people[0], *people[1:])
    for person in people:
        person.say(chat, f"{person.name} speaks")
    world.settle()
    agree(chat, *people)
    assert sorted(people[4].texts(chat)) == sorted(f"{name} speaks" for name in NAMES)
    assert people[0].admins(chat) == ["anna"]
    assert people[3].system(chat) == ["joined"]
    assert people[0].system(chat) == ["created", "added"]


def test_added_member_reads_from_then_on() -> None:
    world = World(2)
    anna, boris, clara, david = friends(world, *NAMES[:4])
    chat = world.group(anna, boris, clara)
    boris.say(chat, "before")
    world.settle()
    anna.do(e.AddMembers(chat, (david.id,)))
    world.settle()
    david.say(chat, "i am here")
    clara.say(chat, "welcome")
    world.settle()
    agree(chat, anna, boris, clara, david)
    assert sorted(david.texts(chat)) == ["i am here", "welcome"]
    assert david.view(chat).unread == 1
    assert boris.system(chat)[-1] == "added"


def test_removed_member_reads_no_further() -> None:
    world = World(3)
    anna, boris, clara, david = friends(world, *NAMES[:4])
    chat = world.group(anna, boris, clara, david)
    boris.say(chat, "all of us")
    world.settle()
    old_topic = hostile.topic_of(clara, chat).id
    secrets = dict(clara.rows)
    anna.do(e.RemoveMember(chat, clara.id))
    world.settle()
    boris.say(chat, "without her")
    world.settle()
    agree(chat, anna, boris, david)
    assert clara.view(chat).state == "removed"
    assert clara.texts(chat) == ["all of us"]
    assert anna.members(chat) == ["anna", "boris", "david"]
    new_topic = hostile.topic_of(anna, chat).id
    assert new_topic != old_topic
    # Nothing that she ever knew leads to the new topic.
    assert all(new_topic not in value and new_topic not in key[1] for key, value in secrets.items())
    # Nor does anything come into the old one any more.
    seqs = [entry.seq for entry in world.relay.topics[old_topic].entries]
    anna.say(chat, "later")
    world.settle()
    assert [entry.seq for entry in world.relay.topics[old_topic].entries] == seqs
    assert clara.texts(chat) == ["all of us"]
    with pytest.raises(CoreError) as caught:
        clara.say(chat, "let me in")
    assert caught.value.code == "not-active"


def test_what_a_removed_member_still_writes_is_nobodys_message() -> None:
    """Clara has not heard of her removal and writes into the former topic."""
    world = World(4)
    anna, boris, clara = friends(world, *NAMES[:3])
    chat = world.group(anna, boris, clara)
    clara.go_offline()
    world.settle()
    boris.go_offline()
    anna.do(e.RemoveMember(chat, clara.id))
    world.settle()
    hostile.publish(clara, chat, hostile.message(clara, chat, m.Text("still here")))
    boris.go_online()
    world.settle()
    assert anna.texts(chat) == [] and boris.texts(chat) == []
    assert anna.core.counters()["message-removed"] == 1
    assert boris.core.counters()["message-removed"] == 1
    agree(chat, anna, boris)


def test_rename_and_admins() -> None:
    world = World(5)
    anna, boris, clara = friends(world, *NAMES[:3])
    chat = world.group(anna, boris, clara)
    anna.do(e.Rename(chat, "sea"))
    anna.do(e.SetAdmin(chat, boris.id, True))
    world.settle()
    agree(chat, anna, boris, clara)
    assert clara.view(chat).name == "sea"
    assert clara.admins(chat) == ["anna", "boris"]
    boris.do(e.SetAdmin(chat, anna.id, False))
    world.settle()
    assert clara.admins(chat) == ["boris"]
    for action in (e.Rename(chat, "no"), e.RemoveMember(chat, clara.id), e.SetAdmin(chat, anna.id, True)):
        with pytest.raises(CoreError) as caught:
            anna.do(action)
        assert caught.value.code == "not-admin"
    assert clara.system(chat)[-3:] == ["renamed", "admin", "unadmin"]


def test_leaving() -> None:
    world = World(6)
    anna, boris, clara = friends(world, *NAMES[:3])
    chat = world.group(anna, boris, clara)
    boris.do(e.Leave(chat))
    assert boris.view(chat).state == "leaving"
    world.settle()
    assert boris.view(chat).state == "left"
    agree(chat, anna, clara)
    assert anna.members(chat) == ["anna", "clara"]
    assert clara.system(chat)[-1] == "left"


def test_last_admin_leaves() -> None:
    world = World(7)
    anna, boris, clara = friends(world, *NAMES[:3])
    chat = world.group(anna, boris, clara)
    anna.do(e.Leave(chat))
    world.sleep(5_000)
    assert anna.view(chat).state == "leaving", "non-admins wait by their rank"
    world.sleep(60_000)
    assert anna.view(chat).state == "left"
    agree(chat, boris, clara)
    (admin,) = boris.admins(chat)
    lowest = boris.view(chat).members[0]
    assert world.name(lowest.identity) == admin
    world.parties[admin].do(e.Rename(chat, "ours"))
    world.settle()
    agree(chat, boris, clara)
    assert boris.view(chat).name == "ours"


def test_the_last_one_leaves_at_once_and_all_leave_together() -> None:
    world = World(8)
    anna, boris = friends(world, *NAMES[:2])
    chat = world.group(anna, boris)
    anna.do(e.Leave(chat))
    boris.do(e.Leave(chat))
    world.settle()
    assert (anna.view(chat).state, boris.view(chat).state) == ("left", "left")
    alone = world.group(anna)
    anna.do(e.Leave(alone))
    assert anna.view(alone).state == "left"


def test_leaving_a_direct_conversation() -> None:
    world = World(9)
    anna, boris = friends(world, *NAMES[:2])
    chat = anna.direct(boris)
    boris.do(e.Leave(chat))
    world.settle()
    assert boris.view(chat).state == "left"
    assert anna.view(chat).state == "closed"
    assert anna.system(chat) == ["left"]
    with pytest.raises(CoreError):
        anna.say(chat, "come back")
    again = world.befriend(boris, anna)
    anna.say(again, "hello again")
    world.settle()
    assert boris.texts(again) == ["hello again"]
