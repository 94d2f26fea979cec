"""A group as it is stored, in parts and as one blob: the same after storage, in the middle of anything."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import pytest

from polynya.mls import parts, secrettree
from polynya.mls.codec import Reader, opaque, u32, vector
from polynya.mls.errors import MalformedError, ReplayedError
from polynya.mls.group import X_WING, Group, PendingCommit
from polynya.mls.keypackage import KeyPackageBundle
from polynya.mls.parts import HEAD, TREE, past_name, ratchet_name, secrets_name
from polynya.mls.places import Places
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
    assert Group.from_parts(group.parts()) == again
    return again


def refuses_parts(rule: str, stored_parts: dict[bytes, bytes]) -> None:
    """As parts, and as the blob that would hold them."""
    refuses(rule, lambda: Group.from_parts(stored_parts))
    blob = vector(opaque(name) + opaque(value) for name, value in sorted(stored_parts.items()))
    refuses(rule, lambda: Group.decode(blob))


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


def with_part(group: Group, name: bytes, value: bytes | None) -> dict[bytes, bytes]:
    """The group's parts with another value of one, or without it."""
    left = {each: known for each, known in group.parts().items() if each != name}
    return left if value is None else {**left, name: value}


def test_parts_that_do_not_fit_together_are_refused() -> None:
    random = SeededRandom(4)
    groups = commit_by(group_of(2, random), 0, random)
    held = groups[0]._state
    all_parts = groups[0].parts()
    pasts = {name(epoch) for name in (past_name, secrets_name) for epoch in (0, 1)}
    assert list(all_parts) == sorted({HEAD, TREE, *pasts, secrets_name(2)})
    refuses_parts("state-version", with_part(groups[0], HEAD, b"\x01" + all_parts[HEAD][1:]))
    refuses("state-version", lambda: PendingCommit.decode(b"\x00"))
    refuses("state-version", lambda: KeyPackageBundle.decode(b"\x00"))
    name, past = past_name(1), all_parts[past_name(1)]
    place = len(held.past[1].context.encode())
    assert past[place : place + 4] == u32(held.past[1].leaf_count)
    for members in (0, 1000, 2 * MAX_LEAVES):
        torn = past[:place] + u32(members) + past[place + 4 :]
        refuses_parts("state-members", with_part(groups[0], name, torn))
    changed = commit_by(group_of(2, random), 1, random)[1]
    past = changed.parts()[name]
    place = len(changed._state.past[-1].context.encode())
    refuses_parts("state-members", with_part(changed, name, past[:place] + u32(1) + past[place + 4 :]))
    other = replace(held, context=replace(held.context, tree_hash=bytes(32)))
    refuses_parts("state-tree", Group(other).parts())
    refuses_parts("state-tree", Group(replace(held, own_leaf=9)).parts())
    wrong = Group(replace(held, reinit=Remove(1)))  # type: ignore[arg-type]
    refuses_parts("state-reinit", wrong.parts())
    crowded = replace(held.past[-1], leaf_count=held.past[-1].leaf_count + 1000)
    refuses_parts("state-members", Group(replace(held, past=(held.past[0], crowded))).parts())


def test_every_part_is_read_to_its_end() -> None:
    groups = commit_by(group_of(2, random := SeededRandom(10)), 0, random)
    groups[0], _ = groups[0].encrypt(b"text", random=random)
    kinds = {name[:1] for name in groups[0].parts()}
    assert len(kinds) == 5
    for name, value in groups[0].parts().items():
        refuses_parts("2.1-trailing", with_part(groups[0], name, value + b"\x00"))
        with pytest.raises(MalformedError):
            Group.from_parts(with_part(groups[0], name, value[:-1]))


def test_head_and_tree_are_there_and_nothing_unknown() -> None:
    group = commit_by(group_of(2, random := SeededRandom(11)), 0, random)[0]
    for name in (HEAD, TREE):
        refuses_parts("state-missing", with_part(group, name, None))
    refuses("state-missing", lambda: Group.decode(b"\x00"))
    some = group.parts()[secrets_name(2)]
    for name in (
        b"",
        b"\x05",
        HEAD + b"\x00",
        TREE + b"\x00",
        secrets_name(2) + b"\x00",
        b"\x03" + bytes(7),
        b"\x04",
    ):
        refuses_parts("state-name", {**group.parts(), name: some})


