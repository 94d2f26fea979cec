"""Records in the slot of the current epoch: the first that passes every public check is the epoch's commit (after a
ReInit it is where the group goes on: module moving)."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.core import (
    blobs,
    ending,
    epochs,
    leave,
    leaveproofs,
    membership,
    mlsgroup,
    moving,
    readd,
    roles,
    slots,
    topics,
    work,
)
from polynya.core._state import Conversation, ConversationState, MemberLeaf, Membership, Topic
from polynya.core.blobs import Body
from polynya.core.conversation import group, need, show_system
from polynya.core.conversation import membership as members_of
from polynya.core.epochs import Summary
from polynya.core.history import SystemContent
from polynya.core.identity import accepted_leaf, me
from polynya.core.roles import Change, Successor
from polynya.core.transaction import Transaction
from polynya.mls.errors import MlsError, RemovedError
from polynya.mls.group import Group, VerifiedCommit, inspect
from polynya.mls.proposal import Add, GroupContextExtensions, ReInit, Remove
from polynya.wire.errors import WireError
from polynya.wire.messages import CommitData, Entry, decode_commit_data


@dataclass(frozen=True, slots=True)
class Judged:
    """A commit that every member accepts."""

    verified: VerifiedCommit
    change: Change


def process(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry) -> bool:
    """False: the entry cannot be judged yet."""
    hash_ = topics.entry_hash(entry)
    own = membership.is_own(t, conversation.id, hash_)
    body = (
        Body("ready") if own is not None else topics.read_entry(t, topic, conversation.relay.identity, entry)
    )
    if body.state == "waiting":
        return False
    if body.state == "gone" and entry.record is not None:
        # The relay has said that this blob is whole: it must have it.
        blobs.forget_gone(t, conversation.relay.identity)
        slots.misbehaves(t, conversation, topic.id)
        return False
    taken = slots.take(t, conversation, topic, entry)
    if taken is None:
        return False
    topics.step(t, topic, entry)
    if own is None and entry.record is None:
        readd.begin(t, conversation.id)
        return False
    if conversation.state == ConversationState.MOVING:
        moving.process(t, taken, topic, entry, own, body)
        return True
    if own is not None:
        pending = membership.pending_of(own)
        removed = tuple(p.proposal.removed for p in pending.proposals if isinstance(p.proposal, Remove))
        summary = Summary(me(t).identity, removed, membership.left_by(t, conversation.id, own))
        changed = group(t, conversation.id).merge_commit(pending)
        _enter(t, taken, topic, entry, changed, summary)
        if changed.reinit is None:
            membership.won(t, need(t, conversation.id), own)
        membership.forget(t, need(t, conversation.id))
        leave.renew(t, conversation.id)
        return True
    if body.state != "ready":
        work.count(t, f"slot-{body.state}")
        return True
    judged = judge(t, taken, group(t, conversation.id), members_of(t, conversation.id), body.data, entry.time)
    if judged is not None:
        _follow(t, taken, topic, entry, judged)
    return True


def judge(
    t: Transaction, conversation: Conversation, present: Group, before: Membership, data: bytes, time: int
) -> Judged | None:
    """All public checks; None: the record is not the epoch's commit."""
    try:
        if not commit_is_public(data):
            work.count(t, "commit-private")
            return None
        verified = present.verify_commit(data, now=time)
    except MlsError as error:
        work.count(t, f"commit-{error.code}")
        return None
    data_of = _commit_data(verified.authenticated_data)
    adds = added_identities(verified)
    if data_of is None or adds is None:
        work.count(t, "commit-leaf" if adds is None else "commit-data")
        return None
    change = _change(conversation, present, before, verified, data_of, adds)
    broken = "role-other" if change is None else roles.broken_rule(change)
    if change is None or broken is not None:
        work.count(t, f"commit-{broken}")
        return None
    return Judged(verified, change)


def commit_is_public(data: bytes) -> bool:
    """Commits are PublicMessages: a private one spends a key of its sender. Raises MlsError."""
    return not inspect(data).is_private


