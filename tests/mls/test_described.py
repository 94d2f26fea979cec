"""A group as its GroupInfo describes it, and whether a member is in the epoch that is described."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.mls import described, joining
from polynya.mls.codec import decode
from polynya.mls.described import read_group_info
from polynya.mls.framing import encode_message, read_message
from polynya.mls.group import X25519, X_WING, Group
from polynya.mls.groupinfo import GroupInfo
from polynya.mls.suite import Suite
from tests.mls.parties import commit_by, group_of, refuses, unchecked
from tests.support.seeded import SeededRandom


@pytest.mark.parametrize("suite", [X25519, X_WING], ids=lambda suite: suite.name)
def test_all_who_are_in_the_epoch_and_nobody_else(suite: Suite) -> None:
    random = SeededRandom(b"described")
    groups = group_of(3, random, suite)
    found = read_group_info(groups[1].group_info())
    assert found.signer_leaf_index == 1
    assert found.members == groups[0].members() and found.tree == groups[2].tree
    assert [found.is_of(group) for group in groups] == [True, True, True]
    later = commit_by(groups, 0, random)
    assert [found.is_of(group) for group in later] == [False, False, False]
    assert "confirmation" not in repr(found)


def test_the_same_context_under_other_secrets() -> None:
    """Two groups that look the same from outside are told apart by the tag."""
    groups = group_of(2, SeededRandom(b"tag"))
    found = read_group_info(groups[0].group_info())
    other = Group(replace(groups[0]._state, confirmation_tag=bytes(32)))
    assert other.context == found.context
    assert not found.is_of(other)


def test_the_tag_under_another_context() -> None:
    groups = group_of(2, SeededRandom(b"context"))
    found = read_group_info(groups[0].group_info())
    other = replace(found, context=replace(found.context, epoch=found.context.epoch + 1))
    assert found.is_of(groups[1]) and not other.is_of(groups[1])


def info_of(group: Group) -> GroupInfo:
    info = decode(read_message, group.group_info())
    assert isinstance(info, GroupInfo)
    return info


def test_what_is_no_description() -> None:
    random = SeededRandom(b"bad")
    groups = group_of(2, random)
    pending = groups[0].commit(now=1_800_000_000_000, random=random)
    refuses("12.4.3-not-a-group-info", lambda: read_group_info(pending.message))
    refuses("12.4.3.1-no-tree", lambda: read_group_info(groups[0].group_info(tree=False)))
    info = info_of(groups[0])
    turned = replace(info, confirmation_tag=bytes(32))
    refuses("12.4.3-signature", lambda: read_group_info(encode_message(turned)))
    with unchecked(described, "check_group_info"):
        read_group_info(encode_message(turned))


def test_the_tree_is_the_one_that_was_signed() -> None:
    ours, others = group_of(2, SeededRandom(b"a")), group_of(2, SeededRandom(b"b"))
    info = info_of(ours[0])
    swapped = encode_message(replace(info, extensions=info_of(others[0]).extensions))
    refuses("12.4.3.1-tree-hash", lambda: read_group_info(swapped))
    with unchecked(joining, "check_tree_hash"):
        refuses("12.4.3-signature", lambda: read_group_info(swapped))
