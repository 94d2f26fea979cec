"""Commits that meet in one slot, slots with junk in them, and commits that roles do not allow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.core import events as e
from polynya.core import mlsgroup
from polynya.core.mlsgroup import info_extension
from polynya.mls.proposal import Add, GroupContextExtensions, Remove
from polynya.wire import messages as m
from polynya.wire.files import seal_file
from polynya.wire.labels import blob_id, write_secret
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Knobs, Party, World


def admins_of_two(world: World, *names: str) -> tuple[bytes, list[Party]]:
    people = friends(world, *names)
    chat = world.group(people[0], *people[1:])
    people[0].do(e.SetAdmin(chat, people[1].id, True))
    world.settle()
    return chat, people


@pytest.mark.parametrize("seed", range(8))
def test_two_admins_commit_at_once(seed: int) -> None:
    """Whoever comes first wins, the other makes its change anew; the seeds draw both orders."""
    world = World(seed)
    chat, people = admins_of_two(world, "anna", "boris", "clara")
    people[0].do(e.Rename(chat, "by anna"))
    people[1].do(e.RemoveMember(chat, people[2].id))
    people[1].say(chat, "and a word")
    people[2].say(chat, "before i go, or not")
    world.settle()
    agree(chat, people[0], people[1])
    assert people[0].view(chat).name == "by anna"
    assert people[2].view(chat).state == "removed"


def test_both_orders_happen() -> None:
    first = set()
    for seed in range(8):
        world = World(seed)
        chat, people = admins_of_two(world, "anna", "boris")
        people[0].do(e.Rename(chat, "a"))
        people[1].do(e.Rename(chat, "b"))
        world.settle()
        agree(chat, *people)
        first.add(people[0].view(chat).name)
    assert first == {"a", "b"}


def test_the_same_change_by_two_is_made_once() -> None:
    world = World(20)
    chat, people = admins_of_two(world, "anna", "boris", "clara")
    epoch = hostile.conversation_of(people[0], chat).epoch
    people[0].do(e.RemoveMember(chat, people[2].id))
    people[1].do(e.RemoveMember(chat, people[2].id))
    world.settle()
    agree(chat, people[0], people[1])
    assert hostile.conversation_of(people[0], chat).epoch == epoch + 1


def test_a_burned_slot_stops_nobody() -> None:
    """A member fills the slot with junk of every kind; the first good commit ends the epoch all the same."""
    world = World(21)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    slot = hostile.slot_of(boris, chat)
    hostile.publish(boris, chat, b"garbage", slot)
    hostile.publish(boris, chat, hostile.message(boris, chat, m.Text("in the slot")), slot)
    topic = hostile.topic_of(boris, chat)
    world.relay.publish(None, m.Publish(write_secret(topic.topic_secret), bytes(512), slot), world.now)
    missing = m.InBlob(b"b" * 32, b"k" * 32, 5000)
    hostile.publish(boris, chat, b"", slot, body=missing)
    anna.do(e.Rename(chat, "still works"))
    world.settle()
    agree(chat, anna, boris, clara)
    assert clara.view(chat).name == "still works"
    assert clara.texts(chat) == []


def test_a_commit_in_a_blob_that_comes_later_stays_junk() -> None:
    """Else those who read before the upload and those who read after it would be in two groups."""
    world = World(22)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    clara.go_offline()
    data = hostile.commit(boris, chat)
    key = bytes(32)
    blob = b"".join(seal_file(key, len(data), [data]))
    body = m.InBlob(blob_id(blob), key, len(data))
    hostile.publish(boris, chat, b"", hostile.slot_of(boris, chat), body=body)
    anna.do(e.Rename(chat, "one group"))
    world.settle()
    assert anna.view(chat).name == boris.view(chat).name == "one group"
    assert anna.core.counters()["slot-bad"] == boris.core.counters()["slot-bad"] == 1
    world.relay.blobs[blob_id(blob)] = blob
    clara.go_online()
    world.settle()
    agree(chat, anna, boris, clara)


def forbidden(
    world: World, chat: bytes, boris: Party, anna: Party, clara: Party, outsider: Party
) -> dict[str, bytes]:
    """Commits that only an admin may make, made by boris, who is none."""
    info = hostile.info_of(boris, chat)
    takeover = m.ConversationInfo(
        info.kind, "mine", (boris.id,), info.relays, info.retention_days, info.members_add
    )
    as_direct = m.ConversationInfo(m.ConversationKind.DIRECT, "", (), info.relays, info.retention_days, False)
    package = mlsgroup.new_key_package(
        hostile.me_of(outsider), m.SUITE_XWING, world.now, False, outsider.random
    ).key_package
    forged = replace(hostile.proof_of(anna, chat), signature=bytes(64))
    data = m.encode_commit_data(m.CommitData((forged,)))
    return {
        "role-remove": hostile.commit(boris, chat, [Remove(hostile.leaf_of(boris, chat, clara))]),
        "role-remove by a forged proof": hostile.commit(
            boris, chat, [Remove(hostile.leaf_of(boris, chat, anna))], data
        ),
        "role-info": hostile.commit(boris, chat, [GroupContextExtensions((info_extension(takeover),))]),
        "role-info, another kind": hostile.commit(
            boris, chat, [GroupContextExtensions((info_extension(as_direct),))]
        ),
        "role-info, none": hostile.commit(boris, chat, [GroupContextExtensions(())]),
        "role-add": hostile.commit(boris, chat, [Add(package)]),
        "no path": hostile.commit(boris, chat, [Add(package)], path=False),
        "no commit data": hostile.commit(boris, chat, data=b"x"),
        "private": hostile.commit(boris, chat, private=True),
    }


def test_commits_without_the_right_are_skipped_by_all() -> None:
    world = World(23)
    anna, boris, clara, outsider = friends(world, "anna", "boris", "clara", "outsider")
    chat = world.group(anna, boris, clara)
    slot = hostile.slot_of(boris, chat)
    for data in forbidden(world, chat, boris, anna, clara, outsider).values():
        hostile.publish(boris, chat, data, slot)
    world.settle()
    agree(chat, anna, boris, clara)
    assert hostile.conversation_of(anna, chat).epoch == 1
    assert hostile.conversation_of(anna, chat).position == 9
    anna.do(e.Rename(chat, "unharmed"))
    world.settle()
    agree(chat, anna, boris, clara)
    assert clara.view(chat).name == "unharmed"


def test_a_member_may_renew_its_own_leaf() -> None:
    """What is forbidden above fails for its content, not for who sends it. Boris's own core did not know of the
    commit, cannot follow it, and is added again."""
    world = World(24)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris, clara)
    hostile.publish(boris, chat, hostile.commit(boris, chat), hostile.slot_of(boris, chat))
    world.settle()
    agree(chat, anna, boris, clara)
    assert hostile.conversation_of(clara, chat).epoch == 3


def test_nobody_removes_the_other_from_a_direct_conversation() -> None:
    world = World(25)
    anna, boris = friends(world, "anna", "boris")
    chat = anna.direct(boris)
    data = hostile.commit(anna, chat, [Remove(hostile.leaf_of(anna, chat, boris))])
    hostile.publish(anna, chat, data, hostile.slot_of(anna, chat))
    world.settle()
    agree(chat, anna, boris)
    assert boris.core.counters()["commit-role-remove"] == 1


def test_a_leaf_that_nobody_signed_is_not_let_in() -> None:
    """An admin adds a leaf whose credential names somebody who did not sign it."""
    world = World(26)
    anna, boris, clara = friends(world, "anna", "boris", "clara")
    chat = world.group(anna, boris)
    stolen = hostile.me_of(clara).credential
    device = replace(hostile.me_of(anna), credential=stolen, device_secret=bytes(32))
    package = mlsgroup.new_key_package(device, m.SUITE_XWING, world.now, False, anna.random).key_package
    data = hostile.commit(anna, chat, [Add(package)])
    hostile.publish(anna, chat, data, hostile.slot_of(anna, chat))
    world.settle()
    agree(chat, anna, boris)
    assert boris.core.counters()["commit-leaf"] == 1


@pytest.mark.parametrize("seed", range(4))
def test_races_on_a_bad_network(seed: int) -> None:
    world = World(seed + 40)
    chat, people = admins_of_two(world, "anna", "boris", "clara", "david")
    with world.unkind(Knobs(10, 10, 20, 0, True)):
        people[0].do(e.Rename(chat, "by anna"), e.SetAdmin(chat, people[2].id, True))
        people[1].do(e.RemoveMember(chat, people[3].id), e.Rename(chat, "by boris"))
        for person in people[:3]:
            person.say(chat, f"{person.name} speaks")
        world.settle(600_000)
    world.settle(600_000)
    agree(chat, *people[:3])
    assert people[0].admins(chat) == ["anna", "boris", "clara"]
    assert len(people[0].texts(chat)) == 3
