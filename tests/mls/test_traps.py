"""The traps that published MLS libraries fell into; each test fails without the check that it is about."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.mls import checks, group, protect, schedule, treekem
from polynya.mls.applying import confirmed_context
from polynya.mls.codec import Reader, decode, opaque
from polynya.mls.commit import Commit, UpdatePath, UpdatePathNode
from polynya.mls.errors import MalformedError, MlsError, PathError, RemovedError, WrongEpochError
from polynya.mls.extensions import EXTERNAL_PUB, Extension, external_pub, external_pub_extension, find
from polynya.mls.framing import PublicMessage, read_message
from polynya.mls.group import Group
from polynya.mls.groupinfo import GroupInfo
from polynya.mls.keypackage import KeyPackage
from polynya.mls.leaf import COMMIT, LeafNode
from polynya.mls.proposal import Add, GroupContextExtensions, PreSharedKey, Remove
from polynya.mls.psk import ExternalPskId
from polynya.mls.tree import RatchetTree
from tests.mls.parties import (
    EXTENSION,
    NOW,
    advance,
    commit_by,
    follow,
    forge,
    group_of,
    in_agreement,
    join,
    key_package,
    refuses,
    resign,
    unchecked,
)
from tests.support.seeded import SeededRandom

# ---- a removal cuts off, whatever the shape of the tree
# -----------------------------------------------------------


def break_in(removed: Group, message: bytes) -> Group | None:
    """What a removed member can try: every secret that it holds in the place of the commit secret it
    lacks."""
    body = decode(read_message, message)
    assert isinstance(body, PublicMessage) and isinstance(body.content.content, Commit)
    verified = removed.verify_commit(message, now=NOW)
    state, checked = removed._state, verified.checked
    context = confirmed_context(
        state.suite, state.interim_transcript_hash, checked.provisional, checked.message
    )
    held = [
        bytes(state.suite.secret_size),
        state.secrets.init_secret,
        state.secrets.exporter_secret,
        state.secrets.resumption_psk,
        state.secrets.epoch_authenticator,
        *state.private_keys.values(),
    ]
    guesses = held + [treekem.next_path_secret(state.suite, secret) for secret in held]
    for guess in guesses:
        derived = schedule.advance(
            state.suite, state.secrets.init_secret, guess, bytes(state.suite.secret_size), context
        )
        tag = checked.message.auth.confirmation_tag or b""
        key, confirmed = derived.secrets.confirmation_key, context.confirmed_transcript_hash
        if state.suite.mac_is_valid(key, confirmed, tag):
            return removed
    return None


def test_removal_in_a_group_of_two_cuts_off_now_and_later() -> None:
    random = SeededRandom(1)
    alice, bob = group_of(2, random)
    pending = alice.commit([Remove(1)], now=NOW, random=random)
    body = decode(read_message, pending.message)
    assert isinstance(body, PublicMessage) and isinstance(body.content.content, Commit)
    path = body.content.content.path
    assert path is not None and path.nodes == ()  # nobody is left to encrypt to: the trap
    assert break_in(bob, pending.message) is None
    with pytest.raises(RemovedError) as caught:
        follow(bob, pending.message)
    assert (caught.value.rule, caught.value.code) == ("12.4.2-removed", "removed")
    alice = alice.merge_commit(pending)
    carol_bundle = key_package("carol", random)
    for _ in range(3):  # later epochs, with others in them
        pending = alice.commit(
            [] if len(alice.members()) > 1 else [Add(carol_bundle.key_package)], now=NOW, random=random
        )
        alice = alice.merge_commit(pending)
        alice, message = alice.encrypt(b"without bob", random=random)
        for rule in (WrongEpochError, MlsError):
            with pytest.raises(rule):
                bob.decrypt(message)
            with pytest.raises(rule):
                follow(bob, pending.message)


def test_the_simulated_break_in_succeeds_where_the_commit_secret_is_not_fresh() -> None:
    """`break_in` is a real test: it finds a committer that takes zeros for the secret of an empty path."""
    random = SeededRandom(2)
    alice, bob = group_of(2, random)
    honest = treekem.make_path

    def zeros(*arguments: object) -> treekem.MadePath:
        return replace(honest(*arguments), commit_secret=bytes(32))  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(treekem, "make_path", zeros)
        pending = alice.commit([Remove(1)], now=NOW, random=random)
    assert break_in(bob, pending.message) is not None


@pytest.mark.parametrize("survivors", [(2, 3), (3,), (2,)])
def test_removal_cuts_off_where_the_left_half_of_the_tree_is_blank(survivors: tuple[int, ...]) -> None:
    random = SeededRandom(3)
    groups = group_of(4, random)
    committer = survivors[0]
    leaving = [leaf for leaf in range(4) if leaf not in survivors]
    pending = groups[committer].commit([Remove(leaf) for leaf in leaving], now=NOW, random=random)
    for leaf in leaving:
        assert break_in(groups[leaf], pending.message) is None
        with pytest.raises(RemovedError):
            follow(groups[leaf], pending.message)
    after = [groups[committer].merge_commit(pending)]
    after += [follow(groups[leaf], pending.message) for leaf in survivors[1:]]
    assert in_agreement(after)
    assert [m.leaf_index for m in after[0].members()] == sorted(survivors)
    after = commit_by(after, len(after) - 1, random)
    assert in_agreement(after)


def test_every_path_draws_a_new_secret() -> None:
    random = SeededRandom(4)
    (alone,) = group_of(1, random)
    seen = set()
    for _ in range(3):
        alone = alone.merge_commit(alone.commit(now=NOW, random=random))
        seen.add(alone._state.secrets.init_secret)
    assert len(seen) == 3


# ---- unmerged leaves
# ----------------------------------------------------------------------------------------------


def _with_unmerged(random: SeededRandom) -> tuple[list[Group], Group]:
    """Six members with parents set, then a seventh by a commit without path, and what it joined."""
    groups = group_of(6, random)
    for leaf in (0, 2, 4):
        groups = commit_by(groups, leaf, random)
    bundle = key_package("late", random)
    pending = groups[5].commit([Add(bundle.key_package)], path=False, now=NOW, random=random)
    joiner = join(pending.welcome, bundle).group
    return advance(groups, 5, pending), joiner


def test_trees_with_unmerged_leaves_are_joined_kept_and_worked_on() -> None:
    random = SeededRandom(5)
    groups, joiner = _with_unmerged(random)
    tree = joiner._state.tree
    unmerged = [tree.parent_node(n) for n in range(1, len(tree.nodes), 2)]
    assert any(node is not None and 6 in node.unmerged_leaves for node in unmerged)
    reloaded = Group.decode(joiner.encode())
    assert reloaded.tree == joiner.tree and reloaded._state.tree.tree_hash() == joiner.tree_hash
    editor = tree.edit()
    assert editor.done().encode() == tree.encode()
    bundle = key_package("later", random)  # a join while leaves are unmerged
    pending = groups[0].commit([Add(bundle.key_package)], path=False, now=NOW, random=random)
    second = join(pending.welcome, bundle).group
    everybody = [*advance([*groups, reloaded], 0, pending), second]
    for committer in (6, 7, 3):
        everybody = commit_by(everybody, committer, random)
        assert in_agreement(everybody)


def test_a_tree_without_its_unmerged_leaves_is_another_tree() -> None:
    random = SeededRandom(6)
    groups, _ = _with_unmerged(random)
    tree = groups[0]._state.tree
    editor = tree.edit()
    for node in range(1, len(tree.nodes), 2):
        parent = tree.parent_node(node)
        if parent is not None:
            editor.nodes[node] = replace(parent, unmerged_leaves=(), encoded=b"")
    lost = RatchetTree(tree.suite, editor.nodes)
    assert lost.tree_hash() != tree.tree_hash()
    refuses("7.9.2-parent-hash", lambda: checks.check_tree(lost, groups[0].group_id, ()))


# ---- GroupContextExtensions
# ---------------------------------------------------------------------------------------


def test_a_commit_of_context_extensions_alone_carries_a_path_sealed_under_the_new_context() -> None:
    random = SeededRandom(7)
    groups = group_of(3, random)
    change = GroupContextExtensions((Extension(EXTENSION, b"new"),))
    pending = groups[0].commit([change], now=NOW, random=random)
    verified = groups[1].verify_commit(pending.message, now=NOW)
    assert verified.checked.commit.path is not None
    assert verified.checked.provisional.extensions == change.extensions
    assert find(verified.extensions_after, EXTENSION) == b"new"
    assert in_agreement(advance(groups, 0, pending))
    # Opened under the old extensions the path secrets must not decrypt.
    old = replace(verified.checked.provisional, extensions=())
    wrong = replace(verified, checked=replace(verified.checked, provisional=old))
    with pytest.raises(PathError):
        groups[1].apply_commit(wrong)


def test_a_commit_of_context_extensions_without_path_is_refused() -> None:
    random = SeededRandom(8)
    groups = group_of(2, random)
    change = GroupContextExtensions((Extension(EXTENSION, b"new"),))
    refuses("12.4-path-required", lambda: groups[0].commit([change], path=False, now=NOW, random=random))
    message = forge(groups[0], [change], random, path=False)
    refuses("12.4-path-required", lambda: groups[1].verify_commit(message, now=NOW))


@pytest.mark.parametrize("kind", ["remove", "empty"])
def test_removals_and_empty_commits_without_path_are_refused(kind: str) -> None:
    random = SeededRandom(9)
    groups = group_of(3, random)
    by_value = [Remove(2)] if kind == "remove" else []
    refuses("12.4-path-required", lambda: groups[0].commit(by_value, path=False, now=NOW, random=random))
    message = forge(groups[0], by_value, random, path=False)
    refuses("12.4-path-required", lambda: groups[1].verify_commit(message, now=NOW))


# ---- external_pub
# ---------------------------------------------------------------------------------------------------


def test_external_pub_is_a_length_prefixed_vector() -> None:
    random = SeededRandom(10)
    (alone,) = group_of(1, random)
    info = decode(read_message, alone.group_info(external_pub=True))
    assert isinstance(info, GroupInfo)
    data = find(info.extensions, EXTERNAL_PUB)
    assert data is not None and data[0] == 32 and len(data) == 33
    assert external_pub(info.extensions) == data[1:]
    assert external_pub_extension(b"k" * 32).data == opaque(b"k" * 32)
    with pytest.raises(MalformedError):
        external_pub([Extension(EXTERNAL_PUB, data[1:])])


# ---- update paths
# -----------------------------------------------------------------------------------------------------


def _other_keys(random: SeededRandom, groups: list[Group]) -> bytes:
    """A commit whose nodes carry other public keys than their path secrets give."""
    suite = groups[0].suite
    honest = treekem.node_key_pair
    own = 2 * groups[0].own_leaf_index

    def wrong(*arguments: object) -> treekem.MadePath:
        calls = iter(range(99))

        def pair(s: object, secret: bytes) -> tuple[bytes, bytes]:
            private, public = honest(suite, secret)
            return (private, public) if next(calls) == 0 else suite.kem.generate(random)

        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(treekem, "node_key_pair", pair)
            return make(*arguments)  # type: ignore[arg-type]

    make = treekem.make_path
    assert own == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(treekem, "make_path", wrong)
        return groups[0].commit(now=NOW, random=random).message


def test_derived_public_keys_are_compared_with_those_sent() -> None:
    random = SeededRandom(11)
    groups = group_of(3, random)
    message = _other_keys(random, groups)
    for receiver in groups[1:]:
        verified = receiver.verify_commit(message, now=NOW)
        with pytest.raises(PathError) as caught:
            receiver.apply_commit(verified)
        assert caught.value.rule == "7.5-derived-key"
        with unchecked(treekem, "check_derived_key"):  # the check alone stands between
            assert receiver.apply_commit(verified).epoch == receiver.epoch + 1


def test_the_leaf_of_a_path_is_signed_anew() -> None:
    random = SeededRandom(12)
    groups = group_of(3, random)
    old = groups[0].member(0)
    groups = commit_by(groups, 0, random)
    new = groups[1].member(0)
    assert old is not None and new is not None
    assert old.leaf_node.signature != new.leaf_node.signature
    assert old.leaf_node.encryption_key != new.leaf_node.encryption_key
    assert new.leaf_node.source == COMMIT
    message = forge(
        groups[0],
        [],
        random,
        change_leaf=lambda leaf: replace(leaf, signature=new.leaf_node.signature, encoded=b""),
    )
    refuses("7.3-signature", lambda: groups[1].verify_commit(message, now=NOW))


def test_an_empty_signature_is_never_valid() -> None:
    random = SeededRandom(13)
    groups = group_of(2, random)
    message = forge(groups[0], [], random, change_leaf=lambda leaf: replace(leaf, signature=b"", encoded=b""))
    refuses("7.3-signature", lambda: groups[1].verify_commit(message, now=NOW))
    package = key_package("x", random).key_package
    unsigned = replace(package, signature=b"", encoded=b"")
    refuses("10.1-signature", lambda: _verify(unsigned))
    leaf: LeafNode = replace(package.leaf_node, signature=b"", encoded=b"")
    refuses("7.3-signature", lambda: _verify(replace(package, leaf_node=leaf, encoded=b"")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protect, "sign_content", lambda *a: b"")
        _, unsigned_message = groups[0].encrypt(b"forged", random=random)
        pending = groups[0].commit(now=NOW, random=random)
    refuses("6.1-signature", lambda: groups[1].decrypt(unsigned_message))
    refuses("6.1-signature", lambda: groups[1].verify_commit(pending.message, now=NOW))


def _verify(package: KeyPackage) -> object:
    return group.verify_key_package(group.decode_key_package(package.encode()), NOW)


def test_the_parent_hash_of_the_leaf_must_be_that_of_its_path() -> None:
    random = SeededRandom(14)
    groups = group_of(3, random)
    message = forge(
        groups[0], [], random, change_leaf=lambda leaf: resign(leaf, groups[0], 0, parent_hash=b"x" * 32)
    )
    refuses("7.9.2-parent-hash", lambda: groups[1].verify_commit(message, now=NOW))


def test_a_path_of_another_shape_is_refused() -> None:
    random = SeededRandom(15)
    groups = group_of(5, random)

    def shorter(path: UpdatePath) -> UpdatePath:
        return replace(path, nodes=path.nodes[:-1])

    def fewer(path: UpdatePath) -> UpdatePath:
        first = path.nodes[0]
        return replace(path, nodes=(UpdatePathNode(first.encryption_key, ()), *path.nodes[1:]))

    def cut(path: UpdatePath) -> UpdatePath:
        first = path.nodes[0]
        sealed = first.encrypted_path_secrets[0]
        sealed = replace(sealed, ciphertext=sealed.ciphertext[:-1])
        return replace(path, nodes=(UpdatePathNode(first.encryption_key, (sealed,)), *path.nodes[1:]))

    for change, rule in (
        (shorter, "7.6-path-length"),
        (fewer, "7.6-ciphertexts"),
        (cut, "7.6-ciphertext-size"),
    ):
        message = forge(groups[0], [], random, change_path=change)
        refuses(rule, lambda message=message: groups[1].verify_commit(message, now=NOW))  # type: ignore[misc]


# ---- GroupInfo
# --------------------------------------------------------------------------------------------------------


def _welcome_with(
    groups: list[Group], random: SeededRandom, **changes: object
) -> tuple[bytes, group.KeyPackageBundle]:
    """A Welcome whose GroupInfo was changed after it was signed, by someone who knows the secrets."""
    from polynya.mls import welcoming

    bundle = key_package("new", random)
    honest = welcoming.make_group_info

    def dishonest(*arguments: object, **options: object) -> GroupInfo:
        return replace(honest(*arguments, **options), **changes)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(welcoming, "make_group_info", dishonest)
        pending = groups[0].commit([Add(bundle.key_package)], now=NOW, random=random)
    assert pending.welcome is not None
    return pending.welcome, bundle


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"signature": b""}, "12.4.3-signature"),
        ({"signature": bytes(64)}, "12.4.3-signature"),
        ({"signer": 1}, "12.4.3-signature"),
        ({"signer": 3}, "12.4.3-signer"),
        ({"signer": 2**32 - 1}, "12.4.3-signer"),
        ({"confirmation_tag": bytes(32)}, "12.4.3-signature"),
    ],
)
def test_a_group_info_needs_its_signers_signature(changes: dict[str, object], rule: str) -> None:
    random = SeededRandom(16)
    groups = group_of(2, random)
    welcome, bundle = _welcome_with(groups, random, **changes)
    refuses(rule, lambda: join(welcome, bundle))


# ---- PSKs and what reaches the caller
# ---------------------------------------------------------------------------------


@pytest.mark.parametrize("private", [False, True])
def test_psks_count_in_private_commits_too(private: bool) -> None:
    random = SeededRandom(17)
    groups = group_of(3, random)
    proposal = PreSharedKey(ExternalPskId(b"id", random.bytes(32)))
    psks = {b"id": b"secret"}
    pending = groups[0].commit([proposal], private=private, psks=psks, now=NOW, random=random)
    verified = groups[1].verify_commit(pending.message, now=NOW)
    after = groups[1].apply_commit(verified, psks=psks)
    assert after.epoch_authenticator == pending.group.epoch_authenticator
    refuses("12.4.2-psk-missing", lambda: groups[1].apply_commit(verified))
    with pytest.raises(PathError) as caught:
        groups[1].apply_commit(verified, psks={b"id": b"other"})
    assert caught.value.rule == "12.4.2-confirmation-tag"


def test_sender_and_authenticated_data_reach_the_caller() -> None:
    random = SeededRandom(18)
    groups = group_of(3, random)
    groups[2], message = groups[2].encrypt(b"text", authenticated_data=b"header", random=random)
    _, received = groups[0].decrypt(message)
    assert (received.data, received.authenticated_data) == (b"text", b"header")
    assert received.sender == groups[0].member(2) and received.sender_leaf_index == 2
    pending = groups[2].commit(authenticated_data=b"commit header", now=NOW, random=random)
    verified = groups[0].verify_commit(pending.message, now=NOW)
    assert verified.authenticated_data == b"commit header"
    assert verified.committer == groups[0].member(2)


# ---- canonical decoding
# -------------------------------------------------------------------------------------------------


def test_messages_with_trailing_bytes_are_refused() -> None:
    random = SeededRandom(19)
    groups = group_of(2, random)
    _, message = groups[0].encrypt(b"text", random=random)
    pending = groups[0].commit([Add(key_package("n", random).key_package)], now=NOW, random=random)
    for action in (
        lambda: groups[1].decrypt(message + b"\x00"),
        lambda: groups[1].verify_commit(pending.message + b"\x00", now=NOW),
        lambda: Group.join((pending.welcome or b"") + b"\x00", [], now=NOW),
        lambda: group.decode_key_package(key_package("n", random).key_package.encode() + b"\x00"),
        lambda: Group.decode(groups[1].encode() + b"\x00"),
        lambda: decode(lambda r: r.optional(Reader.opaque), b"\x01\x00\x00"),
    ):
        refuses("2.1-trailing", action)
