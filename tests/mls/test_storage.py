"""A group as one blob: the same after storage, in the middle of anything."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from polynya.mls import secrettree, state
from polynya.mls.codec import Reader, decode, opaque, u8, u32
from polynya.mls.errors import MalformedError, ReplayedError
from polynya.mls.group import X_WING, Group, PendingCommit
from polynya.mls.keypackage import KeyPackageBundle
from polynya.mls.proposal import Add, Remove
from polynya.mls.tree import MAX_LEAVES
from tests.mls.parties import (
    NOW,
    advance,
    commit_by,
    follow,
    group_of,
    in_agreement,
    join,
    key_package,
    refuses,
)
from tests.support.seeded import SeededRandom


def stored(group: Group) -> Group:
    blob = group.encode()
    again = Group.decode(blob)
    assert again.encode() == blob and again.tree == group.tree
    return again


def test_storage_between_all_steps() -> None:
    random = SeededRandom(1)
    groups = [stored(group) for group in group_of(3, random)]
    groups[1], proposal = groups[1].propose_update(random=random)
    groups = [stored(group) for group in groups]
    for leaf in (0, 2):
        groups[leaf], _ = groups[leaf].receive_proposal(proposal)
        groups[leaf] = stored(groups[leaf])
        assert len(groups[leaf].pending_proposals) == 1
    bundle = KeyPackageBundle.decode(key_package("new", random).encode())
    pending = groups[0].commit([Add(bundle.key_package)], now=NOW, random=random)
    pending = PendingCommit.decode(pending.encode())
    groups = [stored(group) for group in advance(groups, 0, pending)]
    groups.append(stored(join(pending.welcome, bundle).group))
    assert in_agreement(groups)
    sent = []
    for _ in range(5):
        groups[3], message = groups[3].encrypt(b"text", random=random)
        groups[3] = stored(groups[3])
        sent.append(message)
    groups[0], _ = groups[0].decrypt(sent[4])
    groups[0] = stored(groups[0])
    groups = [stored(group) for group in commit_by(groups, 2, random)]
    for number in (2, 0, 3, 1):
        groups[0], _ = groups[0].decrypt(sent[number])
        groups[0] = stored(groups[0])
    for message in sent:
        with pytest.raises(ReplayedError):
            groups[0].decrypt(message)


def test_past_epochs_keep_leaves_that_changed_and_left() -> None:
    random = SeededRandom(2)
    groups = group_of(5, random)
    messages = []
    for round_ in range(3):
        leaving = len(groups) - 1
        groups[leaving], message = groups[leaving].encrypt(str(round_).encode(), random=random)
        messages.append((message, groups[0].member(leaving)))
        groups = advance(groups[:-1], 1, groups[1].commit([Remove(leaving)], now=NOW, random=random))
    group = stored(groups[0])
    assert group == stored(group)
    for number, (message, member) in enumerate(messages):
        group, received = group.decrypt(message)
        group = stored(group)
        assert (received.data, received.sender) == (str(number).encode(), member)


def test_a_past_epoch_may_have_had_a_far_wider_tree() -> None:
    random = SeededRandom(5)
    first, *_, last = group_of(64, random)
    pending = first.commit([Remove(leaf) for leaf in range(1, 63)], now=NOW, random=random)
    first, last = first.merge_commit(pending), follow(last, pending.message)
    last, message = last.encrypt(b"late", random=random)
    group = stored(first.merge_commit(first.commit([Remove(63)], now=NOW, random=random)))
    assert len(group.tree) < len(first.tree)
    assert group.decrypt(message)[1].data == b"late"


def test_leaves_that_epochs_share_are_stored_once() -> None:
    random = SeededRandom(3)
    groups = group_of(20, random, X_WING)
    once = len(groups[0].encode())
    for _ in range(5):
        groups[:2] = [
            groups[0].merge_commit(p := groups[0].commit(now=NOW, random=random)),
            follow(groups[1], p.message),
        ]
    tree = len(groups[0].tree)
    assert len(groups[1].encode()) < once + 5 * tree / 4


def test_blobs_that_do_not_fit_together_are_refused() -> None:
    random = SeededRandom(4)
    groups = commit_by(group_of(2, random), 0, random)
    held = groups[0]._state
    blob = groups[0].encode()
    refuses("state-version", lambda: Group.decode(b"\x02" + blob[1:]))
    refuses("state-version", lambda: PendingCommit.decode(b"\x00"))
    head = held.past[0].context.encode()
    place = blob.index(head) + len(head)
    assert blob[place : place + 4] == u32(held.past[0].leaf_count)
    for members in (0, 1000, 2 * MAX_LEAVES):
        torn = blob[:place] + u32(members) + blob[place + 4 :]
        refuses("state-members", lambda torn=torn: Group.decode(torn))  # type: ignore[misc]
    changed = commit_by(group_of(2, random), 1, random)[1]
    told = changed.encode()
    head = changed._state.past[-1].context.encode()
    place = told.index(head) + len(head)
    refuses("state-members", lambda: Group.decode(told[:place] + u32(1) + told[place + 4 :]))
    refuses("state-version", lambda: KeyPackageBundle.decode(b"\x00"))
    other = replace(held, context=replace(held.context, tree_hash=bytes(32)))
    refuses("state-tree", lambda: Group.decode(Group(other).encode()))
    refuses("state-tree", lambda: Group.decode(Group(replace(held, own_leaf=9)).encode()))
    wrong = Group(replace(held, reinit=Remove(1)))  # type: ignore[arg-type]
    refuses("state-reinit", lambda: Group.decode(wrong.encode()))
    ratchet = u32(1) + b"\x00" + opaque(u32(0) + u8(2) + b"\x00" + bytes(5) + b"\x00")
    refuses("state-ratchet", lambda: decode(secrettree.read_secret_tree, ratchet))
    crowded = replace(held.past[-1], leaf_count=held.past[-1].leaf_count + 1000)
    refuses("state-members", lambda: Group.decode(Group(replace(held, past=(crowded,))).encode()))


def test_a_secret_tree_of_another_size_is_refused() -> None:
    random = SeededRandom(6)
    groups = commit_by(group_of(3, random), 0, random)
    held = groups[1]._state
    tree, past = held.secret_tree, held.past[-1]
    other = (
        replace(tree, leaf_count=3),
        replace(tree, leaf_count=1 << 20),
        replace(tree, secrets={**tree.secrets, 7: bytes(32)}),
        replace(tree, ratchets={(4, secrettree.APPLICATION): secrettree.Ratchet(bytes(32))}),
    )
    for wrong in other:
        states = (replace(held, secret_tree=wrong), replace(held, past=(replace(past, secret_tree=wrong),)))
        for each in states:
            blob = Group(each).encode()
            refuses("state-secret-tree", lambda blob=blob: Group.decode(blob))  # type: ignore[misc]


def test_stored_state_has_one_encoding() -> None:
    random = SeededRandom(7)
    groups = commit_by(group_of(2, random), 0, random)
    held = groups[1]._state
    blob = groups[1].encode()
    leaf = held.past[-1].members[1].encode()
    head = held.past[-1].context.encode() + u32(2)
    place = blob.index(head) + len(head)
    reader = Reader(blob, place)
    changes, start = reader.opaque(), blob[:place]
    rest = blob[reader.pos :]
    twice = changes + u32(1) + b"\x01" + leaf
    refuses("state-encoding", lambda: Group.decode(start + opaque(twice) + rest))


def test_little_storage_asks_for_little_memory() -> None:
    """Each former epoch may have had a million places for leaves, without listing them."""
    random = SeededRandom(8)
    groups = commit_by(group_of(2, random), 0, random)
    held = groups[1]._state
    wide = replace(
        held.past[-1], leaf_count=MAX_LEAVES, secret_tree=secrettree.SecretTree(MAX_LEAVES, {}, {})
    )
    blob = Group(replace(held, past=(wide,) * 20)).encode()
    assert len(blob) < 6000
    tracemalloc.start()
    assert Group.decode(blob).encode() == blob
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_a_damaged_private_key_is_told_as_such() -> None:
    random = SeededRandom(9)
    groups = group_of(2, random)
    short = Group(replace(groups[0]._state, signature_private=b"short"))
    refuses("5.1.2-private-key", lambda: short.commit(now=NOW, random=random))


def test_an_old_version_is_named_not_guessed() -> None:
    assert state.VERSION == 1
    with pytest.raises(MalformedError):
        Group.decode(b"")