def added_identities(verified: VerifiedCommit) -> tuple[bytes, ...] | None:
    """Identities of the new leaves; None where one is not accepted."""
    found = []
    for package in verified.adds:
        device = accepted_leaf(package.leaf_node.credential, package.leaf_node.signature_key)
        if device is None:
            return None
        found.append(device.identity)
    return tuple(found)


def _commit_data(data: bytes) -> CommitData | None:
    try:
        return decode_commit_data(data)
    except WireError:
        return None


def _change(
    conversation: Conversation,
    present: Group,
    before: Membership,
    verified: VerifiedCommit,
    data: CommitData,
    adds: tuple[bytes, ...],
) -> Change | None:
    by_leaf = {member.leaf: member for member in before.members}
    committer = by_leaf.get(verified.committer_leaf_index)
    removes: list[MemberLeaf] = []
    infos = []
    successor = None
    others = 1 if verified.is_external else 0
    for resolved in verified.proposals:
        proposal = resolved.proposal
        if resolved.reference is not None:
            others += 1
        if isinstance(proposal, Remove):
            if proposal.removed not in by_leaf:
                return None
            removes.append(by_leaf[proposal.removed])
        elif isinstance(proposal, GroupContextExtensions):
            infos.append(mlsgroup.read_info(proposal.extensions))
        elif isinstance(proposal, ReInit):
            stays = proposal.extensions == present.context.extensions
            successor = Successor(proposal.group_id, proposal.version, proposal.cipher_suite, stays)
        elif not isinstance(proposal, Add):
            others += 1
    if committer is None:
        return None
    leaf = None
    if verified.checked.commit.path is not None:
        leaf = verified.checked.commit.path.leaf_node
    device = None if leaf is None else accepted_leaf(leaf.credential, leaf.signature_key)
    return Change(
        epoch=conversation.epoch,
        before=before,
        committer=committer.identity,
        committer_after=None if device is None else device.identity,
        adds=adds,
        removes=tuple(removes),
        wished=leaveproofs.wished_leaves(present, tuple(removes), data.leaves or ()),
        info=infos[0] if infos else None,
        info_count=len(infos),
        info_valid=all(info is not None for info in infos),
        successor=successor,
        others=others,
    )


def _follow(t: Transaction, conversation: Conversation, topic: Topic, entry: Entry, judged: Judged) -> None:
    """Applies the epoch's commit; a member who cannot asks to be added again."""
    membership.forget(t, conversation)
    present = group(t, conversation.id)
    change = judged.change
    left = tuple(member.identity for member in change.removes if member.leaf in change.wished)
    try:
        changed = present.apply_commit(judged.verified)
    except RemovedError:
        if me(t).identity in change.adds:
            # Somebody added us again with a key package that we do not have any more.
            readd.begin(t, conversation.id)
            return
        _removed(t, conversation, topic, entry, change.committer, me(t).identity in left)
        return
    except MlsError as error:
        work.count(t, f"commit-{error.code}")
        readd.begin(t, conversation.id)
        return
    summary = Summary(change.committer, tuple(member.leaf for member in change.removes), left)
    _enter(t, conversation, topic, entry, changed, summary)


def _enter(
    t: Transaction, conversation: Conversation, topic: Topic, entry: Entry, changed: Group, summary: Summary
) -> None:
    after = mlsgroup.read_membership(changed)
    if after is None:
        # Every leaf and extension of the new epoch was checked before: only a fault of ours leads here.
        readd.begin(t, conversation.id)
        return
    epochs.enter(t, conversation, topic, entry, changed, after, summary)
    if changed.reinit is not None:
        moving.begin(t, conversation.id, changed.reinit, entry.time, summary.committer)


def _removed(
    t: Transaction, conversation: Conversation, topic: Topic, entry: Entry, by: bytes, wished: bool
) -> None:
    own = me(t).identity
    left = wished or conversation.state == ConversationState.LEAVING
    content = SystemContent("left" if left else "removed", (own,))
    order = topics.order(topic, entry.seq)
    author = own if left else by
    show_system(t, conversation.id, topics.entry_hash(entry), author, content, entry.time, order)
    ending.end(t, conversation.id, ConversationState.LEFT if left else ConversationState.REMOVED)
