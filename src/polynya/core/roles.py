"""Who may change what (protocol.md section 5.3): one function for each rule. Every member asks them of every commit."""

from __future__ import annotations

from dataclasses import dataclass

from polynya.core._state import MemberLeaf, Membership
from polynya.core.mlsgroup import SUITES
from polynya.mls.extensions import VERSION_MLS10
from polynya.wire.messages import ConversationInfo, ConversationKind


@dataclass(frozen=True, slots=True)
class Successor:
    """What a ReInit says of the group that is to follow."""

    group: bytes
    version: int
    suite: int
    info_stays: bool
    """Its extensions are the present ones."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit that passed MLS's own checks does, in the protocol's terms."""

    epoch: int
    """That it ends."""
    before: Membership
    committer: bytes
    """Identity."""
    committer_after: bytes | None
    """Identity of the committer's leaf in the commit's path; None: it has none that is accepted."""
    adds: tuple[bytes, ...]
    """Identities of the added leaves; all are accepted leaves."""
    removes: tuple[MemberLeaf, ...]
    wished: frozenset[int]
    """Removed leaves whose members wish it, by proofs in the CommitData."""
    info: ConversationInfo | None
    """From a GroupContextExtensions proposal."""
    info_count: int
    """How many GroupContextExtensions proposals there are."""
    info_valid: bool
    """Each holds exactly one extension, a ConversationInfo that decodes."""
    successor: Successor | None
    """From a ReInit, which MLS lets be the only proposal of its commit."""
    others: int
    """Proposals of any other type, or not by the committer, and external commits."""


def effective_admins(membership: Membership) -> tuple[bytes, ...]:
    """The admins that are members; if there are none, the member with the lowest leaf index."""
    present = {member.identity for member in membership.members}
    admins = tuple(identity for identity in membership.info.admins if identity in present)
    if admins or not membership.members:
        return admins
    return (membership.members[0].identity,)


def is_admin(membership: Membership, identity: bytes) -> bool:
    return identity in effective_admins(membership)


def may_add(membership: Membership, identity: bytes, epoch: int) -> bool:
    """Whether `identity` may bring in somebody new."""
    if membership.info.kind == ConversationKind.DIRECT:
        return epoch == 0
    return is_admin(membership, identity) or membership.info.members_add


def _new_identities(change: Change) -> list[bytes]:
    """Adds without the leaves that the same commit removes under the same identity."""
    replaced = [member.identity for member in change.removes]
    new = []
    for identity in change.adds:
        if identity in replaced:
            replaced.remove(identity)
        else:
            new.append(identity)
    return new


def _gone_leaves(change: Change) -> list[MemberLeaf]:
    """Removes without the leaves that the same commit adds again under the same identity."""
    again = list(change.adds)
    gone = []
    for member in change.removes:
        if member.identity in again:
            again.remove(member.identity)
        else:
            gone.append(member)
    return gone


def role_add(change: Change) -> bool:
    new = _new_identities(change)
    if not new:
        return True
    if change.before.info.kind == ConversationKind.DIRECT and len(change.before.members) + len(new) > 2:
        return False
    return may_add(change.before, change.committer, change.epoch)


def role_remove(change: Change) -> bool:
    gone = _gone_leaves(change)
    if not gone:
        return True
    if change.before.info.kind == ConversationKind.DIRECT:
        return False
    if is_admin(change.before, change.committer):
        return True
    return all(member.identity == change.committer or member.leaf in change.wished for member in gone)


def role_info(change: Change) -> bool:
    if change.info_count == 0:
        return True
    if change.info_count > 1 or not change.info_valid or change.info is None:
        return False
    if change.before.info.kind == ConversationKind.DIRECT or change.info.kind != change.before.info.kind:
        return False
    return is_admin(change.before, change.committer)


def role_update(change: Change) -> bool:
    return change.committer_after == change.committer


def role_reinit(change: Change) -> bool:
    successor, before = change.successor, change.before
    if successor is None:
        return True
    if before.info.kind != ConversationKind.GROUP or not is_admin(before, change.committer):
        return False
    if successor.version != VERSION_MLS10 or successor.suite not in SUITES or successor.suite == before.suite:
        return False
    return len(successor.group) == 16 and successor.group != before.group and successor.info_stays


def role_other(change: Change) -> bool:
    return change.others == 0


RULES = (
    ("role-add", role_add),
    ("role-remove", role_remove),
    ("role-info", role_info),
    ("role-update", role_update),
    ("role-reinit", role_reinit),
    ("role-other", role_other),
)


def broken_rule(change: Change) -> str | None:
    """Id of the first rule that the change breaks."""
    for name, rule in RULES:
        if not rule(change):
            return name
    return None
