"""What a joiner checks (RFC 9420 sections 10.1 and 12.4.3), each broken by an inviter who can sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from polynya.mls import checks, joining, welcoming
from polynya.mls.codec import decode, optional, u8, vector
from polynya.mls.errors import MlsError
from polynya.mls.extensions import RATCHET_TREE, Extension
from polynya.mls.framing import encode_message, read_message
from polynya.mls.group import (
    X25519,
    Group,
    KeyPackageBundle,
    PendingCommit,
    decode_key_package,
    make_key_package,
    verify_key_package,
)
from polynya.mls.groupinfo import GroupInfo, sign_group_info
from polynya.mls.keypackage import KeyPackage
from polynya.mls.leaf import Capabilities, LeafNode, Lifetime
from polynya.mls.proposal import Add
from polynya.mls.tree import ParentNode, RatchetTree
from polynya.mls.welcome import GroupSecrets, Welcome
from tests.mls.parties import (
    EXTENSION,
    LIFETIME,
    NOW,
    advance,
    commit_by,
    found,
    group_of,
    in_agreement,
    join,
    key_package,
    refuses,
)
from tests.support.seeded import SeededRandom


def invite(
    groups: list[Group], random: SeededRandom, *, tree_in_welcome: bool = True, path: bool = True
) -> tuple[PendingCommit, KeyPackageBundle]:
    bundle = key_package("new", random)
    pending = groups[0].commit(
        [Add(bundle.key_package)],
        tree_in_welcome=tree_in_welcome,
        path=path,
        now=NOW,
        random=random,
    )
    return pending, bundle


@pytest.mark.parametrize("inside", [True, False])
@pytest.mark.parametrize("path", [True, False])
def test_join_with_the_tree_inside_and_outside(inside: bool, path: bool) -> None:
    random = SeededRandom(1)
    groups = group_of(3, random)
    pending, bundle = invite(groups, random, tree_in_welcome=inside, path=path)
    joined = join(pending.welcome, bundle, None if inside else pending.tree)
    everybody = [*advance(groups, 0, pending), joined.group]
    assert in_agreement(everybody) and in_agreement(commit_by(everybody, 3, random))
    assert joined.signer_leaf_index == 0 and joined.bundle == bundle and joined.group_info_extensions == ()
    if not inside:
        refuses("12.4.3.1-no-tree", lambda: join(pending.welcome, bundle))
        refuses("12.4.3.1-tree-hash", lambda: join(pending.welcome, bundle, groups[0].tree))


def test_extensions_of_the_group_info_reach_the_joiner_and_may_come_from_the_next_epoch() -> None:
    random = SeededRandom(2)
    groups = group_of(2, random)
    bundle = key_package("new", random)
    pending = groups[0].commit(
        [Add(bundle.key_package)],
        group_info_extensions=lambda after: [Extension(0xF0A2, after.export("topic", b"", 16))],
        now=NOW,
        random=random,
    )
    joined = join(pending.welcome, bundle)
    assert joined.group_info_extensions == (Extension(0xF0A2, joined.group.export("topic", b"", 16)),)


def test_a_welcome_for_somebody_else() -> None:
    random = SeededRandom(3)
    pending, _ = invite(group_of(2, random), random)
    other = key_package("other", random)
    refuses("12.4.3.1-no-key-package", lambda: join(pending.welcome, other))
    refuses("12.4.3.1-no-key-package", lambda: Group.join(pending.welcome or b"", [], now=NOW))


def test_a_bundle_with_other_private_keys() -> None:
    random = SeededRandom(4)
    pending, bundle = invite(group_of(2, random), random)
    refuses("5.1.3-decrypt", lambda: join(pending.welcome, replace(bundle, init_private=random.bytes(32))))
    wrong = replace(bundle, signature_private=random.bytes(32))
    refuses("12.4.3.1-own-signature-key", lambda: join(pending.welcome, wrong))


def test_expired_leaves_are_told_and_not_refused() -> None:
    random = SeededRandom(5)
    pending, bundle = invite(group_of(2, random), random)
    assert pending.welcome is not None
    late = LIFETIME.not_after * 1000 + 1000
    joined = Group.join(pending.welcome, [bundle], now=late)
    assert joined.expired == (1, 2)  # leaf 0 was renewed by its commit
    assert join(pending.welcome, bundle).expired == ()


# ---- an inviter who lies
# --------------------------------------------------------------------------------------


def lie(
    groups: list[Group],
    random: SeededRandom,
    *,
    tree: Callable[[RatchetTree], RatchetTree] | None = None,
    info: Callable[[GroupInfo], GroupInfo] | None = None,
    secrets: Callable[[GroupSecrets], GroupSecrets] | None = None,
    rehash: bool = True,
) -> tuple[bytes, KeyPackageBundle]:
    """A Welcome with another tree, GroupInfo or secrets, signed by the inviter as if it were right."""
    bundle = key_package("new", random)
    honest = welcoming.make_group_info

    def dishonest(state: object, *arguments: object, **options: object) -> GroupInfo:
        told = honest(state, *arguments, **options)  # type: ignore[arg-type]
        if tree is not None:
            other = tree(state.tree)  # type: ignore[attr-defined]
            context = told.group_context
            if rehash:
                context = replace(context, tree_hash=other.tree_hash())
            told = replace(told, group_context=context, extensions=(Extension(RATCHET_TREE, other.encode()),))
        if info is not None:
            told = info(told)
        return sign_group_info(
            X25519,
            state.signature_private,  # type: ignore[attr-defined]
            told.group_context,
            told.extensions,
            told.confirmation_tag,
            told.signer,
        )

    encode = GroupSecrets.encode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(welcoming, "make_group_info", dishonest)
        if secrets is not None:
            patch.setattr(GroupSecrets, "encode", lambda self: encode(secrets(self)))
        pending = groups[0].commit([Add(bundle.key_package)], now=NOW, random=random)
    assert pending.welcome is not None
    return pending.welcome, bundle


def test_an_honest_lie_is_accepted() -> None:
    """`lie` without a change makes a good Welcome: what the other tests break is what they say."""
    random = SeededRandom(10)
    welcome, bundle = lie(group_of(3, random), random)
    assert join(welcome, bundle).group.epoch == 2


def _edited(change: Callable[[list[object]], None]) -> Callable[[RatchetTree], RatchetTree]:
    def edit(tree: RatchetTree) -> RatchetTree:
        nodes = list(tree.nodes)
        change(nodes)  # type: ignore[arg-type]
        return RatchetTree(tree.suite, nodes)

    return edit


def _set(node: int, **changes: object) -> Callable[[list[object]], None]:
    def change(nodes: list[object]) -> None:
        nodes[node] = replace(nodes[node], **changes, encoded=b"")  # type: ignore[type-var]

    return change


def _copy_key(source: int, target: int) -> Callable[[list[object]], None]:
    def change(nodes: list[object]) -> None:
        key = nodes[source].encryption_key  # type: ignore[attr-defined]
        nodes[target] = replace(nodes[target], encryption_key=key, encoded=b"")  # type: ignore[type-var]

    return change


def _blank(node: int) -> Callable[[list[object]], None]:
    def change(nodes: list[object]) -> None:
        nodes[node] = None

    return change


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_set(0, signature=bytes(64)), "7.3-signature"),
        (_set(0, signature=b""), "7.3-signature"),
        (_set(3, encryption_key=bytes(32)), "7.3-encryption-key"),
        (_set(3, encryption_key=b"\x09" + bytes(31)), "7.9.2-parent-hash"),
        (_set(3, parent_hash=b"x" * 32), "7.9.2-parent-hash"),
        (_set(3, unmerged_leaves=(1,)), "12.4.3.1-unmerged-between"),
        (_set(3, unmerged_leaves=(7,)), "12.4.3.1-unmerged-leaf"),
        (_set(1, unmerged_leaves=(2,)), "12.4.3.1-unmerged-leaf"),
        (_set(7, unmerged_leaves=(5,)), "12.4.3.1-unmerged-leaf"),
        (_copy_key(2, 3), "7.3-encryption-key-reused"),
    ],
)
def test_trees_that_are_not_what_members_made(change: Callable[[list[object]], None], rule: str) -> None:
    random = SeededRandom(11)
    groups = commit_by(commit_by(group_of(4, random), 2, random), 0, random)
    welcome, bundle = lie(groups, random, tree=_edited(change))
    refuses(rule, lambda: join(welcome, bundle))


def test_unmerged_leaves_must_be_unmerged_at_every_node_between() -> None:
    random = SeededRandom(12)
    groups = group_of(8, random)
    for leaf in (0, 4, 6, 2):
        groups = commit_by(groups, leaf, random)
    tree = groups[0]._state.tree
    root = tree.parent_node(7)
    assert root is not None and tree.parent_node(11) is not None
    editor = tree.edit()
    editor.nodes[7] = ParentNode(root.encryption_key, root.parent_hash, (6,))
    changed = editor.done()
    refuses(
        "12.4.3.1-unmerged-between",
        lambda: checks.check_unmerged_leaves(changed, 7, ParentNode(b"", b"", (6,))),
    )


def test_a_tree_with_another_hash_than_the_context() -> None:
    random = SeededRandom(13)
    change = _edited(_blank(5))
    welcome, bundle = lie(commit_by(group_of(4, random), 2, random), random, tree=change, rehash=False)
    refuses("12.4.3.1-tree-hash", lambda: join(welcome, bundle))


def test_a_tree_without_the_joiner() -> None:
    random = SeededRandom(14)

    def without(tree: RatchetTree) -> RatchetTree:
        editor = tree.edit()
        editor.remove(3)
        return editor.done()

    welcome, bundle = lie(group_of(3, random), random, tree=without)
    refuses("12.4.3.1-own-leaf", lambda: join(welcome, bundle))


def test_a_path_secret_that_does_not_fit_the_tree() -> None:
    random = SeededRandom(15)
    groups = group_of(3, random)
    welcome, bundle = lie(groups, random, secrets=lambda s: replace(s, path_secret=bytes(32)))
    refuses("7.5-derived-key", lambda: join(welcome, bundle))
    welcome, bundle = lie(groups, random, tree=_edited(lambda nodes: nodes.__setitem__(3, None)))
    refuses("12.4.3.1-path-secret", lambda: join(welcome, bundle))


def test_a_wrong_confirmation_tag() -> None:
    random = SeededRandom(16)
    welcome, bundle = lie(group_of(3, random), random, info=lambda i: replace(i, confirmation_tag=bytes(32)))
    refuses("12.4.3.1-confirmation-tag", lambda: join(welcome, bundle))


def test_the_joiner_as_its_own_inviter() -> None:
    random = SeededRandom(17)
    groups = group_of(3, random)
    bundle = key_package("new", random)
    pending = groups[0].commit([Add(bundle.key_package)], now=NOW, random=random)
    joined = join(pending.welcome, bundle)
    state = joined.group._state
    secrets = GroupSecrets(b"", bytes(32), ())
    refuses("12.4.3.1-own-signer", lambda: joining._path_keys(X25519, state.tree, 3, 3, secrets))


def test_another_suite_in_the_group_info() -> None:
    random = SeededRandom(18)
    welcome, bundle = lie(
        group_of(2, random),
        random,
        info=lambda i: replace(i, group_context=replace(i.group_context, cipher_suite=3)),
    )
    refuses("12.4.3.1-suite", lambda: join(welcome, bundle))
    message = decode(read_message, welcome)
    assert isinstance(message, Welcome)
    unknown = encode_message(replace(message, cipher_suite=0x0A0A))
    refuses("5.1-suite", lambda: join(unknown, bundle))


def test_a_group_whose_extensions_the_joiner_does_not_support() -> None:
    random = SeededRandom(19)
    welcome, bundle = lie(
        group_of(2, random),
        random,
        info=lambda i: replace(
            i, group_context=replace(i.group_context, extensions=(Extension(0xF555, b""),))
        ),
    )
    refuses("13.4-context-extension", lambda: join(welcome, bundle))


# ---- ratchet_tree bytes
# -----------------------------------------------------------------------------------------


def test_ratchet_trees_have_one_encoding() -> None:
    random = SeededRandom(20)
    tree = group_of(3, random)[0]._state.tree
    assert RatchetTree.decode(X25519, tree.encode()).nodes == tree.nodes
    leaf, parent = tree.nodes[0], ParentNode(b"k" * 32, b"", ())
    assert leaf is not None
    as_leaf, as_parent = u8(1) + leaf.encode(), u8(2) + parent.encode()
    for data, rule in (
        (vector([]), "12.4.3.3-last-blank"),
        (vector([optional(as_leaf), optional(None)]), "12.4.3.3-last-blank"),
        (vector([optional(as_parent)]), "12.4.3.3-node-type"),
        (vector([optional(as_leaf), optional(as_leaf), optional(as_leaf)]), "12.4.3.3-node-type"),
        (vector([optional(u8(3) + leaf.encode())]), "7.8-node-type"),
    ):
        refuses(rule, lambda data=data: RatchetTree.decode(X25519, data))  # type: ignore[misc]
    large = vector([optional(None)] * 8 + [optional(as_leaf)])  # leaf 4: a tree of 8
    assert RatchetTree.decode(X25519, large).leaf_count == 8
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("polynya.mls.tree.MAX_LEAVES", 4)
        refuses("12.4.3.3-size", lambda: RatchetTree.decode(X25519, large))
    for unmerged in ((2, 1), (1, 1)):
        bad = ParentNode(b"k" * 32, b"", unmerged)
        data = vector([optional(as_leaf), optional(u8(2) + bad.encode()), optional(as_leaf)])
        refuses("7.1-unmerged-order", lambda data=data: RatchetTree.decode(X25519, data))  # type: ignore[misc]


def test_a_tree_that_ends_in_a_parent_is_filled_up_and_refused() -> None:
    random = SeededRandom(21)
    leaf, parent = group_of(1, random)[0]._state.tree.nodes[0], ParentNode(b"k" * 32, b"", ())
    assert leaf is not None
    pair = [optional(u8(1) + leaf.encode()), optional(u8(2) + parent.encode())]
    for count, width in ((1, 3), (2, 7), (3, 7), (4, 15)):
        tree = RatchetTree.decode(X25519, vector(pair * count))
        assert len(tree.nodes) == width
        refuses("7.9.2-parent-hash", lambda tree=tree: checks.check_parent_hash(tree, 1, parent))  # type: ignore[misc]
        welcome, bundle = lie(group_of(3, random), random, tree=lambda _, tree=tree: tree)  # type: ignore[misc]
        with pytest.raises(MlsError):
            join(welcome, bundle)


def test_a_tree_with_a_leaf_that_claims_to_live_for_ever() -> None:
    random = SeededRandom(22)
    groups = group_of(3, random)
    other = key_package("long", random, lifetime=Lifetime(0, 2**40)).key_package.leaf_node

    def change(nodes: list[object]) -> None:
        nodes[2] = other

    welcome, bundle = lie(groups, random, tree=_edited(change))
    refuses("7.2-lifetime-span", lambda: join(welcome, bundle))
    # A leaf that the path's committer did not sign.
    refuses("7.9.2-parent-hash", lambda: Group.join(welcome, [bundle], max_lifetime=2**40, now=NOW))


# ---- key packages
# -------------------------------------------------------------------------------------------------


def verify(key_package_: KeyPackage, now: int = NOW) -> KeyPackage:
    return verify_key_package(decode_key_package(key_package_.encode()), now)


def signed(bundle: KeyPackageBundle, **changes: object) -> KeyPackage:
    """The bundle's key package with other contents, signed anew."""
    draft = replace(bundle.key_package, **changes, signature=b"", encoded=b"")  # type: ignore[arg-type]
    signature = X25519.sign_with_label(bundle.signature_private, b"KeyPackageTBS", draft.encoded[:-1])
    return replace(draft, signature=signature, encoded=b"")


