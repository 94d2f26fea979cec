"""The tree as a value: edits, sharing, cached hashes, and no more work than a change asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.mls import checks, treekem
from polynya.mls.group import X25519, Group
from polynya.mls.keypackage import KeyPackageBundle
from polynya.mls.proposal import Add, Remove
from polynya.mls.suite import Suite
from polynya.mls.tree import ParentNode, RatchetTree
from tests.mls.parties import NOW, found, join, key_package, refuses
from tests.support.seeded import SeededRandom


def large_group(n: int, random: SeededRandom) -> tuple[list[KeyPackageBundle], Group]:
    """The founder's view of a group of `n`."""
    founder = found(random)
    bundles = [key_package(str(i), random) for i in range(1, n)]
    pending = founder.commit([Add(b.key_package) for b in bundles], now=NOW, random=random)
    return bundles, founder.merge_commit(pending)


def view_of(group: Group, leaf: int, bundle: KeyPackageBundle) -> Group:
    """The same epoch as the member with `bundle` at `leaf` sees it."""
    return Group(
        replace(
            group._state,
            own_leaf=leaf,
            signature_private=bundle.signature_private,
            private_keys={2 * leaf: bundle.encryption_private},
        )
    )


def test_editing_shares_nodes_and_leaves_the_original_alone() -> None:
    random = SeededRandom(1)
    _, group = large_group(8, random)
    tree = group._state.tree
    before = tree.encode(), tree.tree_hash()
    editor = tree.edit()
    editor.remove(3)
    added = editor.add(key_package("new", random).key_package.leaf_node)
    after = editor.done()
    assert added == 3
    assert (tree.encode(), tree.tree_hash()) == before != (after.encode(), after.tree_hash())
    same = [i for i in range(15) if tree.nodes[i] is after.nodes[i] and tree.nodes[i] is not None]
    assert 0 in same and 14 in same and 6 not in same
    assert tree == RatchetTree(X25519, tree.nodes) and tree != after and tree != "tree"
    assert hash(tree) == hash(RatchetTree(X25519, tree.nodes))


def test_cached_hashes_are_those_of_a_tree_made_anew() -> None:
    random = SeededRandom(2)
    _, group = large_group(13, random)
    tree = group._state.tree
    tree.tree_hash()
    for step in range(40):
        editor = tree.edit()
        leaf = random.below(tree.leaf_count)
        if tree.leaf(leaf) is None or random.below(3) == 0:
            editor.add(key_package(str(step), random).key_package.leaf_node)
        elif random.below(2):
            editor.remove(leaf)
            editor.truncate()
        else:
            editor.update(leaf, key_package(str(step), random).key_package.leaf_node)
        tree = editor.done()
        assert tree.tree_hash() == RatchetTree(X25519, tree.nodes).tree_hash()
        decoded = RatchetTree.decode(X25519, tree.encode())
        assert decoded.tree_hash() == tree.tree_hash() and decoded.leaf_count == tree.leaf_count


def test_truncation_and_growth() -> None:
    random = SeededRandom(3)
    _, group = large_group(5, random)
    tree = group._state.tree
    assert tree.leaf_count == 8
    editor = tree.edit()
    editor.remove(4)
    editor.truncate()
    assert editor.leaf_count == 4
    editor.remove(1)
    editor.truncate()
    assert editor.leaf_count == 4
    assert [editor.add(key_package(str(i), random).key_package.leaf_node) for i in range(2)] == [1, 4]
    assert editor.leaf_count == 8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("polynya.mls.tree.MAX_LEAVES", 8)
        for _ in range(3):
            editor.add(key_package("x", random).key_package.leaf_node)
        refuses("7.7-size", lambda: editor.add(key_package("x", random).key_package.leaf_node))


def test_blank_nodes_have_neither_parent_hash_nor_key() -> None:
    random = SeededRandom(4)
    _, group = large_group(3, random)
    tree = group._state.tree
    editor = tree.edit()
    editor.blank_path(0)
    blank = editor.done()
    refuses("7.9-blank", lambda: blank.parent_hash(1, 2))
    refuses("7.5-blank", lambda: treekem._encryption_key(blank, 1))
    assert tree.leaf(-1) is None and tree.leaf(4) is None


def test_who_is_not_below_a_path_or_has_no_key_cannot_open_it() -> None:
    random = SeededRandom(5)
    _, group = large_group(4, random)
    path = group.commit(now=NOW, random=random)
    verified = group.verify_commit(path.message, now=NOW)
    update = verified.checked.commit.path
    assert update is not None
    tree = group._state.tree
    refuses("7.5-no-private-key", lambda: treekem.open_path(tree, 0, 2, {}, update, b"", ()))
    refuses("7.5-no-common-ancestor", lambda: treekem.open_path(tree, 0, 9, {}, update, b"", ()))


def test_a_parent_hash_may_not_be_borrowed() -> None:
    """A node that nobody below it set, with a parent hash copied from above."""
    random = SeededRandom(6)
    _, group = large_group(4, random)
    group = group.merge_commit(group.commit(now=NOW, random=random))
    tree = group._state.tree
    _, stranger = X25519.kem.generate(random)
    editor = tree.edit()
    editor.nodes[5] = ParentNode(stranger, tree.parent_hash(3, 1), ())
    foreign = RatchetTree(X25519, editor.nodes)
    refuses("7.9.2-parent-hash", lambda: checks.check_tree(foreign, group.group_id, ()))


def test_at_300_members_a_commit_hashes_a_path_and_not_the_tree() -> None:
    """No clock: the work is counted. A tree of 512 leaves has 1,023 hashes; a path has 10."""
    random = SeededRandom(7)
    bundles, group = large_group(300, random)
    for leaf in (128, 256, 64, 192):
        sender = view_of(group, leaf, bundles[leaf - 1])
        message = sender.commit(now=NOW, random=random).message
        group = group.apply_commit(group.verify_commit(message, now=NOW), keep_past=False)
    pending = group.commit([Remove(299)], now=NOW, random=random)
    group = group.merge_commit(pending, keep_past=False)
    group.tree_hash  # noqa: B018
    counted = {"hashes": 0}
    honest = Suite.digest

    def digest(self: Suite, data: bytes) -> bytes:
        counted["hashes"] += 1
        return honest(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Suite, "digest", digest)
        pending = group.commit(now=NOW, random=random)
        made = counted["hashes"]
        counted["hashes"] = 0
        sender = view_of(group, 32, bundles[31])
        verified = sender.verify_commit(pending.message, now=NOW)
        sender.apply_commit(verified)
        processed = counted["hashes"]
        counted["hashes"] = 0
        group, sealed = group.encrypt(b"text", random=random)
        sender.decrypt(sealed)
    assert 0 < made <= 80 and 0 < processed <= 80
    assert counted["hashes"] == 0


def test_a_joiner_of_300_verifies_every_leaf() -> None:
    random = SeededRandom(8)
    _, group = large_group(300, random)
    bundle = key_package("new", random)
    pending = group.commit([Add(bundle.key_package)], now=NOW, random=random)
    seen = []
    honest = checks.check_leaf_signature
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "check_leaf_signature", lambda *a: seen.append((a[3], honest(*a))))
        joined = join(pending.welcome, bundle)
    assert [index for index, _ in seen] == list(range(301))
    assert joined.group.epoch_authenticator == pending.group.epoch_authenticator
