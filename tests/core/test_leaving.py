"""A wish to leave counts for the membership that it was made in, and for no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.core import events as e
from polynya.core import leaveproofs, mlsgroup
from polynya.core._state import MemberLeaf, Membership
from polynya.mls.proposal import Remove
from polynya.wire import messages as m
from polynya.wire.requests import sign_leave_proof
from tests.support import hostile
from tests.support.agreement import agree, friends
from tests.support.world import Party, World

NAMES = ("anna", "boris", "clara")


def membership_of(party: Party, chat: bytes) -> Membership:
    found = mlsgroup.read_membership(hostile.group_of(party, chat))
    assert found is not None
    return found


def member_of(present: Membership, party: Party) -> MemberLeaf:
    return next(member for member in present.members if member.identity == party.id)


def remove_by(committer: Party, chat: bytes, gone: Party, proof: m.LeaveProof) -> None:
    """A commit past the committer's own core, which would not make it."""
    remove = Remove(hostile.leaf_of(committer, chat, gone))
    data = m.encode_commit_data(m.CommitData((proof,)))
    commit = hostile.commit(committer, chat, [remove], data)
    hostile.publish(committer, chat, commit, slot=hostile.slot_of(committer, chat))


def test_who_came_back_is_not_removed_by_the_wish_of_before() -> None:
    world = World(161)
    anna, boris, clara = friends(world, *NAMES)
    chat = world.group(anna, boris, clara)
    before = hostile.proof_of(clara, chat)
    clara.do(e.Leave(chat))
    world.settle()
    assert anna.members(chat) == ["anna", "boris"]
    anna.do(e.AddMembers(chat, (clara.id,)))
    world.settle()
    assert "clara" in boris.members(chat)
    remove_by(boris, chat, clara, before)
    world.settle()
    agree(chat, anna, boris, clara)
    assert "clara" in anna.members(chat)
    remove_by(boris, chat, clara, hostile.proof_of(clara, chat))
    world.settle()
    assert anna.members(chat) == ["anna", "boris"], "the wish of today counts"


def test_a_wish_that_is_said_again_by_somebody_else_does_nothing() -> None:
    """Nor does an intent with a proof of an earlier membership, sent by its own member."""
    world = World(162)
    anna, boris, clara = friends(world, *NAMES)
    chat = world.group(anna, boris, clara)
    before = hostile.proof_of(clara, chat)
    clara.do(e.Leave(chat))
    world.settle()
    anna.do(e.AddMembers(chat, (clara.id,)))
    world.settle()
    for sender in (boris, clara):
        intent = m.Intent(m.IntentKind.LEAVE, before)
        hostile.publish(sender, chat, hostile.message(sender, chat, intent))
    world.settle()
    assert sorted(anna.members(chat)) == ["anna", "boris", "clara"]


def test_leaving_with_a_change_under_way() -> None:
    """The own commit replaces the leaf that the first wish names: the wish is made again."""
    world = World(163)
    anna, boris, clara = friends(world, *NAMES)
    chat = world.group(anna, boris, clara)
    anna.do(e.Rename(chat, "sea"))
    anna.do(e.Leave(chat))
    world.sleep(120_000)
    assert anna.view(chat).state == "left"
    agree(chat, boris, clara)
    assert sorted(boris.members(chat)) == ["boris", "clara"]
    assert boris.view(chat).name == "sea"


@pytest.mark.parametrize("of", ["nobody", "another", "another group", "another leaf", "forged"])
def test_what_is_no_wish(of: str) -> None:
    world = World(164)
    anna, boris, clara = friends(world, *NAMES)
    chat = world.group(anna, boris, clara)
    group, present = hostile.group_of(anna, chat), membership_of(anna, chat)
    good = hostile.proof_of(clara, chat)
    bad = {
        "nobody": replace(good, leaves=()),
        "another": hostile.proof_of(boris, chat),
        "another group": sign_leave_proof(hostile.me_of(clara).identity_secret, b"g" * 16, good.leaves),
        "another leaf": replace(good, leaves=hostile.proof_of(boris, chat).leaves),
        "forged": replace(good, signature=bytes(64)),
    }[of]
    member = member_of(present, clara)
    assert leaveproofs.wishes(group, member, good)
    assert not leaveproofs.wishes(group, member, bad)
    assert leaveproofs.wished_leaves(group, present.members, (bad, good)) >= {member.leaf}
    assert member.leaf not in leaveproofs.wished_leaves(group, present.members, (bad,))