def test_names_in_a_blob_ascend() -> None:
    (group,) = group_of(1, SeededRandom(12))
    items = [opaque(name) + opaque(value) for name, value in group.parts().items()]
    assert Group.decode(vector(items)) == group
    refuses("state-order", lambda: Group.decode(vector(reversed(items))))
    refuses("state-order", lambda: Group.decode(vector([items[0], *items])))


def test_former_epochs_have_no_gap() -> None:
    random = SeededRandom(13)
    groups = group_of(2, random)
    for _ in range(3):
        groups = commit_by(groups, 0, random)
    group, held = groups[1], groups[1]._state
    assert group.past_epochs == (1, 2, 3)
    for gap in ((1, 2), (1, 3), (2,)):
        kept = tuple(past for past in held.past if past.context.epoch in gap)
        refuses_parts("state-epochs", Group(replace(held, past=kept)).parts())
    ahead = replace(held.past[-1], context=held.context)
    refuses_parts("state-epochs", Group(replace(held, past=(*held.past, ahead))).parts())
    first = group.parts()[past_name(1)]
    refuses_parts("state-epochs", with_part(group, past_name(3), first))
    refuses_parts("state-epochs", with_part(group, past_name((1 << 64) - 1), first))
    assert stored(group.forget_epochs_before(2)).past_epochs == (2, 3)


def test_keys_are_of_epochs_that_are_kept() -> None:
    random = SeededRandom(14)
    groups = group_of(2, random)
    for _ in range(2):
        groups[0], message = groups[0].encrypt(b"text", random=random)
        groups[1], _ = groups[1].decrypt(message)
        groups = commit_by(groups, 0, random)
    group, all_parts = groups[1], groups[1].parts()
    assert (group.past_epochs, group.epoch) == ((1, 2), 3)
    for epoch in (1, 2, 3):
        refuses_parts("state-keys", with_part(group, secrets_name(epoch), None))
    name = ratchet_name(2, (0, secrettree.APPLICATION))
    for epoch in (0, 4, (1 << 64) - 1):
        refuses_parts("state-keys", {**all_parts, secrets_name(epoch): all_parts[secrets_name(2)]})
        moved = ratchet_name(epoch, (0, secrettree.APPLICATION))
        refuses_parts("state-keys", {**all_parts, moved: all_parts[name]})
    for kind in (2, 255):
        refuses_parts("state-ratchet", {**all_parts, name[:-1] + bytes((kind,)): all_parts[name]})


def test_a_secret_tree_of_another_size_is_refused() -> None:
    random = SeededRandom(6)
    groups = commit_by(group_of(3, random), 0, random)
    held = groups[1]._state
    tree, past = held.secret_tree, held.past[-1]
    other = (
        replace(tree, leaf_count=3),
        replace(tree, leaf_count=1 << 20),
        replace(tree, secrets={**tree.secrets, 7: bytes(32)}),
        replace(tree, ratchets=Places({(4, secrettree.APPLICATION): secrettree.Ratchet(bytes(32))})),
    )
    for wrong in other:
        states = (replace(held, secret_tree=wrong), replace(held, past=(replace(past, secret_tree=wrong),)))
        for each in states:
            refuses_parts("state-secret-tree", Group(each).parts())


def test_stored_state_has_one_encoding() -> None:
    random = SeededRandom(7)
    groups = commit_by(group_of(2, random), 0, random)
    held = groups[1]._state
    past = held.past[-1]
    start = past.context.encode() + u32(2)
    leaf = past.members[1].encode()
    known = groups[1].parts()[past_name(1)]
    reader = Reader(known, len(start))
    changes, rest = reader.opaque(), known[reader.pos :]
    assert known == start + opaque(changes) + rest
    twice = changes + u32(1) + b"\x01" + leaf
    refuses_parts("state-encoding", with_part(groups[1], past_name(1), start + opaque(twice) + rest))


def test_little_storage_asks_for_little_memory() -> None:
    """Each former epoch may have had a million places for leaves, without listing them."""
    random = SeededRandom(8)
    groups = commit_by(group_of(2, random), 0, random)
    held = groups[1]._state
    wide = replace(
        held.past[-1], leaf_count=MAX_LEAVES, secret_tree=secrettree.SecretTree(MAX_LEAVES, {}, Places())
    )
    past = tuple(replace(wide, context=replace(wide.context, epoch=epoch)) for epoch in range(10, 30))
    blob = Group(replace(held, context=replace(held.context, epoch=30), past=past)).encode()
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
    assert parts.VERSION == 2
    with pytest.raises(MalformedError):
        Group.decode(b"")
