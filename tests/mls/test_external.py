"""External commits: made by a joiner, and processed by members (RFC 9420 section 12.4.3.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from polynya.mls import checks, external, proposals
from polynya.mls.commit import Commit, ProposalRef
from polynya.mls.credential import BasicCredential
from polynya.mls.errors import MlsError, PathError, RemovedError
from polynya.mls.extensions import Extension
from polynya.mls.framing import NEW_MEMBER_COMMIT, Sender, encode_message
from polynya.mls.group import X25519, X_WING, Group, PendingCommit
from polynya.mls.leaf import sign_leaf
from polynya.mls.proposal import Add, ExternalInit, PreSharedKey, Proposal, Remove
from polynya.mls.proposals import Proposed
from polynya.mls.psk import ExternalPskId
from polynya.mls.suite import Suite
from tests.mls.parties import (
    EXTENSION,
    NOW,
    capabilities,
    commit_by,
    follow,
    group_of,
    in_agreement,
    key_package,
    refuses,
)
from tests.support.seeded import SeededRandom


def enter(group: Group, random: SeededRandom, seed: bytes | None = None, **options: object) -> PendingCommit:
    return Group.join_external(
        group.group_info(external_pub=True),
        BasicCredential(b"joiner"),
        seed or random.bytes(32),
        capabilities=capabilities(group.suite),
        random=random,
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("suite", [X25519, X_WING])
@pytest.mark.parametrize("members", [1, 2, 3, 4])
def test_a_newcomer_joins_from_outside(members: int, suite: Suite) -> None:
    random = SeededRandom(members)
    groups = group_of(members, random, suite, extensions=(Extension(EXTENSION, b"v"),))
    pending = enter(groups[0], random, authenticated_data=b"hello")
    verified = groups[0].verify_commit(pending.message, now=NOW)
    assert verified.is_external and verified.committer_leaf_index == members
    assert verified.committer.credential == BasicCredential(b"joiner")
    assert verified.authenticated_data == b"hello" and verified.adds == () and verified.removes == ()
    everybody = [*(follow(group, pending.message) for group in groups), Group.decode(pending.group.encode())]
    assert in_agreement(everybody)
    for committer in (members, 0):
        everybody = commit_by(everybody, committer, random)
        assert in_agreement(everybody)
    everybody[-1], message = everybody[-1].encrypt(b"from the newcomer", random=random)
    assert everybody[0].decrypt(message)[1].data == b"from the newcomer"
    assert PendingCommit.decode(pending.encode()) == pending


def test_the_tree_may_come_another_way() -> None:
    random = SeededRandom(10)
    groups = group_of(3, random)
    info = groups[0].group_info(external_pub=True, tree=False)
    joiner = BasicCredential(b"joiner")
    refuses("12.4.3.1-no-tree", lambda: Group.join_external(info, joiner, random.bytes(32), random=random))
    pending = Group.join_external(info, joiner, random.bytes(32), tree=groups[0].tree, random=random)
    assert in_agreement([*(follow(group, pending.message) for group in groups), pending.group])


def test_a_member_comes_back_and_removes_its_former_self() -> None:
    random = SeededRandom(11)
    groups = group_of(4, random)
    seed = groups[2]._state.signature_private
    pending = enter(groups[0], random, seed, resync=2)
    verified = groups[0].verify_commit(pending.message, now=NOW)
    assert [m.leaf_index for m in verified.removes] == [2] and verified.committer_leaf_index == 2
    with pytest.raises(RemovedError):
        follow(groups[2], pending.message)
    everybody = [follow(groups[leaf], pending.message) for leaf in (0, 1, 3)] + [pending.group]
    assert in_agreement(everybody) and in_agreement(commit_by(everybody, 3, random))


def test_psks_count() -> None:
    random = SeededRandom(12)
    groups = group_of(2, random)
    psk, psks = ExternalPskId(b"id", random.bytes(32)), {b"id": b"secret"}
    pending = enter(groups[0], random, psk_ids=[psk], psks=psks)
    verified = groups[0].verify_commit(pending.message, now=NOW)
    assert in_agreement([groups[0].apply_commit(verified, psks=psks), pending.group])
    refuses("12.4.2-psk-missing", lambda: groups[0].apply_commit(verified))


def test_a_newcomer_needs_the_external_key_and_a_true_group_info() -> None:
    random = SeededRandom(13)
    groups = group_of(2, random)
    joiner = BasicCredential(b"joiner")

    def attempt(info: bytes) -> object:
        return Group.join_external(info, joiner, random.bytes(32), random=random)

    refuses("12.4.3.2-no-external-pub", lambda: attempt(groups[0].group_info()))
    refuses("12.4.3.2-not-a-group-info", lambda: attempt(groups[0].commit(now=NOW, random=random).message))
    info = groups[0].group_info(external_pub=True)
    refuses("12.4.3-signature", lambda: attempt(info[:-1] + bytes((info[-1] ^ 1,))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("polynya.mls.schedule.external_key_pair", lambda *a: (b"", bytes(32)))
        low = groups[0].group_info(external_pub=True)
    refuses("8.3-public-key", lambda: attempt(low))


# ---- an external joiner who breaks the rules
# ------------------------------------------------------------------


def enter_with(
    group: Group,
    random: SeededRandom,
    by_value: Sequence[Proposal],
    *,
    with_init: bool = True,
    path: bool = True,
) -> bytes:
    """An external commit with other proposals than allowed, properly signed."""
    honest = Commit

    def commit(proposals_: tuple[Proposal, ...], made: object) -> object:
        return honest((*(proposals_ if with_init else ()), *by_value), made if path else None)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(external, "Commit", commit)
        return enter(group, random).message


def test_external_commits_hold_only_what_they_may() -> None:
    random = SeededRandom(20)
    groups = group_of(3, random)
    add = Add(key_package("n", random).key_package)
    for by_value, with_init in (
        ([add], True),
        ([ExternalInit(bytes(32))], True),
        ([Remove(1), Remove(2)], True),
        ([], False),
        ([Remove(1)], False),
    ):
        message = enter_with(groups[0], random, by_value, with_init=with_init)
        refuses("12.2-external-commit", lambda message=message: groups[1].verify_commit(message, now=NOW))  # type: ignore[misc]
    message = enter_with(groups[0], random, [], path=False)
    refuses("12.4.3.2-path-required", lambda: groups[1].verify_commit(message, now=NOW))
    same = PreSharedKey(ExternalPskId(b"id", random.bytes(32)))
    message = enter_with(groups[0], random, [same, same])
    refuses("12.2-same-psk", lambda: groups[1].verify_commit(message, now=NOW))


def test_external_commits_name_nothing_by_reference() -> None:
    random = SeededRandom(21)
    groups = group_of(3, random)
    groups[1], proposal = groups[1].propose(Remove(2), random=random)
    groups[0], received = groups[0].receive_proposal(proposal)
    honest = Commit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(external, "Commit", lambda p, path: honest((*p, ProposalRef(received.reference)), path))
        message = enter(groups[0], random).message
    refuses("12.4.3.2-by-reference", lambda: groups[0].verify_commit(message, now=NOW))
    by_reference = [Proposed(ExternalInit(b""), Sender(NEW_MEMBER_COMMIT), b"ref")]
    refuses("12.4.3.2-by-reference", lambda: proposals.check_external_list(by_reference))


def test_a_returning_member_needs_a_fresh_key() -> None:
    random = SeededRandom(22)
    groups = group_of(3, random)
    old = groups[2].members()[2].leaf_node.encryption_key
    honest = sign_leaf

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(external, "sign_leaf", lambda *a, **k: honest(*a, **{**k, "encryption_key": old}))
        patch.setattr(proposals, "check_result", lambda *a: None)
        message = enter(groups[0], random, groups[2]._state.signature_private, resync=2).message
    refuses("7.3-same-encryption-key", lambda: groups[0].verify_commit(message, now=NOW))


def test_a_newcomer_with_the_signature_key_of_a_member() -> None:
    random = SeededRandom(23)
    groups = group_of(3, random)
    seed = groups[2]._state.signature_private
    refuses("7.3-signature-key-reused", lambda: enter(groups[0], random, seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proposals, "check_result", lambda *a: None)
        message = enter(groups[0], random, seed).message
    refuses("7.3-signature-key-reused", lambda: groups[0].verify_commit(message, now=NOW))


def test_a_kem_output_that_does_not_open_is_noticed() -> None:
    random = SeededRandom(24)
    groups = group_of(2, random)
    honest = ExternalInit
    for wrong, rule in ((bytes(32), "8.3-kem-output"), (b"\x09" + bytes(31), "12.4.2-confirmation-tag")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(external, "ExternalInit", lambda _, wrong=wrong: honest(wrong))
            message = enter(groups[0], random).message
        verified = groups[1].verify_commit(message, now=NOW)
        with pytest.raises(PathError) as caught:
            groups[1].apply_commit(verified)
        assert caught.value.rule == rule


def test_an_external_joiner_checks_the_tree() -> None:
    random = SeededRandom(25)
    groups = group_of(3, random)
    called: list[None] = []
    honest = checks.check_tree
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "check_tree", lambda *a: called.append(honest(*a)))
        enter(groups[0], random)
    assert called == [None]


def test_a_newcomer_that_does_not_support_the_group() -> None:
    random = SeededRandom(26)
    groups = group_of(2, random, extensions=(Extension(EXTENSION, b"v"),))
    bare = replace(capabilities(), extensions=())
    with pytest.raises(MlsError) as caught:
        Group.join_external(
            groups[0].group_info(external_pub=True),
            BasicCredential(b"joiner"),
            random.bytes(32),
            capabilities=bare,
            random=random,
        )
    assert caught.value.rule == "13.4-context-extension"


def test_a_commit_from_outside_in_the_wrong_frame() -> None:
    random = SeededRandom(27)
    groups = group_of(2, random)
    from polynya.mls.codec import decode
    from polynya.mls.framing import PublicMessage, read_message

    body = decode(read_message, enter(groups[0], random).message)
    assert isinstance(body, PublicMessage) and body.membership_tag is None
    forged = encode_message(replace(body, content=replace(body.content, authenticated_data=b"other")))
    refuses("6.1-signature", lambda: groups[1].verify_commit(forged, now=NOW))
