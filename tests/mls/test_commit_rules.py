"""The rules for proposals and commits (RFC 9420 sections 12.1, 12.2, 12.4.2), each broken by a member who can
sign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from polynya.mls import checks
from polynya.mls.codec import decode
from polynya.mls.commit import UpdatePath
from polynya.mls.credential import X509Credential
from polynya.mls.errors import MlsError, PathError, WrongEpochError
from polynya.mls.extensions import Extension, RequiredCapabilities
from polynya.mls.framing import (
    EXTERNAL,
    PublicMessage,
    Sender,
    encode_message,
    read_message,
)
from polynya.mls.group import X25519, Group, LeafChange, make_key_package
from polynya.mls.leaf import Capabilities, LeafNode, Lifetime
from polynya.mls.proposal import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
)
from polynya.mls.psk import BRANCH, REINIT, ExternalPskId, ResumptionPskId
from tests.mls.parties import (
    EXTENSION,
    LIFETIME,
    NOW,
    advance,
    capabilities,
    commit_by,
    follow,
    forge,
    group_of,
    in_agreement,
    join,
    key_package,
    lawless,
    refuses,
    resign,
)
from tests.support.seeded import SeededRandom


def both_refuse(rule: str, groups: list[Group], by_value: list[Proposal], random: SeededRandom) -> None:
    """An honest committer does not make it, and a receiver does not take it from a dishonest one."""
    refuses(rule, lambda: groups[0].commit(by_value, now=NOW, random=random))
    message = forge(groups[0], by_value, random)
    refuses(rule, lambda: groups[1].verify_commit(message, now=NOW))


# ---- section 12.1 -----------------------------------------------------------------------------------------


def test_remove_of_a_blank_leaf() -> None:
    random = SeededRandom(1)
    groups = group_of(3, random)
    for leaf in (3, 4, 2**32 - 1):
        refuses("12.1.3-blank", lambda leaf=leaf: groups[0].commit([Remove(leaf)], now=NOW, random=random))  # type: ignore[misc]
        refuses("12.1.3-blank", lambda leaf=leaf: groups[0].propose(Remove(leaf), random=random))  # type: ignore[misc]


def test_psks_of_the_wrong_kind() -> None:
    random = SeededRandom(2)
    groups = commit_by(group_of(2, random), 0, random)
    nonce = random.bytes(32)
    short = PreSharedKey(ExternalPskId(b"id", nonce[:-1]))
    with lawless():
        message = groups[0].commit([short], psks={b"id": b"k"}, now=NOW, random=random).message
    refuses("12.1.4-nonce", lambda: groups[1].verify_commit(message, now=NOW))
    refuses("12.1.4-nonce", lambda: groups[0].commit([short], psks={b"id": b"k"}, now=NOW, random=random))
    for usage in (REINIT, BRANCH):
        psk = PreSharedKey(ResumptionPskId(usage, groups[0].group_id, 1, nonce))
        both_refuse("12.1.4-usage", groups, [psk], random)


def test_reinit_to_an_older_version() -> None:
    random = SeededRandom(3)
    both_refuse("12.1.5-version", group_of(2, random), [ReInit(b"new", 0, 1, ())], random)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda p: replace(p, version=2, encoded=b""), "10.1-version-or-suite"),
        (lambda p: replace(p, cipher_suite=3, encoded=b""), "10.1-version-or-suite"),
        (lambda p: replace(p, signature=bytes(64), encoded=b""), "10.1-signature"),
        (lambda p: replace(p, init_key=p.leaf_node.encryption_key, encoded=b""), "10.1-init-key"),
        (lambda p: replace(p, init_key=bytes(32), encoded=b""), "7.3-encryption-key"),
        (lambda p: replace(p, init_key=b"", encoded=b""), "7.3-encryption-key"),
    ],
)
def test_add_of_an_invalid_key_package(change: Callable[..., object], rule: str) -> None:
    random = SeededRandom(4)
    groups = group_of(2, random)
    bundle = key_package("new", random)
    package = change(bundle.key_package)
    if rule == "10.1-init-key":  # signed properly, so that only this rule is broken
        unsigned = package.encoded[:-66]  # type: ignore[attr-defined]
        signed = X25519.sign_with_label(bundle.signature_private, b"KeyPackageTBS", unsigned)
        package = replace(package, signature=signed, encoded=b"")  # type: ignore[type-var]
    with lawless():
        try:
            message = groups[0].commit([Add(package)], now=NOW, random=random).message  # type: ignore[arg-type]
        except MlsError as error:
            assert error.rule == "5.1.3-public-key"  # nobody can be welcomed with such a key
            return refuses(rule, lambda: checks.check_key_package(package, X25519))  # type: ignore[arg-type]
    refuses(rule, lambda: groups[1].verify_commit(message, now=NOW))


@pytest.mark.parametrize("seconds", [1_789_999_999, 1_810_000_001])
def test_add_outside_its_lifetime(seconds: int) -> None:
    random = SeededRandom(5)
    groups = group_of(2, random)
    add = Add(key_package("new", random).key_package)
    now = seconds * 1000
    refuses("7.3-lifetime", lambda: groups[0].commit([add], now=now, random=random))
    message = groups[0].commit([add], now=NOW, random=random).message
    refuses("7.3-lifetime", lambda: groups[1].verify_commit(message, now=now))
    assert groups[1].verify_commit(message, now=1_790_000_000_000).adds == (add.key_package,)
    assert groups[1].verify_commit(message, now=1_810_000_000_999).adds == (add.key_package,)


def test_add_of_a_client_that_claims_to_live_for_ever() -> None:
    random = SeededRandom(55)
    groups = group_of(2, random)
    add = Add(key_package("new", random, lifetime=Lifetime(0, 2**40)).key_package)
    both_refuse("7.2-lifetime-span", groups, [add], random)
    refuses("7.2-lifetime-span", lambda: groups[0].propose(add, random=random))
    message = forge(groups[0], [add], random)
    assert groups[1].verify_commit(message, max_lifetime=2**40, now=NOW).adds == (add.key_package,)


def test_add_of_a_client_that_is_not_up_to_the_group() -> None:
    random = SeededRandom(6)
    required = RequiredCapabilities((0xF0A2,), (), (1,)).extension()
    groups = group_of(2, random, extensions=(Extension(EXTENSION, b"v"), required))
    for listed, rule in (
        ((0xF0A2,), "13.4-context-extension"),
        ((EXTENSION,), "7.3-required-capabilities"),
    ):
        package = make_key_package(
            X25519,
            groups[0].members()[0].credential,
            random.bytes(32),
            lifetime=LIFETIME,
            capabilities=Capabilities((1,), (1,), listed),
            random=random,
        ).key_package
        both_refuse(rule, groups, [Add(package)], random)


def test_leaves_that_do_not_support_what_they_use() -> None:
    random = SeededRandom(7)
    groups = group_of(2, random)

    def with_capabilities(changed: Capabilities) -> Callable[[LeafNode], LeafNode]:
        return lambda leaf: resign(leaf, groups[0], 0, capabilities=changed)

    listed = capabilities()
    for changed, rule in (
        (replace(listed, versions=()), "7.3-version-or-suite"),
        (replace(listed, cipher_suites=(2,)), "7.3-version-or-suite"),
        (replace(listed, credentials=()), "7.3-own-credential"),
    ):
        message = forge(groups[0], [], random, change_leaf=with_capabilities(changed))
        refuses(rule, lambda message=message: groups[1].verify_commit(message, now=NOW))  # type: ignore[misc]
    message = forge(
        groups[0],
        [],
        random,
        change_leaf=lambda leaf: resign(leaf, groups[0], 0, extensions=(Extension(0xF123, b""),)),
    )
    refuses("7.3-extensions", lambda: groups[1].verify_commit(message, now=NOW))


def test_a_credential_type_that_others_do_not_support() -> None:
    random = SeededRandom(8)
    groups = group_of(2, random)
    both = replace(capabilities(), credentials=(1, 2))
    message = forge(
        groups[0],
        [],
        random,
        change_leaf=lambda leaf: resign(
            leaf, groups[0], 0, capabilities=both, credential=X509Credential((b"der",))
        ),
    )
    refuses("7.3-credential-support", lambda: groups[1].verify_commit(message, now=NOW))


# ---- section 12.2 -----------------------------------------------------------------------------------------


def test_remove_of_the_committer() -> None:
    random = SeededRandom(10)
    both_refuse("12.2-committer", group_of(3, random), [Remove(0)], random)


def test_update_of_the_committer() -> None:
    random = SeededRandom(11)
    groups = group_of(3, random)
    proposing, _ = groups[0].propose_update(random=random)
    update = proposing.pending_proposals[0].proposal
    both_refuse("12.2-committer", [proposing, groups[1]], [update], random)
    # By reference too: the committer leaves it out.
    assert proposing.commit(now=NOW, random=random).proposals == ()


def test_two_changes_of_one_leaf() -> None:
    random = SeededRandom(12)
    groups = group_of(3, random)
    both_refuse("12.2-same-leaf", groups, [Remove(2), Remove(2)], random)


def test_two_adds_of_one_client() -> None:
    random = SeededRandom(13)
    groups = group_of(2, random)
    seed = random.bytes(32)
    adds: list[Proposal] = [
        Add(
            make_key_package(
                X25519,
                groups[0].members()[0].credential,
                seed,
                lifetime=LIFETIME,
                random=random,
            ).key_package
        )
        for _ in range(2)
    ]
    both_refuse("12.2-same-client", groups, adds, random)


def test_add_of_a_client_that_is_in_the_group_unless_it_is_removed() -> None:
    random = SeededRandom(14)
    groups = group_of(3, random)
    again = make_key_package(
        X25519,
        groups[2].members()[2].credential,
        groups[2]._state.signature_private,
        lifetime=LIFETIME,
        random=random,
    )
    both_refuse("7.3-signature-key-reused", groups, [Add(again.key_package)], random)
    pending = groups[0].commit([Remove(2), Add(again.key_package)], now=NOW, random=random)
    back = join(pending.welcome, again).group
    assert in_agreement([groups[0].merge_commit(pending), follow(groups[1], pending.message), back])


def test_one_psk_twice() -> None:
    random = SeededRandom(15)
    groups = group_of(2, random)
    psk = PreSharedKey(ExternalPskId(b"id", random.bytes(32)))
    refuses("12.2-same-psk", lambda: groups[0].commit([psk, psk], psks={b"id": b"k"}, now=NOW, random=random))
    with lawless():
        message = groups[0].commit([psk, psk], psks={b"id": b"k"}, now=NOW, random=random).message
    refuses("12.2-same-psk", lambda: groups[1].verify_commit(message, now=NOW))


def test_two_changes_of_the_context() -> None:
    random = SeededRandom(16)
    change = GroupContextExtensions(())
    both_refuse("12.2-context-extensions", group_of(2, random), [change, change], random)


def test_reinit_beside_others() -> None:
    random = SeededRandom(17)
    groups = group_of(3, random)
    both_refuse("12.2-reinit-alone", groups, [ReInit(b"new", 1, 1, ()), Remove(2)], random)


def test_external_init_by_a_member() -> None:
    random = SeededRandom(18)
    both_refuse("12.2-external-init", group_of(2, random), [ExternalInit(bytes(32))], random)


def test_context_extensions_that_a_member_does_not_support() -> None:
    random = SeededRandom(19)
    groups = group_of(2, random)
    unknown = GroupContextExtensions((Extension(0xF999, b""),))
    both_refuse("13.4-context-extension", groups, [unknown], random)
    demanding = GroupContextExtensions((RequiredCapabilities((), (0xF001,), ()).extension(),))
    both_refuse("7.3-required-capabilities", groups, [demanding], random)
    certified = GroupContextExtensions((RequiredCapabilities((), (), (1, 2)).extension(),))
    both_refuse("7.3-required-capabilities", groups, [certified], random)


def test_context_extensions_that_cannot_be_read() -> None:
    random = SeededRandom(20)
    groups = group_of(2, random)
    for kind in (3, 5):
        broken = GroupContextExtensions((Extension(kind, b"\xff"),))
        with pytest.raises(MlsError):
            groups[0].commit([broken], now=NOW, random=random)
        with pytest.raises(MlsError):
            groups[0].propose(broken, random=random)


# ---- section 12.4.2: the path -----------------------------------------------------------------------------


def test_a_path_leaf_of_another_source() -> None:
    random = SeededRandom(30)
    groups = group_of(2, random)

    def as_update(leaf: LeafNode) -> LeafNode:
        return resign(leaf, groups[0], 0, source=2, parent_hash=None)

    message = forge(groups[0], [], random, change_leaf=as_update)
    refuses("7.3-source", lambda: groups[1].verify_commit(message, now=NOW))


def test_a_path_leaf_signed_for_another_place() -> None:
    random = SeededRandom(31)
    groups = group_of(3, random)
    message = forge(groups[0], [], random, change_leaf=lambda leaf: resign(leaf, groups[0], 1))
    refuses("7.3-signature", lambda: groups[1].verify_commit(message, now=NOW))


def test_a_path_leaf_with_the_old_encryption_key() -> None:
    random = SeededRandom(32)
    groups = group_of(2, random)
    old = groups[0].members()[0].leaf_node.encryption_key
    message = forge(
        groups[0], [], random, change_leaf=lambda leaf: resign(leaf, groups[0], 0, encryption_key=old)
    )
    refuses("7.3-same-encryption-key", lambda: groups[1].verify_commit(message, now=NOW))


def test_a_path_leaf_with_the_signature_key_of_another() -> None:
    random = SeededRandom(33)
    groups = group_of(3, random)
    thief = LeafChange(signature_private=groups[2]._state.signature_private)
    refuses("7.3-signature-key-reused", lambda: groups[0].commit(leaf=thief, now=NOW, random=random))
    with lawless():
        message = groups[0].commit(leaf=thief, now=NOW, random=random).message
    refuses("7.3-signature-key-reused", lambda: groups[1].verify_commit(message, now=NOW))


def test_path_keys_that_are_in_the_tree_already() -> None:
    random = SeededRandom(34)
    groups = commit_by(group_of(4, random), 3, random)
    taken = groups[0].members()[2].leaf_node.encryption_key
    message = forge(
        groups[0],
        [],
        random,
        change_path=lambda path: replace(
            path, nodes=(replace(path.nodes[0], encryption_key=taken), *path.nodes[1:])
        ),
    )
    refuses("12.4.2-path-key-reused", lambda: groups[1].verify_commit(message, now=NOW))
    old = groups[0]._state.tree.parent_node(3)
    assert old is not None  # the key that the path replaces counts as well
    message = forge(
        groups[0],
        [],
        random,
        change_path=lambda path: replace(
            path, nodes=(*path.nodes[:-1], replace(path.nodes[-1], encryption_key=old.encryption_key))
        ),
    )
    refuses("12.4.2-path-key-reused", lambda: groups[1].verify_commit(message, now=NOW))


def test_a_path_with_one_key_twice() -> None:
    random = SeededRandom(37)
    groups = group_of(4, random)
    message = forge(
        groups[0],
        [],
        random,
        change_path=lambda path: replace(
            path,
            nodes=(path.nodes[0], replace(path.nodes[1], encryption_key=path.nodes[0].encryption_key)),
        ),
    )
    refuses("12.4.2-path-key-reused", lambda: groups[1].verify_commit(message, now=NOW))


@pytest.mark.parametrize("field", ["kem_output", "ciphertext"])
def test_path_secrets_that_are_not_as_long_as_they_must_be(field: str) -> None:
    random = SeededRandom(38)
    groups = group_of(4, random)

    def change(path: UpdatePath) -> UpdatePath:
        sealed = path.nodes[1].encrypted_path_secrets[0]
        longer = replace(sealed, **{field: getattr(sealed, field) + b"\0"})
        node = replace(
            path.nodes[1], encrypted_path_secrets=(longer, *path.nodes[1].encrypted_path_secrets[1:])
        )
        return replace(path, nodes=(path.nodes[0], node))

    message = forge(groups[0], [], random, change_path=change)
    refuses("7.6-ciphertext-size", lambda: groups[1].verify_commit(message, now=NOW))


@pytest.mark.parametrize("key", [bytes(32), b"", b"\x01" * 31])
def test_path_keys_to_which_nobody_can_encrypt(key: bytes) -> None:
    random = SeededRandom(35)
    groups = group_of(3, random)
    message = forge(
        groups[0],
        [],
        random,
        change_leaf=lambda leaf: resign(leaf, groups[0], 0, encryption_key=key),
    )
    refuses("7.3-encryption-key", lambda: groups[1].verify_commit(message, now=NOW))


def test_two_nodes_with_one_key() -> None:
    random = SeededRandom(36)
    groups = group_of(2, random)
    twin = key_package("a", random)
    other = replace(key_package("b", random).key_package)
    leaf = replace(other.leaf_node, encryption_key=twin.key_package.leaf_node.encryption_key, encoded=b"")
    tree = groups[0]._state.tree
    editor = tree.edit()
    editor.add(twin.key_package.leaf_node)
    editor.add(leaf)
    refuses("7.3-encryption-key-reused", lambda: checks.check_unique_keys(editor.done()))


# ---- messages of the wrong kind, sender or epoch ----------------------------------------------------------


def test_commits_of_other_epochs_and_groups() -> None:
    random = SeededRandom(40)
    groups = group_of(2, random)
    pending = groups[0].commit(now=NOW, random=random)
    after = advance(groups, 0, pending)
    for group in after:
        with pytest.raises(WrongEpochError) as caught:
            group.verify_commit(pending.message, now=NOW)
        assert caught.value.rule == "12.4.2-epoch"
    strangers = group_of(2, random)
    refuses("6-group-id", lambda: strangers[1].verify_commit(pending.message, now=NOW))


def test_a_verified_commit_is_for_the_epoch_that_verified_it() -> None:
    random = SeededRandom(41)
    groups = group_of(3, random)
    pending = groups[0].commit(now=NOW, random=random)
    verified = groups[1].verify_commit(pending.message, now=NOW)
    after = groups[1].apply_commit(verified)
    refuses("12.4.2-other-epoch", lambda: after.apply_commit(verified))
    refuses("12.4.2-other-epoch", lambda: after.merge_commit(pending))
    # Messages in between do not matter.
    groups[1], _ = groups[1].encrypt(b"in between", random=random)
    assert groups[1].apply_commit(verified).epoch_authenticator == after.epoch_authenticator


def test_an_own_commit_is_not_applied() -> None:
    random = SeededRandom(42)
    groups = group_of(2, random)
    pending = groups[0].commit(now=NOW, random=random)
    verified = groups[0].verify_commit(pending.message, now=NOW)
    assert verified.committer_leaf_index == 0
    refuses("12.4.2-own-commit", lambda: groups[0].apply_commit(verified))


def test_messages_of_another_kind() -> None:
    random = SeededRandom(43)
    groups = group_of(2, random)
    _, application = groups[0].encrypt(b"text", random=random)
    _, proposal = groups[0].propose(Remove(1), random=random)
    commit = groups[0].commit(now=NOW, random=random).message
    info = groups[0].group_info()
    refuses("6-not-a-commit", lambda: groups[1].verify_commit(application, now=NOW))
    refuses("6-not-a-commit", lambda: groups[1].verify_commit(proposal, now=NOW))
    refuses("6-not-a-handshake", lambda: groups[1].verify_commit(info, now=NOW))
    refuses("6-not-a-proposal", lambda: groups[1].receive_proposal(application))
    refuses("6-not-a-proposal", lambda: groups[1].receive_proposal(commit))
    refuses("6-not-application", lambda: groups[1].decrypt(proposal))
    refuses("6-not-application", lambda: groups[1].decrypt(info))
    refuses("12.4.3.1-not-a-welcome", lambda: Group.join(commit, [], now=NOW))


def _tampered(message: bytes, **changes: object) -> bytes:
    body = decode(read_message, message)
    assert isinstance(body, PublicMessage)
    return encode_message(replace(body, **changes))  # type: ignore[arg-type]


def test_public_messages_need_membership_tag_and_signature() -> None:
    random = SeededRandom(44)
    groups = group_of(3, random)
    commit = groups[0].commit(now=NOW, random=random).message
    for tag in (b"", bytes(32)):
        changed = _tampered(commit, membership_tag=tag)
        refuses("6.2-membership-tag", lambda changed=changed: groups[1].verify_commit(changed, now=NOW))  # type: ignore[misc]
    body = decode(read_message, commit)
    assert isinstance(body, PublicMessage)
    # A member can make the tag for anybody, and the signature for nobody but itself.
    content = replace(body.content, sender=Sender(1, 2))
    from polynya.mls import protect
    from polynya.mls.framing import AuthenticatedContent

    state = groups[0]._state
    impostor = protect.protect_public(
        X25519, AuthenticatedContent(1, content, body.auth), state.context, state.secrets.membership_key
    )
    refuses("6.1-signature", lambda: groups[1].verify_commit(encode_message(impostor), now=NOW))
    blank = replace(content, sender=Sender(1, 3))
    impostor = protect.protect_public(
        X25519, AuthenticatedContent(1, blank, body.auth), state.context, state.secrets.membership_key
    )
    refuses("6.1-blank-sender", lambda: groups[1].verify_commit(encode_message(impostor), now=NOW))
    outsider = PublicMessage(replace(content, sender=Sender(EXTERNAL, 0)), body.auth, None)
    refuses("6.1-sender-type", lambda: groups[1].verify_commit(encode_message(outsider), now=NOW))


def test_application_data_in_public_is_refused() -> None:
    random = SeededRandom(45)
    groups = group_of(2, random)
    from polynya.mls import messages

    _, _, plain = messages.send(groups[0]._state, b"text", b"", private=False, padding=0, random=random)
    refuses("6-application-in-public", lambda: groups[1].verify_commit(plain, now=NOW))
    refuses("6-not-application", lambda: groups[1].decrypt(plain))


def test_a_wrong_confirmation_tag_is_noticed_and_changes_nothing() -> None:
    random = SeededRandom(46)
    groups = group_of(2, random)
    from polynya.mls import transcript

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcript, "confirmation_tag", lambda *a: bytes(32))
        message = groups[0].commit(now=NOW, random=random).message
    before = groups[1].encode()
    verified = groups[1].verify_commit(message, now=NOW)
    with pytest.raises(PathError) as caught:
        groups[1].apply_commit(verified)
    assert caught.value.rule == "12.4.2-confirmation-tag"
    assert groups[1].encode() == before


def test_path_secrets_that_do_not_open() -> None:
    random = SeededRandom(47)
    groups = group_of(3, random)

    def spoil(path: object) -> object:
        node = path.nodes[-1]  # type: ignore[attr-defined]
        sealed = node.encrypted_path_secrets
        broken = tuple(replace(s, ciphertext=bytes(len(s.ciphertext))) for s in sealed)
        nodes = (*path.nodes[:-1], replace(node, encrypted_path_secrets=broken))  # type: ignore[attr-defined]
        return replace(path, nodes=nodes)  # type: ignore[type-var]

    message = forge(groups[0], [], random, change_path=spoil)  # type: ignore[arg-type]
    verified = groups[2].verify_commit(message, now=NOW)
    with pytest.raises(PathError) as caught:
        groups[2].apply_commit(verified)
    assert (caught.value.rule, caught.value.code) == ("5.1.3-decrypt", "path")
