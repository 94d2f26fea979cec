"""Proposals sent before the commit, from inside and outside, and what a commit may change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from polynya.mls import committing, proposals, verifying
from polynya.mls.errors import PathError, RemovedError, UnknownProposalError
from polynya.mls.extensions import Extension, ExternalSender, external_senders_extension
from polynya.mls.framing import (
    EXTERNAL,
    NEW_MEMBER_PROPOSAL,
    PublicMessage,
    Sender,
    encode_message,
)
from polynya.mls.group import X25519, Group, LeafChange
from polynya.mls.proposal import (
    Add,
    ExternalInit,
    GroupContextExtensions,
    PreSharedKey,
    Proposal,
    ReInit,
    Remove,
    Update,
)
from polynya.mls.psk import ExternalPskId
from tests.mls.parties import (
    EXTENSION,
    NOW,
    advance,
    commit_by,
    follow,
    forge,
    found,
    group_of,
    in_agreement,
    join,
    key_package,
    refuses,
    resign,
)
from tests.support.seeded import SeededRandom

# ---- proposals by reference
# ---------------------------------------------------------------------------------


def test_unknown_references() -> None:
    random = SeededRandom(50)
    groups = group_of(3, random)
    groups[0], _ = groups[0].propose(Remove(2), random=random)
    pending = groups[0].commit(now=NOW, random=random)
    with pytest.raises(UnknownProposalError) as caught:
        groups[1].verify_commit(pending.message, now=NOW)
    assert caught.value.rule == "12.4-unknown-proposal"


def test_proposals_silence_until_committed() -> None:
    random = SeededRandom(51)
    groups = group_of(3, random)
    groups[1], message = groups[1].propose(Remove(2), authenticated_data=b"why", random=random)
    groups[0], received = groups[0].receive_proposal(message)
    assert received.member == groups[0].member(1) and received.authenticated_data == b"why"
    again, _ = groups[0].receive_proposal(message)
    assert again.pending_proposals == groups[0].pending_proposals
    for group in groups[:2]:
        refuses("12.4-pending-proposals", lambda group=group: group.encrypt(b"text", random=random))  # type: ignore[misc]
    pending = groups[0].commit(now=NOW, random=random)
    verified = groups[1].verify_commit(pending.message, now=NOW)
    assert [m.leaf_index for m in verified.removes] == [2]
    assert verified.proposals[0].sender == Sender(1, 1)
    groups[1] = groups[1].apply_commit(verified)
    groups[1], _ = groups[1].encrypt(b"text", random=random)
    groups[2], _ = groups[2].receive_proposal(message)
    with pytest.raises(RemovedError):
        follow(groups[2], pending.message)


def test_an_own_update_is_made_by_its_own_method() -> None:
    random = SeededRandom(52)
    groups = group_of(2, random)
    leaf = groups[0].members()[0].leaf_node
    refuses("12.1.2-own-update", lambda: groups[0].propose(Update(leaf), random=random))
    change = LeafChange(signature_private=random.bytes(32))
    refuses("12.1.2-signature-key", lambda: groups[0].propose_update(leaf=change, random=random))


def test_an_own_update_whose_key_is_gone_cannot_be_followed() -> None:
    random = SeededRandom(53)
    groups = group_of(2, random)
    groups[1], message = groups[1].propose_update(random=random)
    groups[0], _ = groups[0].receive_proposal(message)
    pending = groups[0].commit(now=NOW, random=random)
    kept = follow(groups[1], pending.message)
    assert kept.epoch_authenticator == pending.group.epoch_authenticator
    forgetful = Group(replace(groups[1]._state, update_keys={}))
    with pytest.raises(PathError) as caught:
        follow(forgetful, pending.message)
    assert caught.value.rule == "12.4.2-own-update"


def test_an_update_must_come_from_a_member_with_a_fresh_key() -> None:
    random = SeededRandom(54)
    groups = group_of(2, random)
    leaf = groups[0].members()[0].leaf_node
    stale = proposals.Proposed(
        Update(resign(leaf, groups[0], 0, source=2, lifetime=None, parent_hash=None)), Sender(1, 0)
    )
    state = groups[0]._state
    refuses(
        "7.3-same-encryption-key",
        lambda: proposals.check_proposal(stale, state.tree, groups[0].group_id, founding=False, now=NOW),
    )
    outside = replace(stale, sender=Sender(EXTERNAL, 0))
    refuses(
        "12.1.2-sender",
        lambda: proposals.check_proposal(outside, state.tree, groups[0].group_id, founding=False, now=NOW),
    )


def test_pending_proposals_are_chosen_so_that_the_list_is_valid() -> None:
    random = SeededRandom(55)
    groups = group_of(4, random)
    bundle = key_package("new", random)
    other = key_package("other", random)
    groups[2], first = groups[2].propose_update(random=random)
    groups[2], second = groups[2].propose_update(random=random)
    groups[3], update = groups[3].propose_update(random=random)
    groups[1], remove = groups[1].propose(Remove(3), random=random)
    groups[1], remove_again = groups[1].propose(Remove(3), authenticated_data=b"2", random=random)
    groups[1], remove_committer = groups[1].propose(Remove(0), random=random)
    groups[1], add = groups[1].propose(Add(bundle.key_package), random=random)
    groups[1], add_again = groups[1].propose(Add(bundle.key_package), authenticated_data=b"2", random=random)
    groups[1], context = groups[1].propose(GroupContextExtensions(()), random=random)
    groups[1], context_2 = groups[1].propose(
        GroupContextExtensions(()), authenticated_data=b"2", random=random
    )
    groups[1], reinit = groups[1].propose(ReInit(b"n", 1, 1, ()), random=random)
    psk = PreSharedKey(ExternalPskId(b"id", random.bytes(32)))
    groups[1], psk_message = groups[1].propose(psk, random=random)
    everything = [first, second, update, remove, remove_again, remove_committer, add, add_again]
    everything += [context, context_2, reinit, psk_message]
    for message in everything:
        groups[0], _ = groups[0].receive_proposal(message)
    assert len(groups[0].pending_proposals) == 12
    by_value = Add(other.key_package)
    pending = groups[0].commit([by_value], psks={b"id": b"k"}, now=NOW, random=random)
    kinds = [type(p.proposal).__name__ for p in pending.proposals]
    assert kinds == ["Update", "Remove", "Add", "GroupContextExtensions", "PreSharedKey", "Add"]
    assert pending.proposals[0].reference == groups[0].pending_proposals[1].reference  # the later Update
    assert pending.proposals[-1].reference is None
    for message in everything:
        for leaf in (1, 2):
            groups[leaf], _ = groups[leaf].receive_proposal(message)
    psks = {b"id": b"k"}
    after = [groups[0].merge_commit(pending)]
    for leaf in (1, 2):
        verified = groups[leaf].verify_commit(pending.message, now=NOW)
        after.append(groups[leaf].apply_commit(verified, psks=psks))
    assert in_agreement(after)


# ---- proposals from outside
# -----------------------------------------------------------------------------------


def _from_outside(
    group: Group, seed: bytes, sender: Sender, proposal: Proposal, random: SeededRandom
) -> bytes:
    from polynya.mls import protect
    from polynya.mls.framing import AuthData, FramedContent

    content = FramedContent(group.group_id, group.epoch, sender, b"", proposal)
    signature = protect.sign_content(X25519, 1, content, None, seed)
    return encode_message(PublicMessage(content, AuthData(signature, None), None))


def test_external_senders_may_propose_what_is_allowed() -> None:
    random = SeededRandom(60)
    seed = random.bytes(32)
    sender = ExternalSender(X25519.signature.public_key(seed), found(random).members()[0].credential)
    groups = group_of(3, random, extensions=(external_senders_extension((sender,)),))
    message = _from_outside(groups[0], seed, Sender(EXTERNAL, 0), Remove(2), random)
    for leaf in (0, 1):
        groups[leaf], received = groups[leaf].receive_proposal(message)
        assert received.member is None
    pending = groups[0].commit(now=NOW, random=random)
    assert in_agreement([groups[0].merge_commit(pending), follow(groups[1], pending.message)])
    wrong_key = _from_outside(groups[2], random.bytes(32), Sender(EXTERNAL, 0), Remove(1), random)
    refuses("6.1-signature", lambda: groups[2].receive_proposal(wrong_key))
    unknown = _from_outside(groups[2], seed, Sender(EXTERNAL, 1), Remove(1), random)
    refuses("6.1-external-sender", lambda: groups[2].receive_proposal(unknown))
    forbidden = _from_outside(groups[2], seed, Sender(EXTERNAL, 0), ExternalInit(bytes(32)), random)
    refuses("12.1.8-external-type", lambda: groups[2].receive_proposal(forbidden))


def test_a_newcomer_may_propose_its_own_add_only() -> None:
    random = SeededRandom(61)
    groups = group_of(2, random)
    bundle = key_package("new", random)
    newcomer = Sender(NEW_MEMBER_PROPOSAL)
    message = _from_outside(groups[0], bundle.signature_private, newcomer, Add(bundle.key_package), random)
    for leaf in (0, 1):
        groups[leaf], _ = groups[leaf].receive_proposal(message)
    pending = groups[0].commit(now=NOW, random=random)
    joined = join(pending.welcome, bundle).group
    assert in_agreement([*advance(groups, 0, pending), joined])
    other = _from_outside(groups[0], bundle.signature_private, newcomer, Remove(1), random)
    refuses("6.1-sender-type", lambda: groups[0].receive_proposal(other))
    forged = _from_outside(groups[0], random.bytes(32), newcomer, Add(bundle.key_package), random)
    refuses("6.1-signature", lambda: groups[0].receive_proposal(forged))


# ---- what a commit may change
# ---------------------------------------------------------------------------------


def test_a_commit_may_change_the_own_leaf() -> None:
    random = SeededRandom(70)
    groups = group_of(3, random)
    seed = random.bytes(32)
    change = LeafChange(
        credential=groups[1].members()[1].credential,
        extensions=(Extension(EXTENSION, b"leaf"),),
        signature_private=seed,
    )
    bundle = key_package("new", random)
    pending = groups[0].commit([Add(bundle.key_package)], leaf=change, now=NOW, random=random)
    groups = [*advance(groups, 0, pending), join(pending.welcome, bundle).group]
    member = groups[2].member(0)
    assert member is not None and member.leaf_node.extensions == change.extensions
    assert member.signature_key == X25519.signature.public_key(seed) == groups[0].own_signature_key
    groups = commit_by(groups, 0, random)  # signed by the new key
    assert in_agreement(groups)
    refuses(
        "12.4.1-leaf-without-path",
        lambda: groups[0].commit(
            [Add(key_package("n", random).key_package)], leaf=change, path=False, now=NOW, random=random
        ),
    )
    unlisted = LeafChange(extensions=(Extension(0xF777, b""),))
    refuses("7.3-extensions", lambda: groups[0].commit(leaf=unlisted, now=NOW, random=random))


def test_a_reinit_ends_the_group() -> None:
    random = SeededRandom(71)
    groups = group_of(2, random)
    reinit = ReInit(b"next", 1, 0xF001, ())
    groups = commit_by(groups, 0, random, reinit)
    for group in groups:
        group = Group.decode(group.encode())
        assert group.reinit == reinit
        refuses("12.4.2-reinit", lambda group=group: group.encrypt(b"x", random=random))  # type: ignore[misc]
        refuses("12.4.2-reinit", lambda group=group: group.commit(now=NOW, random=random))  # type: ignore[misc]
        refuses("12.4.2-reinit", lambda group=group: group.propose(Remove(1), random=random))  # type: ignore[misc]


def test_verdicts_do_not_depend_on_who_judges() -> None:
    """Everything that `verify_commit` uses is the same for all members of an epoch."""
    random = SeededRandom(72)
    groups = group_of(4, random)
    good = groups[0].commit([Remove(3)], now=NOW, random=random).message
    bad = forge(groups[0], [Remove(3), Remove(3)], random)
    for group in groups:
        assert [m.leaf_index for m in group.verify_commit(good, now=NOW).removes] == [3]
        refuses("12.2-same-leaf", lambda group=group: group.verify_commit(bad, now=NOW))  # type: ignore[misc]


def test_renewing_a_leaf_without_a_leaf_is_refused() -> None:
    random = SeededRandom(73)
    groups = group_of(2, random)
    state = replace(groups[0]._state, own_leaf=5)
    refuses("6.1-blank-sender", lambda: committing.renew_leaf(state, LeafChange(), bytes(32), None))
    refuses("6.1-blank-sender", lambda: verifying.member_leaf(state.tree, 5))
