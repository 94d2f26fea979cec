"""A member's view of a group as one immutable value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from polynya.mls.groupcontext import GroupContext
from polynya.mls.leaf import LeafNode
from polynya.mls.proposal import ReInit
from polynya.mls.proposals import Proposed
from polynya.mls.schedule import EpochSecrets
from polynya.mls.secrettree import SecretTree
from polynya.mls.suite import Suite
from polynya.mls.tree import RatchetTree

MAX_RESUMPTION_EPOCHS = 8
"""Former epochs whose resumption key is kept: enough for a re-initialisation to find the epoch that it
names."""


@dataclass(frozen=True, slots=True)
class PastEpoch:
    """What it takes to open late application messages of an epoch, and no more. `members` by leaf index, in a tree
    with room for `leaf_count`."""

    context: GroupContext
    leaf_count: int
    members: Mapping[int, LeafNode] = field(repr=False)
    sender_data_secret: bytes = field(repr=False)
    secret_tree: SecretTree = field(repr=False)

    def leaf(self, index: int) -> LeafNode | None:
        return self.members.get(index)


@dataclass(frozen=True, slots=True)
class GroupState:
    """One epoch as a member sees it.

    `private_keys` by node index: the own leaf's and those above it that are known. `update_keys`: private
    keys of own Updates not committed yet, by public key. `past` are the epochs directly before this
    one, without a gap; they and `resumption` (by epoch) are ascending.
    """

    suite: Suite
    context: GroupContext
    tree: RatchetTree
    own_leaf: int
    signature_private: bytes = field(repr=False)
    private_keys: Mapping[int, bytes] = field(repr=False)
    secrets: EpochSecrets = field(repr=False)
    secret_tree: SecretTree = field(repr=False)
    interim_transcript_hash: bytes
    confirmation_tag: bytes = field(repr=False)
    pending: tuple[Proposed, ...] = ()
    update_keys: Mapping[bytes, bytes] = field(default_factory=dict, repr=False)
    past: tuple[PastEpoch, ...] = field(default=(), repr=False)
    resumption: Mapping[int, bytes] = field(default_factory=dict, repr=False)
    reinit: ReInit | None = None

    def archive(self, committer: int | None = None) -> PastEpoch:
        """This epoch without anything that sends: the own ratchets and all handshake ratchets are gone.

        `committer`: the leaf whose private commit ended the epoch, as its key must go too.
        """
        return PastEpoch(
            self.context,
            self.tree.leaf_count,
            self.tree.members(),
            self.secrets.sender_data_secret,
            self.secret_tree.without(self.suite, self.own_leaf).without_handshake(self.suite, committer),
        )

    def resumption_after(self) -> Mapping[int, bytes]:
        """The resumption keys to keep in the next epoch."""
        keys = {**self.resumption, self.context.epoch: self.secrets.resumption_psk}
        return dict(list(keys.items())[-MAX_RESUMPTION_EPOCHS:])