def with_leaf(bundle: KeyPackageBundle, **changes: object) -> KeyPackage:
    """The same with another leaf, signed anew as well."""
    draft: LeafNode = replace(bundle.key_package.leaf_node, **changes, signature=b"", encoded=b"")  # type: ignore[arg-type]
    signature = X25519.sign_with_label(bundle.signature_private, b"LeafNodeTBS", draft.encoded[:-1])
    return signed(bundle, leaf_node=replace(draft, signature=signature, encoded=b""))


def test_key_packages_are_verified_before_use() -> None:
    random = SeededRandom(30)
    bundle = key_package("new", random)
    assert verify(bundle.key_package) == bundle.key_package
    assert KeyPackageBundle.decode(bundle.encode()) == bundle
    no_lists = Capabilities((), (), (), (), ())
    for bad, rule in (
        (signed(bundle, init_key=bundle.key_package.leaf_node.encryption_key), "10.1-init-key"),
        (signed(bundle, version=2), "10.1-version-or-suite"),
        (signed(bundle, extensions=(Extension(0xF321, b""),)), "10-extensions"),
        (replace(bundle.key_package, signature=bytes(64), encoded=b""), "10.1-signature"),
        (with_leaf(bundle, source=2, lifetime=None), "7.3-source"),
        (with_leaf(bundle, capabilities=no_lists), "7.3-version-or-suite"),
        (with_leaf(bundle, extensions=(Extension(0xF321, b""),)), "7.3-extensions"),
        (with_leaf(bundle, encryption_key=bytes(32)), "7.3-encryption-key"),
        (with_leaf(bundle, lifetime=Lifetime(0, 2**40)), "7.2-lifetime-span"),
        (with_leaf(bundle, lifetime=Lifetime(2, 1)), "7.2-lifetime-span"),
    ):
        refuses(rule, lambda bad=bad: verify(bad))  # type: ignore[misc]
    for now in (LIFETIME.not_before * 1000 - 1, LIFETIME.not_after * 1000 + 1000):
        refuses("7.3-lifetime", lambda now=now: verify(bundle.key_package, now))  # type: ignore[misc]


