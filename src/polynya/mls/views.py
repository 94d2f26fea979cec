"""What the group tells those above it: plain, verified data."""

from __future__ import annotations

from dataclasses import dataclass, field

from polynya.mls.credential import Credential
from polynya.mls.extensions import Extension
from polynya.mls.keypackage import KeyPackage
from polynya.mls.leaf import LeafNode
from polynya.mls.proposal import Proposal
from polynya.mls.proposals import Proposed
from polynya.mls.verifying import CheckedCommit, member_leaf


@dataclass(frozen=True, slots=True)
class Member:
    """A leaf of the tree in some epoch."""

    leaf_index: int
    credential: Credential
    signature_key: bytes
    leaf_node: LeafNode = field(repr=False)

    @classmethod
    def of(cls, leaf_index: int, leaf: LeafNode) -> Member:
        return cls(leaf_index, leaf.credential, leaf.signature_key, leaf)


@dataclass(frozen=True, slots=True)
class ApplicationMessage:
    """A message that was opened. `sender` is the member as of `epoch`; `authenticated_data` travelled in the
    clear."""

    sender_leaf_index: int
    sender: Member
    epoch: int
    data: bytes = field(repr=False)
    authenticated_data: bytes


@dataclass(frozen=True, slots=True)
class ReceivedProposal:
    """A proposal that was accepted and waits for a commit. `member` is None if it came from outside the
    group."""

    reference: bytes
    proposal: Proposal
    member: Member | None
    authenticated_data: bytes


@dataclass(frozen=True, slots=True)
class VerifiedCommit:
    """A commit that passed every check that any member can make; only `Group.verify_commit` makes one.

    `committer` is the member before the commit, for an external commit the joiner. `proposals` carry their
    `sender` (framing.Sender) and, where they were sent before, their `reference`. `adds` are key packages in
    the order of their Add proposals, at the leaf indices `added_leaves`."""

    committer_leaf_index: int
    committer: Member
    proposals: tuple[Proposed, ...]
    adds: tuple[KeyPackage, ...]
    added_leaves: tuple[int, ...]
    removes: tuple[Member, ...]
    extensions_after: tuple[Extension, ...]
    authenticated_data: bytes
    is_external: bool
    checked: CheckedCommit = field(repr=False)

    @property
    def committer_after(self) -> Member:
        """The committer as the commit leaves it: its credential and keys may be others."""
        leaf = member_leaf(self.checked.tree, self.committer_leaf_index)
        return Member.of(self.committer_leaf_index, leaf)


@dataclass(frozen=True, slots=True)
class MessageInfo:
    """What the outside of an MLSMessage says, unverified. `content_type` is one of framing's constants."""

    group_id: bytes
    epoch: int
    content_type: int
    is_private: bool