def test_last_resort_key_packages_say_so_and_may_be_used_again() -> None:
    random = SeededRandom(31)
    seed = random.bytes(32)
    credential = found(random).members()[0].credential
    last = make_key_package(X25519, credential, seed, lifetime=LIFETIME, last_resort=True, random=random)
    assert verify(last.key_package).last_resort and not key_package("x", random).key_package.last_resort
    for _ in range(2):
        groups = group_of(2, random)
        pending = groups[0].commit([Add(last.key_package)], now=NOW, random=random)
        assert in_agreement([*advance(groups, 0, pending), join(pending.welcome, last).group])


def test_capabilities_default_to_what_is_used() -> None:
    random = SeededRandom(32)
    credential = found(random).members()[0].credential
    made = make_key_package(
        X25519,
        credential,
        random.bytes(32),
        lifetime=LIFETIME,
        extensions=(Extension(0xF0A2, b""),),
        leaf_extensions=(Extension(EXTENSION, b""), Extension(1, b"app")),
        random=random,
    )
    assert made.key_package.leaf_node.capabilities == Capabilities((1,), (1,), (EXTENSION, 0xF0A2), (), (1,))
    refuses(
        "10-capabilities",
        lambda: make_key_package(
            X25519,
            credential,
            random.bytes(32),
            lifetime=LIFETIME,
            leaf_extensions=(Extension(EXTENSION, b""),),
            capabilities=Capabilities((1,), (1,)),
            random=random,
        ),
    )


def test_private_keys_of_a_wrong_size() -> None:
    random = SeededRandom(33)
    with pytest.raises(MlsError) as caught:
        X25519.sign_with_label(b"short", b"LeafNodeTBS", b"")
    assert caught.value.rule == "5.1.2-private-key"
    with pytest.raises(MlsError) as caught:
        X25519.encrypt_with_label(bytes(32), b"x", b"", b"", random)
    assert caught.value.rule == "5.1.3-public-key"
    refuses("8-length", lambda: X25519.expand_with_label(bytes(32), b"x", b"", 255 * 32 + 1))
